"""A corpus in a folder, or in folders of folders: its files, all of one kind.

Left out are hidden files, what macOS packs beside others, and files that go with a corpus and hold none of it (a
licence, a schema). Links are not followed, and only regular files are read.
"""

import logging
import os
import stat
from collections import Counter
from pathlib import Path
from typing import Final

from data_prep.corpora.records import CorpusError

logger = logging.getLogger(__name__)

# The kinds of file a corpus may have, by the end of the name; each may be gzipped.
KINDS: Final = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".parquet")

_HOLD_NO_RECORDS: Final = frozenset(
    {"readme", "license", "licence", "notice", "requirements", "schema", "dataset_info", "dataset_infos", "state"}
)


def regular_files(folder: Path) -> list[Path]:
    """Every regular file below a folder, at any depth, in order of path."""
    found, left_out = [], 0
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        files = [Path(parent) / name for name in names if not name.startswith(".")]
        regular = [file for file in files if stat.S_ISREG(file.lstat().st_mode)]
        left_out += len(files) - len(regular)
        found += regular
    if left_out:
        logger.warning("%s: %d links, pipes or devices, which are not opened", folder, left_out)
    return sorted(found)


def corpus_files(folder: Path) -> list[Path]:
    """The files of a folder that hold its records, at any depth, in order of path.

    Raises:
        CorpusError: there is none, or they are of several kinds.
    """
    by_kind = {file: kind_of(file) for file in regular_files(folder)}
    files = [file for file, kind in by_kind.items() if kind and file.name.split(".")[0].lower() not in _HOLD_NO_RECORDS]
    kinds = Counter(by_kind[file] for file in files)
    if not kinds:
        raise CorpusError(
            f"{folder}: no file of a corpus in this folder, expected some that end in {', '.join(KINDS)}. "
            "Check the corpus path."
        )
    if len(kinds) > 1:
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        raise CorpusError(
            f"{folder}: files of several kinds ({found}), expected one kind. Name one file, such as "
            f"CORPUS={files[0]}, or move the others away."
        )
    return files


def kind_of(file: Path) -> str:
    """The one of ``KINDS`` that a file's name ends in, "" where none."""
    name = file.name.lower().removesuffix(".gz")
    return next((kind for kind in KINDS if name.endswith(kind)), "")
