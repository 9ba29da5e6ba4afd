"""Our own sample corpus, and any corpus written in its format: JSON Lines, one question a line.

Keys: ``id``, ``title``, ``description`` (may be ""), ``responses`` (a list of objects with ``text`` and, where known,
``counsellor``); and where there are such: ``topic``, ``crisis`` (true or false), ``coe`` (an object, a key a layer).
The shipped corpus has all of them and stricter lengths: ``sample_corpus/schema.json``.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from common.records.question import Question
from data_prep.corpora import records, rows
from data_prep.corpora.records import CorpusError, Intake, bad_field
from reward_fns.coe_format import LAYERS

SAMPLE_CORPUS: Final = Path(__file__).resolve().parent.parent / "sample_corpus"
# Posts of SMILECHAT in the same format, for training alone; its README says where from.
SMILECHAT_POSTS: Final = Path(__file__).resolve().parent.parent / "smilechat_posts"

_QUESTION_KEYS = frozenset({"id", "title", "description", "topic", "crisis", "responses", "coe"})
_RESPONSE_KEYS = frozenset({"counsellor", "text"})


def load(path: Path, intake: Intake, encoding: str = "utf-8") -> list[Question]:
    """The questions of one file, or of all ``.jsonl`` files of a folder in order of name.

    Records with a bad field, an unknown key or an id met before go to ``intake`` as rejected.

    Raises:
        CorpusError: no such file in the folder, or what ``rows.read`` raises.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise CorpusError(f"{path}: no .jsonl file in this folder, expected one. Check the corpus path.")
    entries = chain.from_iterable(rows.read(file, encoding) for file in files)
    return intake.distinct(entries, _question, "id")


def _question(value: object, where: str) -> Question:
    record = records.as_object(value, where)
    records.unknown_keys(record, _QUESTION_KEYS, where)
    crisis = record.get("crisis", False)
    if not isinstance(crisis, bool):
        raise bad_field(where, "crisis", "wrong type", crisis, "true or false", "Mark acute risk with true.")
    return Question(
        id=records.identifier(record, "id", where),
        title=records.text(record, "title", where),
        description=records.text(record, "description", where, blank=True),
        topic=records.text(record, "topic", where) if "topic" in record else "",
        responses=tuple(_responses(record, where)),
        coe=_coe(record["coe"], where) if "coe" in record else None,
        crisis=crisis,
    )


def _responses(record: dict[str, Any], where: str) -> Iterator[str]:
    for index, entry in enumerate(records.as_list(record, "responses", where)):
        place = f"{where}: responses[{index}]"
        response = records.as_object(entry, place)
        records.unknown_keys(response, _RESPONSE_KEYS, place)
        yield records.text(response, "text", place)


def _coe(value: object, where: str) -> tuple[str, ...]:
    place = f"{where}: coe"
    layers = records.as_object(value, where, "coe")
    records.unknown_keys(layers, frozenset(LAYERS), place)
    return tuple(records.text(layers, name, place) for name in LAYERS)
