"""Dialogues of a seeker and a supporter, read as a long post and a response.

`turns` has the shapes that they come in; `rule` says which turns make the post and which the response.

Where a record has a title or a description beside its dialogue, they begin the post. Else its title is the first
sentence of the first turn. The id is the record's, in a folder of several files its number.

A dialogue in which the seeker only greets and thanks is left out and counted, but is no bad record; one without a reply
becomes a question without responses, which cleaning reports.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from common.records.question import Question
from data_prep.corpora import turns
from data_prep.corpora.checks import Identifier, Label, Listed, Record, Whole, checked
from data_prep.corpora.columns import Columns, value_at
from data_prep.corpora.names import DIALOGUE_IDS, DIALOGUES, REPLYING
from data_prep.corpora.records import CorpusError, Intake, LeftOut, RecordError
from data_prep.corpora.rule import Rule, cut_title, is_pleasantry, parts
from data_prep.corpora.sources import Source
from data_prep.corpora.speakers import Speakers, Turn
from data_prep.corpora.suggest import looks_like_a_key

_NAMED_SPEAKERS: Final = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """How dialogues are read.

    Attributes:
        rule: which turns count.
        roles: further names of the speakers, each with "seeker", "supporter" or "system".
    """

    rule: Rule = field(default_factory=Rule)
    roles: Mapping[str, str] = field(default_factory=dict)


class _Spoken(Record):
    id: Identifier
    title: Label = ""
    description: Label = ""
    topic: Label = ""
    subtopic: Label = ""
    texts: Listed[Whole]


def load(path: Path, source: Source, intake: Intake, columns: Columns, reading: Reading) -> list[Question]:
    """The questions of dialogues, in their order.

    Args:
        columns: the keys of the id, the post's own parts and the crisis mark, where they have other names, and
            "dialogue" where the dialogue stands under none of the usual keys.

    Raises:
        CorpusError: there are speakers of whom nobody knows which of the two they are.
    """
    reader = _reader(path, source, columns, reading)
    field = columns.name("id") or (_id_key(source.records) if source.files == 1 else None)
    read = partial(reader.question, id_key=field, intake=intake)
    return intake.distinct(source.entries, read, field or "id")


def load_turns(path: Path, source: Source, intake: Intake) -> list[tuple[str, list[Turn]]]:
    """Every dialogue's number and its turns, as they came.

    Raises:
        CorpusError: as `load`.
    """
    reader = _reader(path, source, Columns(), Reading())
    found: list[tuple[str, list[Turn]]] = []

    def add(value: object, where: str) -> None:
        found.append((str(intake.records_in), reader.turns(_record(value), where)))

    intake.take(source.entries, add)
    return found


def _reader(path: Path, source: Source, columns: Columns, reading: Reading) -> "_Reader":
    speakers = Speakers(reading.roles)
    _check_speakers(path, source, columns, speakers)
    return _Reader(columns, reading, turns.prompts_of(source.records), speakers)


def _check_speakers(path: Path, source: Source, columns: Columns, speakers: Speakers) -> None:
    """Stop where speakers that recur in the first records are known by no name.

    Raises:
        CorpusError: there are such.
    """
    found = []
    for record in (_record(entry.value) for entry in source.first):
        key = columns.name("dialogue") or turns.find(record)
        # A reply of alpaca's may have headings (建议：), which are no speakers.
        told = None if key is None or key in REPLYING else value_at(record, key)
        found.append(turns.speakers_of(told, speakers))
    has_seeker = any(speakers.role_of(name) == "seeker" for names in found for name in names)
    counts = Counter(
        name
        for names in found
        for name in names
        if not speakers.role_of(name) or (speakers.is_ambiguous(name) and not has_seeker)
    )
    strangers = [name for name, count in counts.most_common() if count > 1 and looks_like_a_key(name)]
    if all(map(speakers.role_of, strangers)):
        return
    openers = Counter(names[0] for names in found if names)
    roles = dict.fromkeys(strangers[:_NAMED_SPEAKERS], "supporter")
    if not has_seeker:
        roles[max(roles, key=openers.__getitem__)] = "seeker"
    line = " ".join(f"roles.{name}={role}" for name, role in sorted(roles.items(), key=lambda pair: pair[1]))
    raise CorpusError(
        f"{path}: speakers called {sorted(strangers)[:10]}, expected known ones such as user and assistant. Say which "
        f'of the two each is, or system for neither; as far as can be guessed: ARGS="{line}".'
    )


def _id_key(records: Sequence[Mapping[str, Any]]) -> str | None:
    """The key of the records' ids, where each of those looked at has one of its own."""
    for key in DIALOGUE_IDS:
        found = [record.get(key) for record in records]
        if records and all(isinstance(name, str | int) for name in found) and len(set(map(str, found))) == len(found):
            return key
    return None


@dataclass(frozen=True, slots=True)
class _Reader:
    columns: Columns
    reading: Reading
    prompts: frozenset[str]
    speakers: Speakers

    def question(self, value: object, where: str, *, id_key: str | None, intake: Intake) -> Question:
        """A record's question.

        Raises:
            RecordError: it holds no dialogue, or a field is bad.
            LeftOut: its seeker says nothing but greetings and thanks.
        """
        record = _record(value)
        spoken = [turn for turn in self.turns(record, where) if not is_pleasantry(turn.text)]
        places = {field: self.columns.name(field) or field for field in ("title", "description", "topic", "subtopic")}
        fields = {field: value_at(record, name) for field, name in places.items()}
        fields = {field: found for field, found in fields.items() if found is not None}
        fields["id"] = str(intake.records_in) if id_key is None else value_at(record, id_key)
        fields["texts"] = [turn.text for turn in spoken]
        told = checked(_Spoken, fields, where, {**places, "id": id_key or "id", "texts": "dialogue"})
        has_post = bool(told.title.strip() or told.description.strip())
        asked, replied = parts(spoken, self.reading.rule, has_post=has_post)
        if not (asked or has_post):
            raise LeftOut(where, "dialogue: no post", "found greetings and thanks alone of the seeker, no post in it.")
        title, description = told.title, [told.description.strip(), *asked]
        if not title.strip():
            first, *later = [text for text in description if text]
            title, rest = cut_title(first)
            description = [rest, *later]
        return Question(
            id=told.id,
            title=title,
            description="\n".join(text for text in description if text),
            topic=told.topic,
            subtopic=told.subtopic,
            responses=("\n".join(replied),) if replied else (),
            crisis=self.columns.crisis(record, where),
        )

    def turns(self, record: Mapping[str, Any], where: str) -> list[Turn]:
        """A record's turns.

        Raises:
            RecordError: it holds no dialogue.
        """
        named = self.columns.name("dialogue")
        key = named or turns.find(record)
        if key is None:
            message = f"found none of the keys {DIALOGUES}, expected a dialogue."
            raise RecordError(where, "dialogue: missing", f"{message} Name its key: columns.dialogue=NAME.")
        if named is None and key not in DIALOGUES:
            return turns.read_alpaca(record, where, self.speakers, self.prompts)
        return turns.read(value_at(record, key), key, where, self.speakers)


def _record(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {DIALOGUES[0]: value}
