"""The manifest of a stage: what it was made from, by which code, and what it left; one record, one reader, one writer.

It is written when a stage begins, by which an unfinished run is known, and again with what came of it when it ends.
"""

import importlib.metadata
import json
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from common.code import REPO
from common.errors import StageError
from common.files import write_json

MANIFEST: Final = "manifest.json"
# Packages that decide a result beside our own code.
VERSIONS_OF: Final = (
    "torch",
    "transformers",
    "verl",
    "vllm",
    "llamafactory",
    "sentence-transformers",
    "accelerate",
    "ray",
)
# Logs and checkpoints may be removed for their room.
_REMOVABLE: Final = ("checkpoints", "trainer", "runs", MANIFEST)


@dataclass(frozen=True)
class Manifest:
    """A stage that was begun, and what came of it once it is finished.

    Attributes:
        stage: its name.
        seed: of every draw.
        config: every setting, as plain values.
        inputs: digest of each thing that it reads, by name (`common.hashing`).
        code: digest of each file that decides the result (`common.code`).
        versions: of the packages that do.
        git_commit: of the code.
        started: local time, of the last start.
        seconds: that the work took, without the starts that were killed; None of a stage that is not finished.
        result: what the work gave back.
        files: sizes in bytes of what others may read.
        starts: every start of the work that led to this, the first one first: ``when``; ``commit`` of the code;
            ``from_step``, that of the checkpoint that it went on from, 0 for the beginning, None where there are none.
        accepted: changes of the code after which the result was kept on request: when, and which files.
    """

    stage: str
    seed: int
    config: Mapping[str, Any]
    inputs: Mapping[str, str]
    code: Mapping[str, str]
    versions: Mapping[str, str]
    git_commit: str
    started: str
    seconds: float | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    accepted: list[Mapping[str, Any]] = field(default_factory=list)
    starts: list[Mapping[str, Any]] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write it into the stage's folder."""
        write_json(folder / MANIFEST, asdict(self), indent=2)

    @classmethod
    def find(cls, folder: Path) -> "Manifest | None":
        """The folder's manifest, of a finished stage or not; None where there is no whole one."""
        file = folder / MANIFEST
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None
        except (ValueError, TypeError):
            return None

    def problem(self, folder: Path) -> str:
        """Why the stage's folder cannot be used: not finished, a file gone or of another size. "" where it can."""
        if self.seconds is None:
            return f"{folder} is not finished"
        for name, size in self.files.items():
            file = folder / name
            if not file.is_file():
                return f"{file} is gone"
            if file.stat().st_size != size:
                return f"{file} has {file.stat().st_size} bytes, its stage wrote {size}"
        return ""


def stage_problem(folder: Path) -> str:
    """Why a stage's folder cannot be used, "" where it can; see `Manifest.problem`."""
    manifest = Manifest.find(folder)
    return manifest.problem(folder) if manifest else f"{folder} is not finished, it has no whole {MANIFEST}"


def require_stage(folder: Path, made_by: str) -> Path:
    """`folder` if its stage was finished and its files are as the stage left them.

    Raises:
        StageError: it was not or they are not; the message names the make target that makes it.
    """
    if not folder.is_dir():
        raise StageError(f"{folder} is missing. Run `make {made_by}` first.")
    if problem := stage_problem(folder):
        raise StageError(f"{problem}. Run `make {made_by}` again.")
    return folder


def read_manifest(folder: Path, made_by: str) -> Manifest:
    """The manifest of a finished stage.

    Raises:
        StageError: as `require_stage`.
    """
    manifest = Manifest.find(require_stage(folder, made_by))
    assert manifest is not None
    return manifest


def files_of(folder: Path) -> dict[str, int]:
    """What a finished stage leaves to others, with sizes."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".log")
    named = ((path.relative_to(folder), path) for path in files)
    return {
        str(name): path.stat().st_size
        for name, path in named
        if name.parts[0] not in _REMOVABLE and not name.parts[0].startswith("checkpoint-")
    }


def versions() -> dict[str, str]:
    """Of the packages that decide results; "absent" for one that is not installed."""
    found = dict.fromkeys(VERSIONS_OF, "absent")
    for name in VERSIONS_OF:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def git_commit() -> str:
    """Of the project's checkout, with "-dirty" where a tracked file differs; "unknown" where it is none.

    ``results`` does not count: `make tables` itself appends to it.
    """
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!results")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(REPO), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
