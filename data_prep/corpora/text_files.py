"""What kind of file a path is, by its content, and how its text is opened: compression, encoding, byte-order mark.

Text is decoded with ``surrogateescape``: a byte that does not fit becomes a lone surrogate, which the check of the
field it stands in reports (``records.as_text``). So one bad byte costs one record; a file in quite another encoding is
told at once, by its first mebibyte.
"""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final, Literal

from data_prep.corpora.records import CorpusError, RecordError, missing

Kind = Literal["json", "jsonl", "csv", "parquet", "zip", "tar"]

_HEAD_BYTES: Final = 1 << 20
_LOOKED_AT: Final = 10
# Shares that no damaged file reaches: GBK read as UTF-8 has over half of its characters beyond ASCII broken. JSON may
# escape all of these, hence the share of all characters too.
_MOST_BROKEN_BEYOND_ASCII: Final = 0.1
_MOST_BROKEN: Final = 0.01
# The two that Chinese files have beside UTF-8, each with the codec of its usual characters and the end of these.
_CHINESE: Final = {"gb18030": ("gb2312", b"\xf8"), "big5": ("big5", b"\xc9")}
_SAMPLE_BYTES: Final = 1 << 16
_USUAL: Final = re.compile(r"[\t\n\r -~\u2010-\u2027\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_LEAST_USUAL: Final = 0.9
_GZIP: Final = b"\x1f\x8b"
_TAR_MAGIC: Final = slice(257, 262)
_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class EncodingError(CorpusError):
    """A text that is not in the encoding it was looked for in."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the first bytes of a file tell.

    Attributes:
        kind: "json" for one list, "jsonl" for an object a line, "csv" for any other text; or a binary kind.
        encoding: Python's name of the codec to open it with; "" for the binary kinds.
        first_line: of the text, without its end; "" for the binary kinds.
    """

    kind: Kind
    encoding: str = ""
    first_line: str = ""


def inspect(path: Path, encoding: str = "utf-8") -> Inspected:
    """The kind and encoding of a file; a byte-order mark counts for more than ``encoding``.

    Raises:
        CorpusError: nothing there, a folder, empty, a damaged gzip file, an unknown encoding; ``EncodingError`` for
            text in another one.
    """
    with open_bytes(path) as stream:
        head = stream.read(_HEAD_BYTES)
    if head.startswith(b"PAR1"):
        return Inspected("parquet")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Inspected("zip")
    if head[_TAR_MAGIC] == b"ustar":
        return Inspected("tar")
    codec = _codec(head, encoding, path)
    text = _beginning(head, codec).lstrip()
    if not text:
        raise CorpusError(f"{path}: an empty file, expected a corpus. Check the corpus path, or fetch it again.")
    first_lines = text.split("\n", _LOOKED_AT)[:_LOOKED_AT]
    # Not by the first line alone, which may be the broken one.
    is_lines = any(line.startswith("{") for line in first_lines)
    kind: Kind = "json" if text.startswith("[") else "jsonl" if is_lines else "csv"
    return Inspected(kind, codec, first_lines[0].rstrip("\r"))


@contextmanager
def open_bytes(path: Path) -> Iterator[gzip.GzipFile | io.BufferedReader]:
    """A file's bytes, unpacked where they are gzip, whatever the name says.

    Raises:
        CorpusError: nothing there, a folder, a gzip file that is damaged or cut off.
    """
    _check_regular(path)
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _GZIP
    except PermissionError as error:
        raise CorpusError(f"{path}: may not be read, expected a file that may. Change its permissions.") from error
    try:
        with gzip.open(path) if packed else path.open("rb") as stream:
            yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CorpusError(f"{path}: not a whole gzip file ({error}), expected one. Fetch it again.") from error


def _check_regular(path: Path) -> None:
    """See that there is a file, before it is opened: a pipe would be waited for."""
    if path.is_dir():
        raise CorpusError(f"{path}: a folder, expected a file. Name the file in it.")
    if path.exists() and not path.is_file():
        raise CorpusError(f"{path}: a pipe, a device or a socket, expected a file. Write its content into one.")
    if not path.is_file():
        raise missing(path)


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[IO[str]]:
    """A file's text, its line ends untouched.

    Args:
        encoding: as ``inspect`` gives it.

    Raises:
        CorpusError: as ``open_bytes``, or half a character that no surrogate can stand for (UTF-16 cut off).
    """
    with open_bytes(path) as stream:
        try:
            yield io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
        except UnicodeDecodeError as error:
            raise CorpusError(f"{path}: {_undecodable(error)} Convert the file, or fetch it again.") from error


def decoded(data: bytes, encoding: str, where: str) -> str:
    """The text of one small file that is one record.

    Args:
        encoding: a byte-order mark counts for more.

    Raises:
        RecordError: a byte that is not in this encoding.
    """
    try:
        return data.decode(_marked(data) or encoding)
    except UnicodeDecodeError as error:
        message = f"{_undecodable(error)} Mend it, or name its encoding, such as encoding=gb18030."
        raise RecordError(where, "broken characters", message) from error


def is_beyond_ascii(path: Path, encoding: str) -> bool:
    """Whether a file begins with text in this encoding, without a mark, and with more than ASCII in it."""
    try:
        with open_bytes(path) as stream:
            head = stream.read(_HEAD_BYTES)
        return not head.isascii() and not _marked(head) and bool(_codec(head, encoding, path))
    except CorpusError:
        return False


def check_encoding(encoding: str) -> None:
    """See whether Python has a text codec of this name.

    Raises:
        CorpusError: it has none.
    """
    try:
        "".encode(encoding)
    except LookupError as error:
        raise CorpusError(
            f"encoding={encoding}: no such encoding, expected one that Python knows, such as utf-8 or gb18030."
        ) from error


def _codec(head: bytes, encoding: str, path: Path) -> str:
    """The encoding of a text that begins so: its mark's, or the one named, when it fits."""
    if marked := _marked(head):
        return marked
    check_encoding(encoding)
    if codecs.lookup(encoding).name != "utf-8" and not head.isascii() and "\ufffd" not in _beginning(head, "utf-8"):
        # Most UTF-8 decodes as GB18030 too, into other characters: without this check nobody would notice.
        raise EncodingError(
            f"{path}: UTF-8, expected {encoding}. Leave encoding={encoding} out, and convert what is in it further on."
        )
    is_wide = codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    if not is_wide and b"\0" in head and (wide := _wide(head)):
        raise CorpusError(f"{path}: {wide} without a mark of it, expected {encoding}. Add encoding={wide}.")
    text = _beginning(head, encoding)
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    if text.count("\ufffd") > max(_MOST_BROKEN_BEYOND_ASCII * beyond_ascii, _MOST_BROKEN * len(text)):
        if mixed := _mixed(head):
            raise CorpusError(
                f"{path}: lines in several encodings ({mixed}), expected one. Convert the lines that are not UTF-8."
            )
        named = " or ".join(f"encoding={codec}" for codec in sorted(_CHINESE, key=partial(_rare, head[:_SAMPLE_BYTES])))
        raise EncodingError(
            f"{path}: not {encoding}, expected text in this encoding. Name the file's own, such as {named}, or convert "
            "it to UTF-8."
        )
    return encoding


def _rare(head: bytes, codec: str) -> int:
    """How many characters of a text are ones that hardly anybody writes in this encoding.

    Big5 reads as GB18030 and the other way round, but then half of the characters are such.
    """
    return sum(not char.isascii() and not _is_common(char, codec) for char in _beginning(head, codec))


def _is_common(char: str, codec: str) -> bool:
    narrow, end = _CHINESE[codec]
    try:
        return char.encode(narrow) < end
    except UnicodeEncodeError:
        return False


def _wide(head: bytes) -> str:
    """Which of UTF-16's two orders a text without a mark has; "" for neither.

    Read in the other order, or in quite another encoding, characters are hardly ever those of a Chinese text.
    """
    head = head[:_SAMPLE_BYTES]
    texts = {codec: _beginning(head, codec) for codec in ("utf-16-le", "utf-16-be")}
    shares = {codec: len(_USUAL.findall(text)) / max(1, len(text)) for codec, text in texts.items()}
    likelier = max(shares, key=shares.__getitem__)
    return likelier if shares[likelier] > _LEAST_USUAL else ""


def _mixed(head: bytes) -> str:
    """In words, the first lines that are UTF-8 and that are not; "" where there are not both."""
    lines = [(number, line) for number, line in enumerate(head.split(b"\n")[:-1], 1) if not line.isascii()]
    fits = {number: _decodes(line, "utf-8") for number, line in lines}
    others = [number for number, line in lines if not fits[number] and _decodes(line, "gb18030")]
    if not others or not any(fits.values()):
        return ""
    first = next(number for number, good in fits.items() if good)
    return f"line {first} is UTF-8, line {others[0]} may be GB18030, as {len(others)} of the first {len(lines)}"


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _marked(data: bytes) -> str:
    return next((codec for mark, codec in _MARKS.items() if data.startswith(mark)), "")


def _beginning(head: bytes, codec: str) -> str:
    """As much of the text as is there: a character cut off by the end of the bytes is left out."""
    return codecs.getincrementaldecoder(codec)("replace").decode(head)


def _undecodable(error: UnicodeDecodeError) -> str:
    return f"byte {error.start} is not {error.encoding} ({error.reason}), expected text in this encoding."
