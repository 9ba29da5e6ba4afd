"""Rows of CSV and TSV, one at a time, so that a quote which is not closed costs its own row and none after it.

The ``csv`` module reads, in its strict mode. A quote that is not closed takes in the lines up to the next quote, and
often ends there in an error, at other times in a row that looks whole. In both cases the line with the quote is
rejected, and reading goes on at the line after it. A cell may have line ends, as long as what stands between them is
not row after row.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from data_prep.corpora.header import is_hint
from data_prep.corpora.limits import record_bytes, too_large
from data_prep.corpora.records import RecordError

# Of the lines inside of a cell, the share that would be whole rows, from which on the cell is none.
_ROWS_INSIDE: Final = 0.8
_LEAST_INSIDE: Final = 2


@dataclass(slots=True)
class _Lines:
    """Numbered lines of which some may be given back; None stands for a line that is too long."""

    lines: Iterator[str | None]
    number: int = 0
    waiting: deque[tuple[int, str | None]] = field(default_factory=deque)

    def next(self) -> tuple[int, str | None] | None:
        if self.waiting:
            return self.waiting.popleft()
        try:
            line = next(self.lines)
        except StopIteration:
            return None
        self.number += 1
        return self.number, line

    def give_back(self, lines: list[tuple[int, str | None]]) -> None:
        self.waiting.extendleft(reversed(lines))


def rows_of(lines: Iterator[str | None], delimiter: str, name: str) -> Iterator[tuple[int, list[str] | RecordError]]:
    """The rows, less blank ones and Excel's hint: the number of the first line, and its cells or what is wrong.

    Args:
        lines: with their ends, as `limits.lines_of` gives them; the first row says how many cells there are.
        name: of the file, for messages.
    """
    # Its own limit is 131,072 characters; the responses of a question in one cell are more.
    csv.field_size_limit(record_bytes())
    source, columns = _Lines(lines), 0
    while (first := source.next()) is not None:
        number, line = first
        where = f"{name}:{number}"
        if line is None:
            yield number, too_large(where)
            continue
        used, cells, fault = _row(source, first, delimiter)
        if fault is None and not cells:
            continue
        if not columns:
            if fault is None and is_hint(cells):
                continue
            columns = len(cells)
        elif fault is None and len(used) > 1 and (len(cells) != columns or _are_rows(used[1:], delimiter, columns)):
            fault = f"found a quote that is not closed; the lines to {used[-1][0]} would stand in one cell"
        if fault is None:
            yield number, cells if len(cells) == columns else _wrong_count(where, len(cells), columns)
            continue
        source.give_back(used[1:])
        yield number, _bad(where, fault, len(used) > 1)


def _row(
    source: _Lines, first: tuple[int, str | None], delimiter: str
) -> tuple[list[tuple[int, str | None]], list[str], str | None]:
    """The lines that a row takes, its cells, and what is wrong with it."""
    used = [first]

    def feed() -> Iterator[str]:
        line = first[1]
        while line is not None:
            yield line
            if (following := source.next()) is None:
                return
            used.append(following)
            line = following[1]

    try:
        return used, next(csv.reader(feed(), delimiter=delimiter, strict=True)), None
    except csv.Error as error:
        return used, [], f"found {error}"


def _are_rows(lines: list[tuple[int, str | None]], delimiter: str, columns: int) -> bool:
    """Whether most lines that a row has taken in are rows themselves; the last, which ends the cell, aside."""
    inside = [line for _, line in lines[:-1] if line and line.strip()]
    if len(inside) < _LEAST_INSIDE or columns < 2:
        return False
    whole = sum(_count(line, delimiter) == columns for line in inside)
    return whole >= _ROWS_INSIDE * len(inside)


def _count(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter, strict=True), []))
    except csv.Error:
        return 0


def _wrong_count(where: str, found: int, columns: int) -> RecordError:
    message = f"found {found} cells, expected {columns}. Quote cells with commas or line ends."
    return RecordError(where, "wrong number of cells", message)


def _bad(where: str, fault: str, took_more: bool) -> RecordError:
    if "end of data" in fault:
        message = f"{fault}: a quote is not closed before the file ends. Close it, or fetch the file again."
        return RecordError(where, "truncated line", message)
    if took_more:
        return RecordError(where, "quote not closed", f"{fault}. Close the quote that opens in this line.")
    return RecordError(where, "not CSV", f"{fault}, expected cells. Mend the quotes.")
