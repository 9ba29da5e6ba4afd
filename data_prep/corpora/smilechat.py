"""SMILECHAT (Qiu et al., 2023; CC0): dialogues rewritten from PsyQA, read as long posts with several responses.

Two shapes are read: JSON Lines (also gzipped) of ``{"id": …, "dialogue": [{"role": …, "content": …}, …]}``, and the
original folder ``data/<id>.json``, each file a list of such turns, also packed. Roles are ``client`` and
``counselor``. A record is a dialogue, its file ``<id>.json`` (`archives`).

Each answer to one PsyQA question became a dialogue of its own, and these stand side by side: the dialogues of one
question open with the same words, or with a rewording of them. Left apart, a question would be both trained and tested
on, so neighbours with the same opening become one ``Question`` with a response from each.

The rule, chosen on 6,000 dialogues: two dialogues open alike when their first client turns share at least 0.4 of the
shorter one's character pairs (bigrams as a multiset, punctuation aside), within four places in the order of ids. An
opening under 8 characters (你好) says nothing yet and takes in the next client turn. Of 30,000 random pairs 0.06 %
pass, of direct neighbours 61 %; exact equality finds 23 % of these, rapidfuzz's ``partial_ratio`` at the same error
rate 60 %. Missed are free rewordings: 158 more of the 5,999 neighbours are alike by TF-IDF over all client turns.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator
from tqdm import tqdm

from common.records.question import Question
from data_prep.corpora import archives, sources
from data_prep.corpora.checks import Identifier, Record, Some, Text, checked, refuse
from data_prep.corpora.columns import Columns
from data_prep.corpora.folders import kind_of
from data_prep.corpora.records import CorpusError, Entry, Intake, RecordError
from data_prep.corpora.rule import Rule, cut_title, parts
from data_prep.corpora.speakers import Role, Turn
from data_prep.corpora.text_files import check_encoding, decoded, inspect

# Share of the shorter opening's character bigrams found in the other, from which two openings are one question.
OPENING_OVERLAP: Final = 0.4

# How many places back, in the order of ids, a dialogue is compared: answers to two questions may interleave.
WINDOW: Final = 4

_ROLES: Final[dict[str, Role]] = {"client": "seeker", "counselor": "supporter"}
_OPENING_CHARS = 8
_NOT_TEXT = re.compile(r"[\W_]+")


class _Said(Record):
    role: Literal["client", "counselor"]
    content: Text


def _opened_by_client(said: list[_Said]) -> list[_Said]:
    if said[0].role != "client":
        refuse("not the client's turn first", "'client' in the first turn", "Drop what precedes it.")
    return said


class _Dialogue(Record):
    id: Identifier
    dialogue: Annotated[Some[_Said], AfterValidator(_opened_by_client)]

    @property
    def turns(self) -> list[Turn]:
        return [Turn(_ROLES[said.role], said.content.strip()) for said in self.dialogue]


@dataclass(frozen=True, slots=True)
class _Spoken:
    id: str
    turns: list[Turn]
    crisis: bool


def load(
    path: Path,
    intake: Intake,
    encoding: str = "utf-8",
    *,
    columns: Columns | None = None,
    rule: Rule | None = None,
    overlap: float = OPENING_OVERLAP,
    window: int = WINDOW,
) -> list[Question]:
    """The questions of a SMILECHAT file, folder or archive, dialogues that open alike grouped.

    A question's post comes from its first dialogue: the title is the first sentence of the first turn, the description
    the rest. Each dialogue's response is one of the question's; a dialogue without any adds none, and a question may so
    be left without responses, which cleaning then reports. Topics and acute risk are not marked in this corpus.

    Args:
        columns: where a crisis mark stands, if the dialogues have been given one.
        rule: which turns make post and response (`dialogue`); all of them unless told otherwise.
        overlap: from which share of common bigrams two openings are one question, 0 to 1.
        window: how many places back to compare.

    Raises:
        CorpusError: what ``read`` raises.
    """
    groups = _group(_in_order(path, intake, encoding, columns or Columns()), overlap, window)
    return [_question(group, rule or Rule()) for group in groups]


def load_turns(path: Path, intake: Intake, encoding: str = "utf-8") -> list[tuple[str, list[Turn]]]:
    """Every dialogue's id and its turns, in the order of ids.

    Raises:
        CorpusError: what ``read`` raises.
    """
    return [(dialogue.id, dialogue.turns) for dialogue in _in_order(path, intake, encoding, Columns())]


def _in_order(path: Path, intake: Intake, encoding: str, columns: Columns) -> list[_Spoken]:
    found = intake.distinct(read(path, encoding), partial(_spoken, columns=columns), "id")
    return sorted(found, key=lambda dialogue: _order(dialogue.id))


def _spoken(value: object, where: str, columns: Columns) -> _Spoken:
    dialogue = checked(_Dialogue, value, where)
    return _Spoken(dialogue.id, dialogue.turns, isinstance(value, dict) and columns.crisis(value, where))


def _order(name: str) -> tuple[int, int, str]:
    """By number where the id is one, else by name, numbers first."""
    return (0, int(name), "") if name.isdecimal() else (1, 0, name)


def _group(found: list[_Spoken], overlap: float, window: int) -> list[list[_Spoken]]:
    """Groups in the order of their first dialogues; a dialogue joins that of the nearest one which opens alike."""
    groups: list[list[_Spoken]] = []
    recent: list[tuple[Counter[str], list[_Spoken]]] = []
    for dialogue in found:
        bigrams = _bigrams(_opening(dialogue))
        group = next((group for other, group in reversed(recent) if _overlap(bigrams, other) >= overlap), None)
        if group is None:
            group = []
            groups.append(group)
        group.append(dialogue)
        recent = [*recent, (bigrams, group)][-window:]
    return groups


def _opening(dialogue: _Spoken) -> str:
    """The letters of the first client turn, and of the next ones as long as these are a mere greeting."""
    letters = ""
    for turn in dialogue.turns:
        letters += _NOT_TEXT.sub("", turn.text) if turn.role == "seeker" else ""
        if len(letters) >= _OPENING_CHARS:
            break
    return letters


def _bigrams(letters: str) -> Counter[str]:
    return Counter(letters[i : i + 2] for i in range(len(letters) - 1))


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    shorter = min(one.total(), other.total())
    return (one & other).total() / shorter if shorter else 0.0


def _question(group: list[_Spoken], rule: Rule) -> Question:
    both = [parts(dialogue.turns, rule) for dialogue in group]
    (first, *later), _ = both[0]
    title, rest = cut_title(first)
    return Question(
        id=group[0].id,
        title=title,
        description="\n".join(text for text in (rest, *later) if text),
        topic="",
        responses=tuple("\n".join(replied) for _, replied in both if replied),
        crisis=any(dialogue.crisis for dialogue in group),
    )


def read(path: Path, encoding: str = "utf-8") -> Iterator[Entry]:
    """Every dialogue as ``{"id": …, "dialogue": [turns]}``.

    Raises:
        CorpusError: nothing there, no dialogue in it, an archive that is foreign, damaged or locked, an unknown
            encoding; for JSON Lines what ``sources.read`` raises.
    """
    check_encoding(encoding)
    if path.is_dir() and any(kind_of(file) == ".jsonl" for file in path.rglob("*.jsonl*")):
        yield from sources.open_source(path, encoding).entries
        return
    kind = None if path.is_dir() else inspect(path, encoding).kind
    if kind in ("json", "jsonl", "csv", "parquet"):
        yield from sources.read(path, encoding)
        return
    is_empty = True
    packed = kind if kind in ("zip", "tar") else None
    for name, id, data in tqdm(archives.files(path, packed), desc="reading SMILECHAT", unit="file", disable=None):
        is_empty = False
        where = name if kind is None else f"{path.name}: {name}"
        yield Entry(where, data if isinstance(data, RecordError) else _record(id, data, encoding, where))
    if is_empty:
        raise CorpusError(
            f"{path}: no dialogue in it, expected files named <id>.json. Check the corpus path; "
            "unpack an archive of another shape, save a workbook as CSV."
        )


def _record(id: str, data: bytes, encoding: str, where: str) -> object:
    try:
        return {"id": id, "dialogue": json.loads(decoded(data, encoding, where))}
    except RecordError as error:
        return error
    except (ValueError, RecursionError):
        return RecordError(where, "not JSON", "found no whole JSON, expected a list of turns. Fetch the file again.")
