"""Limits beside the cosine that an answer has to keep to be paid for: against parroting, repetition and padding.

All are off by default, as in the paper. `make reward-probes` shows what each one stops, and what genuine answers lose.
"""

from dataclasses import dataclass

from reward_fns.components import copy_overlap, distinct_grams


@dataclass(frozen=True, slots=True)
class Guards:
    """The limits; None switches one off.

    Attributes:
        max_copy: largest share of the answer's pairs of neighbouring characters that may stand in the question.
        min_distinct: least share of distinct ones among these pairs, 0 to 1.
        min_chars, max_chars: shortest and longest answer, in characters.
    """

    max_copy: float | None = None
    min_distinct: float | None = None
    min_chars: int | None = None
    max_chars: int | None = None

    def __post_init__(self) -> None:
        """Stop at a limit that cannot be one.

        Raises:
            ValueError: names the limit.
        """
        for name in ("max_copy", "min_distinct"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name}={share}: expected 0 to 1, or null for none.")
        for name in ("min_chars", "max_chars"):
            count = getattr(self, name)
            if count is not None and count < 0:
                raise ValueError(f"{name}={count}: expected 0 or more, or null for none.")

    def refuse(self, question: str, answer: str) -> str:
        """The first limit that the answer breaks, by its name; "" where it keeps all."""
        if self.min_chars is not None and len(answer) < self.min_chars:
            return "min_chars"
        if self.max_chars is not None and len(answer) > self.max_chars:
            return "max_chars"
        if self.max_copy is not None and copy_overlap(question, answer) > self.max_copy:
            return "max_copy"
        if self.min_distinct is not None and distinct_grams(answer) < self.min_distinct:
            return "min_distinct"
        return ""
