"""A corpus's format by its content, never by its name alone."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from data_prep.corpora import smilechat, sources, turns
from data_prep.corpora.folders import corpus_files, kind_of
from data_prep.corpora.records import CorpusError, Entry
from data_prep.corpora.shape import structure
from data_prep.corpora.sources import Source
from data_prep.corpora.text_files import inspect
from data_prep.corpora.unread import unknown

_LOOKED_AT: Final = 10
_SAMPLE_RESPONSE: Final = frozenset({"counsellor", "text"})


def detect_format(path: Path, encoding: str = "utf-8") -> str:
    """The format of a corpus.

    - ``question`` and ``answers`` with ``answer_text`` are "psyqa";
    - dialogues of a client and a counselor "smilechat", any others "dialogue"; files in a folder or an archive that are
      lists of turns count as dialogues;
    - ``title`` and ``responses`` are "empathy_qa" where there are ``description`` and ``topic``, else "table"; or
      "sample" where there is ``coe``, or where the responses are objects of the sample's keys and the records have an
      ``id``.

    Raises:
        CorpusError: nothing there, none of these, or what ``sources.open_source`` raises.
    """
    if _is_archive(path, encoding):
        return _of_archive(path, encoding)
    if path.is_dir():
        if (lines := sorted(path.glob("*.jsonl"))) and _is_sample(lines[0], encoding):
            return "sample"
        folder = smilechat_folder(path)
        first = list(islice(_turn_lists(folder, encoding), _LOOKED_AT)) if folder else []
        if first and _of_dialogues(first) == "smilechat":
            return "smilechat"
    source = sources.open_source(path, encoding)
    names, records = set(source.names), source.records
    if {"question", "answers"} <= names and not _have_plain_answers(records):
        return "psyqa"
    if {"title", "responses"} <= names:
        if "coe" in names or _have_sample_responses(records):
            return "sample"
        return "empathy_qa" if {"description", "topic"} <= names else "table"
    if "dialogue" in names and _of_dialogues(source.first) == "smilechat":
        return "smilechat"
    if any(_holds_dialogue(entry.value) for entry in source.first):
        return "dialogue"
    raise unknown(path, source)


def open_dialogues(path: Path, encoding: str) -> Source:
    """A corpus of dialogues, packed or not.

    Raises:
        CorpusError: as ``sources.open_source`` and ``smilechat.read``.
    """
    if _is_archive(path, encoding):
        return sources.looked_at([], smilechat.read(path, encoding))
    return sources.open_source(path, encoding)


def _of_archive(path: Path, encoding: str) -> str:
    first = list(islice(smilechat.read(path, encoding), _LOOKED_AT))
    told = [entry.value["dialogue"] for entry in first if isinstance(entry.value, dict)]
    if told and not any(map(turns.is_dialogue, told)):
        raise CorpusError(
            f"{path}: an archive of {structure(told)}, expected dialogues, lists of turns. Unpack it, and name the "
            "file or the folder: CORPUS=PATH."
        )
    return _of_dialogues(first)


def _is_sample(path: Path, encoding: str) -> bool:
    try:
        return detect_format(path, encoding) == "sample"
    except CorpusError:
        return False


def _is_archive(path: Path, encoding: str) -> bool:
    return not path.is_dir() and inspect(path, encoding).kind in ("zip", "tar")


def smilechat_folder(path: Path) -> Path | None:
    """The folder of a path whose files may be dialogues, at whatever depth it is; None where there is none.

    Beside a folder ``data``, which SMILECHAT is given out in, other files do not count. Else all are of one kind.
    """
    if not path.is_dir():
        return None
    if any((path / "data").rglob("*.json")):
        return path
    try:
        parents = {file.parent for file in corpus_files(path) if kind_of(file) == ".json"}
    except CorpusError:
        return None
    if path in parents:
        return path
    return parents.pop() if len(parents) == 1 else None


def _turn_lists(folder: Path, encoding: str) -> Any:
    try:
        yield from smilechat.read(folder, encoding)
    except CorpusError:
        return


def _of_dialogues(entries: Sequence[Entry]) -> str:
    """ "smilechat" or "dialogue", by the first turn that there is; "smilechat" where there is none."""
    for entry in entries:
        value = entry.value.get("dialogue") if isinstance(entry.value, dict) else None
        if value:
            first = value[0] if isinstance(value, list) else value
            is_smile = isinstance(first, dict) and first.get("role") in ("client", "counselor") and "content" in first
            return "smilechat" if is_smile else "dialogue"
    return "smilechat"


def _holds_dialogue(value: object) -> bool:
    return turns.find(value) is not None if isinstance(value, dict) else turns.is_dialogue(value)


def _have_plain_answers(records: Sequence[Mapping[str, Any]]) -> bool:
    answers = [item for record in records for item in _listed(record.get("answers"))]
    return bool(answers) and not any(isinstance(item, dict) and "answer_text" in item for item in answers)


def _have_sample_responses(records: Sequence[Mapping[str, Any]]) -> bool:
    for record in records:
        if responses := _listed(record.get("responses")):
            first = responses[0]
            is_sample = isinstance(first, dict) and "text" in first and first.keys() <= _SAMPLE_RESPONSE
            return is_sample and "id" in record and "subtopic" not in record
    return False


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []
