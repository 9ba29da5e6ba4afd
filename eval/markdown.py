"""Pieces of Markdown that reports are made of."""

import re
from collections.abc import Iterable, Sequence


def escape(text: str) -> str:
    """Text that stays text: what Markdown would take for markup is escaped."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> list[str]:
    """The lines of a table, GitHub's flavour.

    Args:
        head: of its columns.
        rows: a cell for each of them, already escaped.
        left: columns aligned to the left; the others hold figures.
    """
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return [lines[0], "|" + "---|" * left + "---:|" * (len(head) - left), *lines[1:]]
