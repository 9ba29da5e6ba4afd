"""What a stage reads, known by the bytes of its files; what has been read once is remembered by size and time."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from common.errors import StageError
from common.files import write_json

CACHE_FILE: Final = ".hashes.json"
# Bytes from which on reading a file again costs more than remembering it.
_REMEMBERED: Final = 1 << 20
_MODEL: Final = (
    "config*.json",
    "generation_config.json",
    "*.safetensors*",
    "pytorch_model*.bin",
    "lexical.*",
    "modules.json",
    "sentence_*.json",
    "[0-9]_*/*",
)
_TOKENIZER: Final = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab*",
    "merges.txt",
    "chat_template*",
    "*.model",
)

# A file, a folder with all in it, or some files; a path where nothing is, such as a hub id, stands for itself.
Input = Path | Sequence[Path]


def model_files(folder: Path) -> Input:
    """What loading a model and its tokenizer reads of a folder: neither logs nor pictures; a hub id as it is."""
    return [*_found(folder, _MODEL), *_found(folder, _TOKENIZER)] if folder.is_dir() else folder


def tokenizer_files(folder: Path) -> Input:
    """What loading a tokenizer reads of a folder; a hub id as it is."""
    return _found(folder, _TOKENIZER) if folder.is_dir() else folder


class Hashes:
    """Digests of inputs; those of files are kept in a file, so that weights are not read again and again."""

    def __init__(self, root: Path) -> None:
        """Take what is remembered in `root`, the folder that holds a folder a stage."""
        self._file = root / CACHE_FILE
        self._known: dict[str, list[object]] = json.loads(self._file.read_text("utf-8")) if self._file.is_file() else {}

    def of(self, source: Input) -> str:
        """The digest of names and bytes of a file, a folder or some files; the path itself where nothing is."""
        if isinstance(source, Path):
            if source.is_file():
                return self._of_file(source)
            if not source.is_dir():
                return str(source)
            found = (path for path in source.rglob("*") if path.is_file() and not path.name.startswith("."))
            files, above = sorted(found), source
        else:
            files = sorted(source)
            above = min((path.parent for path in files), key=lambda path: len(path.parts), default=Path())
        lines = "".join(
            f"{path.relative_to(above) if path.is_relative_to(above) else path.name}\t{self._of_file(path)}\n"
            for path in files
        )
        return hashlib.sha256(lines.encode()).hexdigest()

    def _of_file(self, path: Path) -> str:
        state = path.stat()
        key, facts = str(path.resolve()), [state.st_size, state.st_mtime_ns]
        known = self._known.get(key, [])
        if known[:2] == facts:
            return str(known[2])
        try:
            file = path.open("rb")
        except PermissionError as error:
            raise StageError(f"{path}: may not be read, expected a file that may. Change its permissions.") from error
        with file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if state.st_size >= _REMEMBERED:
            self._known[key] = [*facts, digest]
            write_json(self._file, self._known, indent=0)
        return digest


def _found(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
