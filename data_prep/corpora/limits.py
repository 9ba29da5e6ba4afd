"""How large a record may be: one bound for a line, an entry of a list, a cell, and a file or member that is a record.

A corpus is other people's file. One line of a small gzip file can unpack to gigabytes, and so can a member of an
archive. What is over the bound is passed over without being held in memory, rejected and counted. A whole file may
unpack to ``FILE_RECORDS`` times the bound.

Every reader from the folder down to the cell needs the bound, so it stands beside them in a context variable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, Final

from data_prep.corpora.records import CorpusError, RecordError

# A long post with a hundred long responses takes some hundred kilobytes.
MAX_RECORD_MB: Final = 8.0

# How many times the bound a file may hold once unpacked: 8 GB for 8 MB.
FILE_RECORDS: Final = 1000

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


def lines_of(stream: IO[str], path: object) -> Iterator[str | None]:
    """The lines of a text with their ends; None in the place of one over the bound, which is passed over in pieces.

    Raises:
        CorpusError: the text is too long for a file.
    """
    limit, read = record_bytes(), 0
    while line := stream.readline(limit + 1):
        read += len(line)
        check_file(path, read)
        if len(line) <= limit or line[-1] in _LINE_ENDS:
            yield line
            continue
        while rest := stream.readline(_PIECE):
            read += len(rest)
            check_file(path, read)
            if rest[-1] in _LINE_ENDS:
                break
        yield None


def _told(size: int) -> str:
    return f"{size / _MB:,.1f} MB"
