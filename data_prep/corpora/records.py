"""What a loader gives, and the two ways in which a corpus is wrong.

As a whole, which stops (``CorpusError``), or in one record, which is left out (``RecordError``). ``Intake`` counts, so
that nothing is lost. Messages go into logs and ``rejected.jsonl``, and corpora hold what people wrote in distress: of a
text only its type and length are told, never its words. The checks on records are those of `checks`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from common.records.question import Question
from data_prep.tally import Rejected

T = TypeVar("T", bound=Any)  # what has an id

# How much of a number, a name of a column or a key is shown at most, in characters.
SHOWN_CHARS: Final = 20

# The share of bad records from which on the format is probably another one.
MAX_BAD_RECORDS: Final = 0.05

# How many good records make up for one bad one where ``MAX_BAD_RECORDS`` of all is less than one.
FEW_GOOD: Final = 10


class CorpusError(ValueError):
    """A corpus cannot be read; the message names file, line, field, what was found, what was expected, the remedy."""


class BadRecords(CorpusError):
    """Too few of a corpus's records can be used: its format is probably another one."""


class RecordError(ValueError):
    """One record of a corpus cannot be used.

    Its text is the whole message: place, field, what was found, what was expected, the remedy.

    Attributes:
        reason: why, in words that also serve to count by.
    """

    def __init__(self, where: str, reason: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.reason = reason


class LeftOut(RecordError):
    """One record is sound or not looked at, and no question: rejected and counted, but not one of the bad ones."""


def bad_field(where: str, field: str, fault: str, found: object, expected: str, remedy: str) -> RecordError:
    """The error for one field of one record.

    Args:
        where: file and line, or file and entry.
        fault: "missing", "blank", "wrong type" and the like, part of the reason.
        found: the value as it stands; only its kind gets into the message.
    """
    return RecordError(
        where, f"{field}: {fault}", f"field {field!r}: found {described(found)}, expected {expected}. {remedy}"
    )


def described(value: object) -> str:
    """A value in words: a number or truth value as it stands, anything else by its type and size."""
    match value:
        case str():
            return f"a text of {len(value)} characters"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"an object of {len(value)} keys"
        case int() | float():
            return shortened(str(value))
    return "null" if value is None else f"a value of type {type(value).__name__}"


def shortened(name: str) -> str:
    """The first ``SHOWN_CHARS`` characters."""
    return name if len(name) <= SHOWN_CHARS else f"{name[:SHOWN_CHARS]}…"


def missing(path: Path) -> CorpusError:
    """The error for a file or folder that is not there."""
    return CorpusError(f"{path}: no such file or folder. Check the corpus path.")


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
        further: the formats of what `with_training` has joined to it.
    """

    questions: list[Question]
    rejected: list[Rejected]
    records_in: int
    records_kept: int
    format: str = field(default="", compare=False)
    further: tuple[str, ...] = ()

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

    def with_training(self, more: Mapping[str, "Corpus"]) -> "Corpus":
        """This corpus and others, by name, whose questions are trained on and never tested.

        Their ids get the name before them, for two corpora may count alike.
        """
        added = [
            replace(question, id=f"{name}/{question.id}", train_only=True)
            for name, corpus in more.items()
            for question in corpus.questions
        ]
        parts = (self, *more.values())
        return replace(
            self,
            questions=[*self.questions, *added],
            rejected=[item for part in parts for item in part.rejected],
            records_in=sum(part.records_in for part in parts),
            records_kept=sum(part.records_kept for part in parts),
            further=tuple(corpus.format for corpus in more.values()),
        )


class Intake:
    """Counts a corpus's records while they are read, and collects those that are rejected."""

    def __init__(self) -> None:
        self.records_in = self._kept = 0
        self._rejected: list[Rejected] = []
        self._bad: list[Rejected] = []

    def take(self, entries: Iterable[Entry], handle: Callable[[object, str], None]) -> None:
        """Give every record's value and place to ``handle``; those it refuses by ``RecordError`` are rejected."""
        for where, value in entries:
            self.records_in += 1
            try:
                if isinstance(value, RecordError):
                    raise value
                handle(value, where)
            except RecordError as error:
                rejected = Rejected(where, "record", error.reason, str(error))
                self._rejected.append(rejected)
                if not isinstance(error, LeftOut):
                    self._bad.append(rejected)
            else:
                self._kept += 1

    def distinct(self, entries: Iterable[Entry], read: Callable[[object, str], T], field: str) -> list[T]:
        """What ``read`` makes of each record's value and place; as ``take``, and an id met before is rejected too.

        Args:
            field: the id's name in the corpus, for the message.
        """
        found: dict[str, tuple[T, str]] = {}

        def add(value: object, where: str) -> None:
            item = read(value, where)
            if item.id in found:
                expected = f"an id unlike that of {found[item.id][1]}"
                raise bad_field(where, field, "duplicate id", item.id, expected, "Give one of the two another id.")
            found[item.id] = item, where

        self.take(entries, add)
        return [item for item, _ in found.values()]

    def corpus(self, path: Path, questions: list[Question], max_bad_records: float) -> Corpus:
        """The corpus, when enough of it is good.

        Tolerated are ``max_bad_records`` of all records, rounded down, but never all of them; and one in any case
        beside ``FEW_GOOD`` good ones, unless ``max_bad_records`` is 0.

        Raises:
            CorpusError: no record at all; ``BadRecords`` where none is good, or more are bad than tolerated.
        """
        bad = len(self._bad)
        if not self.records_in:
            raise CorpusError(f"{path}: no record in it, expected at least one. Check the corpus path.")
        # The product of 0.29 and 100 is a hair under 29.
        tolerated = min(int(max_bad_records * self.records_in + 1e-6), self.records_in - 1)
        if max_bad_records and self._kept >= FEW_GOOD:
            tolerated = max(tolerated, 1)
        if bad > tolerated:
            raise BadRecords(
                f"{path}: {bad} of {self.records_in} records are bad, expected at most {tolerated} "
                f"(max_bad_records={max_bad_records:g}). The first: {self._bad[0].detail} "
                "Mend them, name another format, or allow more of them."
            )
        if not self._kept:
            raise BadRecords(
                f"{path}: no question in {self.records_in} records. The first: {self._rejected[0].detail} "
                "Check the corpus path."
            )
        return Corpus(questions, self._rejected, self.records_in, self._kept)
