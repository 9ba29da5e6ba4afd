"""One module per corpus format; each gives the same records."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, get_args

from data_prep.corpora import psyqa, reading, sample, smilechat
from data_prep.corpora.reading import CorpusError
from data_prep.record import Question

__all__ = ["CorpusError", "CorpusFormat", "detect_format", "load_corpus"]

CorpusFormat = Literal["auto", "sample", "psyqa", "smilechat"]

_LOADERS: Final[dict[str, Callable[[Path], list[Question]]]] = {
    "sample": sample.load,
    "psyqa": psyqa.load,
    "smilechat": smilechat.load,
}

logger = logging.getLogger(__name__)


def load_corpus(path: Path | None, format: str = "auto") -> list[Question]:
    """The questions of a corpus.

    Args:
        path: a file or folder; None for the sample corpus that comes with the project.
        format: "sample", "psyqa", "smilechat", or "auto" to tell by the content (``detect_format``).

    Raises:
        CorpusError: unknown format, a format that needs a path, nothing there, bad content.
    """
    if format not in get_args(CorpusFormat):
        raise CorpusError(
            f"corpus format {format!r}, expected one of {list(get_args(CorpusFormat))}. Correct the config."
        )
    if path is None:
        if format not in ("auto", "sample"):
            raise CorpusError(f"corpus format {format!r} without a path, expected one. Say where the corpus lies.")
        return sample.load(sample.SAMPLE_CORPUS)
    chosen = detect_format(path) if format == "auto" else format
    questions = _LOADERS[chosen](path)
    logger.info("%s: %d questions, format %s", path, len(questions), chosen)
    return questions


def detect_format(path: Path) -> str:
    """The format by content, never by name alone.

    - a folder with ``.jsonl`` files is "sample"; one with ``.json`` files, in it or in its ``data/``, "smilechat";
    - a file that opens with ``[`` is a JSON list: "psyqa";
    - else its first line is an object: with ``dialogue`` it is "smilechat", with ``responses`` "sample".

    Raises:
        CorpusError: nothing there, or none of these.
    """
    if path.is_dir():
        if any(path.glob("*.jsonl")):
            return "sample"
        if any(path.glob("*.json")) or any(path.glob("data/*.json")):
            return "smilechat"
        raise _unknown(path, "a folder without .jsonl or .json files")
    if path.is_file() and path.suffix == ".json":
        return _detect_list(path)
    for _, record in reading.read_jsonl(path):
        keys = sorted(record) if isinstance(record, dict) else []
        if "dialogue" in keys:
            return "smilechat"
        if "responses" in keys:
            return "sample"
        raise _unknown(path, f"a first record with the keys {keys}")
    raise _unknown(path, "an empty file")


def _detect_list(path: Path) -> str:
    records = reading.read_json(path)
    first = records[0] if isinstance(records, list) and records else None
    if isinstance(first, dict) and "answers" in first:
        return "psyqa"
    if isinstance(first, dict) and "role" in first:
        raise _unknown(path, "one SMILECHAT dialogue; for all of them name the folder")
    raise _unknown(path, "JSON that is no list of PsyQA questions")


def _unknown(path: Path, found: str) -> CorpusError:
    return CorpusError(
        f"{path}: {found}, expected a sample, PsyQA or SMILECHAT corpus. Name the format or the right path."
    )
