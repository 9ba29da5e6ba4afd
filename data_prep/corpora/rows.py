"""Any table as one object a row: JSON lists, JSON Lines, CSV, TSV (all also gzipped) and parquet, told by content.

CSV is read by the ``csv`` module in its strict mode: it names the line of a quote that is not closed, which polars and
pyarrow do not. Its limit of 131,072 characters a cell stands, so a question whose responses in one cell are longer is
rejected: such a table takes one row a response. A quote that is not closed takes in what follows up to the next quote;
the rows in between are counted with it as one.
"""

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from data_prep.corpora import json_records
from data_prep.corpora.records import CorpusError, Entry, RecordError, named
from data_prep.corpora.text_files import Inspected, inspect, open_text

_SAMPLED: Final = 100
_BATCH_ROWS: Final = 1024
# A whole column at once would be a few hundred megabytes of a corpus like Empathy-QA.
_BUFFER_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Table:
    """A table, opened.

    Attributes:
        names: of its columns; for JSON the keys of the first 100 records, in order of appearance.
        entries: its rows, objects by column.
    """

    names: list[str]
    entries: Iterator[Entry]


def open_table(path: Path, encoding: str, wanted: Collection[str]) -> Table:
    """A table's columns and rows.

    Args:
        encoding: of text without a byte-order mark.
        wanted: the columns that the rows are asked for; parquet reads no other.

    Raises:
        CorpusError: as ``text_files.inspect``, an archive, empty or repeated names of columns, damaged parquet; while
            the rows are read also what ``json_records.read`` raises.
    """
    inspected = inspect(path, encoding)
    if inspected.kind == "parquet":
        return _open_parquet(path, wanted)
    if inspected.kind == "csv":
        entries = _csv_entries(path, inspected)
        header = next(entries).value
        assert isinstance(header, list)
        return Table(header, entries)
    if inspected.kind in ("json", "jsonl"):
        entries = json_records.read_inspected(path, inspected)
        first = list(islice(entries, _SAMPLED))
        keys = dict.fromkeys(key for entry in first if isinstance(entry.value, dict) for key in entry.value)
        return Table(list(keys), chain(first, entries))
    raise CorpusError(
        f"{path}: a {inspected.kind} archive by its content, expected a table. Unpack it, or save a workbook as CSV."
    )


def _csv_entries(path: Path, inspected: Inspected) -> Iterator[Entry]:
    """The header as a list, then the rows."""
    delimiter = "\t" if "\t" in inspected.first_line and "," not in inspected.first_line else ","
    with open_text(path, inspected.encoding) as stream:
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        header = _header(reader, path)
        yield Entry(f"{path.name}:1", header)
        while True:
            where = f"{path.name}:{reader.line_num + 1}"
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Entry(where, _bad_csv(error, where, reader.line_num, len(header)))
                continue
            if len(cells) == len(header):
                yield Entry(where, dict(zip(header, cells, strict=True)))
            elif cells:
                message = f"found {len(cells)} cells, expected {len(header)}. Quote cells with commas or line ends."
                yield Entry(where, RecordError(where, "wrong number of cells", message))


def _header(reader: Iterator[list[str]], path: Path) -> list[str]:
    try:
        header = [name.strip() for name in next(row for row in reader if row)]
    except csv.Error as error:
        raise CorpusError(f"{path}:1: no CSV header ({error}), expected names of columns. Mend the line.") from error
    return _checked(header, path)


def _checked(names: list[str], path: Path) -> list[str]:
    if "" in names or len(set(names)) < len(names):
        raise CorpusError(f"{path}: columns {named(names)}, expected every one named, each once. Mend the header.")
    return names


def _bad_csv(error: csv.Error, where: str, line: int, cells: int) -> RecordError:
    reason = "truncated line" if "end of data" in str(error) else "not CSV"
    message = f"found {error} up to line {line}, expected {cells} cells."
    return RecordError(where, reason, f"{message} Mend the quotes; if the file ends here, fetch it again.")


def _open_parquet(path: Path, wanted: Collection[str]) -> Table:
    try:
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES)
    except (pa.ArrowException, OSError) as error:
        raise _bad_parquet(path, error) from error
    names = _checked(list(file.schema_arrow.names), path)
    return Table(names, _parquet_rows(file, [name for name in names if name in wanted], path))


def _parquet_rows(file: pq.ParquetFile, columns: list[str], path: Path) -> Iterator[Entry]:
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns, use_threads=False):
            for row in batch.to_pylist():
                number += 1
                yield Entry(f"{path.name}: row {number}", row)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _bad_parquet(path, error, f" after row {number}") from error


def _bad_parquet(path: Path, error: Exception, after: str = "") -> CorpusError:
    complaint = str(error).splitlines()[0][:100]
    return CorpusError(f"{path}{after}: not a whole parquet file ({complaint}), expected one. Fetch or write it again.")
