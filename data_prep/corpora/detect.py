"""Which format a corpus has, by its content."""

from itertools import islice
from pathlib import Path
from typing import Final

from data_prep.corpora import rows
from data_prep.corpora.records import CorpusError, named
from data_prep.corpora.text_files import inspect

_RESPONSES: Final = "responses"
_SAMPLE_ONLY: Final = frozenset({"crisis", "coe"})
_LOOKED_AT: Final = 100


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
    table = rows.open_table(path, encoding, {_RESPONSES})
    names = set(table.names)
    if {"question", "answers"} <= names:
        return "psyqa"
    if "dialogue" in names:
        return "smilechat"
    if {"title", _RESPONSES} <= names:
        return "sample" if names & _SAMPLE_ONLY or _has_sample_responses(names, table) else "empathy_qa"
    raise _unknown(path, f"columns or keys {named(table.names)}")


def _has_sample_responses(names: set[str], table: rows.Table) -> bool:
    if "id" not in names or "subtopic" in names:
        return False
    for entry in islice(table.entries, _LOOKED_AT):
        responses = entry.value.get(_RESPONSES) if isinstance(entry.value, dict) else None
        if isinstance(responses, list) and responses:
            return isinstance(responses[0], dict)
    return False


def _of_folder(path: Path, encoding: str) -> str:
    lines = sorted(path.glob("*.jsonl"))
    if lines:
        found = detect_format(lines[0], encoding)
        if found == "sample":
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
