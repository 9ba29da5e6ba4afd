"""What a loader gives: the questions, what was rejected, and the count that shows that nothing was lost."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from common.records.question import Question
from data_prep.corpora.errors import CorpusError, RecordError
from data_prep.rejected import Rejected

# The share of bad records from which on the format is probably another one.
MAX_BAD_RECORDS: Final = 0.05

# How many good records make up for one bad one where ``MAX_BAD_RECORDS`` of all is less than one.
FEW_GOOD: Final = 10


class Entry(NamedTuple):
    """One record as it was read: its place in the corpus, and its value or what kept it from being read."""

    where: str
    value: object


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus, read.

    Attributes:
        questions: in the order of the corpus, SMILECHAT's in that of the ids.
        rejected: the records that could not be used, each with its place, reason and remedy.
        records_in: records met: a question, a row of a table or a dialogue, by the format.
        records_kept: those that became a question or part of one.
        format: what it was read as.
    """

    questions: list[Question]
    rejected: list[Rejected]
    records_in: int
    records_kept: int
    format: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Check the sum.

        Raises:
            RuntimeError: kept and rejected are not all that came in, a bug of this package.
        """
        if self.records_in != self.records_kept + len(self.rejected):
            raise RuntimeError(
                f"{self.records_in} records came in, {self.records_kept} kept, {len(self.rejected)} rejected: "
                "report this bug."
            )


class Intake:
    """Counts a corpus's records while they are read, and collects those that are rejected."""

    def __init__(self) -> None:
        self.records_in = 0
        self._kept = 0
        self._rejected: list[Rejected] = []

    def take(self, entries: Iterable[Entry], handle: Callable[[object, str], None]) -> None:
        """Give every record's value and place to ``handle``; those it refuses by ``RecordError`` are rejected."""
        for where, value in entries:
            self.records_in += 1
            try:
                if isinstance(value, RecordError):
                    raise value
                handle(value, where)
            except RecordError as error:
                self._rejected.append(Rejected(where, "record", error.reason, str(error)))
            else:
                self._kept += 1

    def corpus(self, path: Path, questions: list[Question], max_bad_records: float) -> Corpus:
        """The corpus, when enough of it is good.

        Tolerated are ``max_bad_records`` of all records, rounded down, but never all of them; and one in any case
        beside ``FEW_GOOD`` good ones, unless ``max_bad_records`` is 0.

        Raises:
            CorpusError: no record at all, none good, or more bad ones than tolerated.
        """
        bad = len(self._rejected)
        if not self.records_in:
            raise CorpusError(f"{path}: no record in it, expected at least one. Check the corpus path.")
        # The product of 0.29 and 100 is a hair under 29.
        tolerated = min(int(max_bad_records * self.records_in + 1e-6), self.records_in - 1)
        if max_bad_records and self._kept >= FEW_GOOD:
            tolerated = max(tolerated, 1)
        if bad > tolerated:
            raise CorpusError(
                f"{path}: {bad} of {self.records_in} records are bad, expected at most {tolerated} "
                f"(max_bad_records={max_bad_records:g}). The first: {self._rejected[0].detail} "
                "Mend them, name another format, or allow more of them."
            )
        return Corpus(questions, self._rejected, self.records_in, self._kept)
