"""JSON corpora record by record: one list, or JSON Lines, whichever the file is.

A list is decoded entry by entry, so that a corpus of half a gigabyte never stands in memory as text. In JSON Lines a
broken line costs that record alone; in a list nobody can tell where the next entry begins, so the file is refused.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from data_prep.corpora.records import CorpusError, Entry, RecordError
from data_prep.corpora.text_files import Inspected, inspect, open_text

_CHUNK: Final = 1 << 22
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_AFTER_VALUE: Final = frozenset(",] \t\r\n")
_DECODER: Final = json.JSONDecoder()


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
            yield from _List(stream, path).entries()
        else:
            yield from _lines(stream, path)


def _lines(stream: IO[str], path: Path) -> Iterator[Entry]:
    for number, line in enumerate(stream, 1):
        if line.strip():
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


class _List:
    """A JSON list, read in pieces."""

    def __init__(self, stream: IO[str], path: Path) -> None:
        self._stream = stream
        self._path = path
        self._text = ""
        self._at = 0
        self._line = 1
        self._counted = 0

    def entries(self) -> Iterator[Entry]:
        number = 0
        mark = self._expect("[")
        if self._next() == "]":
            mark = self._expect("]")
        while mark != "]":
            number += 1
            self._next()
            where = f"{self._path.name}: entry {number} (line {self._line_here()})"
            yield Entry(where, self._value())
            mark = self._expect(",]")
        if self._next():
            raise self._error("something after the list's end")

    def _value(self) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                # A value may merely go on in the next piece; at the end of the file it cannot.
                if self._read_on():
                    continue
                self._at = getattr(error, "pos", self._at)
                raise self._error(_complaint(error)) from error
            # A number may go on too: "0.5" decodes as 0 where a piece ends after its point.
            if self._text[end : end + 1] not in _AFTER_VALUE and self._read_on():
                continue
            self._at = end
            return value

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
