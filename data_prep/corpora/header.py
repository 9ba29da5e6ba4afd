"""The first row of a CSV file: which mark parts its cells, and whether they are names of columns or a record's texts.

Both are told by the row itself. `csv.Sniffer` looks for what recurs in the text, which in long Chinese posts is seldom
the delimiter.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from data_prep.corpora.suggest import field_of, is_spoken

_DELIMITERS: Final = (",", ";", "\t", "|")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_HINT: Final = re.compile(r'"?sep=(.)"?$')
_LONGEST_NAME: Final = 30
_NO_NAME: Final = re.compile(r"[。！？!?，,；;\n]|\d+(?:\.\d+)?$|(?:true|false|null|none|nan)$", re.IGNORECASE)

_ASKS: Final = re.compile("[你您]")
_OTHER: Final = "其它"


def delimiter_of(line: str) -> str:
    """The mark that parts a line into most cells, those in quotes left out; a comma where none does.

    Excel's line ``sep=;`` names it.
    """
    if hint := _HINT.match(line):
        return hint[1]
    bare = _QUOTED.sub("", line)
    return max(_DELIMITERS, key=bare.count)


def is_hint(row: list[str]) -> bool:
    """Whether a row is Excel's line that names the delimiter."""
    return row[0].startswith("sep=") and not any(row[1:])


def are_names(cells: list[str], rows: Iterable[Sequence[object]] = (), wanted: Collection[str] = ()) -> bool:
    """Whether the cells of a first row are names of columns.

    They are where one of them is a usual name of a field, or one that is wanted. Else no cell may be a number, a
    sentence, longer than 30 characters, or what the same column holds further down, and less than half of them may have
    what sentences have.

    Args:
        rows: some that follow.
        wanted: names that columns are asked for by.
    """
    if any(field_of(cell) or cell in wanted for cell in cells):
        return True
    filled = [cell for cell in cells if cell]
    if any(len(cell) > _LONGEST_NAME or _NO_NAME.match(cell) or _NO_NAME.search(cell) for cell in filled):
        return False
    # A row that is the first one again is that of a further file; 其它 is ticked under its own name.
    others = [row for row in rows if list(row) != cells]
    if any(cell and cell == other != _OTHER for row in others for cell, other in zip(cells, row, strict=False)):
        return False
    # A questionnaire's columns are sentences too, that ask whoever fills it in; one name alone may be spoken (他评).
    asks = any(map(_ASKS.search, filled))
    return asks or sum(map(is_spoken, filled)) * 2 < max(2, len(filled))


def names_of(cells: list[str], rows: Iterable[Sequence[object]] = (), wanted: Collection[str] = ()) -> list[str]:
    """The names of the columns: the cells, or in a table without a header "1", "2" and so on; as `are_names`."""
    return cells if are_names(cells, rows, wanted) else [str(number) for number in range(1, len(cells) + 1)]
