"""What every stage shares: its profile, its folder ``outputs/<profile>/<stage>/`` and its manifest.

A stage whose inputs, configuration and package versions are those of its manifest says so and does nothing. The
manifest is written last and removed first, so that it stands for a finished stage and nothing else.
"""

import hashlib
import importlib.metadata
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from eval.files import write_text

REPO = Path(__file__).resolve().parents[1]
PROFILES = Path(__file__).parent / "profiles"
MANIFEST = "manifest.json"
# What decides a result besides inputs and configuration; recorded, and a change of version redoes the stage.
VERSIONS_OF = ("torch", "transformers", "verl", "vllm", "llamafactory", "sentence-transformers", "accelerate", "ray")

T = TypeVar("T")


class StageError(RuntimeError):
    """A stage cannot run or did not end well; the message says what is missing or wrong and what to do."""


@dataclass(frozen=True)
class Common:
    """The keys that every stage takes, beside those of its own section of the profile.

    Attributes:
        profile: a file of ``recipes/profiles``.
        out: the folder that holds one sub-folder a stage.
        model: the base model, a Hugging Face id or a folder.
        corpus: "sample" for the corpus shipped with the project, else a path.
        seed: one seed for every stage.
        force: do the stage again although nothing has changed.
    """

    profile: str
    out: str
    model: str
    corpus: str = "sample"
    seed: int = 42
    force: bool = False

    @property
    def root(self) -> Path:
        return Path(self.out)


# How an argument for every stage begins; SFT's and GRPO's other keys are their framework's own.
COMMON_PREFIXES = tuple(f"{field.name}=" for field in fields(Common))


def load_profile(arguments: Sequence[str], section: str | None, schema: type[T]) -> tuple[Common, T]:
    """Compose ``recipes/profiles/<profile>.yaml`` with ``key=value`` arguments.

    Keys of `Common` are written as they are, keys of the stage's own section without the section's name.

    Returns:
        the common keys and the section, built and checked by the dataclass `schema`.

    Raises:
        StageError: unknown profile, key or value; the message names it.
    """
    check_pairs(arguments)
    try:
        overrides = OmegaConf.from_dotlist(list(arguments))
    except yaml.YAMLError as error:
        raise StageError(f"ARGS: {' '.join(arguments)!r} holds a value that is no YAML: {error}") from error
    name = overrides.pop("profile", None)
    known = sorted(path.stem for path in PROFILES.glob("*.yaml"))
    if name not in known:
        raise StageError(f"profile={name}: no such profile. Known: {', '.join(known)}. Write e.g. profile=tiny.")
    values = OmegaConf.load(PROFILES / f"{name}.yaml")
    assert isinstance(values, DictConfig)
    common_keys = {field.name for field in fields(Common)}
    own = OmegaConf.create({})
    for key, value in overrides.items():
        if key in common_keys:
            values[str(key)] = value
        else:
            own[str(key)] = value
    values["profile"] = name
    where = f"profile {name}, stage {section or 'common'}"
    # Resolved here: a section may point at a common key, such as ${out}.
    resolved: Any = OmegaConf.to_container(values, resolve=True)
    common = build(Common, {key: resolved[key] for key in common_keys if key in resolved}, where)
    stage_values = OmegaConf.merge(resolved.get(section, {}) if section else {}, own)
    return common, build(schema, stage_values, where)


def build(schema: type[T], values: Any, where: str) -> T:
    """A checked instance of the dataclass `schema`.

    Raises:
        StageError: unknown key, wrong type or a value that the dataclass itself refuses.
    """
    node = OmegaConf.structured(schema)
    OmegaConf.set_readonly(node, False)
    try:
        return OmegaConf.to_object(OmegaConf.merge(node, values))  # type: ignore[return-value]
    except (OmegaConfBaseException, ValueError) as error:
        keys = ", ".join(field.name for field in fields(schema))  # type: ignore[arg-type]
        key = getattr(error, "full_key", None)
        named = f"{key}: " if key else ""
        raise StageError(f"{where}: {named}{str(error).splitlines()[0].rstrip('.')}. Known keys: {keys}.") from error


def require(path: Path, made_by: str) -> Path:
    """`path` if it exists.

    Raises:
        StageError: it does not; the message names the make target that makes it.
    """
    if not path.exists():
        raise StageError(f"{path} is missing. Run `make {made_by}` first.")
    return path


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


def stage_problem(folder: Path) -> str | None:
    """Why a stage's folder cannot be used: no manifest, a file gone or of another size. None where it can."""
    record = _read_manifest(folder)
    if record is None:
        return f"{folder} is not finished, it has no whole {MANIFEST}"
    for name, size in record.get("files", {}).items():
        file = folder / name
        if not file.is_file():
            return f"{file} is gone"
        if file.stat().st_size != size:
            return f"{file} has {file.stat().st_size} bytes, its stage wrote {size}"
    return None


def check_pairs(arguments: Sequence[str]) -> None:
    """Every argument has to be ``key=value``.

    Raises:
        StageError: one is not; the message names it.
    """
    for argument in arguments:
        if "=" not in argument:
            raise StageError(f'ARGS: {argument!r} is not key=value. Write e.g. ARGS="{argument}=1".')


def check_types(before: Any, after: Any, arguments: Sequence[str]) -> None:
    """Where a key held a number or a truth value, an override has to be one too.

    Args:
        before: the configuration without the overrides; `after`: with them.

    Raises:
        StageError: one is not; the message names the key.
    """
    for argument in arguments:
        key = argument.partition("=")[0].lstrip("+~")
        old, new = OmegaConf.select(before, key), OmegaConf.select(after, key)
        expected = "true or false" if isinstance(old, bool) else "a number" if isinstance(old, int | float) else ""
        is_bool = isinstance(new, bool)
        fits = is_bool if isinstance(old, bool) else isinstance(new, int | float) and not is_bool
        if expected and new is not None and not fits:
            raise StageError(f"{key}={new}: found {new!r}, expected {expected} (it is {old} without ARGS).")


def fingerprint(path: Path) -> str:
    """What identifies an input: a finished stage's id, a file's sha256, or a folder's names, sizes and times."""
    if record := _read_manifest(path):
        return str(record["id"])
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if path.is_dir():
        # Weights of many gigabytes are not read again and again.
        stats = ((entry.relative_to(path), entry.stat()) for entry in sorted(path.rglob("*")) if entry.is_file())
        listing = "".join(f"{name}\t{stat.st_size}\t{stat.st_mtime_ns}\n" for name, stat in stats)
        return hashlib.sha256(listing.encode()).hexdigest()
    return str(path)


def run_stage(
    name: str,
    common: Common,
    config: Mapping[str, Any],
    inputs: Mapping[str, Path],
    work: Callable[[Path], Mapping[str, Any] | None],
) -> Path:
    """Run `work` in the stage's folder unless its manifest says that nothing has changed.

    Args:
        name: the stage, as the make target and the folder are called.
        config: everything that decides the result, as plain values.
        inputs: what the stage reads, by name.
        work: does the stage in the folder it is given; what it returns goes into the manifest as ``result``.

    Returns:
        the stage's folder.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    folder = common.root / name
    facts = {
        "stage": name,
        "seed": common.seed,
        "config": dict(config),
        "inputs": {key: fingerprint(path) for key, path in inputs.items()},
        "versions": _versions(),
    }
    identity = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]
    manifest = folder / MANIFEST
    if manifest.is_file() and not common.force:
        problem = stage_problem(folder)
        if problem is None and (_read_manifest(folder) or {}).get("id") == identity:
            print(f"{name}: nothing has changed since {folder} was made (force=true makes it again).", flush=True)
            return folder
        print(f"{name}: {problem or 'inputs or settings have changed'}, making {folder} again.", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    manifest.unlink(missing_ok=True)
    print(f"{name}: working in {folder}", flush=True)
    started = time.time()
    result = work(folder)
    record = {
        "id": identity,
        **facts,
        "git_commit": _git_commit(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(started)),
        "seconds": round(time.time() - started, 1),
        "result": dict(result or {}),
        "files": _files(folder),
    }
    write_text(manifest, json.dumps(record, ensure_ascii=False, indent=2, default=str) + "\n")
    print(f"{name}: done in {record['seconds']} s.", flush=True)
    return folder


def main(stage: Callable[[list[str]], None]) -> None:
    """Run a stage from the command line; what a user can mend is told in a line, without a traceback."""
    try:
        stage(sys.argv[1:])
    except StageError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on or begins again.", file=sys.stderr)
        sys.exit(130)


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    file = folder / MANIFEST
    if not file.is_file():
        return None
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return record if isinstance(record, dict) and "id" in record else None


def _files(folder: Path) -> dict[str, int]:
    """What a finished stage leaves to others, with sizes. Logs and checkpoints may be removed for their room."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".log")
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in files
        if path.relative_to(folder).parts[0] not in ("checkpoints", "trainer", MANIFEST)
    }


def _versions() -> dict[str, str]:
    versions = {}
    for name in VERSIONS_OF:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions


def _git_commit() -> str:
    command = ["git", "-C", str(REPO), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"
