"""Stages as their recipes would leave them, made by hand."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.decisions import DataDecisions
from common.hashing import Hashes, Input
from common.manifest import MANIFEST, Manifest, files_of

DECIDED = DataDecisions("sample", "coe", "你是咨询师。", False, 448, 448, "base")


def make_stage(
    root: Path,
    name: str,
    work: Callable[[Path], object],
    result: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Input] | None = None,
) -> Path:
    """A finished stage: what `work` writes into its folder, and a manifest; of data with what it decided."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    work(folder)
    told = {**(DECIDED.result() if name == "data" else {}), **(result or {})}
    hashes = Hashes(root)
    digests = {key: hashes.of(source) for key, source in (inputs or {}).items()}
    made = Manifest(name, 42, {}, digests, {}, {}, "", "", seconds=0.0, result=told, files=files_of(folder))
    made.write(folder)
    return folder


def decided_by(**changes: Any) -> dict[str, Any]:
    """The data stage's result with other decisions."""
    return {"decided": {**asdict(DECIDED), **changes}}
