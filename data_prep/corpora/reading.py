"""What every corpus loader shares: reading JSON and JSON Lines, checking fields, the error that says what is wrong."""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_FOUND_LIMIT = 60

_SURROGATE = re.compile("[\ud800-\udfff]")


class CorpusError(ValueError):
    """A corpus cannot be read; the message names file, line, field, what was found, what was expected, the remedy."""


def missing(path: Path, remedy: str) -> CorpusError:
    """The error for a file or folder that is not there."""
    return CorpusError(f"{path}: no such file or folder. {remedy}")


def bad_field(where: str, field: str, found: object, expected: str, remedy: str) -> CorpusError:
    """The error for one field of one record.

    Args:
        where: file and line, or file and entry.
        found: the value as it stands; long ones are shortened in the message.
    """
    shown = repr(found)
    if len(shown) > _FOUND_LIMIT:
        shown = f"{shown[:_FOUND_LIMIT]}…"
    return CorpusError(f"{where}: field {field!r}: found {shown}, expected {expected}. {remedy}")


def read_json(path: Path) -> Any:
    """One whole JSON file.

    Raises:
        CorpusError: missing, not UTF-8, not JSON.
    """
    if not path.is_file():
        raise missing(path, "Check the corpus path.")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from error
    except json.JSONDecodeError as error:
        raise CorpusError(f"{path}:{error.lineno}: not JSON ({error.msg}). Mend the file or fetch it again.") from error


def read_jsonl(path: Path) -> Iterator[tuple[int, Any]]:
    """Line numbers (from 1) and values of a JSON Lines file, gzipped when its name ends in ``.gz``. Blank lines pass.

    Raises:
        CorpusError: missing, not UTF-8, not gzip, a line that is not JSON.
    """
    if not path.is_file():
        raise missing(path, "Check the corpus path.")
    opened = gzip.open if path.suffix == ".gz" else Path.open
    number = 0
    try:
        with opened(path, "rt", encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, json.loads(line)
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from error
    except json.JSONDecodeError as error:
        raise CorpusError(
            f"{path}:{number}: not JSON ({error.msg}, column {error.colno}), expected one object a line. "
            "Mend the line, or convert the file where it is a CSV or one list."
        ) from error
    except RecursionError as error:
        raise CorpusError(f"{path}:{number}: brackets nested too deep, expected one object a line.") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CorpusError(f"{path}: not a whole gzip file ({error}). Fetch it again.") from error


def as_object(value: object, where: str, field: str = "(record)") -> dict[str, Any]:
    """The value, which has to be a JSON object.

    Raises:
        CorpusError: it is not.
    """
    if not isinstance(value, dict):
        raise bad_field(where, field, value, "a JSON object", "Check that the file is of this format.")
    return value


def as_list(record: Mapping[str, Any], field: str, where: str) -> list[Any]:
    """A field that has to be a list with something in it.

    Raises:
        CorpusError: it is not.
    """
    value = record.get(field)
    if not isinstance(value, list) or not value:
        raise bad_field(where, field, value, "a list that is not empty", "Add the entries or leave the record out.")
    return value


def text(record: Mapping[str, Any], field: str, where: str, *, blank: bool = False) -> str:
    """A field that has to be a string.

    Args:
        blank: whether it may be empty.

    Raises:
        CorpusError: it is absent, not a string, or blank where it may not be.
    """
    value = record.get(field)
    if not isinstance(value, str):
        raise bad_field(where, field, value, "a string", "Add the field or mend its value.")
    if not blank and not value.strip():
        raise bad_field(where, field, value, "text that is not blank", "Write the text or leave the record out.")
    if _SURROGATE.search(value):
        raise bad_field(where, field, value, "characters (half a surrogate pair is none)", "Mend the escaped text.")
    return value


def identifier(record: Mapping[str, Any], field: str, where: str) -> str:
    """An id, a string or an integer, as a string.

    Raises:
        CorpusError: anything else.
    """
    value = record.get(field)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise bad_field(where, field, value, "a string or an integer", "Give every record its own id.")
    return str(value)


def unknown_keys(record: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """Stop at keys nobody reads: a misspelt one (``crises``) would otherwise be lost without a word.

    Raises:
        CorpusError: there are such keys.
    """
    unknown = sorted(set(record) - known)
    if unknown:
        raise bad_field(where, unknown[0], record[unknown[0]], f"only {sorted(known)}", "Rename or remove the key.")


class SeenIds:
    """Where each id was first met, so that a second one can be told from it."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def add(self, name: str, field: str, where: str) -> None:
        """Note an id.

        Raises:
            CorpusError: it was met before.
        """
        if name in self._first:
            first = self._first[name]
            raise bad_field(where, field, name, f"an id unlike that of {first}", "Give one of the two another id.")
        self._first[name] = where


def _not_utf8(path: Path, error: UnicodeDecodeError) -> CorpusError:
    return CorpusError(f"{path}: byte {error.start} is not UTF-8, expected a UTF-8 text file. Convert it to UTF-8.")
