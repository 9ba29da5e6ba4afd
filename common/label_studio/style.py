"""The look that pages in Label Studio share: Chinese buttons, one column at any width, nothing beside the task."""

from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

_SHARED: Final = Path(__file__).with_name("page.css")


def style(own: Path) -> str:
    """The ``<Style>`` of a labelling configuration: the shared style sheet, then the page's own."""
    return f"<Style>{escape(''.join(path.read_text(encoding='utf-8') for path in (_SHARED, own)))}</Style>"
