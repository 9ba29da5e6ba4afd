"""One module per corpus format; each gives the same records, and an account of those that could not be used.

What concerns a whole corpus (nothing there, another format or encoding, a missing column, a damaged archive) stops with
``CorpusError``. What concerns one record (a field missing, blank or of the wrong type, an id met before, a broken or
truncated line, stray bytes) is left out as ``Rejected`` while most are good: ``Intake.corpus`` has the bound.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, Literal, get_args

from common.records.question import Question
from data_prep.corpora import dialogue, psyqa, sample, smilechat, sources, table
from data_prep.corpora.columns import Columns
from data_prep.corpora.detect import detect_format, open_dialogues, smilechat_folder
from data_prep.corpora.dialogue import Reading
from data_prep.corpora.limits import MAX_RECORD_MB, bounded
from data_prep.corpora.records import MAX_BAD_RECORDS, BadRecords, Corpus, CorpusError, Intake, missing
from data_prep.corpora.rule import Rule
from data_prep.corpora.sources import Source
from data_prep.corpora.unread import check_marks, check_values, way_out

__all__ = [
    "NAMES",
    "Corpus",
    "CorpusError",
    "CorpusFormat",
    "Reading",
    "Rule",
    "corpus_name",
    "detect_format",
    "load_corpus",
]

CorpusFormat = Literal["auto", "sample", "psyqa", "smilechat", "empathy_qa", "table", "dialogue"]

# Corpora that are told by their content, whatever their files are called. Tables, dialogues, the paper's rows and the
# marks of models that have read them call them so. Anybody's table may have Empathy-QA's columns.
NAMES: Final = {"psyqa": "PsyQA", "smilechat": "SMILECHAT"}

# The formats that any field may be named for; the others, but for the sample's, take a crisis mark.
_MAPPED: Final = ("auto", "table", "dialogue")

logger = logging.getLogger(__name__)


def load_corpus(
    path: Path | None,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    max_bad_records: float = MAX_BAD_RECORDS,
    encoding: str = "utf-8",
    *,
    crisis_values: Sequence[str] = (),
    reading: Reading | None = None,
    max_record_mb: float = MAX_RECORD_MB,
) -> Corpus:
    """The questions of a corpus, and the records that could not be used.

    Args:
        path: a file or folder; None for the sample corpus that comes with the project.
        format: one of ``CorpusFormat``; "auto" is told by the content (``detect_format``) and by ``columns``.
        columns: the column or key of each field (`columns.FIELDS`) whose name is another.
        max_bad_records: share of all records that may be bad, 0 to 1; ``Intake.corpus`` says more.
        encoding: of text files without a byte-order mark, a codec of Python.
        crisis_values: which values of the column ``crisis`` mark acute risk; () for true, 1, yes, 是 and the like.
        reading: which turns of a dialogue are the post and the response.
        max_record_mb: how large a record may be, see `limits`.

    Raises:
        CorpusError: unknown format, a format that needs a path, columns for a format that has its own, nothing
            there, bad content.
    """
    if format not in get_args(CorpusFormat):
        raise CorpusError(
            f"corpus format {format!r}, expected one of {list(get_args(CorpusFormat))}. Correct the config."
        )
    if not 0 <= max_bad_records <= 1:
        raise CorpusError(f"max_bad_records={max_bad_records}, expected a share from 0 to 1. Correct the config.")
    mapped = Columns(columns or {}, crisis_values)
    if format not in _MAPPED and (mapped.named.keys() - {"crisis"} or (mapped.named and format == "sample")):
        raise CorpusError(f"columns with corpus format {format!r}, expected format table. Correct the config.")
    if path is None:
        if columns or format not in ("auto", "sample"):
            raise CorpusError(f"corpus format {format!r} without a path, expected one. Say where the corpus lies.")
        path, format = sample.SAMPLE_CORPUS, "sample"
    if not path.exists():
        raise missing(path)
    with bounded(max_record_mb):
        chosen = _chosen(path, encoding, mapped) if format == "auto" else format
        read = partial(_read, path, encoding, reading or Reading(), max_bad_records)
        try:
            corpus = read(chosen, mapped)
        except BadRecords as error:
            more = ""
            if format == "auto":
                with suppress(CorpusError):
                    more = way_out(*_opened(path, encoding, mapped), chosen, read)
            raise BadRecords(f"{error}{more}") from error
    logger.info(
        "%s: format %s, %d records in, %d kept, %d rejected, %d questions, %d marked as at acute risk",
        path,
        chosen,
        corpus.records_in,
        corpus.records_kept,
        len(corpus.rejected),
        len(corpus.questions),
        sum(question.crisis for question in corpus.questions),
    )
    return corpus


def corpus_name(
    path: Path, format: str = "auto", encoding: str = "utf-8", columns: Mapping[str, str] | None = None
) -> str:
    """What a corpus is called in tables: the name it is recognised by, else its file's.

    Args:
        path: a file or folder that exists.
        format: one of ``CorpusFormat``.
        encoding: of text files without a byte-order mark.
        columns: as `load_corpus` has them.

    Raises:
        CorpusError: as `detect_format`.
    """
    chosen = _chosen(path, encoding, Columns(columns or {})) if format == "auto" else format
    return NAMES.get(chosen, path.name.split(".")[0])


def _chosen(path: Path, encoding: str, columns: Columns) -> str:
    """The format of a corpus of which only the columns are known."""
    if "dialogue" in columns.named:
        return "dialogue"
    if "responses" in columns.named:
        return "table"
    if not columns.named.keys() - {"crisis"}:
        found = detect_format(path, encoding)
        return "table" if found == "sample" and columns.named else found
    try:
        found = detect_format(path, encoding)
    except CorpusError:
        return "table"
    return found if found == "dialogue" else "table"


def _read(path: Path, encoding: str, reading: Reading, max_bad_records: float, format: str, columns: Columns) -> Corpus:
    """A corpus by its format, its crisis marks looked at before and after."""
    intake = Intake()
    if format in ("psyqa", "dialogue") or (format == "smilechat" and (columns.named or columns.crisis_values)):
        check_marks(path, *_opened(path, encoding, columns))
    questions = _load(format, path, intake, encoding, columns, reading)
    corpus = replace(intake.corpus(path, questions, max_bad_records), format=format)
    if columns.crisis_values and format != "sample" and not any(question.crisis for question in questions):
        check_values(path, *_opened(path, encoding, columns))
    return corpus


def _opened(path: Path, encoding: str, columns: Columns) -> tuple[Source, Columns]:
    """A corpus of any format to look for the crisis mark in: posts at acute risk may not lose it."""
    source = open_dialogues(path, encoding)
    return source, columns.resolved(source.names, source.records)


def _load(format: str, path: Path, intake: Intake, encoding: str, columns: Columns, reading: Reading) -> list[Question]:
    match format:
        case "sample":
            return sample.load(path, intake, encoding)
        case "psyqa":
            is_folder = path.is_dir()
            entries = sources.open_source(path, encoding).entries if is_folder else sources.read(path, encoding)
            return psyqa.load(entries, intake, columns)
        case "smilechat":
            folder = smilechat_folder(path) or path
            return smilechat.load(folder, intake, encoding, columns=columns, rule=reading.rule)
        case "dialogue":
            source = open_dialogues(path, encoding)
            return dialogue.load(path, source, intake, columns.resolved(source.names, source.records), reading)
        case "empathy_qa":
            return table.load(path, intake, encoding, columns, table.EMPATHY_QA)
    return table.load(path, intake, encoding, columns)
