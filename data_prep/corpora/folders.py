"""A corpus in a folder, or in folders of folders: its files, all of one kind.

Left out are hidden files, what macOS packs beside others, and files that go with a corpus and hold none of it (a
licence, a schema). Links are not followed, and only regular files are read: any other of a corpus's name is rejected.
"""

import os
import stat
from collections import Counter
from pathlib import Path
from typing import Final

from data_prep.corpora.records import CorpusError, LeftOut

# The kinds of file a corpus may have, by the end of the name; each may be gzipped.
KINDS: Final = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".parquet")

_HOLD_NO_RECORDS: Final = frozenset(
    {
        "readme",
        "license",
        "licence",
        "notice",
        "requirements",
        "schema",
        "dataset_info",
        "dataset_infos",
        "state",
        "说明",
        "使用说明",
        "stats",
        "statistics",
    }
)


def corpus_files(folder: Path) -> list[Path]:
    """The files of a folder that hold its records, at any depth, in order of path.

    Raises:
        CorpusError: there is none, or they are of several kinds.
    """
    files = [file for file in _named(folder) if is_regular(file)]
    kinds = Counter(map(kind_of, files))
    if not kinds:
        others = len(not_opened(folder))
        told = f" but {others} links, pipes or devices, which are not opened" if others else ""
        raise CorpusError(
            f"{folder}: no file of a corpus in this folder{told}, expected some that end in {', '.join(KINDS)}. "
            "Check the corpus path."
        )
    if len(kinds) > 1:
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        raise CorpusError(
            f"{folder}: files of several kinds ({found}), expected one kind. Name one file, such as "
            f"CORPUS={files[0]}, or move the others away. Where each .json is a dialogue, format=smilechat reads these."
        )
    return files


def not_opened(folder: Path) -> list[Path]:
    """The links, pipes and devices of a folder that have the names of a corpus's files, in order of path."""
    return [file for file in _named(folder) if not is_regular(file)]


def is_regular(file: Path) -> bool:
    """Whether a path is a file itself, and no link to one."""
    return stat.S_ISREG(file.lstat().st_mode)


def no_file(where: str) -> LeftOut:
    """The error for a link, a device or a pipe in the place of a file; it says nothing of the format."""
    message = "found a link, a device or a pipe, expected a file. Not opened: put the file in its place."
    return LeftOut(where, "no file", message)


def _named(folder: Path) -> list[Path]:
    """Every path below a folder that has the name of a corpus's file, in order of path; of folders only links."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        found += [Path(parent) / name for name in (*names, *links) if not name.startswith(".")]
    return sorted(file for file in found if kind_of(file) and file.name.split(".")[0].lower() not in _HOLD_NO_RECORDS)


def kind_of(file: Path) -> str:
    """The one of ``KINDS`` that a file's name ends in, "" where none."""
    name = file.name.lower().removesuffix(".gz")
    return next((kind for kind in KINDS if name.endswith(kind)), "")
