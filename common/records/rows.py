"""Rows of tables that people bring: JSON Lines, a JSON array, CSV with any common separator, or standard input."""

import csv
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from common.files import FileError, parse_json_lines

STDIN: Final = "-"
# A cell may hold a whole reply, or a list of references.
_LONGEST_CELL: Final = 1 << 24
# An object around the rows, such as {"data": [{…}]}.
_WRAPPED: Final = re.compile(r'\s*\{\s*"[^"]*"\s*:\s*\[\s*\{')


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a file with where each stands, for messages; a BOM and blank lines are passed over.

    ``-`` is standard input. A file that opens with ``[``, or with an object whose first value is a list of objects, is
    one JSON array unless it is called .jsonl; one that ends with .csv or .tsv is a table with a header, anything else
    JSON Lines. Cells of a table are texts.

    Raises:
        FileError: no such file, not UTF-8, or nothing of these; the message names file and line.
    """
    name = "standard input" if str(path) == STDIN else str(path)
    try:
        raw = sys.stdin.buffer.read() if str(path) == STDIN else path.read_bytes()
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{name}: {error}, expected a UTF-8 file of JSON Lines, a JSON array or CSV") from error
    if path.suffix.lower() in (".csv", ".tsv"):
        yield from _table(text, name)
    elif path.suffix.lower() != ".jsonl" and (text.lstrip().startswith("[") or _WRAPPED.match(text)):
        yield from _array(text, name)
    else:
        for number, record in parse_json_lines(text, name):
            yield f"{name}:{number}", record


def _array(text: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        rows = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise FileError(f"{name}: not JSON ({error}). Correct it.") from error
    if isinstance(rows, dict):
        lists = [key for key, value in rows.items() if isinstance(value, list)]
        if len(lists) > 1:
            raise FileError(f"{name}: lists under {', '.join(lists)}, expected one. Keep the one with the rows.")
        rows = rows[lists[0]]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise FileError(f"{name}, item {number}: {type(row).__name__}, expected an object with named values")
        yield f"{name}, item {number}", row


def _table(text: str, name: str) -> list[tuple[str, dict[str, Any]]]:
    header = text.split("\n", 1)[0]
    # The one that parts the header most: a semicolon is what a spreadsheet writes where the comma is a decimal point.
    separator = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = []
    # The limit is the whole process's, and other readers have their own.
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        for row in reader:
            if None in row or None in row.values():
                odd = "another number of cells than the header has"
                raise FileError(f"{name}:{reader.line_num}: {odd}. Correct the line.")
            rows.append((f"{name}:{reader.line_num}", dict(row)))
    except csv.Error as error:
        raise FileError(f"{name}:{reader.line_num}: {error}. Correct the line.") from error
    finally:
        csv.field_size_limit(before)
    return rows


def id_of(value: object) -> str | None:
    """An id as a text: a whole number is one too; None of anything else."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
