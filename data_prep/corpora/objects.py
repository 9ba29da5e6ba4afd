"""A JSON file that is one object: records under a key, a table by columns, records by id, or a single record.

    {"data": [{…}, {…}]}                                   records, under any key or keys, also one object deeper
    {"title": {"0": …, "1": …}, "responses": {…}}          by columns, as pandas writes it; with lists as well
    {"columns": […], "index": […], "data": [[…], […]]}     pandas' orient "split"
    {"a1": {…}, "a2": {…}}                                 records by id
    {"the question …?": "the answer …"}                    responses by title
    {"title": …, "responses": […]}                         a record, also several one after the other

`layout` tells which of them a file is. It is read value by value, so that a corpus of half a gigabyte
never stands in memory as text.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from data_prep.corpora.limits import too_large
from data_prep.corpora.names import DIALOGUES
from data_prep.corpora.records import Entry
from data_prep.corpora.rows import TOO_LARGE, JsonList
from data_prep.corpora.text_files import Inspected, open_text

Kind = Literal["record", "records", "columns", "split", "by id", "by title"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How an object holds its records.

    Attributes:
        kind: see this module.
        under: for "records" the keys of their lists, a path each: ("data",) or ("data", "items").
    """

    kind: Kind
    under: frozenset[tuple[str, ...]] = frozenset()


def entries(path: Path, inspected: Inspected, layout: Layout) -> Iterator[Entry]:
    """The records of such a file.

    Raises:
        CorpusError: it is not JSON to its end.
    """
    with open_text(path, inspected.encoding) as stream:
        yield from JsonObject(stream, path).records(layout)


class JsonObject(JsonList):
    """A JSON object, read in pieces."""

    def members(self) -> Iterator[str]:
        """Each key of the object that begins here; the caller reads the value."""
        mark = self._expect("{")
        if self._next() == "}":
            mark = self._expect("}")
        while mark != "}":
            self._next()
            key = self._value()
            if not isinstance(key, str):
                raise self._error("a key that is no text")
            self._expect(":")
            self._next()
            yield key
            mark = self._expect(",}")

    def fill(self, found: dict[str, Any], depth: int = 2) -> None:
        """Read the object into a dictionary that holds what was read even where reading fails."""
        for key in self.members():
            mark = self._next()
            if mark == "[":
                values = found[key] = []
                for _ in self.items():
                    values.append(self._record())
            elif mark == "{" and depth > 1:
                found[key] = {}
                self.fill(found[key], depth - 1)
            else:
                found[key] = self._value()

    def records(self, layout: Layout) -> Iterator[Entry]:
        """The records of the whole file."""
        found = self._found(layout)
        for number, (line, value) in enumerate(found, 1):
            place = f" (line {line})" if line else ""
            where = f"{self._path.name}: entry {number}{place}"
            yield Entry(where, too_large(where) if value is TOO_LARGE else value)
        if self._next():
            raise self._error("something after the object's end")

    def _found(self, layout: Layout) -> Iterator[tuple[int, object]]:
        if layout.kind == "records":
            return self._in_lists({len(path) for path in layout.under}, layout.under, ())
        if layout.kind == "by id":
            return self._by_id()
        if layout.kind == "by title":
            return self._by_title()
        if layout.kind == "record":
            return self._one_by_one()
        return self._table(layout.kind)

    def _in_lists(
        self, depths: Collection[int], under: Collection[tuple[str, ...]], above: tuple[str, ...]
    ) -> Iterator[tuple[int, object]]:
        """The values of the lists at these paths, and of lists of objects as deep that only come later in the file."""
        for key in self.members():
            path = (*above, key)
            if len(path) in depths and self._next() == "[":
                for line in self.items():
                    is_record = path in under or self._next() == "{"
                    value = self._record()
                    if is_record:
                        yield line, value
            elif len(path) < max(depths) and self._next() == "{":
                yield from self._in_lists(depths, under, path)
            else:
                self._value()

    def _by_id(self) -> Iterator[tuple[int, object]]:
        for key in self.members():
            line, value = self._line_here(), self._record()
            if isinstance(value, dict):
                yield line, {"id": key, **value}
            elif value is TOO_LARGE:
                yield line, value
            else:
                yield line, {"id": key, DIALOGUES[0]: value}

    def _by_title(self) -> Iterator[tuple[int, object]]:
        for key in self.members():
            yield self._line_here(), {"title": key, "responses": self._value()}

    def _one_by_one(self) -> Iterator[tuple[int, object]]:
        """The object, and any that follow it: JSON Lines whose objects go over several lines."""
        while self._next() == "{":
            yield self._line_here(), self._record()

    def _table(self, layout: Kind) -> Iterator[tuple[int, object]]:
        """Rows of a table by columns, of which all have to be read before the first row."""
        found: dict[str, Any] = {}
        self.fill(found)
        if any(cell is TOO_LARGE for column in found.values() if isinstance(column, list) for cell in column):
            raise self._error("a cell over max_record_mb, which may be raised")
        if layout == "split":
            return self._rows(found.get("columns"), found.get("data"))
        columns = {name: column for name, column in found.items() if isinstance(column, list | dict)}
        numbered = {
            name: dict(enumerate(column)) if isinstance(column, list) else column for name, column in columns.items()
        }
        if len(sizes := {len(column) for column in numbered.values()}) > 1:
            raise self._error(f"columns of {sorted(sizes)} cells")
        numbers = next(iter(numbered.values()))
        return ((0, {name: column.get(number) for name, column in numbered.items()}) for number in numbers)

    def _rows(self, names: Any, rows: Any) -> Iterator[tuple[int, object]]:
        if not isinstance(rows, list) or len(set(map(str, names))) < len(names):
            raise self._error("no list of rows under columns of different names")
        for row in rows:
            if not isinstance(row, list) or len(row) != len(names):
                raise self._error(f"no row of {len(names)} cells, as there are columns")
            yield 0, dict(zip(map(str, names), row, strict=True))
