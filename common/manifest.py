"""The manifest of a stage: what it was made from, by which code, and what it left; one record, one reader, one writer.

It is written last and removed first, so that it stands for a finished stage and nothing else.
"""

import importlib.metadata
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from common.code import REPO
from common.errors import StageError
from common.files import write_json

MANIFEST: Final = "manifest.json"
# What a stage that is not finished was begun with: it may only be gone on with by the same.
BEGUN: Final = "begun.json"
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
_REMOVABLE: Final = ("checkpoints", "trainer", "runs", MANIFEST, BEGUN)


@dataclass(frozen=True)
class Facts:
    """What decides a stage's result.

    Attributes:
        seed: of every draw.
        config: every setting, as plain values.
        inputs: digest of each thing that it reads, by name (`common.hashing`).
        code: digest of each file that decides the result (`common.code`).
        versions: of the packages that do.
    """

    seed: int
    config: Mapping[str, Any]
    inputs: Mapping[str, str]
    code: Mapping[str, str]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Manifest(Facts):
    """A finished stage.

    Attributes:
        stage: its name.
        git_commit: of the code.
        started: local time.
        seconds: that the work took.
        result: what the work gave back.
        files: sizes in bytes of what others may read.
        accepted: changes of the code after which the result was kept on request: when, and which files.
    """

    stage: str = ""
    git_commit: str = ""
    started: str = ""
    seconds: float = 0.0
    result: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    accepted: list[Mapping[str, Any]] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write it into the stage's folder."""
        write_json(folder / MANIFEST, asdict(self), indent=2)

    @classmethod
    def find(cls, folder: Path) -> "Manifest | None":
        """The stage's manifest; None where there is no whole one."""
        record = _read(folder / MANIFEST)
        if record is None or not {key.name for key in fields(Facts)} <= record.keys():
            return None
        return cls(**{key.name: record[key.name] for key in fields(cls) if key.name in record})

    def facts(self) -> Facts:
        """What decided the result."""
        return Facts(self.seed, self.config, self.inputs, self.code, self.versions)


def read_begun(folder: Path) -> Facts | None:
    """What an unfinished stage was begun with; None where that is not known."""
    record = _read(folder / BEGUN)
    if record is None or set(record) != {key.name for key in fields(Facts)}:
        return None
    return Facts(**record)


def stage_problem(folder: Path) -> str | None:
    """Why a stage's folder cannot be used: no manifest, a file gone or of another size. None where it can."""
    manifest = Manifest.find(folder)
    if manifest is None:
        return f"{folder} is not finished, it has no whole {MANIFEST}"
    for name, size in manifest.files.items():
        file = folder / name
        if not file.is_file():
            return f"{file} is gone"
        if file.stat().st_size != size:
            return f"{file} has {file.stat().st_size} bytes, its stage wrote {size}"
    return None


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
    found = {}
    for name in VERSIONS_OF:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def git_commit() -> str:
    """Of the project's checkout; "unknown" where it is none."""
    command = ["git", "-C", str(REPO), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _read(file: Path) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
