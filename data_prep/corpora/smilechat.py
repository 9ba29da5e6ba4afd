"""SMILECHAT (Qiu et al., 2023; CC0): dialogues rewritten from PsyQA, read as long posts with several responses.

Two shapes are read: JSON Lines (also gzipped) of ``{"id": …, "dialogue": [{"role": …, "content": …}, …]}``, and the
original folder ``data/<id>.json``, each file a list of such turns. Roles are ``client`` and ``counselor``.

Each answer to one PsyQA question became a dialogue of its own, and these stand side by side: the dialogues of one
question open with the same words, or with a rewording of them. Left apart, a question would be both trained and tested
on, so neighbours with the same opening become one ``Question`` with a response from each.

The rule, chosen on 6,000 dialogues: two dialogues open alike when their first client turns share at least 0.4 of the
shorter one's character pairs (bigrams as a multiset, punctuation aside), within four places in the order of ids. An
opening under 8 characters (你好) says nothing yet and takes in the next client turn. Of 30,000 random pairs 0.06 %
pass, of direct neighbours 61 %; exact equality finds 23 % of these, rapidfuzz's ``partial_ratio`` at the same error
rate 60 %. Missed are free rewordings: 158 more of the 5,999 neighbours are alike by TF-IDF over all client turns.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tqdm import tqdm

from data_prep.corpora import reading
from data_prep.record import Question

OPENING_OVERLAP: Final = 0.4
"""Share of the shorter opening's character bigrams found in the other, from which two openings are one question."""

WINDOW: Final = 4
"""How many places back, in the order of ids, a dialogue is compared: answers to two questions may interleave."""

TITLE_CHARS: Final = 40
"""The longest title cut from a first turn, in characters."""

_ROLES = ("client", "counselor")
_OPENING_CHARS = 8
_SENTENCE = re.compile(r"[^。！？!?\n]*[。！？!?]?")
_NOT_TEXT = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class _Dialogue:
    id: str
    client: tuple[str, ...]
    counsellor: tuple[str, ...]


def load(path: Path, *, overlap: float = OPENING_OVERLAP, window: int = WINDOW) -> list[Question]:
    """The questions of a SMILECHAT file or folder, dialogues that open alike grouped.

    A question's post are the client turns of its first dialogue: the title is the first sentence, at most
    ``TITLE_CHARS`` characters of it, the description the rest. Each dialogue's counsellor turns, joined by line ends,
    are one response; a dialogue without any adds none, and a question may so be left without responses, which
    cleaning then reports. Topics and acute risk are not marked in this corpus.

    Args:
        overlap: from which share of common bigrams two openings are one question, 0 to 1.
        window: how many places back to compare.

    Raises:
        CorpusError: nothing there, a record that is not of this format, an id met twice.
    """
    dialogues = sorted(_read(path), key=lambda dialogue: _order(dialogue.id))
    if not dialogues:
        raise reading.CorpusError(f"{path}: no dialogue in it, expected SMILECHAT dialogues. Check the corpus path.")
    return [_question(group) for group in _group(dialogues, overlap, window)]


def _read(path: Path) -> Iterator[_Dialogue]:
    seen = reading.SeenIds()
    for name, turns, where in _records(path):
        seen.add(name, "id", where)
        yield _dialogue(name, turns, where)


def _records(path: Path) -> Iterator[tuple[str, object, str]]:
    if path.is_dir():
        files = sorted((path / "data" if (path / "data").is_dir() else path).glob("*.json"))
        for file in tqdm(files, desc="reading SMILECHAT", unit="file", disable=None):
            yield file.stem, reading.read_json(file), str(file)
        return
    for number, value in reading.read_jsonl(path):
        where = f"{path}:{number}"
        record = reading.as_object(value, where)
        yield reading.identifier(record, "id", where), record.get("dialogue"), where


def _dialogue(name: str, turns: object, where: str) -> _Dialogue:
    spoken: dict[str, list[str]] = {role: [] for role in _ROLES}
    for index, entry in enumerate(reading.as_list({"dialogue": turns}, "dialogue", where)):
        place = f"{where}: turn {index}"
        turn = reading.as_object(entry, place)
        role = turn.get("role")
        if role not in _ROLES:
            raise reading.bad_field(place, "role", role, f"one of {list(_ROLES)}", "Rename the role.")
        if index == 0 and role != "client":
            raise reading.bad_field(place, "role", role, "'client' in the first turn", "Drop what precedes the post.")
        spoken[role].append(reading.text(turn, "content", place).strip())
    return _Dialogue(name, tuple(spoken["client"]), tuple(spoken["counselor"]))


def _order(name: str) -> tuple[int, int, str]:
    """By number where the id is one, else by name, numbers first."""
    return (0, int(name), "") if name.isdecimal() else (1, 0, name)


def _group(dialogues: list[_Dialogue], overlap: float, window: int) -> list[list[_Dialogue]]:
    """Groups in the order of their first dialogues; a dialogue joins that of the nearest one which opens alike."""
    groups: list[list[_Dialogue]] = []
    recent: list[tuple[Counter[str], list[_Dialogue]]] = []
    for dialogue in dialogues:
        bigrams = _bigrams(_opening(dialogue))
        group = next((group for other, group in reversed(recent) if _overlap(bigrams, other) >= overlap), None)
        if group is None:
            group = []
            groups.append(group)
        group.append(dialogue)
        recent = [*recent, (bigrams, group)][-window:]
    return groups


def _opening(dialogue: _Dialogue) -> str:
    """The letters of the first client turn, and of the next ones as long as these are a mere greeting."""
    letters = ""
    for turn in dialogue.client:
        letters += _NOT_TEXT.sub("", turn)
        if len(letters) >= _OPENING_CHARS:
            break
    return letters


def _bigrams(letters: str) -> Counter[str]:
    return Counter(letters[i : i + 2] for i in range(len(letters) - 1))


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    shorter = min(one.total(), other.total())
    return (one & other).total() / shorter if shorter else 0.0


def _question(group: list[_Dialogue]) -> Question:
    first = group[0]
    title, rest = _cut_title(first.client[0])
    return Question(
        id=first.id,
        title=title,
        description="\n".join(text for text in (rest, *first.client[1:]) if text),
        topic="",
        responses=tuple("\n".join(dialogue.counsellor) for dialogue in group if dialogue.counsellor),
    )


def _cut_title(turn: str) -> tuple[str, str]:
    sentence = _SENTENCE.match(turn)
    length = min(sentence.end() if sentence else len(turn), TITLE_CHARS)
    # A turn that opens with a bare mark would give an empty or wordless title.
    if not _NOT_TEXT.sub("", turn[:length]):
        length = TITLE_CHARS
    return turn[:length].strip(), turn[length:].strip()
