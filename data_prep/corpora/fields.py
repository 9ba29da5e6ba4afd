"""Checks on the fields of one record, shared by all loaders."""

from collections.abc import Mapping
from typing import Any

from data_prep.corpora.errors import RecordError, bad_field, named, shortened


def as_object(value: object, where: str, field: str = "(record)") -> dict[str, Any]:
    """The value, which has to be a JSON object.

    Raises:
        RecordError: it is not.
    """
    if not isinstance(value, dict):
        raise bad_field(where, field, "wrong type", value, "a JSON object", "Check that the file is of this format.")
    return value


def as_list(record: Mapping[str, Any], field: str, where: str) -> list[Any]:
    """A field that has to be a list with something in it.

    Raises:
        RecordError: it is not.
    """
    value = present(record, field, where)
    if not isinstance(value, list):
        raise bad_field(where, field, "wrong type", value, "a list", "Write the entries as a list.")
    if not value:
        expected = "a list that is not empty"
        raise bad_field(where, field, "blank", value, expected, "Add the entries or leave the record out.")
    return value


def text(record: Mapping[str, Any], field: str, where: str, *, blank: bool = False) -> str:
    """A field that has to be a string.

    Args:
        blank: whether it may be empty.

    Raises:
        RecordError: it is absent, not a string, blank where it may not be, or holds what is no character.
    """
    return as_text(present(record, field, where), field, where, blank=blank)


def as_text(value: object, field: str, where: str, *, blank: bool = False) -> str:
    """A value that has to be a string, as ``text`` has it.

    Raises:
        RecordError: as ``text``.
    """
    if not isinstance(value, str):
        raise bad_field(where, field, "wrong type", value, "a string", "Write the value as text.")
    if not blank and not value.strip():
        expected = "text that is not blank"
        raise bad_field(where, field, "blank", value, expected, "Write the text or leave the record out.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        # Bytes that do not decode are read as lone surrogates (``text_files.opened``), as JSON's "\ud800" is.
        expected = f"whole characters, not a broken one at character {error.start} (stray bytes or half a surrogate)"
        remedy = "Mend the text, or name the file's encoding, such as encoding=gb18030."
        raise bad_field(where, field, "broken characters", value, expected, remedy) from error
    return value


def present(record: Mapping[str, Any], field: str, where: str) -> Any:
    """A field's value, whatever it is.

    Raises:
        RecordError: the record has no such field.
    """
    if field not in record:
        message = f"field {field!r}: found none of this name, expected one. Add it or leave the record out."
        raise RecordError(where, f"{field}: missing", message)
    return record[field]


def identifier(record: Mapping[str, Any], field: str, where: str) -> str:
    """An id, a string or an integer, as a string.

    Raises:
        RecordError: anything else.
    """
    value = present(record, field, where)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        remedy = "Give every record its own id."
        raise bad_field(where, field, "wrong type", value, "a string or an integer", remedy)
    return as_text(value, field, where)


def unknown_keys(record: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    """Refuse keys nobody reads: a misspelt one (``crises``) would otherwise be lost without a word.

    Raises:
        RecordError: there are such keys.
    """
    unknown = sorted(set(record) - known)
    if unknown:
        message = f"field {shortened(unknown[0])!r}: found {named(unknown)}, expected only {sorted(known)}."
        raise RecordError(where, "unknown key", f"{message} Rename or remove the key.")


class SeenIds:
    """Where each id was first met, so that a second one can be told from it."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def add(self, name: str, field: str, where: str) -> None:
        """Note an id.

        Raises:
            RecordError: it was met before.
        """
        if name in self._first:
            expected = f"an id unlike that of {self._first[name]}"
            raise bad_field(where, field, "duplicate id", name, expected, "Give one of the two another id.")
        self._first[name] = where
