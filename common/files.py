"""Reading and writing files so that a reader never meets half of one."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class FileError(ValueError):
    """A file that is not as expected; the message names file and line, what was found and what was expected."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, which takes its place when the block ends well and is removed when not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_partial(folder: Path) -> None:
    """Remove what killed writers have left of `replacing` in a folder."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def set_aside(path: Path) -> Path | None:
    """Rename a file so that another may take its place: ``a.jsonl`` → ``a.1.jsonl``; None without one.

    Nothing that was paid for is deleted.
    """
    if not path.is_file():
        return None
    number = 1
    while (kept := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    return path.rename(kept)


def write_text(path: Path, text: str) -> None:
    """Replace a file atomically, making its folder where there is none."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any, indent: int | None = 1) -> None:
    """Replace a file by JSON, with a line end at its end."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=indent, default=str) + "\n")


def write_json_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace a file by JSON Lines."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file of JSON Lines with the numbers of their lines; blank lines and a BOM are passed over.

    Raises:
        FileError: no such file, not UTF-8, or a line that is no object.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: {error}, expected a UTF-8 file of JSON Lines") from error
    yield from parse_json_lines(text, str(path))


def parse_json_lines(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of JSON Lines with the numbers of their lines; blank lines are passed over.

    Args:
        name: of the file, for messages.

    Raises:
        FileError: a line that is no object.
    """
    # Not splitlines: a text may hold other line ends, such as U+2028.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise FileError(f"{name}:{number}: not JSON ({error}). Correct or remove the line.") from error
        if not isinstance(record, dict):
            raise FileError(f"{name}:{number}: {type(record).__name__}, expected an object with named values")
        yield number, record


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON Lines that is still being written, less half a last line; [] without a file.

    Raises:
        FileError: a whole line that is no object.
    """
    if not path.is_file():
        return []
    # As bytes: a kill can cut a line within a character.
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    try:
        return [record for _, record in parse_json_lines(whole.decode("utf-8"), str(path))]
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: {error}, expected UTF-8. Correct or remove the line.") from error
