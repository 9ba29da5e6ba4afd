"""The map from our fields to a corpus's columns or keys, and the mark of acute risk that it can hand over.

    columns.title=问题 columns.responses=回答       by name
    columns.crisis=label.s3                        by a path, where a key is nested
    columns.title=2 columns.responses=3            by number, from 1, in a table without a header or with long names
    columns.responses=回答1,回答2                   several columns, a response in each

A post is marked as being at acute risk by the column ``crisis``: true, 1, yes, 是 and the like mark it; false, 0, no,
否, null and nothing do not. Any other values need ``crisis_values``, those that mark: ``crisis_values=[3,4]``. A list
of labels marks where one of its members does.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from data_prep.corpora.checks import is_null
from data_prep.corpora.records import CorpusError, bad_field

# The fields that a map may name; each is read from the column of its own name unless the map says another.
FIELDS: Final = ("title", "description", "responses", "id", "topic", "subtopic", "crisis", "dialogue")

# Marks around and between labels of one cell.
_SIDE_BY_SIDE: Final = re.compile(r"[\[\]'\",，;；|、]+\s*")
_MARKS: Final = frozenset({"true", "1", "yes", "y", "t", "是", "有", "真"})
_MARKS_NOT: Final = frozenset({"false", "0", "no", "n", "f", "否", "无", "没有", "假", "", "null", "none", "nan"})


@dataclass(frozen=True, slots=True)
class Columns:
    """A column map.

    Attributes:
        named: the corpus's column of each of ``FIELDS`` that has another name there.
        crisis_values: those of the column ``crisis`` that mark acute risk; empty for the usual ones.
    """

    named: Mapping[str, str] = field(default_factory=dict)
    crisis_values: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Check the map.

        Raises:
            CorpusError: an unknown field, a name that is none, or one column for two fields.
        """
        for field_, name in self.named.items():
            if field_ not in FIELDS or not isinstance(name, str) or not name.strip():
                raise CorpusError(
                    f"columns: field {field_!r} from column {name!r}, expected a name for some of {list(FIELDS)}. "
                    "Correct the config."
                )
        if len(set(self.named.values())) < len(self.named):
            raise CorpusError(
                f"columns: {dict(self.named)}, expected another column for each field. Correct the config."
            )

    def name(self, field: str) -> str | None:
        """The column named for a field, None where none is."""
        return self.named.get(field)

    def resolved(self, names: Sequence[str], records: Sequence[Mapping[str, Any]]) -> "Columns":
        """The same map with the numbers of columns turned into their names.

        Args:
            names: of the columns.
            records: some of the rows.
        """
        found = {field: column_of(name, names, records) or name for field, name in self.named.items()}
        parts = found.get("responses", "").split(",")
        several = [column_of(part.strip(), names, records) or part for part in parts]
        if len(several) > 1 and found["responses"] not in names:
            found["responses"] = ",".join(several)
        return replace(self, named=found)

    def crisis(self, record: Mapping[str, Any], where: str) -> bool:
        """Whether a record is marked as being at acute risk.

        Raises:
            RecordError: a value of which nobody has said whether it marks.
        """
        name = self.named.get("crisis", "crisis")
        value = value_at(record, name)
        found = {_plain(label) for label in _labels(value)}
        if self.crisis_values:
            return not (found | {_plain(value)}).isdisjoint(map(_plain, self.crisis_values))
        if not all(map(_is_known, found)):
            remedy = "Say which values mark acute risk, such as crisis_values=[3,4]."
            raise bad_field(where, name, "unknown mark", value, "true or false, 1 or 0, 是 or 否", remedy)
        return not found.isdisjoint(_MARKS)


def marks(columns: Columns, records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Every value of the column ``crisis``, of a list its members, as they stand there."""
    name = columns.named.get("crisis", "crisis")
    return (str(label).strip() for record in records for label in _labels(value_at(record, name)))


def are_marking(columns: Columns, found: Iterable[str]) -> bool:
    """Whether one of these values is among ``crisis_values``."""
    return not set(map(_plain, found)).isdisjoint(map(_plain, columns.crisis_values))


def unknown_marks(columns: Columns, records: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Values of the column ``crisis`` of which nobody has said whether they mark, with how often each comes."""
    if columns.crisis_values:
        return {}
    return Counter(mark for mark in marks(columns, records) if not _is_known(_plain(mark)))


def value_at(record: Mapping[str, Any], name: str) -> Any:
    """A record's value by a key, or by a path of keys with dots between them; None where there is none."""
    if name in record:
        return record[name]
    value: Any = record
    for step in name.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value


def column_of(name: str, names: Sequence[str], records: Sequence[Mapping[str, Any]]) -> str | None:
    """The column that a name of the map means: of this name, a path that some record has, or of this number.

    Args:
        names: of the columns.
        records: some of the rows.
    """
    if name in names or any(value_at(record, name) is not None for record in records):
        return name
    return names[int(name) - 1] if name.isdecimal() and 1 <= int(name) <= len(names) else None


def heads(names: Iterable[str]) -> set[str]:
    """The columns in which paths begin, those of a list of names, and the names themselves."""
    return {part for name in names for part in (name, name.split(".")[0], *name.split(","))}


def _labels(value: object) -> list[object]:
    """The members of a list, also of one in a cell, or of labels side by side (抑郁,自杀); else the value itself."""
    if isinstance(value, str) and _SIDE_BY_SIDE.search(value):
        value = [label for label in _SIDE_BY_SIDE.split(value) if label.strip()]
    return [label for label in (value if isinstance(value, list) else [value]) if not is_null(label)]


def _is_known(mark: str) -> bool:
    return mark in _MARKS or mark in _MARKS_NOT


def _plain(value: object) -> str:
    """A mark as it is compared: 3, 3.0 and " 3 " are one."""
    text = str(value).strip().lower()
    try:
        return f"{float(text):g}"
    except ValueError:
        return text
