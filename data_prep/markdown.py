"""Tables in Markdown (GitHub's flavour), for what people read; headings and paragraphs are the caller's."""

from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table, ending with a line end. Cells go in as they are: pass text of foreign origin through ``cell``.

    Args:
        left: how many columns from the left are words; the others are numbers, set flush right.

    Raises:
        ValueError: a row with more or fewer cells than headings; the message shows it.
    """
    rules = ["---" if index < left else "---:" for index in range(len(headings))]
    lines = ["| " + " | ".join(headings) + " |", "|" + "|".join(rules) + "|"]
    for row in rows:
        if len(row) != len(headings):
            raise ValueError(f"table row {list(row)}, expected {len(headings)} cells for {list(headings)}")
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """A text as a cell of a table: on one line, and nothing in it read as markup."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|$" else char for char in " ".join(text.split()))
