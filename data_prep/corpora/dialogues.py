"""SMILECHAT's dialogues, from whatever they come in: JSON Lines, a folder of files, or that folder as one archive.

Archives (``.zip``, ``.tar``, ``.tar.gz``) are read in place and never unpacked to disk, so no name in them can point
anywhere. A dialogue's file is ``<id>.json``; where there is a folder ``data``, only the files in it count.
"""

import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from tqdm import tqdm

from data_prep.corpora import json_records
from data_prep.corpora.errors import CorpusError, RecordError
from data_prep.corpora.intake import Entry
from data_prep.corpora.text_files import check_encoding, decoded, inspect, open_bytes

M = TypeVar("M")

_LOCKED: Final = 1  # the bit of a zip member's flags


def read(path: Path, encoding: str = "utf-8") -> Iterator[Entry]:
    """Every dialogue as ``{"id": …, "dialogue": [turns]}``.

    Raises:
        CorpusError: nothing there, no dialogue in it, an archive that is foreign, damaged or locked, an unknown
            encoding; for JSON Lines what ``json_records.read`` raises.
    """
    check_encoding(encoding)
    kind = None if path.is_dir() else inspect(path, encoding).kind
    if kind in ("json", "jsonl", "csv", "parquet"):
        yield from json_records.read(path, encoding)
        return
    files = _folder(path) if kind is None else _zip(path) if kind == "zip" else _tar(path)
    is_empty = True
    for name, data in tqdm(files, desc="reading SMILECHAT", unit="file", disable=None):
        is_empty = False
        where = name if kind is None else f"{path.name}: {name}"
        yield Entry(where, _record(name, data, encoding, where))
    if is_empty:
        raise CorpusError(
            f"{path}: no dialogue in it, expected files named <id>.json. Check the corpus path; "
            "unpack an archive of another shape, save a workbook as CSV."
        )


def _record(name: str, data: bytes, encoding: str, where: str) -> object:
    try:
        return {"id": PurePosixPath(name).stem, "dialogue": json.loads(decoded(data, encoding, where))}
    except RecordError as error:
        return error
    except (ValueError, RecursionError):
        return RecordError(where, "not JSON", "found no whole JSON, expected a list of turns. Fetch the file again.")


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted((path / "data" if (path / "data").is_dir() else path).glob("*.json")):
        yield file.name, file.read_bytes()


def _zip(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [(info.filename, info) for info in archive.infolist() if not info.is_dir()]
            for name, info in _dialogue_files(members):
                if info.flag_bits & _LOCKED:
                    raise CorpusError(f"{path}: {name} is locked by a password, expected open files. Unpack it.")
                yield name, archive.read(info)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise CorpusError(f"{path}: not a whole zip archive ({error}), expected one. Fetch it again.") from error


def _tar(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with open_bytes(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            everything = archive.getmembers()
            _check_end(stream, everything[-1])
            members = [(member.name, member) for member in everything]
            for name, member in _dialogue_files(members):
                opened = archive.extractfile(member)
                if opened is not None:
                    yield name, opened.read()
    except tarfile.TarError as error:
        raise CorpusError(f"{path}: not a whole tar archive ({error}), expected one. Fetch it again.") from error


def _check_end(stream: io.BufferedIOBase, last: tarfile.TarInfo) -> None:
    """Look for the empty block after the last member: ``tarfile`` takes a cut between two members for the end.

    Reading on to the end also has a gzip file's checksum compared.

    Raises:
        tarfile.ReadError: there is no such block.
    """
    stream.seek(last.offset_data + -(-last.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
    if not stream.read().startswith(tarfile.NUL * tarfile.BLOCKSIZE):
        raise tarfile.ReadError("no end mark after the last member")


def _dialogue_files(members: list[tuple[str, M]]) -> list[tuple[str, M]]:
    """The members that can be dialogues by their names; macOS packs a twin ``._<name>`` beside each file."""
    files = [(PurePosixPath(name), member) for name, member in members]
    own = [(path, member) for path, member in files if path.suffix == ".json" and not path.name.startswith("._")]
    in_data = [(path, member) for path, member in own if path.parent.name == "data"]
    return [(str(path), member) for path, member in in_data or own]
