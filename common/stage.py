"""Runs a stage in its folder ``outputs/<profile>/<stage>/``, unless its manifest says that nothing has changed.

What decides a result: the settings, the bytes of what the stage reads, the code that it reaches, the versions of a few
packages. Where only code or versions differ and a run costs hours, nothing is thrown away: the stage stops and says
what differs, and the user runs it again (``force=true``) or keeps the result (``accept=true``).
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from common.code import code_identity, strings
from common.errors import StageError
from common.hashing import Hashes, Input
from common.manifest import Manifest, files_of, git_commit, versions

Work = Callable[[Path, bool], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Plan:
    """What a stage will do with the settings at hand.

    Attributes:
        config: every setting that decides the result, as plain values.
        inputs: what is read, by name.
        observers: names of inputs that only measure the work and decide nothing of its result: another file there makes
            no finished run stale.
        work: the stage itself; what it gives back becomes ``result`` of the manifest.
        shows: names of files in the folder that the user is pointed to.
        unfinished: why a finished result, though nothing has changed, is not yet what the settings ask for; the work is
            then called to go on. "" where it is.
        reached: gives the step of the checkpoint that a begun work goes on from; None of a stage that has none.
        check: finds out, before the folder's last result is touched, whether the work can be done; raises StageError.
    """

    config: Mapping[str, Any]
    inputs: Mapping[str, Input]
    work: Work
    shows: tuple[str, ...] = ()
    observers: tuple[str, ...] = ()
    unfinished: str = ""
    reached: Callable[[Path], int | None] = lambda folder: None
    check: Callable[[Path], None] = lambda folder: None


def run_stage(
    name: str,
    root: Path,
    seed: int,
    entry: Path,
    plan: Plan,
    *,
    costly: bool = False,
    force: bool = False,
    accept: bool = False,
    command: str = "",
) -> Path:
    """Do the work in the stage's folder unless that has been done.

    Args:
        name: the stage, as the make target and the folder are called.
        root: the folder that holds a folder a stage.
        seed: of every draw.
        entry: the file whose code the stage runs.
        plan: what is done.
        costly: a run takes hours, so a change of code alone stops.
        force: do it again in any case, from the start.
        accept: keep the result although the code has changed.
        command: that runs the stage, for messages; "" for its plain make target.

    Returns:
        the stage's folder.

    Raises:
        StageError: only the code has changed and a run is costly; the message names the files and both commands.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    folder = root / name
    hashes = Hashes(root)
    now = Manifest(
        stage=name,
        seed=seed,
        config=json.loads(json.dumps(plan.config, default=str)),
        inputs={key: hashes.of(source) for key, source in plan.inputs.items()},
        code=code_identity(entry, strings(plan.config)),
        versions=versions(),
        git_commit=git_commit(),
        started=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    )
    before = Manifest.find(folder)
    resume = False
    if before and not force:
        changed, problem = _changed(before, now, plan.observers), before.problem(folder) or plan.unfinished
        if not problem and changed == "":
            print(f"{name}: nothing has changed since {folder} was made (force=true makes it again).", flush=True)
            return folder
        if changed == "code" and costly and not accept:
            raise _code_alone(name, folder, before, now, command or f"make {name}")
        if not problem and changed == "code" and accept:
            return _accepted(before, now, folder)
        resume = changed == "" or (changed == "code" and accept)
        print(f"{name}: {problem or _told(before, now) + ' changed'}, making {folder} again.", flush=True)
    plan.check(folder)
    start = {"when": now.started, "commit": now.git_commit, "from_step": plan.reached(folder) if resume else 0}
    now = replace(now, starts=[*(before.starts if before and resume else []), start])
    now.write(folder)
    print(f"{name}: working in {folder}{', going on where it was left' if resume else ''}", flush=True)
    began = time.monotonic()
    result = dict(plan.work(folder, resume) or {})
    # What only had to be completed took its time before.
    earlier = before.seconds or 0.0 if before and resume else 0.0
    seconds = round(earlier + time.monotonic() - began, 1)
    replace(now, seconds=seconds, result=result, files=files_of(folder)).write(folder)
    print(f"{name}: done in {seconds} s.", flush=True)
    return folder


def is_current(made: Manifest, inputs: Mapping[str, Input], root: Path) -> bool:
    """Whether a finished stage has read what now lies there."""
    hashes = Hashes(root)
    return {key: hashes.of(source) for key, source in inputs.items()} == dict(made.inputs)


def _changed(before: Manifest, now: Manifest, observers: tuple[str, ...]) -> str:
    """What differs: "all" for settings or inputs, "code" for code or versions alone, "" for nothing."""
    read, reads = ({key: one.inputs[key] for key in one.inputs if key not in observers} for one in (before, now))
    if (before.seed, before.config, read) != (now.seed, now.config, reads):
        return "all"
    return "code" if (before.code, before.versions) != (now.code, now.versions) else ""


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))


def _told(before: Manifest, now: Manifest) -> str:
    parts = {
        "seed": ["seed"] if before.seed != now.seed else [],
        "settings": _differing(before.config, now.config),
        "inputs": _differing(before.inputs, now.inputs),
        "code": _differing(before.code, now.code),
        "versions": _differing(before.versions, now.versions),
    }
    return ", ".join(f"{what} ({_some(names)})" for what, names in parts.items() if names)


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _code_alone(name: str, folder: Path, before: Manifest, now: Manifest, command: str) -> StageError:
    differing = [*_differing(before.code, now.code), *_differing(before.versions, now.versions)]
    return StageError(
        f"{name}: only code has changed since {folder} was begun: {_some(differing)}. A run costs much, so choose:\n"
        f"  {command} ARGS=force=true     runs it again\n"
        f"  {command} ARGS=accept=true    keeps the result"
    )


def _accepted(before: Manifest, now: Manifest, folder: Path) -> Path:
    differing = [*_differing(before.code, now.code), *_differing(before.versions, now.versions)]
    note = {"when": now.started, "changed": differing, "commit": now.git_commit}
    replace(before, code=now.code, versions=now.versions, accepted=[*before.accepted, note]).write(folder)
    print(f"{before.stage}: {folder} is kept although {_some(differing)} changed.", flush=True)
    return folder
