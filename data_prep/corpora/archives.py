"""Files that are one record each, in a folder or packed: zip, tar, gzipped tar. Nothing is unpacked to disk.

Files that can be records end in ``.json``, at any depth; where there is a folder ``data``, only those below it count.
Links, devices and
pipes are never opened or followed, wherever they point: each is rejected and counted. So is a file over the bound of
`limits`, by its size before it is read.
"""

import io
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal, NamedTuple

from data_prep.corpora.folders import no_file
from data_prep.corpora.limits import Kept, check_file, check_members, check_size
from data_prep.corpora.records import CorpusError, RecordError
from data_prep.corpora.text_files import open_bytes

_LOCKED: Final = 1  # the bit of a zip member's flags
_PIECE: Final = 64  # bytes
# tarfile reads the headers that hold long names as a whole, however long they say they are.
_HEADER_BYTES: Final = 1 << 16
_NAME_CHARS: Final = 1024


class File(NamedTuple):
    """A file that can be a record.

    Attributes:
        name: its path in the folder or the archive.
        id: the path below ``data``, or else below the folder that all share, without its ending: 12, or 婚恋/12.
        data: its bytes, or what is wrong with it.
    """

    name: str
    id: str
    data: bytes | RecordError


@dataclass(frozen=True, slots=True)
class _Member:
    """What is known of a file before it is read; `place` is where an archive keeps it."""

    name: str
    size: int
    is_regular: bool
    place: int = 0


def files(path: Path, kind: Literal["zip", "tar"] | None) -> Iterator[File]:
    """The files that can be records.

    Args:
        path: a folder or an archive.
        kind: of the archive; None for a folder.

    Raises:
        CorpusError: an archive that is foreign, damaged, locked, or too large as a whole.
    """
    return _folder(path) if kind is None else _zip(path) if kind == "zip" else _tar(path)


def _folder(path: Path) -> Iterator[File]:
    states = [(file, file.lstat()) for file in sorted(path.rglob("*.json"))]
    members = [
        _Member(file.relative_to(path).as_posix(), state.st_size, stat.S_ISREG(state.st_mode))
        for file, state in states
        if not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    yield from _read(path, members, "", lambda member: (path / member.name).read_bytes(), None)


def _zip(path: Path) -> Iterator[File]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            check_members(path, len(infos))

            def content(member: _Member) -> bytes:
                info = infos[member.place]
                if info.flag_bits & _LOCKED:
                    raise CorpusError(f"{path}: {member.name} is locked by a password, expected open files. Unpack it.")
                return _unpacked(archive, info)

            members = [
                _Member(info.filename, info.file_size, _kind(info) in (0, stat.S_IFREG), place)
                for place, info in enumerate(infos)
                if not info.is_dir()
            ]
            yield from _read(path, members, f"{path.name}: ", content, Kept(path))
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise CorpusError(f"{path}: not a whole zip archive ({error}), expected one. Fetch it again.") from error


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's bytes. ``ZipFile.read`` unpacks two gigabytes at a time, whatever size the archive names."""
    with archive.open(info) as stream:
        if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # One byte more than named, so that the checksum of an empty member is compared too.
            return stream.read(info.file_size + 1)
        # Of bzip2 and LZMA all that has been read is unpacked at once, up to a million times as much.
        stream.MIN_READ_SIZE = _PIECE  # type: ignore[attr-defined]
        return b"".join(iter(lambda: stream.read(_PIECE), b""))


def _kind(info: zipfile.ZipInfo) -> int:
    """What kind of file a member was; 0 where its packer, of another system, does not say."""
    return stat.S_IFMT(info.external_attr >> 16)


def _tar(path: Path) -> Iterator[File]:
    try:
        with open_bytes(path) as stream:
            members = list(_listed(stream, path))

            def content(member: _Member) -> bytes:
                stream.seek(member.place)
                data = stream.read(member.size)
                if len(data) < member.size:
                    raise tarfile.ReadError("unexpected end of data")
                return data

            yield from _read(path, members, f"{path.name}: ", content, Kept(path))
    except tarfile.TarError as error:
        raise CorpusError(f"{path}: not a whole tar archive ({error}), expected one. Fetch it again.") from error


def _listed(stream: io.BufferedIOBase, path: Path) -> Iterator[_Member]:
    """The members, of each no more than has to be known: tarfile would keep all their headers."""
    end, count = 0, 0
    with tarfile.open(fileobj=_Headers(stream), mode="r:") as archive:  # type: ignore[call-overload]
        while (member := archive.next()) is not None:
            count += 1
            check_members(path, count)
            check_file(path, member.offset_data + member.size)
            if len(member.name) > _NAME_CHARS:
                raise tarfile.ReadError(f"a name of {len(member.name)} characters")
            end = archive.offset
            if not member.isdir():
                # The bytes of a sparse file are not where its header says; no packer makes one of a dialogue.
                is_regular = member.isreg() and not member.issparse()
                yield _Member(member.name, member.size, is_regular, member.offset_data)
            archive.members.clear()
            archive.pax_headers.clear()
    if count:
        _check_end(stream, end, path)


class _Headers:
    """A stream as tarfile needs it to list an archive, that refuses to read a header of any size."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self.seek = stream.seek
        self.tell = stream.tell

    def read(self, size: int) -> bytes:
        if size > _HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        return self._stream.read(size)


def _read(
    path: Path, members: list[_Member], before: str, content: Callable[[_Member], bytes], kept: Kept | None
) -> Iterator[File]:
    """The members that can be records, read one by one.

    Args:
        before: what stands before a name in messages.
        kept: how much has been kept of an archive; None for a folder, which is no larger than it is.
    """
    chosen = _records(members)
    if members and not chosen:
        kinds = Counter(PurePosixPath(member.name).suffix or "no ending" for member in members)
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
        raise CorpusError(
            f"{path}: no dialogue in it but {told}, expected files named <id>.json. Unpack it, and name the file or "
            "the folder: CORPUS=PATH."
        )
    above = _above(chosen) if chosen else PurePosixPath()
    for member in chosen:
        where = f"{before}{member.name}"
        id = _below_data(PurePosixPath(member.name).relative_to(above).with_suffix("")).as_posix()
        try:
            if not member.is_regular:
                raise no_file(where)
            check_size(where, member.size)
            if kept is not None:
                kept.add(member.size)
            yield File(member.name, id, content(member))
        except RecordError as error:
            yield File(member.name, id, error)
        except PermissionError:
            message = "found a file that may not be read, expected one that may. Change its permissions."
            yield File(member.name, id, RecordError(where, "not readable", message))


def _check_end(stream: io.BufferedIOBase, end: int, path: Path) -> None:
    """Look for the empty block after the last member: ``tarfile`` takes a cut between two members for the end.

    Reading on to the end also has a gzip file's checksum compared; blocks of padding may follow.

    Raises:
        tarfile.ReadError: there is no such block.
        CorpusError: too much follows.
    """
    stream.seek(end)
    if stream.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
        raise tarfile.ReadError("no end mark after the last member")
    while piece := stream.read(1 << 20):
        end += len(piece)
        check_file(path, end)


def _records(members: list[_Member]) -> list[_Member]:
    """The members that can be records by their names; macOS packs a twin ``._<name>`` beside each file."""
    named = [(PurePosixPath(member.name), member) for member in members]
    own = [(path, member) for path, member in named if path.suffix == ".json" and not path.name.startswith("._")]
    in_data = [(path, member) for path, member in own if "data" in path.parts[:-1]]
    return [member for _, member in in_data or own]


def _below_data(path: PurePosixPath) -> PurePosixPath:
    parts = path.parts
    below = max((place + 1 for place, part in enumerate(parts[:-1]) if part == "data"), default=0)
    return PurePosixPath(*parts[below:])


def _above(members: list[_Member]) -> PurePosixPath:
    """The folder that all members are in, at whatever depth."""
    return PurePosixPath(posixpath.commonpath([posixpath.dirname(member.name) for member in members]))
