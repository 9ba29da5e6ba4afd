"""What a corpus that is not read looks like: types, keys with their types and counts, lengths of texts; no words.

A key is named where it looks like one: a usual name, a plain Latin word, or a few characters without a sentence's marks
that recur. Any other may be somebody's text and is only counted.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from data_prep.corpora.suggest import is_certainly_a_key, looks_like_a_key

_SHOWN_KEYS: Final = 12
_SHOWN_NAMES: Final = 10


def structure(values: Sequence[object], depth: int = 2) -> str:
    """Values of one kind in words, such as 「12 objects with 'dialog' (in 12; lists of 2 objects with …)」.

    Args:
        depth: how many levels of keys are told.
    """
    kinds: dict[str, list[Any]] = {}
    for value in values:
        kinds.setdefault(_kind(value), []).append(value)
    return " and ".join(_told(kind, found, depth) for kind, found in kinds.items())


def shown(names: Sequence[str]) -> str:
    """Up to ten names of columns or keys; those that may be a text by their numbers alone."""
    is_told = [not name or looks_like_a_key(name) for name in names]
    told = [repr(name) if told else f"number {n}" for n, (name, told) in enumerate(zip(names, is_told, strict=True), 1)]
    return f"[{', '.join(told[:_SHOWN_NAMES])}{', …' if len(told) > _SHOWN_NAMES else ''}]"


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "truth value"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list() | tuple():
            return "list"
        case dict():
            return "object"
    return type(value).__name__


def _told(kind: str, values: Sequence[Any], depth: int) -> str:
    count = f"{len(values)} {kind}{'s' if len(values) > 1 and kind != 'null' else ''}"
    if kind == "text":
        return f"{count} of {_range([len(value) for value in values])} characters"
    if kind == "list":
        inner = [item for value in values for item in value]
        of = f" with {structure(inner, depth)}" if inner else ""
        return f"{count} of {_range([len(value) for value in values])}{of}"
    return f"{count} with {_keys(values, depth)}" if kind == "object" else count


def _keys(objects: Sequence[Mapping[str, Any]], depth: int) -> str:
    values: dict[str, list[Any]] = {}
    for item in objects:
        for key, value in item.items():
            values.setdefault(str(key), []).append(value)
    shown = [key for key, found in values.items() if _is_shown(key, len(found))]
    told = [f"{key!r} ({structure(values[key], depth - 1)})" if depth > 0 else repr(key) for key in shown[:_SHOWN_KEYS]]
    if others := len(values) - len(told):
        told.append(f"{others} {'further' if told else 'different'} key{'s' if others > 1 else ''}")
    return ", ".join(told) or "no keys"


def _is_shown(key: str, count: int) -> bool:
    return looks_like_a_key(key) and (count > 1 or is_certainly_a_key(key))


def _range(sizes: Sequence[int]) -> str:
    low, high = min(sizes), max(sizes)
    return str(low) if low == high else f"{low} to {high}"
