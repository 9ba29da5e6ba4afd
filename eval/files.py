"""Writing files so that a reader never meets half of one."""

from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Replace a file atomically, making its folder where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
