"""Any table of questions by a map from our fields to its columns (`columns`).

    columns.title=问题 columns.responses=回答

A row holds a question with all its responses (a list of strings or of objects with ``text``, also as the text of a
cell in JSON's, Python's or numpy's form: `cells`), or one response, its question repeated in every row. Rows of the
second shape belong together by their id, without an id column by title and description; they need not be neighbours.
A topic written ``topic/subtopic`` is taken apart where the row has no subtopic of its own; of a list of topics the
first is the topic. Columns that no field names are not read, and logged.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from common.records.question import Question
from data_prep.corpora import sources
from data_prep.corpora.cells import begins_list, read_list
from data_prep.corpora.checks import Identifier, Label, Record, Some, Text, Whole, checked, is_null, refuse
from data_prep.corpora.columns import Columns, heads, value_at
from data_prep.corpora.names import RESPONSE_TEXT
from data_prep.corpora.records import Entry, Intake, bad_field
from data_prep.corpora.shape import shown
from data_prep.corpora.unread import check_marks, no_column

# The fields of a table, and the paper's four (Empathy-R1, section 2).
FIELDS: Final = ("title", "description", "responses", "id", "topic", "subtopic", "crisis")
EMPATHY_QA: Final = ("title", "description", "topic", "responses")

_REQUIRED: Final = ("title", "responses")

logger = logging.getLogger(__name__)


def _text_of(value: object) -> object:
    if isinstance(value, dict):
        key = next((key for key in RESPONSE_TEXT if key in value), None)
        if key is None:
            refuse("no text", f"an object with a text under one of {RESPONSE_TEXT}", "Rename the key.")
        return value[key]
    return "" if value is None else value


def _listed(value: object) -> object:
    if isinstance(value, dict):
        # A single response, or a list of objects by columns, as Hugging Face's datasets have it.
        return next((value[key] for key in RESPONSE_TEXT if isinstance(value.get(key), list)), [value])
    if not isinstance(value, str):
        return value
    if not begins_list(value):
        if not value.strip():
            refuse("blank", "text that is not blank", "Write the text or leave the record out.")
        return [value]
    try:
        return read_list(value)
    except ValueError:
        refuse("not a whole list", "the whole of the list that it begins, in JSON's or Python's form", "Mend it.")


def _joined(value: object) -> object:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "/".join(value[:1]) + ("/" + ",".join(value[1:]) if value[1:] else "")
    return "" if is_null(value) else value


def _none_for_null(value: object) -> object:
    return None if is_null(value) else value


class _Row(Record):
    title: Text
    description: Label = ""
    topic: Annotated[Label, BeforeValidator(_joined)] = ""
    subtopic: Annotated[Whole | None, BeforeValidator(_none_for_null)] = None
    # A blank one among several is left to cleaning, so that it does not cost the others.
    responses: Annotated[Some[Annotated[Whole, BeforeValidator(_text_of)]], BeforeValidator(_listed)]


class _RowWithId(_Row):
    id: Identifier


@dataclass(slots=True)
class _Draft:
    id: str
    title: str
    description: str
    topic: str
    subtopic: str
    crisis: bool
    responses: list[str]
    is_whole: bool
    where: str


def load(
    path: Path, intake: Intake, encoding: str, columns: Columns, required: tuple[str, ...] = _REQUIRED
) -> list[Question]:
    """The questions of a table.

    Args:
        columns: the table's column of each of ``FIELDS`` whose name is another. A column named here is not read for
            the field of its own name.
        required: fields that need a column; a column named in ``columns`` has to be there too. A record without a
            value (no such key, or null) has "" for any field but title and responses. A table without an id column, or
            with nothing in it in the first records, has the records' numbers, from 1, for ids; so has a folder of
            several files unless ``columns`` names the ids.

    Raises:
        CorpusError: no such column, or what ``sources.open_source`` raises.
    """
    named = columns.named
    asked = [named.get(field, field) for field in FIELDS if field in named or field not in named.values()]
    is_by_number = any(name.isdecimal() for name in asked)
    source = sources.open_source(path, encoding, None if is_by_number else heads(asked))
    columns = columns.resolved(source.names, source.records)
    named = columns.named
    places = {field: named.get(field, field) for field in FIELDS if field in named or field not in named.values()}
    needed = [field for field in FIELDS if field in required or field in named]
    check_marks(path, source, columns)
    several = places.get("responses", "").split(",")
    if len(several) > 1 and all(map(source.has, several)):
        source = replace(
            source,
            entries=_gathered(source.entries, several, places["responses"]),
            names=[*source.names, places["responses"]],
        )
    if absent := [field for field in needed if field not in places or not source.has(places[field])]:
        raise no_column(path, source, columns, absent, "format=table" if required == EMPATHY_QA else "")
    is_counted_anew = source.files > 1 and "id" not in named
    if is_counted_anew or not source.has(places.get("id", "")) or _are_absent(source.records, places["id"]):
        places.pop("id", None)
    read = heads(places.values())
    if unread := [name for name in source.names if name not in read]:
        logger.info("%s: columns not read: %s", path, shown(unread))
    collected = _Questions(places, columns, intake)
    intake.take(source.entries, collected.add)
    return collected.finished()


def _gathered(entries: Iterable[Entry], columns: Sequence[str], name: str) -> Iterator[Entry]:
    """Records with the responses of several columns in one list."""
    for where, value in entries:
        if isinstance(value, dict):
            found = [value_at(value, column) for column in columns]
            yield Entry(where, {**value, name: [text for text in found if not is_null(text) and text != ""]})
        else:
            yield Entry(where, value)


def _are_absent(records: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether none of some records has a value there."""
    found = [value_at(record, name) for record in records]
    return bool(found) and all(is_null(value) or value == "" for value in found)


class _Questions:
    """Rows on their way to questions."""

    def __init__(self, places: Mapping[str, str], columns: Columns, intake: Intake) -> None:
        self._places = {field: name for field, name in places.items() if field != "crisis"}
        self._columns = columns
        self._model = _RowWithId if "id" in places else _Row
        self._intake = intake
        self._drafts: dict[tuple[str, ...], _Draft] = {}

    def add(self, value: object, where: str) -> None:
        """Take in a row.

        Raises:
            RecordError: a field of it is bad, or it does not go with an earlier row of its id.
        """
        fields = value
        if isinstance(value, dict):
            fields = {field: value_at(value, name) for field, name in self._places.items() if _has(value, name)}
        row = checked(self._model, fields, where, self._places)
        record: Mapping[str, Any] = value  # type: ignore[assignment]
        crisis = self._columns.crisis(record, where)
        responses = value_at(record, self._places["responses"])
        is_whole = not isinstance(responses, str) or begins_list(responses)
        topic, subtopic = _topics(row)
        name = row.id if isinstance(row, _RowWithId) else str(self._intake.records_in)
        key = (name,) if is_whole or isinstance(row, _RowWithId) else (row.title, row.description)
        draft = _Draft(name, row.title, row.description, topic, subtopic, crisis, row.responses, is_whole, where)
        first = self._drafts.setdefault(key, draft)
        if first is not draft:
            self._join(first, draft)

    def finished(self) -> list[Question]:
        """The questions, in the order of their first rows."""
        return [
            Question(
                id=draft.id,
                title=draft.title,
                description=draft.description,
                topic=draft.topic,
                subtopic=draft.subtopic,
                responses=tuple(draft.responses),
                crisis=draft.crisis,
            )
            for draft in self._drafts.values()
        ]

    def _join(self, first: _Draft, draft: _Draft) -> None:
        if first.is_whole or draft.is_whole:
            expected = f"an id unlike that of {first.where}"
            remedy = "Give one of the two another id."
            raise bad_field(draft.where, self._places["id"], "duplicate id", draft.id, expected, remedy)
        for field in ("title", "description", "topic", "subtopic"):
            if getattr(first, field) != getattr(draft, field):
                expected = f"that of {first.where}, the first row of this question"
                remedy = "Give it another id, or mend the row."
                found = getattr(draft, field)
                raise bad_field(draft.where, field, "differs within a question", found, expected, remedy)
        first.responses += draft.responses
        first.crisis |= draft.crisis


def _has(record: Mapping[str, Any], name: str) -> bool:
    return name in record or value_at(record, name) is not None


def _topics(row: _Row) -> tuple[str, str]:
    topic = row.topic.strip()
    if row.subtopic is not None:
        return topic, row.subtopic.strip()
    main, _, finer = topic.partition("/")
    return main.strip(), finer.strip()
