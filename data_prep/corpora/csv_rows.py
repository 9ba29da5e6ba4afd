"""Rows of CSV and TSV, one at a time, so that a quote which is not closed costs its own row and none after it.

The ``csv`` module reads, in its strict mode. A quote that is not closed takes in the lines up to the next quote, and
often ends there in an error, at other times in a row that looks whole. In both cases the line with the quote is
rejected, and reading goes on at the line after it. A cell may have line ends, as long as what stands between them does
not look like the table's rows: as many cells, none much shorter or longer than those of its column.

What this cannot tell: lines of a real cell that do look so are taken for rows, and their own row for one with an open
quote. An open quote in a row with too few cells, in a table of one column, one that takes in rows of quite another
length, or a single row of a table whose rows all have line ends, passes for a cell with line ends.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, compress
from operator import xor
from typing import Final

from data_prep.corpora.header import is_hint
from data_prep.corpora.limits import record_bytes, too_large
from data_prep.corpora.records import RecordError

# Of the lines that a row has taken in, the share that would be whole rows, from which on its cell is none.
_ROWS_INSIDE: Final = 0.8
# How many lines tell that by themselves; of fewer, the one that ends the cell has to be a row as well.
_ENOUGH_INSIDE: Final = 2
# By how many of the first lines that are rows by themselves the lengths of a column's cells are known. Twice as long as
# the longest of them and half as long as the shortest is still like them.
_LEAST_KNOWN: Final = 10
_LOOKED_AT: Final = 200
_LOOKED_AT_CHARS: Final = 1 << 20
_LIKE: Final = 2


# With its number; None stands for a line that is too long.
_Line = tuple[int, str | None]


@dataclass(slots=True)
class _Lines:
    """Lines of which some may be given back."""

    lines: Iterator[str | None]
    number: int = 0
    waiting: deque[_Line] = field(default_factory=deque)

    def next(self) -> _Line | None:
        if self.waiting:
            return self.waiting.popleft()
        try:
            line = next(self.lines)
        except StopIteration:
            return None
        self.number += 1
        return self.number, line

    def give_back(self, lines: list[_Line]) -> None:
        self.waiting.extendleft(reversed(lines))

    def ahead(self) -> list[str]:
        """The next lines, some two hundred of usual length; they stay to be read."""
        lines: list[_Line] = []
        size = 0
        while len(lines) < _LOOKED_AT and size < _LOOKED_AT_CHARS and (line := self.next()) is not None:
            lines.append(line)
            size += len(line[1] or "")
        self.give_back(lines)
        return [line for _, line in lines if line]


class _Table:
    """How many cells a row has, and how long those of each column are in the lines that are rows by themselves."""

    def __init__(self, columns: int, delimiter: str, ahead: list[str]) -> None:
        self.columns = columns
        self._delimiter = delimiter
        # From a line with a quote too few to the next such one all may be of one cell.
        odd = [line.count('"') % 2 for line in ahead]
        whole = [not (is_odd or is_open) for is_odd, is_open in zip(odd, accumulate(odd, xor), strict=True)]
        rows = [self._cells(line) for line in compress(ahead, whole)]
        lengths = [list(map(len, cells)) for cells in rows if len(cells) == columns]
        self._is_known = len(lengths) >= _LEAST_KNOWN
        self._shortest, self._longest = (list(map(end, *lengths)) if self._is_known else [] for end in (min, max))

    def has_taken_in(self, used: list[_Line], cells: list[str]) -> bool:
        """Whether the lines of one row are a row with an open quote and others after it, rather than a cell's."""
        if len(cells) != self.columns:
            return True
        first, *more = [line for _, line in used if line]
        if self.columns < 2 or not self._may_end(first):
            return False
        taken = [self._is_row(line) for line in more if line.strip()]
        inside = taken[:-1]
        # Of lines whose lengths tell nothing, a comma in each of two paragraphs is common, two commas in each are not.
        are_told = self._is_known or (self.columns > 2 and len(taken) >= _ENOUGH_INSIDE)
        return (are_told and _most(taken)) or (len(inside) >= _ENOUGH_INSIDE and _most(inside))

    def _may_end(self, line: str) -> bool:
        """Whether a line in which a quote opens has all cells of a row; the open one may have had delimiters."""
        *before, rest = self._cells(line)
        return len(before) + max(1, len(self._cells(rest))) >= self.columns

    def _is_row(self, line: str) -> bool:
        cells = self._cells(line)
        if len(cells) != self.columns:
            return False
        return not self._is_known or all(
            shortest <= _LIKE * len(cell) and len(cell) <= _LIKE * longest
            for cell, shortest, longest in zip(cells, self._shortest, self._longest, strict=True)
        )

    def _cells(self, line: str) -> list[str]:
        """Those of a line by itself, whatever its quotes."""
        return next(csv.reader([line], delimiter=self._delimiter), [])


def _most(are_rows: list[bool]) -> bool:
    return bool(are_rows) and sum(are_rows) >= _ROWS_INSIDE * len(are_rows)


def rows_of(lines: Iterator[str | None], delimiter: str, name: str) -> Iterator[tuple[int, list[str] | RecordError]]:
    """The rows, less blank ones and Excel's hint: the number of the first line, and its cells or what is wrong.

    Args:
        lines: with their ends, as `limits.lines_of` gives them; the first row says how many cells there are.
        name: of the file, for messages.
    """
    # Its own limit is 131,072 characters; the responses of a question in one cell are more.
    csv.field_size_limit(record_bytes())
    source, table = _Lines(lines), None
    while (first := source.next()) is not None:
        number, line = first
        where = f"{name}:{number}"
        if line is None:
            yield number, too_large(where)
            continue
        used, cells, fault = _row(source, first, delimiter)
        if fault is None and table is not None and len(used) > 1 and table.has_taken_in(used, cells):
            fault = f"found a quote that is not closed; the lines to {used[-1][0]} would stand in one cell"
        if fault is not None:
            source.give_back(used[1:])
            yield number, _bad(where, fault, len(used) > 1)
        elif not cells or (table is None and is_hint(cells)):
            continue
        elif table is None:
            table = _Table(len(cells), delimiter, source.ahead())
            yield number, cells
        elif len(cells) != table.columns:
            yield number, _wrong_count(where, len(cells), table.columns)
        else:
            yield number, cells


def _row(source: _Lines, first: _Line, delimiter: str) -> tuple[list[_Line], list[str], str | None]:
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
