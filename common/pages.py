"""Pages of Markdown (GitHub's flavour) from Jinja2 templates: reports and cards.

The prose stands in ``<package>/templates/<name>.md.jinja``; Python hands over figures and texts. A value is text that
stays text: `page` escapes what Markdown would take for markup, unless the value is `Markdown` already. The HTML report
has a template of its own, with HTML's escaping.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from tabulate import tabulate


class Markdown(str):
    """Markdown as it stands, not to be escaped."""

    __slots__ = ()


# A picture for each control character but tab and line ends: a page with a zero byte is no text to git or a browser.
_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}


def escape(text: str) -> str:
    """Text that stays text: what Markdown would take for markup is escaped, control characters become pictures."""
    return re.sub(r"([\\`*_\[\]<>#|$])", r"\\\1", text.translate(_PICTURES))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1) -> Markdown:
    """A table, ending with a line end.

    Args:
        headings: of its columns, as they are.
        rows: a cell for each of them: on one line and escaped, unless it is `Markdown`.
        left: how many columns from the left are words; the others are numbers, set flush right.

    Raises:
        ValueError: a row with more or fewer cells than headings; the message shows it.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    if wrong := [row for row in cells if len(row) != len(headings)]:
        raise ValueError(f"table row {wrong[0]}, expected {len(headings)} cells for {list(headings)}")
    sides = ["left"] * left + ["right"] * (len(headings) - left)
    # Alignment of no row at all is an error of tabulate's.
    drawn = tabulate(cells, headings, "pipe", colalign=sides if cells else None, disable_numparse=True)
    return Markdown(drawn + "\n")


def quote(text: str) -> Markdown:
    """A text as a block quotation."""
    return Markdown("\n".join(f"> {escape(line)}" for line in text.splitlines()))


def fenced(text: str) -> Markdown:
    """A text as a code block, as it is; no run of backticks in it can end the block."""
    fence = "`" * (3 + text.count("`"))
    return Markdown(f"{fence}text\n{text}\n{fence}")


def number(value: float | None) -> str:
    """A figure with three digits, "–" for none."""
    return "–" if value is None else f"{value:.3f}"


def page(package: str, template: str, /, **values: Any) -> str:
    """A template filled in.

    Args:
        package: which has a folder ``templates``.
        template: its name without ``.md.jinja``.
        values: what the template names; a name without a value is an error.
    """
    return _environment(package).get_template(f"{template}.md.jinja").render(**values)


@cache
def _environment(package: str) -> Environment:
    environment = Environment(
        loader=PackageLoader(package, "templates"),
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["table"] = table
    environment.filters |= {"markdown": Markdown, "quote": quote, "fenced": fenced, "number": number}
    return environment


def _finalized(value: object) -> object:
    return escape(value) if isinstance(value, str) and not isinstance(value, Markdown) else value


def _cell(value: object) -> str:
    return value if isinstance(value, Markdown) else escape(" ".join(str(value).split()))
