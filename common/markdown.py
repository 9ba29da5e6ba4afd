"""Pieces of Markdown (GitHub's flavour) that reports and cards are made of."""

import re
from collections.abc import Iterable, Sequence


def escape(text: str) -> str:
    """Text that stays text: what Markdown would take for markup is escaped."""
    return re.sub(r"([\\`*_\[\]<>#|$])", r"\\\1", text)


def cell(text: str) -> str:
    """A text as a cell of a table: on one line, and nothing in it read as markup."""
    return escape(" ".join(text.split()))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> list[str]:
    """The lines of a table.

    Args:
        headings: of its columns.
        rows: a cell for each of them, as they are: pass text of foreign origin through `cell` or `escape`.
        left: how many columns from the left are words; the others are numbers, set flush right.

    Raises:
        ValueError: a row with more or fewer cells than headings; the message shows it.
    """
    whole = [headings, *rows]
    if wrong := [list(row) for row in whole if len(row) != len(headings)]:
        raise ValueError(f"table row {wrong[0]}, expected {len(headings)} cells for {list(headings)}")
    lines = [f"| {' | '.join(row)} |" for row in whole]
    return [lines[0], "|" + "---|" * left + "---:|" * (len(headings) - left), *lines[1:]]


def table_text(headings: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """`table` as one text, ending with a line end."""
    return "\n".join([*table(headings, rows, left), ""])
