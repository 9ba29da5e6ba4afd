"""Our own sample corpus, and any corpus written in its format: JSON Lines, one question a line.

Keys: ``id``, ``title``, ``description`` (may be ""), ``responses`` (a list of objects with ``text`` and, where known,
``counsellor``); and where there are such: ``topic``, ``crisis`` (true or false), ``coe`` (an object L1 to L4). The
shipped corpus has all of them and stricter lengths: ``sample_corpus/schema.json``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from data_prep.corpora import reading
from data_prep.record import Question
from reward_fns.coe_format import LAYERS

SAMPLE_CORPUS: Final = Path(__file__).resolve().parent.parent / "sample_corpus"

_QUESTION_KEYS = frozenset({"id", "title", "description", "topic", "crisis", "responses", "coe"})
_RESPONSE_KEYS = frozenset({"counsellor", "text"})


def load(path: Path) -> list[Question]:
    """The questions of one ``.jsonl`` (or ``.jsonl.gz``) file, or of all ``.jsonl`` files of a folder in order of name.

    Raises:
        CorpusError: nothing there, a record that is not of this format, an id met twice.
    """
    seen = reading.SeenIds()
    questions = []
    for file in _files(path):
        for number, record in reading.read_jsonl(file):
            where = f"{file}:{number}"
            question = _question(reading.as_object(record, where), where)
            seen.add(question.id, "id", where)
            questions.append(question)
    if not questions:
        raise reading.CorpusError(f"{path}: no question in it, expected one JSON object a line. Check the corpus path.")
    return questions


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        files = sorted(path.glob("*.jsonl"))
        if not files:
            raise reading.CorpusError(f"{path}: no .jsonl file in this folder. Check the corpus path.")
        yield from files
    else:
        yield path


def _question(record: dict[str, Any], where: str) -> Question:
    reading.unknown_keys(record, _QUESTION_KEYS, where)
    crisis = record.get("crisis", False)
    if not isinstance(crisis, bool):
        raise reading.bad_field(where, "crisis", crisis, "true or false", "Mark acute risk with true.")
    return Question(
        id=reading.identifier(record, "id", where),
        title=reading.text(record, "title", where),
        description=reading.text(record, "description", where, blank=True),
        topic=reading.text(record, "topic", where) if "topic" in record else "",
        responses=tuple(_responses(record, where)),
        coe=_coe(record["coe"], where) if "coe" in record else None,
        crisis=crisis,
    )


def _responses(record: dict[str, Any], where: str) -> Iterator[str]:
    for index, entry in enumerate(reading.as_list(record, "responses", where)):
        place = f"{where}: responses[{index}]"
        response = reading.as_object(entry, place)
        reading.unknown_keys(response, _RESPONSE_KEYS, place)
        yield reading.text(response, "text", place)


def _coe(value: object, where: str) -> tuple[str, str, str, str]:
    place = f"{where}: coe"
    layers = reading.as_object(value, where, "coe")
    reading.unknown_keys(layers, frozenset(LAYERS), place)
    first, second, third, fourth = (reading.text(layers, name, place) for name in LAYERS)
    return first, second, third, fourth
