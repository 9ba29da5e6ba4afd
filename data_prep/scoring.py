"""What was found, scored against what is labelled: recall, precision, the cases. Both ``measure`` commands use it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Score:
    """Counts of one type, and what was missed and falsely found, with some text around."""

    hits: int = 0
    misses: list[str] = field(default_factory=list)
    false_alarms: list[str] = field(default_factory=list)

    def __add__(self, other: "Score") -> "Score":
        """Both together."""
        return Score(self.hits + other.hits, [*self.misses, *other.misses], [*self.false_alarms, *other.false_alarms])

    @property
    def recall(self) -> float:
        """Found among labelled; 1 where nothing is labelled."""
        labelled = self.hits + len(self.misses)
        return self.hits / labelled if labelled else 1.0

    @property
    def precision(self) -> float:
        """Labelled among found; 1 where nothing is found."""
        found = self.hits + len(self.false_alarms)
        return self.hits / found if found else 1.0
