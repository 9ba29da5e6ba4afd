"""Any table of questions by a map from our fields to its columns.

    columns.title=问题 columns.responses=回答

A row holds a question with all its responses (a list of strings or of objects with ``text``; in CSV that list as JSON
in the cell), or one response, its question repeated in every row. Rows of the second shape belong together by their
id, without an id column by title and description; they need not be neighbours. A topic written ``topic/subtopic`` is
taken apart where the row has no subtopic of its own. Columns that no field names are not read, and logged.
"""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from common.records.question import Question
from data_prep.corpora import records, rows
from data_prep.corpora.records import CorpusError, Intake, bad_field, named

# The fields that a column map may name; each is read from the column of its own name unless the map says another.
FIELDS: Final = ("title", "description", "responses", "id", "topic", "subtopic")

# The paper's four fields (Empathy-R1, section 2).
EMPATHY_QA: Final = ("title", "description", "topic", "responses")

_REQUIRED: Final = ("title", "responses")
_JSON_LIST: Final = re.compile(r'\s*\[\s*(["{]|\]\s*$)')
_REMEDY: Final = "Name the right columns, such as columns.title=NAME."

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Draft:
    id: str
    title: str
    description: str
    topic: str
    subtopic: str
    responses: list[str]
    is_whole: bool
    where: str


def load(
    path: Path,
    intake: Intake,
    encoding: str = "utf-8",
    columns: Mapping[str, str] | None = None,
    required: tuple[str, ...] = _REQUIRED,
) -> list[Question]:
    """The questions of a table.

    Args:
        columns: the table's column of each of ``FIELDS`` whose name is another. A column named here is not read for
            the field of its own name.
        required: fields that every record has to have. Of the others, a column named in ``columns`` has to be there,
            but a record without a value in it (no such key, or null) has "" for it. A table without an id column has
            the records' numbers, from 1, for ids.

    Raises:
        CorpusError: no such field or column, or what ``rows.open_table`` raises.
    """
    wanted = columns or {}
    for field, name in wanted.items():
        if field not in FIELDS or not isinstance(name, str) or not name.strip():
            raise CorpusError(
                f"columns: field {field!r} from column {name!r}, expected a name for some of {list(FIELDS)}. "
                "Correct the config."
            )
    if len(set(wanted.values())) < len(wanted):
        raise CorpusError(f"columns: {dict(wanted)}, expected another column for each field. Correct the config.")
    places = {field: wanted.get(field, field) for field in FIELDS if field in wanted or field not in wanted.values()}
    names, entries = rows.open_table(path, encoding, places.values())
    needed = [field for field in FIELDS if field in required or field in wanted]
    if absent := [wanted.get(field, field) for field in needed if places.get(field) not in names]:
        raise CorpusError(f"{path}: no column {named(absent)} among {named(names)}, expected all. {_REMEDY}")
    if places.get("id") not in names:
        places.pop("id", None)
    if unread := [name for name in names if name not in places.values()]:
        logger.info("%s: columns not read: %s", path, named(unread))
    collected = _Questions(places, required, intake)
    intake.take(entries, collected.add)
    return collected.finished()


def load_empathy_qa(path: Path, intake: Intake, encoding: str = "utf-8") -> list[Question]:
    """The questions of a file in Empathy-QA's format: title, description, topic label, one or more responses each.

    The corpus was never published, so the spelling of its keys is ours: ``title``, ``description``, ``topic`` (which
    may hold ``topic/subtopic``), ``responses`` (a list of strings or of objects with ``text``), and where there are
    such ``subtopic`` and ``id`` (else the record's number, from 1). With other names of columns such a corpus is read
    by ``load``.

    Raises:
        CorpusError: one of the four fields is no column of it, or what ``load`` raises.
    """
    return load(path, intake, encoding, required=EMPATHY_QA)


class _Questions:
    """Rows on their way to questions."""

    def __init__(self, places: Mapping[str, str], required: tuple[str, ...], intake: Intake) -> None:
        self._places = places
        self._required = required
        self._intake = intake
        self._drafts: dict[tuple[str, ...], _Draft] = {}

    def add(self, value: object, where: str) -> None:
        """Take in a row.

        Raises:
            RecordError: a field of it is bad, or it does not go with an earlier row of its id.
        """
        record = records.as_object(value, where)
        title = records.text(record, self._places["title"], where)
        description = self._label(record, "description", where)
        topic, subtopic = self._topics(record, where)
        responses, is_whole = _responses(record, self._places["responses"], where)
        key: tuple[str, ...]
        if "id" in self._places:
            name = records.identifier(record, self._places["id"], where)
            key = (name,)
        else:
            name = str(self._intake.records_in)
            key = (name,) if is_whole else (title, description)
        draft = _Draft(name, title, description, topic, subtopic, responses, is_whole, where)
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

    def _label(self, record: Mapping[str, Any], field: str, where: str) -> str:
        """A field that may be blank, and unless it is required also absent or null."""
        column = self._places.get(field)
        if column is None or (field not in self._required and record.get(column) is None):
            return ""
        return records.text(record, column, where, blank=True)

    def _topics(self, record: Mapping[str, Any], where: str) -> tuple[str, str]:
        topic = self._label(record, "topic", where).strip()
        if record.get(self._places.get("subtopic", "")) is not None:
            return topic, self._label(record, "subtopic", where).strip()
        main, _, finer = topic.partition("/")
        return main.strip(), finer.strip()


def _responses(record: Mapping[str, Any], column: str, where: str) -> tuple[list[str], bool]:
    """The row's responses, and whether they are all that the question has."""
    value = records.present(record, column, where)
    if isinstance(value, str) and not _JSON_LIST.match(value):
        return [records.as_text(value, column, where)], False
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            expected = "the whole of the JSON list that it begins"
            raise bad_field(where, column, "not JSON", value, expected, "Mend the list.") from error
    responses = []
    for index, item in enumerate(records.as_list({column: value}, column, where)):
        # A blank one among several is left to cleaning, so that it does not cost the others.
        if isinstance(item, dict):
            responses.append(records.text(item, "text", f"{where}: {column}[{index}]", blank=True))
        else:
            responses.append(records.as_text(item, column, f"{where}: item {index}", blank=True))
    return responses, True
