"""The turns of a dialogue, whichever of the usual shapes a record has it in.

    [{"role": "user", "content": …}, …]          role, speaker, from or sender; content, value, text …
    [{"input": …, "output": …}, …]               keys that say who speaks (also human/assistant, 问/答)
    [["seeker's", "supporter's"], …]             pairs, also of a speaker and the words
    ["求助者：…", "支持者：…", …]                 strings with the speaker before them; without one, seeker first
    "求助者：…\\n支持者：…"                       the same in one text
    {"instruction", "input", "output", "history"}  alpaca: the history, then the last two turns

Such a list may also be the text of a cell (`cells`). Turns of the system, of tools and blank ones are left out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from data_prep.corpora.cells import begins_list, read_list
from data_prep.corpora.names import ASKING, DIALOGUES, REPLYING, SPEAKER, WORDS
from data_prep.corpora.records import bad_field
from data_prep.corpora.speakers import ROLES, USUAL, Speakers, Turn

_HISTORY: Final = "history"
# Anybody's name before what is said.
_SOMEBODY: Final = re.compile(r"^[ \t]*([^\s:：，。]{1,10})[ \t]*[:：]", re.MULTILINE)
_CONVERSATION_ID: Final = re.compile(r"(?:dialog|conv|session|chat|对话|会话).*(?:id|编号|号)$", re.IGNORECASE)


def find(record: Mapping[str, Any]) -> str | None:
    """The key that holds a record's dialogue; ``history`` or ``output`` for alpaca's shape; None without one."""
    for key in DIALOGUES:
        if is_dialogue(value := record.get(key)) or _are_strings(value):
            return key
        if isinstance(value, str) and len(_SOMEBODY.findall(value)) > 1:
            return key
    if is_alpaca(record):
        return _HISTORY if _HISTORY in record else "output"
    return None


def is_alpaca(names: Sequence[str] | Mapping[str, Any]) -> bool:
    """Whether a record's keys are alpaca's: an instruction with its output, or a history beside a reply."""
    return ("instruction" in names and "output" in names) or (
        _HISTORY in names and any(key in names for key in REPLYING) and any(key in names for key in ASKING)
    )


def is_dialogue(value: object) -> bool:
    """Whether a value is a dialogue by its first turn, whatever key it stands under."""
    if isinstance(value, str):
        return bool(USUAL.spoken(value)) or is_dialogue(_listed(value))
    if not isinstance(value, list) or not value:
        return False
    first = value[0]
    if isinstance(first, dict):
        return is_turn(first) or _take_turns(value[:2])
    if isinstance(first, list):
        return _is_pair(first) and not USUAL.spoken(first[0])
    return isinstance(first, str) and bool(USUAL.spoken(first))


def is_turn(value: Mapping[str, Any]) -> bool:
    """Whether an object is a turn: a speaker's key and the words', or keys that say who speaks."""
    if any(key in value for key in SPEAKER):
        return any(key in value for key in WORDS)
    said = {USUAL.role_of(key) for key in value}
    return {"seeker", "supporter"} <= said


def _take_turns(items: list[Any]) -> bool:
    """Whether two objects have one speaker each for their key."""
    roles = [USUAL.role_of(key) for item in items if isinstance(item, dict) and len(item) == 1 for key in item]
    return len(items) == len(roles) == 2 and set(roles) == {"seeker", "supporter"}


def conversation_key(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The key by which rows of single turns belong together: a dialogue's id, else an id that recurs."""
    named = [key for key in rows[0] if _CONVERSATION_ID.search(key)]
    recurring = [key for key in rows[0] if key.lower() == "id" and len({str(row.get(key)) for row in rows}) < len(rows)]
    return next(iter([*named, *recurring]), None)


def speakers_of(value: object, speakers: Speakers) -> list[str]:
    """What a dialogue calls its speakers, turn by turn; none where it does not name them."""
    if isinstance(value, str):
        value = _listed(value) or value
    if isinstance(value, str):
        names: list[str] = _SOMEBODY.findall(value)
        spoken = speakers.spoken(value)
        # A alone is known: who B is, nobody says, and B's words stand in A's turn.
        is_half_known = any(map(speakers.is_ambiguous, names[:1])) and {turn.role for turn in spoken} == {"supporter"}
        return [] if spoken and not is_half_known else names
    if _are_strings(value):
        texts: list[str] = value  # type: ignore[assignment]
        begun = [match[1] for text in texts if (match := _SOMEBODY.match(text))]
        return begun if len(begun) == len(texts) else []
    turns = value if isinstance(value, list) else []
    pairs = [item[0] for item in turns if isinstance(item, list) and _is_pair(item)]
    if any(map(speakers.role_of, pairs)):
        return [name.strip() for name in pairs]
    said = [item[key] for item in turns if isinstance(item, dict) for key in SPEAKER if key in item]
    return [str(name).strip() for name in said if isinstance(name, str | int)]


def read(value: object, key: str, where: str, speakers: Speakers) -> list[Turn]:
    """The turns of a dialogue, in their order.

    Args:
        key: where it stands in the record, for messages.

    Raises:
        RecordError: it is none of the shapes, or a speaker is unknown.
    """
    if isinstance(value, str):
        if turns := speakers.spoken(value):
            return _told(turns)
        value = _listed(value) or value
    if not isinstance(value, list) or not value:
        expected = "a list of turns, or a text with the speakers' names before them (求助者：…)"
        raise bad_field(
            where, key, "no dialogue", value, expected, "Name the key that holds one: columns.dialogue=NAME."
        )
    if _are_strings(value):
        found = [speakers.spoken(text, is_whole=len(value) == 1) for text in value]
        if not any(found):
            return _told([Turn(ROLES[index % 2], text.strip()) for index, text in enumerate(value)])
        if not all(found):
            unread = next(index for index, turns in enumerate(found) if not turns)
            expected = "a speaker's name before every text, such as 求助者："
            remedy = 'Say who speaks, such as ARGS="roles.NAME=seeker".'
            raise bad_field(f"{where}: {key}[{unread}]", "(turn)", "no speaker", value[unread], expected, remedy)
        return _told([turn for turns in found for turn in turns])
    return _told([turn for i, item in enumerate(value) for turn in _turns(item, f"{where}: {key}[{i}]", speakers)])


def read_alpaca(record: Mapping[str, Any], where: str, speakers: Speakers, prompts: frozenset[str]) -> list[Turn]:
    """The history's turns, then those of the record's last exchange.

    Args:
        prompts: instructions that are said to the model and not by the seeker: they are left out.

    Raises:
        RecordError: as `read`.
    """
    history = record.get(_HISTORY)
    before = read(history, _HISTORY, where, speakers) if history and history != "[]" else []
    said = [_text(record[key], where, key) for key in ASKING if key in record]
    asked = [text for text in said if text and text not in prompts]
    replied = next(_text(record[key], where, key) for key in REPLYING if key in record)
    last = [Turn("seeker", "\n".join(asked)), Turn("supporter", replied)]
    return [*before, *_told(last)]


def prompts_of(records: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Alpaca's instructions that recur beside an input in over a tenth of some records: they are prompts."""
    said = [record.get("instruction") for record in records if record.get("input")]
    return frozenset(
        text.strip() for text in said if isinstance(text, str) and text and said.count(text) > max(1, len(records) / 10)
    )


def _turns(item: object, where: str, speakers: Speakers) -> Iterator[Turn]:
    if isinstance(item, list | tuple) and _is_pair(item):
        item = [item[0], item[1] or ""]
        if role := speakers.role_of(item[0]):
            yield Turn(role, item[1].strip())  # type: ignore[arg-type]
        else:
            yield from (Turn(role, text.strip()) for role, text in zip(ROLES[:2], item, strict=True))
        return
    if not isinstance(item, dict):
        raise bad_field(where, "(turn)", "wrong type", item, "an object", "Check that the file is of this format.")
    speaker = next((key for key in SPEAKER if key in item), None)
    if speaker is None:
        said = [(role, key) for key in item if (role := speakers.role_of(key))]
        if not said:
            expected = f"one of the keys {SPEAKER}"
            raise bad_field(where, "(turn)", "no speaker", item, expected, "Add it or leave the record out.")
        yield from (Turn(role, _text(item[key], where, key)) for role, key in said)  # type: ignore[arg-type]
        return
    words = next((key for key in WORDS if key in item and key != speaker), None)
    if words is None:
        expected = f"one of the keys {WORDS}"
        raise bad_field(where, "(turn)", "no words", item, expected, "Add it or leave the record out.")
    role = speakers.role_of(item[speaker])
    if not role:
        expected = "a speaker that is known, such as user or assistant"
        remedy = 'Say who it is, such as ARGS="roles.NAME=seeker".'
        raise bad_field(where, speaker, "unknown speaker", item[speaker], expected, remedy)
    yield Turn(role, _text(item[words], where, words))  # type: ignore[arg-type]


def _text(value: object, where: str, key: str) -> str:
    """A turn's words, also as the parts that OpenAI's messages may have."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(part["text"] for part in value if isinstance(part, dict) and isinstance(part.get("text"), str))
    if not isinstance(value, str):
        raise bad_field(where, key, "wrong type", value, "a string", "Write the value as text.")
    return value.strip()


def _told(turns: list[Turn]) -> list[Turn]:
    return [turn for turn in turns if turn.text and turn.role != "system"]


def _is_pair(value: Sequence[object]) -> bool:
    """Whether a list is a seeker's and a supporter's words, these null where there are none."""
    return len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str | None)


def _are_strings(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def _listed(text: str) -> list[object] | None:
    """The list that a text is; None for any other text, and for a list that is broken."""
    try:
        return read_list(text) if begins_list(text) else None
    except ValueError:
        return None
