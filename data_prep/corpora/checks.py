"""The checks on records, by pydantic: the types of their fields, and its errors in this project's words.

A loader states the record that it reads as a model over `Record` and calls `checked`. A model's error says which field
of which record is wrong, what was found by type and size, what was expected and what to do. pydantic's own words are
never shown: they quote the input.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, NoReturn, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, FailFast, Field, ValidationError

from data_prep.corpora.records import RecordError, described, shortened

T = TypeVar("T")


class Record(BaseModel):
    """A record or a part of one. Nothing is turned into another type; keys that no field names are not read."""

    model_config = ConfigDict(strict=True, extra="ignore")


M = TypeVar("M", bound=Record)


class _Refused(ValueError):
    """What a check of ours finds, in the words of `_FAULTS`."""

    def __init__(self, fault: str, expected: str, remedy: str) -> None:
        super().__init__(fault)
        self.words = fault, expected, remedy


def refuse(fault: str, expected: str, remedy: str) -> NoReturn:
    """Stop a check of a field's value.

    Args:
        fault: "blank", "wrong type" and the like: the reason to count by, after the field's name.

    Raises:
        ValueError: always; pydantic makes it an error of the field.
    """
    raise _Refused(fault, expected, remedy)


def is_null(value: object) -> bool:
    """Whether a value says nothing: null, or the NaN that pandas writes for it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _whole(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        # Bytes that do not decode are read as lone surrogates (`text_files.open_text`), as JSON's "\ud800" is.
        expected = f"whole characters, not a broken one at character {error.start} (stray bytes or half a surrogate)"
        refuse("broken characters", expected, "Mend the text, or name the file's encoding, such as encoding=gb18030.")
    return value


def _filled(value: str) -> str:
    if not value.strip():
        refuse("blank", "text that is not blank", "Write the text or leave the record out.")
    return value


def _identifier(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        # pandas makes floats of integers where one is missing.
        return f"{value:.0f}"
    if not isinstance(value, str):
        refuse("wrong type", "a string or an integer", "Give every record its own id.")
    return value


def _blank_for_null(value: object) -> object:
    return "" if is_null(value) else value


# A text that may be blank; one that may not; one that may be blank, absent or null; an id. A list that ends at its
# first bad entry, for pydantic builds an error of a kilobyte for each; such a list that may not be empty.
Whole = Annotated[str, AfterValidator(_whole)]
Text = Annotated[str, AfterValidator(_filled), AfterValidator(_whole)]
Label = Annotated[str, BeforeValidator(_blank_for_null), AfterValidator(_whole)]
Identifier = Annotated[str, BeforeValidator(_identifier), AfterValidator(_filled), AfterValidator(_whole)]
Listed = Annotated[list[T], FailFast()]
Some = Annotated[Listed[T], Field(min_length=1)]

# By pydantic's type of error: fault, what was expected, the remedy.
_FAULTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "missing": ("missing", "one", "Add it or leave the record out."),
    "string_type": ("wrong type", "a string", "Write the value as text."),
    "bool_type": ("wrong type", "true or false", "Write one of the two."),
    "list_type": ("wrong type", "a list", "Write the entries as a list."),
    "dict_type": ("wrong type", "a JSON object", "Check that the file is of this format."),
    "model_type": ("wrong type", "a JSON object", "Check that the file is of this format."),
    "too_short": ("blank", "a list that is not empty", "Add the entries or leave the record out."),
    "literal_error": ("unknown", "one of {expected}", "Rename it."),
    "extra_forbidden": ("unknown key", "only the keys of this format", "Rename or remove the key."),
}


def checked(model: type[M], value: object, where: str, names: Mapping[str, str] | None = None) -> M:
    """A record by its model.

    Args:
        where: file and line, or file and entry.
        names: what the corpus calls a field, where the model calls it otherwise.

    Raises:
        RecordError: it does not fit; the first fault is told.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
    raise _translated(fault, where, names or {})


def _translated(error: Mapping[str, Any], where: str, names: Mapping[str, str]) -> RecordError:
    context: Mapping[str, Any] = error.get("ctx", {})
    fault, expected, remedy = context["error"].words if error["type"] == "value_error" else _FAULTS[error["type"]]
    place, field, counted = _named(error["loc"], where, names)
    if fault == "unknown key":
        return RecordError(where, fault, f"{place}field {field!r}: found this key, expected {expected}. {remedy}")
    found = "none of this name" if fault == "missing" else described(error["input"])
    message = f"{place}field {field!r}: found {found}, expected {expected.format(**context)}. {remedy}"
    return RecordError(where, f"{counted}: {fault}", message)


def _named(location: tuple[int | str, ...], where: str, names: Mapping[str, str]) -> tuple[str, str, str]:
    """The place within the record, the field's name there, and the name to count by, without a number."""
    steps = [step if isinstance(step, int) else shortened(names.get(step, step)) for step in location]
    if not steps:
        return "", "(record)", "(record)"
    last = max(index for index, step in enumerate(steps) if isinstance(step, str))
    place = _path(steps[:last])
    return f"{place}: " if place else "", _path(steps[last:]), str(steps[last])


def _path(steps: list[int | str]) -> str:
    """Such as ``answers[0]``."""
    return ".".join(f"[{step}]" if isinstance(step, int) else step for step in steps).replace(".[", "[")
