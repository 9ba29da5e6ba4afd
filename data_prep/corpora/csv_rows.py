"""Rows of CSV and TSV, one at a time, so that a quote which is not closed costs its own row and none after it.

The ``csv`` module reads, in its strict mode. A quote that is not closed takes in the lines up to the next quote, and
often ends there in an error, at other times in a row that looks whole. In both cases the line with the quote is
rejected, and reading goes on at the line after it. A cell may have line ends, as long as what stands between them does
not look like the table's rows: as many cells, none much shorter or longer than those of its column.

What this cannot tell: lines of a real cell that do look so are taken for rows, and their own row for one with an open
quote; in the first rows, of which nothing is known yet, by the number of cells alone. An open quote in a row with too
few cells, in a table of one column, or one that takes in rows of quite another length passes for a cell with line ends.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from data_prep.corpora.header import is_hint
from data_prep.corpora.limits import record_bytes, too_large
from data_prep.corpora.records import RecordError

# Of the lines that a row has taken in, the share that would be whole rows, from which on its cell is none.
_ROWS_INSIDE: Final = 0.8
# How many lines tell that by themselves; of fewer, the one that ends the cell has to be a row as well.
_ENOUGH_INSIDE: Final = 2
# By how many good rows the lengths of a column's cells are known; before, the number of cells has to do. Twice as long
# as the longest of them and half as long as the shortest is still like them.
_LEAST_KNOWN: Final = 10
_MOST_KNOWN: Final = 200
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


class _Table:
    """How many cells a row has, and how long those of each column are in the first good rows."""

    def __init__(self, columns: int, delimiter: str) -> None:
        self.columns = columns
        self._delimiter = delimiter
        self._known = 0
        self._shortest, self._longest = [0] * columns, [0] * columns

    def learn(self, cells: list[str]) -> None:
        """Take note of a good row."""
        if self._known == _MOST_KNOWN:
            return
        lengths = [len(cell) for cell in cells]
        self._shortest = list(map(min, self._shortest, lengths)) if self._known else lengths
        self._longest = list(map(max, self._longest, lengths))
        self._known += 1

    def has_taken_in(self, used: list[_Line], cells: list[str]) -> bool:
        """Whether the lines of one row are a row with an open quote and others after it, rather than a cell's."""
        if len(cells) != self.columns:
            return True
        first, *more = [line for _, line in used if line]
        if self.columns < 2 or not self._may_end(first):
            return False
        taken = [self._is_row(line) for line in more if line.strip()]
        inside = taken[:-1]
        return _most(taken) or (len(inside) >= _ENOUGH_INSIDE and _most(inside))

    def _may_end(self, line: str) -> bool:
        """Whether a line in which a quote opens has all cells of a row; the open one may have had delimiters."""
        *before, rest = self._cells(line)
        return len(before) + max(1, len(self._cells(rest))) >= self.columns

    def _is_row(self, line: str) -> bool:
        cells = self._cells(line)
        if len(cells) != self.columns:
            return False
        return self._known < _LEAST_KNOWN or all(
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
    source, table, given_back = _Lines(lines), None, 0
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
            given_back = used[-1][0]
            yield number, _bad(where, fault, len(used) > 1)
        elif not cells or (table is None and is_hint(cells)):
            continue
        elif table is None:
            table = _Table(len(cells), delimiter)
            yield number, cells
        elif len(cells) != table.columns:
            yield number, _wrong_count(where, len(cells), table.columns)
        else:
            # Lines given back may be those of a cell.
            if number > given_back:
                table.learn(cells)
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
