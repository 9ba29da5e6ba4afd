"""Dialogues of a seeker and a supporter, read as a long post and a response (`turns` has the shapes they come in).

Which turns make them, two switches say (`Rule`):

- ``dialogue_post=all``: all the seeker's turns, as SMILECHAT is read. ``first``: those before the supporter's first
  reply of substance, and no later one.
- ``dialogue_response=all``: all replies, joined by line ends. ``first``: the first reply of substance alone.

A reply of substance is one longer than ``min_response_chars``, turns in a row taken together; in a dialogue without
any it is the longest. Turns that only greet, thank, agree or part are left out on both sides, so that 好的，谢谢你
becomes no post. What the supporter says before the seeker has said anything answers nothing and is left out too.

Where a record has a title or a description beside its dialogue, they begin the post. Else its title is the first
sentence of the first turn. A dialogue in which the seeker only greets and thanks is left out and counted, but is no
bad record; one without a reply becomes a question without responses, which cleaning reports.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, Final

from common.records.question import Question
from data_prep.cleaning import MIN_RESPONSE_CHARS
from data_prep.cleaning.rules import is_only_greeting
from data_prep.corpora import turns
from data_prep.corpora.checks import Identifier, Label, Record, Whole, checked
from data_prep.corpora.columns import Columns, value_at
from data_prep.corpora.records import CorpusError, Entry, Intake, LeftOut, RecordError
from data_prep.corpora.shape import looks_like_a_key
from data_prep.corpora.turns import Speakers, Turn

# The longest title cut from a first turn, in characters.
TITLE_CHARS: Final = 40

_IDS: Final = ("id", "dialog_id", "dialogue_id", "conversation_id", "conv_id", "session_id", "idx")
_LOOKED_AT: Final = 100
_NAMED_SPEAKERS: Final = 2
_SENTENCE: Final = re.compile(r"[^。！？!?\n]*[。！？!?]?")
_NOT_TEXT: Final = re.compile(r"[\W_]+")
_CLAUSE: Final = re.compile(r"[^\W\d_]+")
# A clause in which a seeker thanks, agrees, promises to try or parts, beside those of `is_only_greeting`.
_PLEASANTRY: Final = re.compile(
    r"(?:真的|非常|十分|也|很|太|那)*(?:谢谢|感谢|多谢|谢)(?:你们?|您|老师|医生|大家|了|啦)*(?:的|帮助|建议|回复|耐心|倾听|陪伴|解答)*"
    r"|(?:好|嗯+|哦+|噢+|行|可以|是|对|ok|okay|我?(?:明白|知道|懂|了解|记住))(?:了|的|啊|吧|呢|哈)*"
    r"|那?我?(?:会|再|先|去|就|回去)*(?:试试|试一试|试一下|照做|加油|考虑一?下|想想)(?:的|看|吧|了)*"
    r"|(?:再见|拜拜|晚安|回聊|下次(?:见|再聊)|bye|在吗|有人吗|打扰了)(?:了|啦|吧)*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which turns of a dialogue make the post and the response; see this module.

    Attributes:
        post: "all" or "first".
        response: "all" or "first".
        substance: a reply of substance is longer than this, in characters.
    """

    post: str = "all"
    response: str = "all"
    substance: int = MIN_RESPONSE_CHARS


@dataclass(frozen=True, slots=True)
class Reading:
    """How dialogues are read.

    Attributes:
        rule: which turns count.
        roles: further names of the speakers, each with "seeker", "supporter" or "system".
    """

    rule: Rule = Rule()
    roles: Mapping[str, str] = field(default_factory=dict)


class _Spoken(Record):
    id: Identifier
    title: Label = ""
    description: Label = ""
    topic: Label = ""
    subtopic: Label = ""
    texts: list[Whole]


def load(path: Path, entries: Iterator[Entry], intake: Intake, columns: Columns, reading: Reading) -> list[Question]:
    """The questions of dialogues, in their order.

    Args:
        columns: the keys of the id, the post's own parts and the crisis mark, where they have other names, and
            "dialogue" where the dialogue stands under none of the usual keys.

    Raises:
        CorpusError: there are speakers of whom nobody knows which of the two they are.
    """
    first = list(islice(entries, _LOOKED_AT))
    seen = [entry.value for entry in first if isinstance(entry.value, dict)]
    _check_speakers(path, first, columns, Speakers(reading.roles))
    reader = _Reader(columns, reading, turns.prompts_of(seen), Speakers(reading.roles))
    field = columns.name("id") or _id_key(seen)
    return intake.distinct(chain(first, entries), partial(reader.question, id_key=field, intake=intake), field or "id")


def load_turns(path: Path, entries: Iterator[Entry], intake: Intake) -> list[tuple[str, list[Turn]]]:
    """Every dialogue's id and its turns, as they came.

    Raises:
        CorpusError: as `load`.
    """
    first = list(islice(entries, _LOOKED_AT))
    _check_speakers(path, first, Columns(), Speakers())
    seen = [entry.value for entry in first if isinstance(entry.value, dict)]
    reader = _Reader(Columns(), Reading(), turns.prompts_of(seen), Speakers())
    found: list[tuple[str, list[Turn]]] = []

    def add(value: object, where: str) -> None:
        found.append((str(intake.records_in), reader.turns(_record(value), where)))

    intake.take(chain(first, entries), add)
    return found


def _check_speakers(path: Path, entries: Sequence[Entry], columns: Columns, speakers: Speakers) -> None:
    counts: Counter[str] = Counter()
    openers: Counter[str] = Counter()
    for entry in entries:
        value: Any = entry.value
        if isinstance(value, dict):
            value = value_at(value, columns.name("dialogue") or turns.find(value) or "")
        names = turns.strangers(value, speakers)
        counts.update(names)
        openers.update(names[:1])
    recurring = [name for name, count in counts.most_common() if count > 1 and looks_like_a_key(name)]
    if not recurring:
        return
    seeker = max(recurring, key=openers.__getitem__)
    roles = {name: "seeker" if name == seeker else "supporter" for name in recurring[:_NAMED_SPEAKERS]}
    line = " ".join(f"roles.{name}={role}" for name, role in roles.items())
    raise CorpusError(
        f"{path}: speakers called {sorted(recurring)[:10]}, expected known ones such as user and assistant. Say which "
        f'of the two each is, as far as can be guessed: ARGS="{line}".'
    )


def _id_key(records: Sequence[Mapping[str, Any]]) -> str | None:
    """The key of the records' ids, where each of those looked at has one of its own."""
    for key in _IDS:
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
        has_post = bool(told.title or told.description)
        asked, replied = parts(spoken, self.reading.rule, has_post=has_post)
        if not (asked or has_post):
            raise LeftOut(where, "dialogue: no post", "found greetings and thanks alone of the seeker, no post in it.")
        title, description = told.title, [told.description, *asked]
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
            message = f"found none of the keys {list(turns.KEYS[:6])}, expected a dialogue. Name its key: columns.dialogue=NAME."
            raise RecordError(where, "dialogue: missing", message)
        if named is None and key not in turns.KEYS:
            return turns.read_alpaca(record, where, self.speakers, self.prompts)
        return turns.read(value_at(record, key), key, where, self.speakers)


def _record(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {turns.KEYS[0]: value}


def parts(spoken: Sequence[Turn], rule: Rule, *, has_post: bool = False) -> tuple[list[str], list[str]]:
    """The seeker's turns that make the post, and the replies that make the response.

    Args:
        has_post: the post stands before the dialogue; else what the supporter says first answers nothing.
    """
    runs = [(role, [turn.text for turn in group]) for role, group in groupby(spoken, key=lambda turn: turn.role)]
    if runs and runs[0][0] == "supporter" and not has_post:
        del runs[0]
    replies = [index for index, (role, _) in enumerate(runs) if role == "supporter"]
    sizes = {index: sum(map(len, runs[index][1])) for index in replies}
    longest = max(replies, key=sizes.__getitem__, default=len(runs))
    answer = next((index for index in replies if sizes[index] > rule.substance), longest)
    until = len(runs) if rule.post == "all" else answer
    asked = [text for role, texts in runs[:until] if role == "seeker" for text in texts]
    answers = replies if rule.response == "all" else replies[replies.index(answer) :][:1] if replies else []
    return asked, [text for index in answers for text in runs[index][1]]


def is_pleasantry(text: str) -> bool:
    """Whether a turn only greets, thanks, agrees or parts: 你好，在吗？ 好的，谢谢你，我会试试。"""
    clauses = _CLAUSE.findall(text)
    return bool(clauses) and all(_PLEASANTRY.fullmatch(clause) or is_only_greeting(clause) for clause in clauses)


def cut_title(turn: str) -> tuple[str, str]:
    """The first sentence of a text, at most ``TITLE_CHARS`` characters of it, and the rest."""
    sentence = _SENTENCE.match(turn)
    length = min(sentence.end() if sentence else len(turn), TITLE_CHARS)
    # A turn that opens with a bare mark would give an empty or wordless title.
    if not _NOT_TEXT.sub("", turn[:length]):
        length = TITLE_CHARS
    return turn[:length].strip(), turn[length:].strip()
