"""The messages for a corpus that is not read: the structure found, and the ``ARGS`` line that would read it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from data_prep.corpora import turns
from data_prep.corpora.columns import FIELDS, Columns, are_marking, marks, unknown_marks, value_at
from data_prep.corpora.names import DIALOGUES
from data_prep.corpora.records import Corpus, CorpusError
from data_prep.corpora.shape import shown, structure
from data_prep.corpora.sources import Source
from data_prep.corpora.suggest import args_line, guess, is_certainly_a_key, is_spoken, looks_like_a_key

_TEMPLATE: Final = re.compile(r"<\|[a-z_]+\|>|\[/?INST\]", re.IGNORECASE)
_MARK_CHARS: Final = 8
_SEVERE: Final = re.compile("高|重|危|急|自杀|自伤|自残|轻生|suicid|high|severe|acute|crisis", re.IGNORECASE)


def unknown(path: Path, source: Source) -> CorpusError:
    """The error for a corpus of no known format."""
    return CorpusError(
        f"{path}: {found_in(source)}, expected a sample, PsyQA, SMILECHAT or Empathy-QA corpus, or dialogues. "
        f"{_advice(source, guess(_readable(source), source.records))}"
    )


def no_column(path: Path, source: Source, columns: Columns, absent: Sequence[str], more: str = "") -> CorpusError:
    """The error for a table without the column of a field.

    Args:
        columns: the map that was given.
        absent: the fields.
        more: further ``key=value`` pairs that reading it takes.
    """
    wanted = [columns.named.get(field, field) for field in absent]
    guessed = guess([name for name in _readable(source) if name not in columns.named.values()], source.records)
    kept = {field: name for field, name in columns.named.items() if field not in absent}
    own = {field: field for field in ("title", "responses") if field in source.names}
    every = guessed | own | kept
    return CorpusError(
        f"{path}: no column {wanted} among {_names(source)}, expected all; {found_in(source)}. "
        f"{_advice(source, {field: every[field] for field in FIELDS if field in every}, more)}"
    )


def check_marks(path: Path, source: Source, columns: Columns) -> None:
    """See whether a corpus has the crisis mark that was named, and whether its values say what they mean.

    Args:
        columns: with the numbers of columns turned into names.

    Raises:
        CorpusError: no such column, or values that recur and are no marks anybody knows.
    """
    name = columns.named.get("crisis", "crisis")
    if ("crisis" in columns.named or columns.crisis_values) and not source.has(name):
        raise CorpusError(
            f"{path}: no column or key {name!r} for the crisis mark; {found_in(source)}. Name the right one or a path "
            "to it, such as columns.crisis=label.level, or leave out crisis_values."
        )
    counts = unknown_marks(columns, source.records)
    if recurring := _recurring(counts):
        severe = [mark for mark in recurring if _SEVERE.search(mark)] or recurring[-1:]
        told = "" if name == "crisis" else f"columns.crisis={name} "
        raise CorpusError(
            f"{path}: values {recurring[:10]} in {name!r}, expected true or false, 1 or 0, 是 or 否. Say which of them "
            f'mark acute risk, such as ARGS="{told}crisis_values=[{",".join(severe)}]".'
        )


def check_values(path: Path, source: Source, columns: Columns) -> None:
    """See whether any of ``crisis_values`` occurs, in the whole of a corpus of which no question is marked.

    Args:
        columns: as `check_marks` has them.

    Raises:
        CorpusError: none of them does.
    """
    found = Counter(marks(columns, (entry.value for entry in source.entries if isinstance(entry.value, dict))))
    if not are_marking(columns, found):
        name = columns.named.get("crisis", "crisis")
        told = f", such as {recurring[:10]}" if (recurring := _recurring(found)) else ""
        raise CorpusError(
            f"{path}: none of crisis_values={list(columns.crisis_values)} in {name!r}, expected one that occurs there; "
            f"found {len(found)} different values{told}. Name those of them that mark acute risk; where none does, "
            "leave the mark out."
        )


def way_out(source: Source, columns: Columns, format: str, attempt: Callable[[str, Columns], Corpus]) -> str:
    """Which ``ARGS`` line reads a corpus that its format does not read, in a sentence; "" where none does.

    Args:
        columns: as `check_marks` has them.
        format: the one that was tried, as it was detected.
        attempt: loads the corpus by another format and columns.
    """
    guessed = {**guess(_readable(source), source.records), **columns.named}
    for other, named in (("dialogue", columns.named), ("table", columns.named), ("table", guessed)):
        if other != format or named is guessed:
            with suppress(CorpusError):
                corpus = attempt(other, replace(columns, named=named))
                if any(question.responses for question in corpus.questions):
                    return f" This reads them: {args_line(named, source.names, f'format={other}')}."
    return ""


def found_in(source: Source) -> str:
    """What the first records look like."""
    if not source.first:
        return "no record" if not source.names else f"columns {_names(source)} and no record"
    header = "no header, " if source.names and source.names == _numbers(source.names) else ""
    return f"{header}{structure([entry.value for entry in source.first])} in the first {len(source.first)} records"


def _recurring(counts: Mapping[str, int]) -> list[str]:
    """Values that may be told: labels are short and recur, and nobody says them (自杀, not 我想自杀)."""
    told = (mark for mark, count in counts.items() if count > 1 and len(mark) <= _MARK_CHARS)
    return sorted(mark for mark in told if not is_spoken(_SEVERE.sub("", mark)))


def _names(source: Source) -> str:
    """The columns; without a row below them only those that are certainly names."""
    return shown(source.names if source.records else [name for name in source.names if is_certainly_a_key(name)])


def _advice(source: Source, columns: Mapping[str, str], more: str = "") -> str:
    dialogue = _dialogue_key(source.records)
    if dialogue is not None and dialogue not in DIALOGUES:
        return f"To read the dialogues: {args_line({'dialogue': dialogue}, source.names)}."
    titles = [str(value_at(record, columns["title"])) for record in source.records] if "title" in columns else []
    if sum(map(bool, map(_TEMPLATE.search, titles))) > len(titles) / 2:
        return (
            "The posts would be prompts, with the marks of a chat template such as <|im_start|>: this may be what a "
            "model wrote, and no corpus. Name the file that the prompts were made from, or take the marks off."
        )
    if {"title", "responses"} <= columns.keys():
        return (
            f"As far as can be guessed, this reads it: {args_line(columns, source.names, more)}. Look whether it fits."
        )
    return (
        "Name the format, the right path, or the columns of a table, such as columns.title=NAME columns.responses=NAME."
    )


def _readable(source: Source) -> list[str]:
    """The columns, and instead of one that holds objects the paths into it."""
    names: list[str] = []
    for name in source.names:
        inner = [record[name] for record in source.records if isinstance(record.get(name), dict)]
        keys = dict.fromkeys(key for item in inner for key in item if _may_be_said(name, key))
        names += [f"{name}.{key}" for key in keys] if inner else [name]
    return names


def _may_be_said(*keys: str) -> bool:
    return all(map(looks_like_a_key, keys))


def _dialogue_key(records: Sequence[Mapping[str, Any]]) -> str | None:
    for record in records:
        for key, value in _paths(record):
            if turns.is_dialogue(value):
                return key
    return None


def _paths(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        yield key, value
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", item) for inner, item in value.items() if _may_be_said(key, inner))


def _numbers(names: Sequence[str]) -> list[str]:
    return [str(number) for number in range(1, len(names) + 1)]
