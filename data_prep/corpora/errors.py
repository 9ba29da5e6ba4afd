"""The two ways in which a corpus can be wrong: as a whole, which stops, or in one record, which is left out.

Messages go into logs and ``rejected.jsonl``, and corpora hold what people wrote in distress: of a text only its type
and length are told, never its words.
"""

from pathlib import Path
from typing import Final

# How much of a number, a name of a column or a key is shown at most, in characters.
SHOWN_CHARS: Final = 20


class CorpusError(ValueError):
    """A corpus cannot be read; the message names file, line, field, what was found, what was expected, the remedy."""


class RecordError(ValueError):
    """One record of a corpus cannot be used.

    Its text is the whole message: place, field, what was found, what was expected, the remedy.

    Attributes:
        reason: why, in words that also serve to count by.
    """

    def __init__(self, where: str, reason: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.reason = reason


def bad_field(where: str, field: str, fault: str, found: object, expected: str, remedy: str) -> RecordError:
    """The error for one field of one record.

    Args:
        where: file and line, or file and entry.
        fault: "missing", "blank", "wrong type" and the like, part of the reason.
        found: the value as it stands; only its kind gets into the message.
    """
    message = f"field {field!r}: found {described(found)}, expected {expected}. {remedy}"
    return RecordError(where, f"{field}: {fault}", message)


def described(value: object) -> str:
    """A value in words: a number or truth value as it stands, anything else by its type and size."""
    if isinstance(value, str):
        return f"a text of {len(value)} characters"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)} keys"
    if isinstance(value, int | float):
        return shortened(str(value))
    return "null" if value is None else f"a value of type {type(value).__name__}"


def shortened(name: str) -> str:
    """The first ``SHOWN_CHARS`` characters."""
    return name if len(name) <= SHOWN_CHARS else f"{name[:SHOWN_CHARS]}…"


def named(names: list[str]) -> str:
    """Up to ten names of columns or keys, shortened: without a header, what stands there is somebody's text."""
    shown = ", ".join(repr(shortened(name)) for name in names[:10])
    return f"[{shown}{', …' if len(names) > 10 else ''}]"


def missing(path: Path) -> CorpusError:
    """The error for a file or folder that is not there."""
    return CorpusError(f"{path}: no such file or folder. Check the corpus path.")
