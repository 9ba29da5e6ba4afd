"""The rows of a parquet file, none of them made into text before its size is known.

A column chunk can hold one long value and a million references to it, so a file of some kilobytes has gigabytes of
text. So texts are read as the file keeps them, each once, and a row's size is reckoned from their lengths.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_prep.corpora.limits import LEAST_RECORDS, Kept, check_packing, record_bytes

_BATCH_ROWS: Final = 1024
# A whole column at once would be a few hundred megabytes of a corpus like Empathy-QA.
_BUFFER_BYTES: Final = 1 << 20
_VALUE_BYTES: Final = 8
_TEXTS: Final[tuple[Any, ...]] = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
)

_Sizes = npt.NDArray[np.int64]


def open_file(path: Path) -> pq.ParquetFile:
    """The file, its texts to be read as references to values.

    Raises:
        pa.ArrowException, OSError: it is damaged.
    """
    with pq.ParquetFile(path) as file:
        columns = [file.schema.column(number) for number in range(len(file.schema))]
    texts = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
    return pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False, buffer_size=_BUFFER_BYTES)


def rows(file: pq.ParquetFile, columns: list[str], path: Path) -> Iterator[dict[str, Any] | None]:
    """The rows as objects by column; None in the place of one over the bound.

    Raises:
        CorpusError: the file holds more than it may.
        pa.ArrowException, OSError, UnicodeDecodeError: it is damaged.
    """
    kept = Kept(path)
    for group in range(file.num_row_groups):
        declared, packed, count = _declared(file, group, columns)
        check_packing(path, declared, packed)
        if declared > LEAST_RECORDS * record_bytes() and declared > count * record_bytes():
            yield from [None] * count
            continue
        for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False):
            sizes = sum((_sizes(column) for column in batch.columns), np.zeros(batch.num_rows, np.int64)).tolist()
            whole = batch.to_pylist() if sum(sizes) <= record_bytes() else None
            for place, size in enumerate(sizes):
                if size > record_bytes():
                    yield None
                    continue
                kept.add(size)
                yield whole[place] if whole else batch.slice(place, 1).to_pylist()[0]


def _declared(file: pq.ParquetFile, group: int, columns: list[str]) -> tuple[int, int, int]:
    """How many bytes a row group says that it has of these columns, unpacked and packed, and its rows."""
    facts = file.metadata.row_group(group)
    chunks = [facts.column(number) for number in range(facts.num_columns)]
    read = [chunk for chunk in chunks if chunk.path_in_schema.split(".")[0] in columns]
    unpacked = sum(chunk.total_uncompressed_size for chunk in read)
    return unpacked, sum(chunk.total_compressed_size for chunk in read), facts.num_rows


def _sizes(array: pa.Array) -> _Sizes:
    """The size of each element: bytes of its texts, eight for each other value."""
    if isinstance(array, pa.DictionaryArray):
        lengths = np.append(_sizes(array.dictionary), 0)
        return lengths[_filled(array.indices, len(lengths) - 1)]
    kind = array.type
    if pa.types.is_struct(kind):
        return sum((_sizes(field) for field in array.flatten()), np.zeros(len(array), np.int64))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        counts = _filled(pc.list_value_length(array), 0)
        upto = np.append(0, np.cumsum(_sizes(array.flatten()) + _VALUE_BYTES))
        ends = np.cumsum(counts)
        return upto[ends] - upto[ends - counts]
    if any(is_text(kind) for is_text in _TEXTS):
        return _filled(pc.binary_length(array), 0)
    return np.full(len(array), _VALUE_BYTES, np.int64)


def _filled(numbers: pa.Array, null: int) -> _Sizes:
    return np.asarray(pc.fill_null(numbers.cast(pa.int64()), null).to_numpy(zero_copy_only=False), np.int64)
