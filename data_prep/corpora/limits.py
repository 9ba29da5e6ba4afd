"""How large a record may be: one bound for a line, an entry of a list, a cell, and a file or member that is a record.

A corpus is other people's file. One line of a small gzip file can unpack to gigabytes, and so can a member of an
archive. What is over the bound is passed over without being held in memory, rejected and counted.

Many small records fill the memory too. Of a file, records are kept up to ``PACKED_RATIO`` times its size on disk, or
``LEAST_RECORDS`` times the bound where that is more: text packs to a third or a tenth. What is passed over counts for
nothing but time, and ends at ``FILE_RECORDS`` times the bound.

Every reader from the folder down to the cell needs the bound, so it stands beside them in a context variable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Final

from data_prep.corpora.records import CorpusError, RecordError

# A long post with a hundred long responses takes some hundred kilobytes.
MAX_RECORD_MB: Final = 8.0

# How many times the bound a file may hold once unpacked, what is passed over included: 8 GB for 8 MB.
FILE_RECORDS: Final = 1000

# How many times its size on disk may be kept of a file, and how many times the bound in any case.
PACKED_RATIO: Final = 40
LEAST_RECORDS: Final = 32

# About as much as a record costs beside its text, in bytes.
EACH_RECORD: Final = 500

# Members of an archive for each megabyte of the bound.
MEMBERS_PER_MB: Final = 25_000

_MB: Final = 1_000_000
_PIECE: Final = 1 << 16
_LINE_ENDS: Final = "\r\n"

_bound: ContextVar[int] = ContextVar("record_bytes", default=int(MAX_RECORD_MB * _MB))


@contextmanager
def bounded(max_record_mb: float) -> Iterator[None]:
    """Read with another bound than the default.

    Args:
        max_record_mb: in megabytes of the unpacked file; of text in millions of characters.
    """
    token = _bound.set(max(1, int(max_record_mb * _MB)))
    try:
        yield
    finally:
        _bound.reset(token)


def record_bytes() -> int:
    """The bound, in bytes, of text in characters."""
    return _bound.get()


def too_large(where: str, found: str = "more") -> RecordError:
    """The error for a record over the bound.

    Args:
        found: its size in words, where it is known.
    """
    message = f"found {found} than {_told(record_bytes())}, expected one record. Mend it, or raise max_record_mb."
    return RecordError(where, "too large", message)


def check_size(where: str, size: int) -> None:
    """See that a member or a file that is one record is not over the bound.

    Raises:
        RecordError: it is.
    """
    if size > record_bytes():
        raise too_large(where, f"{_told(size)}, more")


def check_file(path: object, size: int) -> None:
    """See that a file is not over its bound, by the bytes or characters that have come out of it.

    Raises:
        CorpusError: it is.
    """
    if size > FILE_RECORDS * record_bytes():
        raise CorpusError(
            f"{path}: unpacks to more than {_told(FILE_RECORDS * record_bytes())}, expected a corpus. Check the file; "
            "for a larger corpus raise max_record_mb, a thousandth of what a file may hold."
        )


class Kept:
    """How much of one file has been kept."""

    def __init__(self, path: Path) -> None:
        """Take the file's size on disk."""
        self._path = path
        self._most = max(PACKED_RATIO * path.stat().st_size, LEAST_RECORDS * record_bytes())
        self._kept = 0

    def add(self, size: int) -> None:
        """Note a record that is kept, by the bytes or characters of its text.

        Raises:
            CorpusError: the file holds more than it may.
        """
        self._kept += size + EACH_RECORD
        if self._kept > self._most:
            raise CorpusError(
                f"{self._path}: unpacks to records of more than {_told(self._most)}, expected at most {PACKED_RATIO} "
                "times its size on disk. It may be made to fill the memory; if it is not, unpack it, or raise "
                "max_record_mb."
            )


def check_packing(path: Path, unpacked: int, packed: int) -> None:
    """Look at the sizes that a part of a file declares, before it is read.

    Raises:
        CorpusError: it unpacks to too much.
    """
    if unpacked > max(PACKED_RATIO * packed, LEAST_RECORDS * record_bytes()):
        raise CorpusError(
            f"{path}: a part of {_told(packed)} unpacks to {_told(unpacked)}, expected at most {PACKED_RATIO} times "
            "its size. It may be made to fill the memory; if it is not, write it anew, or raise max_record_mb."
        )


def check_members(path: Path, count: int) -> None:
    """See that an archive has not too many members.

    Raises:
        CorpusError: it has.
    """
    if count > (most := max(1, MEMBERS_PER_MB * record_bytes() // _MB)):
        raise CorpusError(f"{path}: more than {most:,} files in it, expected fewer. Unpack it, or raise max_record_mb.")


def lines_of(stream: IO[str], path: Path) -> Iterator[str | None]:
    """The lines of a text with their ends; None in the place of one over the bound, which is passed over in pieces.

    Raises:
        CorpusError: the text is too long for a file.
    """
    limit, read, kept = record_bytes(), 0, Kept(path)
    while line := stream.readline(limit + 1):
        read += len(line)
        check_file(path, read)
        if len(line) <= limit or line[-1] in _LINE_ENDS:
            kept.add(len(line))
            yield line
            continue
        while rest := stream.readline(_PIECE):
            read += len(rest)
            check_file(path, read)
            if rest[-1] in _LINE_ENDS:
                break
        yield None


def _told(size: int) -> str:
    return f"{size / _MB:,.1f} MB" if size >= _MB // 10 else f"{size:,} bytes"
