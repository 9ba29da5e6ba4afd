"""Any table as one object a row: JSON lists, JSON Lines, CSV, TSV (all also gzipped) and parquet, told by content.

CSV is read by `csv_rows`. JSON is one list, or JSON Lines, whichever the file is. A list is decoded entry by entry, so
that a corpus of half a gigabyte never stands in memory as text. In JSON Lines a broken line costs that record alone; in
a list nobody can tell where the next entry begins, so the file is refused.
"""

import json
import re
from collections.abc import Collection, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from data_prep.corpora import header, parquet_rows
from data_prep.corpora.csv_rows import rows_of
from data_prep.corpora.limits import Kept, check_file, lines_of, record_bytes, too_large
from data_prep.corpora.records import CorpusError, Entry, RecordError
from data_prep.corpora.shape import shown
from data_prep.corpora.text_files import Inspected, inspect, open_text

_SAMPLED: Final = 100
_ROWS_BELOW: Final = 20
_CHUNK: Final = 1 << 22
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_AFTER_VALUE: Final = frozenset(",]}: \t\r\n")
# What ends a value that is passed over; an escaped character is none of these.
_MARKS: Final = re.compile(r'["\[\]{}]|\\.', re.DOTALL)
_DECODER: Final = json.JSONDecoder()


# A table, opened: the names of its columns, for JSON the keys of the first 100 records in order of appearance; and its
# rows, objects by column.
Table = tuple[list[str], Iterator[Entry]]


def open_table(path: Path, encoding: str, wanted: Collection[str] | None = None) -> Table:
    """A table's columns and rows.

    Args:
        encoding: of text without a byte-order mark.
        wanted: the columns that the rows are asked for; parquet reads no other. None for all that may hold texts.

    Raises:
        CorpusError: as ``text_files.inspect``, an archive, empty or repeated names of columns, damaged parquet; while
            the rows are read also what ``read`` raises.
    """
    inspected = inspect(path, encoding)
    if inspected.kind == "parquet":
        return _open_parquet(path, wanted)
    if inspected.kind == "csv":
        entries = _csv_entries(path, inspected, wanted or ())
        names = next(entries).value
        assert isinstance(names, list)
        return names, entries
    if inspected.kind in ("json", "jsonl"):
        entries = read_inspected(path, inspected)
        first = list(islice(entries, _SAMPLED))
        keys = (key for entry in first if isinstance(entry.value, dict) for key in entry.value)
        return list(dict.fromkeys(keys)), chain(first, entries)
    raise CorpusError(
        f"{path}: a {inspected.kind} archive by its content, expected a table. Unpack it, or save a workbook as CSV."
    )


def _csv_entries(path: Path, inspected: Inspected, wanted: Collection[str]) -> Iterator[Entry]:
    """The header as a list, then the rows."""
    with open_text(path, inspected.encoding) as stream:
        rows = rows_of(lines_of(stream, path), header.delimiter_of(inspected.first_line), path.name)
        number, first = next(rows)
        if isinstance(first, RecordError):
            raise CorpusError(f"{path}:{number}: no CSV header ({first}), expected names of columns. Mend the line.")
        first = [name.strip() for name in first]
        next_rows = list(islice(rows, _ROWS_BELOW))
        below = [row for _, row in next_rows if isinstance(row, list)]
        names = _checked(header.names_of(first, below, wanted), path)
        yield Entry(f"{path.name}:{number}", names)
        if names is not first:
            yield Entry(f"{path.name}:{number}", dict(zip(names, first, strict=True)))
        for number, row in chain(next_rows, rows):
            value = row if isinstance(row, RecordError) else dict(zip(names, row, strict=True))
            yield Entry(f"{path.name}:{number}", value)


def _checked(names: list[str], path: Path) -> list[str]:
    # pandas writes its index under no name, and Excel blank columns at the end: nobody reads these.
    named = [number for number, name in enumerate(names) if name]
    inner = names[named[0] : named[-1]] if named else names
    if "" in inner or len(set(names) - {""}) < len(names) - names.count(""):
        raise CorpusError(f"{path}: columns {shown(names)}, expected every one named, each once. Mend the header.")
    return names


def _open_parquet(path: Path, wanted: Collection[str] | None) -> Table:
    try:
        file = parquet_rows.open_file(path)
    except (pa.ArrowException, OSError) as error:
        raise _bad_parquet(path, error) from error
    names = _checked(list(file.schema_arrow.names), path)
    # Python has no such date for some of Arrow's.
    texts = [field.name for field in file.schema_arrow if not pa.types.is_temporal(field.type)]
    return names, _parquet_rows(file, texts if wanted is None else [name for name in names if name in wanted], path)


def _parquet_rows(file: pq.ParquetFile, columns: list[str], path: Path) -> Iterator[Entry]:
    number = 0
    try:
        for number, value in enumerate(parquet_rows.rows(file, columns, path), 1):
            where = f"{path.name}: row {number}"
            yield Entry(where, too_large(where) if value is None else value)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _bad_parquet(path, error, f" after row {number}") from error


def _bad_parquet(path: Path, error: Exception, after: str = "") -> CorpusError:
    complaint = str(error).splitlines()[0][:100]
    return CorpusError(f"{path}{after}: not a whole parquet file ({complaint}), expected one. Fetch or write it again.")


def read(path: Path, encoding: str = "utf-8") -> Iterator[Entry]:
    """The records of a JSON list or of JSON Lines, also gzipped.

    Raises:
        CorpusError: as ``text_files.inspect``, neither of the two, or a list that is not JSON to its end.
    """
    inspected = inspect(path, encoding)
    if inspected.kind not in ("json", "jsonl"):
        raise CorpusError(
            f"{path}: {inspected.kind} by its content, expected a JSON list or one JSON object a line. "
            "Name the format that it has, or convert it."
        )
    yield from read_inspected(path, inspected)


def read_inspected(path: Path, inspected: Inspected) -> Iterator[Entry]:
    """As ``read``, for a file that is known to be JSON.

    Raises:
        CorpusError: as ``read``.
    """
    with open_text(path, inspected.encoding) as stream:
        if inspected.kind == "json":
            yield from JsonList(stream, path).entries()
        else:
            yield from _lines(stream, path)


def _lines(stream: IO[str], path: Path) -> Iterator[Entry]:
    for number, line in enumerate(lines_of(stream, path), 1):
        if line is None:
            yield Entry(f"{path.name}:{number}", too_large(f"{path.name}:{number}"))
        elif line.strip():
            yield Entry(f"{path.name}:{number}", _line(line, f"{path.name}:{number}"))


def _line(line: str, where: str) -> object:
    try:
        return json.loads(line)
    except RecursionError:
        return RecordError(where, "not JSON", "brackets nested too deep, expected one object a line. Mend the line.")
    except ValueError as error:
        found = f"found {_complaint(error)}, expected one JSON object a line."
        if line.endswith(("\n", "\r")):
            return RecordError(where, "not JSON", f"{found} Mend the line, or convert the file if it is no JSON Lines.")
        return RecordError(where, "truncated line", f"{found} The file ends here: fetch it again, it may be cut off.")


class _TooLargeError(Exception):
    """A value that is over the bound and has been passed over."""


# Stands in the place of such a value.
TOO_LARGE: Final = object()


class JsonList:
    """A JSON list, read in pieces."""

    def __init__(self, stream: IO[str], path: Path) -> None:
        self._stream = stream
        self._path = path
        self._text = ""
        self._at = 0
        self._line = 1
        self._counted = 0
        self._read = 0
        # A beginning that is looked at (`layout`) is no file.
        self._kept = Kept(path) if path.is_file() else None

    def entries(self) -> Iterator[Entry]:
        for number, line in enumerate(self.items(), 1):
            where = f"{self._path.name}: entry {number} (line {line})"
            value = self._record()
            yield Entry(where, too_large(where) if value is TOO_LARGE else value)
        if self._next():
            raise self._error("something after the list's end")

    def items(self) -> Iterator[int]:
        """The line of each value of the list that begins here; the caller reads the value."""
        mark = self._expect("[")
        if self._next() == "]":
            mark = self._expect("]")
        while mark != "]":
            self._next()
            yield self._line_here()
            mark = self._expect(",]")

    def _record(self) -> Any:
        """The value that begins here, which is a record; ``TOO_LARGE`` where it is over the bound and passed over."""
        try:
            return self._decoded()
        except _TooLargeError:
            return TOO_LARGE

    def _value(self) -> Any:
        """The value that begins here, which the file can't be read without."""
        try:
            return self._decoded()
        except _TooLargeError as error:
            raise self._error("a value over max_record_mb, which may be raised") from error

    def _decoded(self) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                # A value may merely go on in the next piece; at the end of the file it cannot.
                if len(self._text) - self._at > record_bytes():
                    self._pass_over()
                    raise _TooLargeError from error
                if self._read_on():
                    continue
                self._at = getattr(error, "pos", self._at)
                raise self._error(_complaint(error)) from error
            # A number may go on too: "0.5" decodes as 0 where a piece ends after its point.
            if self._text[end : end + 1] not in _AFTER_VALUE and self._read_on():
                continue
            size, self._at = end - self._at, end
            if size > record_bytes():
                raise _TooLargeError
            if self._kept is not None:
                self._kept.add(size)
            return value

    def _pass_over(self) -> None:
        """Go on behind the value that begins here, without holding it: by its quotes and brackets."""
        depth, in_string = 0, False
        while True:
            for mark in _MARKS.finditer(self._text, self._at):
                char = mark[0]
                if in_string:
                    in_string = char != '"'
                elif char == '"':
                    in_string = True
                elif char in "[{":
                    depth += 1
                elif char in "]}" and depth:
                    depth -= 1
                else:
                    continue
                if not depth and not in_string:
                    self._at = mark.end()
                    return
            # A backslash at the end of a piece belongs to the next one's first character.
            self._at = len(self._text) - (len(self._text) - len(self._text.rstrip("\\"))) % 2
            if not self._read_on():
                raise self._error("the file's end")

    def _next(self) -> str:
        """The next character that is no white space, where the place then is; "" at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_on():
                return ""

    def _expect(self, marks: str) -> str:
        found = self._next()
        if not found or found not in marks:
            raise self._error("the file's end" if not found else f"no {' or '.join(marks)}")
        self._at += 1
        return found

    def _read_on(self) -> bool:
        """Read as much again as is waiting, so that a value of any length costs a constant number of passes."""
        piece = self._stream.read(max(_CHUNK, len(self._text) - self._at))
        self._read += len(piece)
        check_file(self._path, self._read)
        self._line_here()
        self._text, self._at, self._counted = self._text[self._at :] + piece, 0, 0
        return bool(piece)

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _error(self, found: str) -> CorpusError:
        return CorpusError(
            f"{self._path}:{self._line_here()}: not JSON ({found}), expected one whole list of records. "
            "Mend the file or fetch it again: it may be cut off."
        )


def _complaint(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[0].lower()}{error.msg[1:]}"
    return "brackets nested too deep" if isinstance(error, RecursionError) else "a number of too many digits"
