"""Files that are one record each, in a folder or packed: zip, tar, gzipped tar. Nothing is unpacked to disk.

Files that can be records end in ``.json``; where there is a folder ``data``, only those in it count. Links, devices and
pipes are never opened or followed, wherever they point: each is rejected and counted. So is a file over the bound of
`limits`, by its size before it is read.
"""

import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, Literal, TypeVar

from data_prep.corpora.limits import check_file, check_size
from data_prep.corpora.records import CorpusError, RecordError
from data_prep.corpora.text_files import open_bytes

M = TypeVar("M")

# A file's name, and its bytes or what is wrong with it.
File = tuple[str, bytes | RecordError]

_LOCKED: Final = 1  # the bit of a zip member's flags


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
    for file in sorted((path / "data" if (path / "data").is_dir() else path).glob("*.json")):
        state = file.lstat()
        try:
            _check_regular(file.name, stat.S_ISREG(state.st_mode))
            check_size(file.name, state.st_size)
            yield file.name, file.read_bytes()
        except RecordError as error:
            yield file.name, error
        except PermissionError:
            message = "found a file that may not be read, expected one that may. Change its permissions."
            yield file.name, RecordError(file.name, "not readable", message)


def _zip(path: Path) -> Iterator[File]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [(info.filename, info) for info in archive.infolist() if not info.is_dir()]
            own = _records(members)
            check_file(path, sum(info.file_size for _, info in own))
            for name, info in own:
                if info.flag_bits & _LOCKED:
                    raise CorpusError(f"{path}: {name} is locked by a password, expected open files. Unpack it.")
                try:
                    mode = info.external_attr >> 16
                    _check_regular(f"{path.name}: {name}", stat.S_IFMT(mode) in (0, stat.S_IFREG))
                    # The size that the archive names: zipfile reads no byte more.
                    check_size(f"{path.name}: {name}", info.file_size)
                    yield name, archive.read(info)
                except RecordError as error:
                    yield name, error
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise CorpusError(f"{path}: not a whole zip archive ({error}), expected one. Fetch it again.") from error


def _tar(path: Path) -> Iterator[File]:
    try:
        with open_bytes(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            everything = []
            for member in archive:
                everything.append(member)
                check_file(path, member.offset_data + member.size)
            if not everything:
                return
            _check_end(stream, everything[-1], path)
            for name, member in _records([(member.name, member) for member in everything if not member.isdir()]):
                try:
                    _check_regular(f"{path.name}: {name}", member.isreg())
                    check_size(f"{path.name}: {name}", member.size)
                except RecordError as error:
                    yield name, error
                    continue
                if (opened := archive.extractfile(member)) is not None:
                    yield name, opened.read()
    except tarfile.TarError as error:
        raise CorpusError(f"{path}: not a whole tar archive ({error}), expected one. Fetch it again.") from error


def _check_regular(where: str, is_regular: bool) -> None:
    if not is_regular:
        message = "found a link, a device or a pipe, expected a file. It is not opened: put the file in its place."
        raise RecordError(where, "no file", message)


def _check_end(stream: io.BufferedIOBase, last: tarfile.TarInfo, path: Path) -> None:
    """Look for the empty block after the last member: ``tarfile`` takes a cut between two members for the end.

    Reading on to the end also has a gzip file's checksum compared; blocks of padding may follow.

    Raises:
        tarfile.ReadError: there is no such block.
        CorpusError: too much follows.
    """
    size = last.size if last.isreg() else 0
    end = last.offset_data + -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    stream.seek(end)
    if stream.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
        raise tarfile.ReadError("no end mark after the last member")
    while piece := stream.read(1 << 20):
        end += len(piece)
        check_file(path, end)


def _records(members: list[tuple[str, M]]) -> list[tuple[str, M]]:
    """The members that can be records by their names; macOS packs a twin ``._<name>`` beside each file."""
    named = [(PurePosixPath(name), member) for name, member in members]
    own = [(path, member) for path, member in named if path.suffix == ".json" and not path.name.startswith("._")]
    in_data = [(path, member) for path, member in own if path.parent.name == "data"]
    return [(str(path), member) for path, member in in_data or own]
