"""What a step of data preparation left out."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rejected:
    """One thing that a step left out: nothing leaves the data without one of these.

    Attributes:
        id: the question's; where a record could not be read, its file and line or entry.
        what: what was left out of it.
        reason: why, in words that also serve to count by.
        detail: what differs from case to case: what was found, what was expected, what to do.
        tokens: its length in tokens, where that is the reason.
        limit: the limit that it broke, where that is the reason.
    """

    id: str
    what: Literal["record", "question", "response", "sft sample", "rl prompt", "test prompt", "triplet"]
    reason: str
    detail: str = ""
    tokens: int | None = None
    limit: int | None = None
