"""One module per corpus format; each gives the same records, and an account of those that could not be used.

What concerns a whole corpus (nothing there, another format or encoding, a missing column, a damaged archive) stops with
``CorpusError``. What concerns one record (a field missing, blank or of the wrong type, an id met before, a broken or
truncated line, stray bytes) is left out as ``Rejected`` while most are good: ``Intake.corpus`` has the bound.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Literal, get_args

from common.records.question import Question
from data_prep.corpora import psyqa, rows, sample, smilechat, table
from data_prep.corpora.records import MAX_BAD_RECORDS, Corpus, CorpusError, Entry, Intake, missing, named
from data_prep.corpora.text_files import inspect

__all__ = ["NAMES", "Corpus", "CorpusError", "CorpusFormat", "corpus_name", "detect_format", "load_corpus"]

CorpusFormat = Literal["auto", "sample", "psyqa", "smilechat", "empathy_qa", "table"]

_LOADERS: Final[dict[str, Callable[[Path, Intake, str], list[Question]]]] = {
    "sample": sample.load,
    "psyqa": psyqa.load,
    "smilechat": smilechat.load,
    "empathy_qa": table.load_empathy_qa,
}

# Corpora that are told by their content, whatever their files are called. Tables, the paper's rows and the marks of
# models that have read them call them so. Anybody's table may have Empathy-QA's columns, so it is not among them.
NAMES: Final = {"psyqa": "PsyQA", "smilechat": "SMILECHAT"}

_RESPONSES: Final = "responses"
_SAMPLE_ONLY: Final = frozenset({"crisis", "coe"})
_LOOKED_AT: Final = 100

logger = logging.getLogger(__name__)


def load_corpus(
    path: Path | None,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    max_bad_records: float = MAX_BAD_RECORDS,
    encoding: str = "utf-8",
) -> Corpus:
    """The questions of a corpus, and the records that could not be used.

    Args:
        path: a file or folder; None for the sample corpus that comes with the project.
        format: one of ``CorpusFormat``; "auto" is told by the content (``detect_format``), and is "table" with
            ``columns``.
        columns: for "table": the column of each of ``table.FIELDS`` whose name is another.
        max_bad_records: share of all records that may be bad, 0 to 1; ``Intake.corpus`` says more.
        encoding: of text files without a byte-order mark, a codec of Python.

    Raises:
        CorpusError: unknown format, a format that needs a path, columns for another format than "table", nothing
            there, bad content.
    """
    if format not in get_args(CorpusFormat):
        raise CorpusError(
            f"corpus format {format!r}, expected one of {list(get_args(CorpusFormat))}. Correct the config."
        )
    if not 0 <= max_bad_records <= 1:
        raise CorpusError(f"max_bad_records={max_bad_records}, expected a share from 0 to 1. Correct the config.")
    if columns and format not in ("auto", "table"):
        raise CorpusError(f"columns with corpus format {format!r}, expected format table. Correct the config.")
    if path is None:
        if columns or format not in ("auto", "sample"):
            raise CorpusError(f"corpus format {format!r} without a path, expected one. Say where the corpus lies.")
        path, format = sample.SAMPLE_CORPUS, "sample"
    if not path.exists():
        raise missing(path)
    chosen = "table" if columns else detect_format(path, encoding) if format == "auto" else format
    intake = Intake()
    load = partial(table.load, columns=columns) if chosen == "table" else _LOADERS[chosen]
    questions = load(path, intake, encoding)
    corpus = replace(intake.corpus(path, questions, max_bad_records), format=chosen)
    logger.info(
        "%s: format %s, %d records in, %d kept, %d rejected, %d questions",
        path,
        chosen,
        corpus.records_in,
        corpus.records_kept,
        len(corpus.rejected),
        len(corpus.questions),
    )
    return corpus


def corpus_name(path: Path, format: str = "auto", encoding: str = "utf-8") -> str:
    """What a corpus is called in tables: the name it is recognised by, else its file's.

    Args:
        path: a file or folder that exists.
        format: one of ``CorpusFormat``.
        encoding: of text files without a byte-order mark.

    Raises:
        CorpusError: as `detect_format`.
    """
    return NAMES.get(detect_format(path, encoding) if format == "auto" else format, path.name.split(".")[0])


def detect_format(path: Path, encoding: str = "utf-8") -> str:
    """The format by content, never by name alone.

    - a folder with ``.jsonl`` files of the sample's records is "sample"; one with ``.json`` files, in it or in its
      ``data/``, "smilechat", and so is an archive;
    - else the names of the columns or keys tell: ``question`` and ``answers`` "psyqa", ``dialogue`` "smilechat",
      ``title`` and ``responses`` "empathy_qa", or "sample" where the responses are objects and the records have an
      ``id``, or where there is ``crisis`` or ``coe``.

    Raises:
        CorpusError: nothing there, none of these, or what ``rows.open_table`` raises.
    """
    if path.is_dir():
        return _of_folder(path, encoding)
    if inspect(path, encoding).kind in ("zip", "tar"):
        return "smilechat"
    found, entries = rows.open_table(path, encoding, {_RESPONSES})
    names = set(found)
    if {"question", "answers"} <= names:
        return "psyqa"
    if "dialogue" in names:
        return "smilechat"
    if {"title", _RESPONSES} <= names:
        return "sample" if names & _SAMPLE_ONLY or _has_sample_responses(names, entries) else "empathy_qa"
    raise _unknown(path, f"columns or keys {named(found)}")


def _has_sample_responses(names: set[str], entries: Iterator[Entry]) -> bool:
    if "id" not in names or "subtopic" in names:
        return False
    for entry in islice(entries, _LOOKED_AT):
        responses = entry.value.get(_RESPONSES) if isinstance(entry.value, dict) else None
        if isinstance(responses, list) and responses:
            return isinstance(responses[0], dict)
    return False


def _of_folder(path: Path, encoding: str) -> str:
    if lines := sorted(path.glob("*.jsonl")):
        if (found := detect_format(lines[0], encoding)) == "sample":
            return found
        raise _unknown(path, f"a folder of files in the format {found}; name one of them")
    if any(path.glob("*.json")) or any(path.glob("data/*.json")):
        return "smilechat"
    raise _unknown(path, "a folder without .jsonl or .json files")


def _unknown(path: Path, found: str) -> CorpusError:
    return CorpusError(
        f"{path}: {found}, expected a sample, PsyQA, SMILECHAT or Empathy-QA corpus. "
        "Name the format, the right path, or the columns of a table, such as columns.title=NAME."
    )
