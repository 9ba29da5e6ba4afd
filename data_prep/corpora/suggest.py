"""Which column of a foreign corpus may be which field, and the ``ARGS`` line that would read it.

By name first: usual names in Chinese and English, whole and then as a part of a longer one. Where no name tells, by
the texts: the longest are the responses, the next the post.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from data_prep.corpora.names import DIALOGUES, FIELDS, RESPONSE_TEXT, SPOKEN, WHOSE

_MARKS: Final = re.compile(r"[\W_]+")
_BY_NAME: Final = {name: field for field, names in FIELDS.items() for name in names}
# What the shell, make or OmegaConf reads as more than a letter.
_SPECIAL: Final = re.compile(r"[\s'\"\\$#{}\[\],:=&*!|<>%@`.;()~?]")
_SHORTEST_PART: Final = 2
_LABEL_CHARS: Final = 12
_KEY_CHARS: Final = 24
_CHINESE_KEY_CHARS: Final = 8
_LATIN_KEY: Final = re.compile(r"[A-Za-z0-9_.\-]+")
_NO_KEY: Final = re.compile(r"[。！？!?，,；;：:\n\"]|\s\S*\s")
_SPOKEN: Final = re.compile("|".join(SPOKEN))
_WHOSE: Final = re.compile(WHOSE)
# What YAML takes for something else than a text.
_NUMBER: Final = re.compile(r"[+-]?(?:inf|nan|0\w+|\d+[_a-z][\w+-]*)", re.IGNORECASE)
_NO_TEXT: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def field_of(name: str) -> str | None:
    """The field that a usual name of a column stands for; None for any other name."""
    return _BY_NAME.get(_bare(name))


def looks_like_a_key(name: str) -> bool:
    """Whether a name may be shown in messages: it is too short for a sentence, and has none of its marks."""
    if not name or len(name) > _KEY_CHARS or _NO_KEY.search(name) or is_spoken(name):
        return False
    return len(name) <= _CHINESE_KEY_CHARS or is_certainly_a_key(name) or bool(_by_name([name]))


def is_spoken(name: str) -> bool:
    """Whether a short text has what sentences have and names have not (我想死)."""
    if field_of(name) is not None:
        return False
    return _SPOKEN.search(_WHOSE.sub("", name) if _by_name([name]) else name) is not None


def is_certainly_a_key(name: str) -> bool:
    """Whether a name is a key's even where it stands but once."""
    return bool(_LATIN_KEY.fullmatch(name)) or name in DIALOGUES or field_of(name) is not None


def guess(names: Iterable[str], records: Sequence[Mapping[str, Any]] = ()) -> dict[str, str]:
    """The column that may hold each field, by name and then by the texts; only those found.

    Args:
        names: of the columns; nested keys as paths (``post.title``).
        records: some of the rows, to tell what the names do not.
    """
    names = [name for name in names if name]
    found = _by_name(names)
    if "title" not in found and "description" in found:
        found["title"] = found.pop("description")
    taken = {*found.values(), *_numbered(found.get("responses", ""), names)}
    if not {"title", "description", "responses"} <= found.keys() and len(records) > 1:
        found |= _by_text([name for name in names if name not in taken], records, found)
    if responses := _numbered(found.get("responses", ""), names):
        found["responses"] = ",".join(responses)
        # 回答1 is no description: an answer would stand in the prompt.
        found = {field: name for field, name in found.items() if name not in responses}
    return {field: found[field] for field in FIELDS if field in found}


def args_line(columns: Mapping[str, str], names: Sequence[str] = (), more: str = "") -> str:
    """What to write after ``make data`` so that a corpus is read by these columns.

    Args:
        columns: the column of each field; those of the field's own name need no saying.
        names: all columns, by whose number a long name is given.
        more: further ``key=value`` pairs.
    """
    said = {field: ",".join(_said(part, names) for part in name.split(",")) for field, name in columns.items()}
    pairs = [f"columns.{field}={name}" for field, name in said.items() if field != name]
    return f'ARGS="{" ".join([*map(_quoted, pairs), *([more] if more else [])])}"'


def _by_name(names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    bare = {_bare(name.rpartition(".")[2]): name for name in reversed(names)}
    for field, synonyms in FIELDS.items():
        if (whole := next((bare[word] for word in synonyms if word in bare), None)) is not None:
            found[field] = whole
    for field in ("title", "description", "responses"):
        if field not in found:
            left = {word: name for word, name in reversed(bare.items()) if name not in found.values()}
            parts = (name for part in FIELDS[field] for word, name in left.items() if _is_part(part, word))
            if (name := next(parts, None)) is not None:
                found[field] = name
    # 问题 and 提问 beside each other: the second says more of the first.
    if "description" not in found and "title" in found:
        rest = (name for word, name in bare.items() if _BY_NAME.get(word) == "title" and name != found["title"])
        if (name := next(rest, None)) is not None:
            found["description"] = name
    return found


def _numbered(name: str, names: Sequence[str]) -> list[str]:
    """The columns that are called like this one but for a number at the end: 回答1, 回答2."""
    stem = name.rstrip("0123456789")
    alike = [other for other in names if other.rstrip("0123456789") == stem and other != stem]
    return alike if stem and len(alike) > 1 and name in alike else []


def _is_part(part: str, word: str) -> bool:
    return len(part) >= _SHORTEST_PART and part in word and not word.endswith(("id", "编号", "时间", "数"))


def _by_text(names: Sequence[str], records: Sequence[Mapping[str, Any]], found: Mapping[str, str]) -> dict[str, str]:
    sizes: dict[str, float] = {}
    recurs: dict[str, bool] = {}
    for name in names:
        values = [record.get(name) for record in records]
        lengths = [_length(value) for value in values if value not in (None, "")]
        if lengths and all(length is not None for length in lengths):
            sizes[name] = sum(length for length in lengths if length) / len(lengths)
            recurs[name] = len({str(value) for value in values}) < len(values) / 2
    texts = sorted((name for name in sizes if not _are_numbers(records, name)), key=sizes.__getitem__)
    labels = [name for name in texts if recurs[name] and sizes[name] <= _LABEL_CHARS]
    own = [name for name in texts if name not in labels]
    numbers = [name for name in sizes if _are_numbers(records, name) and _are_different(records, name)]
    guessed: dict[str, str] = {}
    if "responses" not in found and own:
        guessed["responses"] = own.pop()
    if "title" not in found and own:
        guessed["title"] = own.pop(0)
    title = found.get("title") or guessed.get("title")
    if title is None:
        return {}
    title_size = sum(_length(record.get(title)) or 0 for record in records) / len(records)
    # A further answer would stand in the prompt.
    own = [name for name in own if not any(_is_part(part, _bare(name)) for part in FIELDS["responses"])]
    if "description" not in found and own and sizes[own[-1]] > title_size:
        guessed["description"] = own[-1]
    if not found:
        guessed |= {field: some[0] for field, some in (("topic", labels), ("id", numbers)) if some}
    return guessed


def _length(value: object) -> int | None:
    """Of a text, or of the texts of a list; None for anything else."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, int | float):
        return len(str(value))
    if isinstance(value, list):
        texts = [_text_of(item) if isinstance(item, dict) else item for item in value]
        return sum(map(len, texts)) if all(isinstance(text, str) for text in texts) else None
    return None


def _text_of(item: Mapping[str, Any]) -> Any:
    return next((item[key] for key in RESPONSE_TEXT if key in item), None)


def _are_numbers(records: Sequence[Mapping[str, Any]], name: str) -> bool:
    return all(str(record.get(name) or "0").replace(".", "", 1).isdecimal() for record in records)


def _are_different(records: Sequence[Mapping[str, Any]], name: str) -> bool:
    return len({str(record.get(name)) for record in records}) == len(records)


def _said(name: str, names: Sequence[str]) -> str:
    is_text = name.lower() not in _NO_TEXT and not _NUMBER.fullmatch(name)
    is_plain = looks_like_a_key(name) and is_text and not _SPECIAL.search(name)
    return name if is_plain or name not in names else str(names.index(name) + 1)


def _quoted(pair: str) -> str:
    return pair if re.fullmatch(r"[\w.=,/-]+", pair) else shlex.quote(pair)


def _bare(name: str) -> str:
    return _MARKS.sub("", name).lower()
