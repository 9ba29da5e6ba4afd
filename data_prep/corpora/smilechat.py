"""SMILECHAT (Qiu et al., 2023; CC0): dialogues rewritten from PsyQA, read as long posts with several responses.

Two shapes are read: JSON Lines (also gzipped) of ``{"id": …, "dialogue": [{"role": …, "content": …}, …]}``, and the
original folder ``data/<id>.json``, each file a list of such turns, also packed (``dialogues``). Roles are ``client``
and ``counselor``. A record is a dialogue.

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from common.records.question import Question
from data_prep.corpora import dialogues, fields
from data_prep.corpora.errors import bad_field
from data_prep.corpora.intake import Intake

# Share of the shorter opening's character bigrams found in the other, from which two openings are one question.
OPENING_OVERLAP: Final = 0.4

# How many places back, in the order of ids, a dialogue is compared: answers to two questions may interleave.
WINDOW: Final = 4

# The longest title cut from a first turn, in characters.
TITLE_CHARS: Final = 40

_ROLES = ("client", "counselor")
_OPENING_CHARS = 8
_SENTENCE = re.compile(r"[^。！？!?\n]*[。！？!?]?")
_NOT_TEXT = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class _Dialogue:
    id: str
    client: tuple[str, ...]
    counsellor: tuple[str, ...]


def load(
    path: Path,
    intake: Intake,
    encoding: str = "utf-8",
    *,
    overlap: float = OPENING_OVERLAP,
    window: int = WINDOW,
) -> list[Question]:
    """The questions of a SMILECHAT file, folder or archive, dialogues that open alike grouped.

    A question's post are the client turns of its first dialogue: the title is the first sentence, at most
    ``TITLE_CHARS`` characters of it, the description the rest. Each dialogue's counsellor turns, joined by line ends,
    are one response; a dialogue without any adds none, and a question may so be left without responses, which
    cleaning then reports. Topics and acute risk are not marked in this corpus.

    Args:
        overlap: from which share of common bigrams two openings are one question, 0 to 1.
        window: how many places back to compare.

    Raises:
        CorpusError: what ``dialogues.read`` raises.
    """
    seen = fields.SeenIds()
    found: list[_Dialogue] = []

    def add(value: object, where: str) -> None:
        dialogue = _dialogue(fields.as_object(value, where), where)
        seen.add(dialogue.id, "id", where)
        found.append(dialogue)

    intake.take(dialogues.read(path, encoding), add)
    found.sort(key=lambda dialogue: _order(dialogue.id))
    return [_question(group) for group in _group(found, overlap, window)]


def _dialogue(record: dict[str, Any], where: str) -> _Dialogue:
    spoken: dict[str, list[str]] = {role: [] for role in _ROLES}
    for index, entry in enumerate(fields.as_list(record, "dialogue", where)):
        place = f"{where}: turn {index}"
        turn = fields.as_object(entry, place)
        role = fields.present(turn, "role", place)
        if role not in _ROLES:
            raise bad_field(place, "role", "unknown", role, f"one of {list(_ROLES)}", "Rename the role.")
        if index == 0 and role != "client":
            raise bad_field(place, "role", "not the client's turn", role, "'client' first", "Drop what precedes it.")
        spoken[role].append(fields.text(turn, "content", place).strip())
    return _Dialogue(fields.identifier(record, "id", where), tuple(spoken["client"]), tuple(spoken["counselor"]))


def _order(name: str) -> tuple[int, int, str]:
    """By number where the id is one, else by name, numbers first."""
    return (0, int(name), "") if name.isdecimal() else (1, 0, name)


def _group(found: list[_Dialogue], overlap: float, window: int) -> list[list[_Dialogue]]:
    """Groups in the order of their first dialogues; a dialogue joins that of the nearest one which opens alike."""
    groups: list[list[_Dialogue]] = []
    recent: list[tuple[Counter[str], list[_Dialogue]]] = []
    for dialogue in found:
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
