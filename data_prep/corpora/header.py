"""The first row of a CSV file: which mark parts its cells, and whether they are names of columns or a record's texts.

Both are told by the row itself. `csv.Sniffer` looks for what recurs in the text, which in long Chinese posts is seldom
the delimiter.
"""

import re
from typing import Final

from data_prep.corpora.suggest import field_of

_DELIMITERS: Final = (",", ";", "\t", "|")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_HINT: Final = re.compile(r'"?sep=(.)"?$')
_LONGEST_NAME: Final = 30
_NO_NAME: Final = re.compile(r"[。！？!?，,；;\n]|\d+(?:\.\d+)?$|(?:true|false|null|none|nan)$", re.IGNORECASE)


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


def are_names(cells: list[str]) -> bool:
    """Whether the cells of a first row are names of columns.

    They are where one of them is a usual name of a field. Else no cell may be a number, a sentence, longer than 30
    characters or the same as another.
    """
    if any(field_of(cell) for cell in cells):
        return True
    filled = [cell for cell in cells if cell]
    return all(len(cell) <= _LONGEST_NAME and not _NO_NAME.match(cell) and not _NO_NAME.search(cell) for cell in filled)


def names_of(cells: list[str]) -> list[str]:
    """The names of the columns: the cells, or in a table without a header "1", "2" and so on."""
    return cells if are_names(cells) else [str(number) for number in range(1, len(cells) + 1)]
