"""The tally of a run: how many came into each step, were kept, were rejected, and why; and what each left out."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class StageCount:
    """How many came into a step, and how many of them it kept; the rest is in ``rejected.jsonl``."""

    came_in: int
    kept: int
    rejected: int

    def __post_init__(self) -> None:
        """Check the sum.

        Raises:
            RuntimeError: kept and rejected are not all that came in, a bug of this package.
        """
        if self.came_in != self.kept + self.rejected:
            raise RuntimeError(f"{self.came_in} came in, {self.kept} kept, {self.rejected} rejected: report this bug.")


@dataclass(slots=True)
class Tally:
    """Counts and rejected things, step by step in the order they were noted."""

    stages: dict[str, StageCount] = field(default_factory=dict)
    rejected: list[tuple[str, Rejected]] = field(default_factory=list)

    def note(self, stage: str, came_in: int, kept: int, rejected: Iterable[Rejected]) -> None:
        """Note a step.

        Raises:
            RuntimeError: the numbers do not add up.
        """
        items = list(rejected)
        self.stages[stage] = StageCount(came_in, kept, len(items))
        self.rejected += [(stage, item) for item in items]

    def reasons(self) -> dict[str, dict[str, int]]:
        """How often each reason was given, by step, the commonest first."""
        counts: dict[str, Counter[str]] = {}
        for stage, item in self.rejected:
            counts.setdefault(stage, Counter())[item.reason] += 1
        return {stage: dict(counter.most_common()) for stage, counter in counts.items()}

    def told(self, stages: Iterable[str]) -> str:
        """What some steps left out and why, in words: how it came that nothing is left.

        Args:
            stages: those that were not noted are passed over.
        """
        reasons = self.reasons()
        parts = []
        for stage in stages:
            count = self.stages.get(stage)
            if count and count.rejected:
                why = ", ".join(f"{number} {reason}" for reason, number in reasons[stage].items())
                parts.append(f"{stage}: {count.came_in} in, {count.kept} kept ({why}).")
        return " ".join(parts)
