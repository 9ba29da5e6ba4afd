"""How a JSON file that is one object holds its records, by its first mebibyte; `objects` reads them."""

import io
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from data_prep.corpora import turns
from data_prep.corpora.objects import JsonObject, Layout
from data_prep.corpora.records import CorpusError
from data_prep.corpora.rows import TOO_LARGE
from data_prep.corpora.suggest import field_of, guess, is_certainly_a_key
from data_prep.corpora.text_files import Inspected, open_text

_HEAD_CHARS: Final = 1 << 20
_LOOKED_AT: Final = 10


def layout_of(path: Path, inspected: Inspected) -> Layout | None:
    """How the object that a JSON file holds is laid out; None for JSON Lines, also where there is a single line."""
    with open_text(path, inspected.encoding) as stream:
        head = stream.read(_HEAD_CHARS)
    lines = [line.strip() for line in head.lstrip().split("\n", _LOOKED_AT)[:_LOOKED_AT] if line.strip()]
    if len(lines) > 1 and any(map(_is_object, lines)):
        return None
    layout = _layout(_beginning(head, path))
    return None if layout.kind == "record" and len(lines) == 1 else layout


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _beginning(head: str, path: Path) -> dict[str, Any]:
    """The object's members as far as they stand in the head, lists and objects in it cut off where it ends."""
    found: dict[str, Any] = {}
    # The head ends, or the file is damaged: reading it tells where.
    with suppress(CorpusError):
        JsonObject(io.StringIO(head), path).fill(found)
    return {
        key: [item for item in value if item is not TOO_LARGE] if isinstance(value, list) else value
        for key, value in found.items()
    }


def _layout(found: Mapping[str, Any]) -> Layout:
    lists = {key: value for key, value in found.items() if isinstance(value, list) and value}
    objects = {key: value for key, value in found.items() if isinstance(value, dict) and value}
    if turns.find(found) is not None or {"title", "responses"} <= guess(_of_texts(found)).keys():
        return Layout("record")
    if (
        "columns" in lists
        and lists.keys() & {"index", "data"}
        and all(isinstance(name, str) for name in lists["columns"])
    ):
        return Layout("split")
    if len(found) > 1 and all(map(_are_texts, found.values())) and not any(map(is_certainly_a_key, found)):
        return Layout("by title")
    if objects and len(objects) == len(found):
        if all(map(_by_number, objects.values())) or _are_columns(objects):
            return Layout("columns")
        if inner := _under(objects):
            return Layout("records", inner)
        return Layout("by id")
    if lists and len(lists) == len(found) and turns.is_dialogue(next(iter(lists.values()))):
        return Layout("by id")
    holding = frozenset((key,) for key, value in lists.items() if isinstance(value[0], dict | list))
    if lists and len(lists) == len(found) and len(holding) < len(lists):
        return Layout("columns")
    if under := holding or _under(objects):
        return Layout("records", under)
    return Layout("record")


def _are_texts(value: object) -> bool:
    texts = value if isinstance(value, list) else [value]
    return bool(texts) and all(isinstance(text, str) for text in texts) and not turns.is_dialogue(value)


def _of_texts(found: Mapping[str, Any]) -> dict[str, Any]:
    """An object's keys that may be a record's: a table by columns has lists or objects of another kind there."""
    return {key: value for key, value in found.items() if isinstance(value, str)} | {
        key: value for key, value in found.items() if isinstance(value, list) and "title" in guess(_texts(found))
    }


def _texts(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _by_number(value: Mapping[str, Any]) -> bool:
    return all(key.isdecimal() and not isinstance(cell, dict) for key, cell in value.items())


def _are_columns(objects: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether objects are a table's columns with texts for the numbers of rows: it is they that have usual names."""
    cells = [(key, cell) for value in objects.values() for key, cell in value.items()]
    # A record's id may be a letter, as some of the names are.
    are_named = any(len(key) > 1 and field_of(key) for key in objects) and not any(map(turns.find, objects.values()))
    return are_named and not any(field_of(key) or isinstance(cell, dict) for key, cell in cells)


def _under(objects: Mapping[str, Any]) -> frozenset[tuple[str, ...]]:
    return frozenset(
        (key, inner)
        for key, value in objects.items()
        for inner, item in value.items()
        if isinstance(item, list) and item and isinstance(item[0], dict) and not turns.is_dialogue(item)
    )
