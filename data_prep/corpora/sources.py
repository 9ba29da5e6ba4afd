"""Any corpus of records, opened: a file of any kind, or a folder of files of one kind at any depth.

`rows` reads JSON lists, JSON Lines, CSV and parquet; here come beside them JSON that is one object (`objects`), text
files of dialogues (``求助者：…``), folders (`folders`), and records that are single turns and make dialogues together.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, Final

from data_prep.corpora import header, objects, rows, turns
from data_prep.corpora.columns import column_of
from data_prep.corpora.folders import corpus_files, kind_of, no_file, not_opened
from data_prep.corpora.layout import layout_of
from data_prep.corpora.limits import lines_of, record_bytes, too_large
from data_prep.corpora.names import DIALOGUES, SPEAKER
from data_prep.corpora.records import CorpusError, Entry
from data_prep.corpora.speakers import USUAL
from data_prep.corpora.text_files import EncodingError, Inspected, inspect, is_beyond_ascii, open_text

_LOOKED_AT: Final = 100
_HEADING_CHARS: Final = 100
_PARTED: Final = re.compile(r"\s*([-=*#_])\1{2,}\s*$")  # a line of marks between two dialogues


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus, opened.

    Attributes:
        names: of the columns, or of the keys of the first records, in order of appearance.
        first: the first records, up to a hundred, to look at.
        entries: all records.
        files: how many files it has; each may count its records from 1.
    """

    names: list[str]
    first: list[Entry]
    entries: Iterator[Entry]
    files: int = 1

    @property
    def records(self) -> list[Mapping[str, Any]]:
        """Those of the first records that are objects."""
        return [entry.value for entry in self.first if isinstance(entry.value, dict)]

    def has(self, name: str) -> bool:
        """Whether there is a column of this name, or a record with this path."""
        return column_of(name, self.names, self.records) == name


def open_source(path: Path, encoding: str, wanted: Collection[str] | None = None) -> Source:
    """A corpus, whatever file or folder it is.

    Args:
        wanted: as ``rows.open_table`` has it.

    Raises:
        CorpusError: as ``rows.open_table`` and ``folders.corpus_files``.
    """
    if path.is_dir():
        files = corpus_files(path)
        opened = _each_opened(files, encoding, wanted, path)
        names, entries = next(opened)
        rest = (entries for _, entries in opened)
        others = (str(file.relative_to(path)) for file in not_opened(path))
        rejected = (Entry(where, no_file(where)) for where in others)
        return replace(looked_at(names, chain(entries, chain.from_iterable(rest), rejected)), files=len(files))
    return looked_at(*_opened(path, encoding, wanted, None))


def read(path: Path, encoding: str = "utf-8") -> Iterator[Entry]:
    """The records of JSON: a list, JSON Lines, or an object that holds them.

    Raises:
        CorpusError: as ``rows.read``.
    """
    inspected = inspect(path, encoding)
    layout = layout_of(path, inspected) if inspected.kind == "jsonl" else None
    return _joined(objects.entries(path, inspected, layout) if layout else rows.read(path, encoding), path, ())


def looked_at(names: list[str], entries: Iterator[Entry]) -> Source:
    """Records as a source; their keys are named after ``names``."""
    first = list(islice(entries, _LOOKED_AT))
    keys = (str(key) for entry in first if isinstance(entry.value, dict) for key in entry.value)
    return Source(list(dict.fromkeys([*names, *keys])), first, chain(first, entries))


def _each_opened(
    files: Sequence[Path], encoding: str, wanted: Collection[str] | None, folder: Path
) -> Iterator[rows.Table]:
    for file in files:
        try:
            yield _opened(file, encoding, wanted, folder)
        except EncodingError as error:
            other = next((other for other in files if other != file and is_beyond_ascii(other, encoding)), None)
            if other is None:
                raise
            raise CorpusError(
                f"{folder}: files in several encodings ({other.relative_to(folder)} is {encoding}, "
                f"{file.relative_to(folder)} is not), expected one. Convert those that are not UTF-8."
            ) from error


def _opened(path: Path, encoding: str, wanted: Collection[str] | None, folder: Path | None) -> rows.Table:
    inspected = inspect(path, encoding)
    if inspected.kind == "csv" and _is_spoken(path, inspected):
        return [], _in_folder(_texts(path, inspected), path, folder)
    layout = layout_of(path, inspected) if inspected.kind == "jsonl" else None
    if layout is None:
        names, entries = rows.open_table(path, encoding, wanted)
    else:
        names, entries = [], objects.entries(path, inspected, layout)
    return names, _in_folder(_joined(entries, path, wanted or ()), path, folder)


def _in_folder(entries: Iterator[Entry], path: Path, folder: Path | None) -> Iterator[Entry]:
    """The same with places that say which of a folder's files they are in."""
    if folder is None:
        return entries
    name = str(path.relative_to(folder))
    return (Entry(name + entry.where.removeprefix(path.name), entry.value) for entry in entries)


def _is_spoken(path: Path, inspected: Inspected) -> bool:
    """Whether a text file holds dialogues and no table."""
    line = inspected.first_line
    if USUAL.spoken(line):
        return True
    return kind_of(path) == ".txt" and header.delimiter_of(line) not in line


def _texts(path: Path, inspected: Inspected) -> Iterator[Entry]:
    """A text file's dialogues, parted by lines of marks."""
    with open_text(path, inspected.encoding) as stream:
        dialogues = groupby(enumerate(lines_of(stream, path), 1), key=_is_mark)
        for is_mark, lines in dialogues:
            if is_mark:
                continue
            begin, texts, size = 0, list[str](), 0
            for number, line in lines:
                begin = begin or number
                size += record_bytes() + 1 if line is None else len(line)
                # A line that is too long, or one too many, makes the dialogue so: its rest is not kept.
                if line is not None and size <= record_bytes():
                    texts.append(line)
            where = f"{path.name}:{begin}"
            if size > record_bytes():
                yield Entry(where, too_large(where))
            elif text := _headless("".join(texts).replace("\r\n", "\n").strip()):
                yield Entry(where, {DIALOGUES[0]: text})


def _headless(text: str) -> str:
    """A dialogue without the few words above it: 个案1, a title, a date."""
    start = USUAL.first(text)
    return text[start:].strip() if start is not None and start <= _HEADING_CHARS else text


def _is_mark(line: tuple[int, str | None]) -> bool:
    return line[1] is not None and _PARTED.match(line[1]) is not None


def _joined(entries: Iterator[Entry], path: Path, wanted: Collection[str]) -> Iterator[Entry]:
    """Records that are turns, put together to dialogues; any others as they are."""
    first = list(islice(entries, _LOOKED_AT))
    values = [entry.value for entry in first]
    everything = chain(first, entries)
    if values and all(isinstance(value, list) and _are_cells(value, values[0]) for value in values):
        return _as_rows(everything, values, wanted)  # type: ignore[arg-type]
    if values and all(isinstance(value, str) and len(USUAL.spoken(value)) <= 1 for value in values):
        if any(USUAL.spoken(value) for value in values if isinstance(value, str)):
            return _as_one(everything, path)
    elif values and all(isinstance(value, dict) and _is_single_turn(value) for value in values):
        key = turns.conversation_key(values)  # type: ignore[arg-type]
        return _as_one(everything, path) if key is None else _by_key(everything, key)
    return everything


def _is_single_turn(value: Mapping[str, Any]) -> bool:
    # A row that holds a question and its answer says who speaks by its keys, and is no turn of a longer dialogue.
    return turns.is_turn(value) and any(key in value for key in SPEAKER) and turns.find(value) is None


def _are_cells(value: list[Any], first: Any) -> bool:
    """Whether a list is a row of a table without names, as long as the first row."""
    if not len(value) == len(first) > 1 or isinstance(value[0], list) or turns.is_dialogue(value):
        return False
    return all(cell is None or isinstance(cell, str | int | float | list) for cell in value)


def _as_rows(entries: Iterator[Entry], first: list[list[Any]], wanted: Collection[str]) -> Iterator[Entry]:
    """Rows that are lists, as objects: by the names in the first one, or by number.

    Args:
        first: some of the rows, from the first on.
        wanted: names that columns are asked for by.
    """
    cells = ["" if cell is None else str(cell) for cell in first[0]]
    names = header.names_of(cells, first[1:], wanted)
    for where, value in islice(entries, int(names is cells), None):
        if isinstance(value, list) and len(value) == len(names):
            yield Entry(where, dict(zip(names, value, strict=True)))
        else:
            yield Entry(where, value)


def _as_one(entries: Iterator[Entry], path: Path) -> Iterator[Entry]:
    yield Entry(path.name, {"id": path.name.split(".")[0], DIALOGUES[0]: [entry.value for entry in entries]})


def _by_key(entries: Iterator[Entry], key: str) -> Iterator[Entry]:
    """Rows of turns with one id, which follow each other."""
    for name, group in groupby(entries, key=partial(_key, key)):
        lines = list(group)
        if name is None:
            yield from lines
        else:
            yield Entry(lines[0].where, {"id": name, DIALOGUES[0]: [line.value for line in lines]})


def _key(key: str, entry: Entry) -> Any:
    return entry.value.get(key) if isinstance(entry.value, dict) else None
