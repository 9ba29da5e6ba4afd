"""Whether a run would start, and fit, before it is started: a line a check, each with what to do.

Pure functions of the composed configuration and the `Machine`; `recipes.preflight` reads these and prints the lines.
GRPO's own checks are in `recipes.grpo_preflight`: what it reaches must not redo an SFT.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

from omegaconf import DictConfig

from common.code import REPO
from common.errors import StageError
from recipes.machine import Machine

Level = Literal["ok", "warning", "stop"]
GB: Final = 10**9
# Bytes a parameter in float32: of the weights; of a checkpoint with them, Adam's two moments and the Hugging Face copy.
WEIGHTS: Final = 4
CHECKPOINT: Final = WEIGHTS + 8 + WEIGHTS
# The oldest driver for each CUDA, https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/ (table 3).
_DRIVERS: Final = {13: 580, 12: 525}
_LEAST_SHARED: Final = 8 * GB


class Line(NamedTuple):
    """A check's outcome: how bad it is, what was found, and what to do ("" for ok)."""

    level: Level
    found: str
    remedy: str = ""


def line(bad: bool, found: str, remedy: str, level: Level = "stop") -> Line:
    """`level` where the check fails, else ok."""
    return Line(level, found, remedy) if bad else Line("ok", found)


def card_lines(machine: Machine) -> Iterator[Line]:
    """What cards ask of the machine around them."""
    major = int(machine.cuda.partition(".")[0] or 0)
    if wanted := _DRIVERS.get(major):
        have = int(re.match(r"\d*", machine.driver)[0] or 0) if machine.driver else 0  # type: ignore[index]
        taken = int(machine.library.partition(".")[0] or 0) >= major and have > 0
        yield line(
            have < wanted and not taken,
            f"driver: {machine.driver or 'none found'}, CUDA {machine.cuda} wants {wanted} or newer"
            + (f"; its library here takes CUDA {machine.library}" if taken and have < wanted else ""),
            f"install a driver of {wanted} or newer; on data-centre cards NVIDIA's package cuda-compat-{major}-* does"
            + ("; or `make install-gpu-cu12`, for CUDA 12" if major > 12 else ""),
        )
    yield line(
        not machine.compiler,
        "compiler for Triton: " + ("found" if machine.compiler else "none, or no Python.h"),
        "apt-get install gcc python3-dev",
    )
    yield line(
        machine.shared < _LEAST_SHARED,
        f"/dev/shm: {machine.shared / GB:.1f} GB, Ray and NCCL pass data through it",
        "in a container: docker run --shm-size=64g, or --ipc=host",
        "warning",
    )


def sft_lines(config: DictConfig, gpus: int, parameters: int, machine: Machine) -> Iterator[Line]:
    """The checks of SFT.

    Args:
        config: LLaMA-Factory's.
        gpus: that it trains on.
        parameters: of the model.
        machine: to run on.
    """
    if gpus:
        yield from card_lines(machine)
    if config.save_strategy != "no":
        kept = config.get("save_total_limit")
        yield disk_line(parameters * CHECKPOINT, kept + 1 if kept else None, machine, "save_total_limit=1")


def disk_line(each: int, kept: int | None, machine: Machine, remedy: str, best: int = 0) -> Line:
    """Room for checkpoints.

    Args:
        each: bytes of one.
        kept: how many there are at once, the one that is being written too; None for all.
        machine: where they are written.
        remedy: that makes them fewer.
        best: bytes of a model that is kept beside them.
    """
    told = f"disk: {each / GB:.1f} GB a checkpoint, {machine.free / GB:.0f} GB free"
    if kept is None:
        return Line("warning", f"{told}, and all are kept", remedy)
    beside = f" and {best / GB:.1f} GB for the best model" if best else ""
    return line(each * kept + best > machine.free, f"{told}, {kept} at once{beside}", f"make room, or {remedy}")


def lock_of(device: str, machine: Machine) -> Path:
    """The lock that an environment was installed from.

    Args:
        device: of verl's trainer.
        machine: whose torch names the CUDA that it was built for.
    """
    name = "cpu" if device == "cpu" else "gpu-cu12" if machine.cuda.startswith("12.") else "gpu"
    return REPO / "locks" / f"{name}.txt"


def version_lines(machine: Machine, lock: Path) -> Iterator[Line]:
    """Installed packages beside the lock that they should come from."""
    text = lock.read_text(encoding="utf-8")
    for name, have in machine.versions.items():
        found = re.search(rf"(?mi)^{re.escape(name)}(?:\[[^\]]*\])?==(\S+)", text)
        locked = found[1] if found else ""
        if locked and have.partition("+")[0] != locked:
            install = "make install" if lock.stem == "cpu" else f"make install-{lock.stem}"
            yield Line("warning", f"{name} {have}, locked is {locked}", install)
    yield Line("ok", f"versions beside {lock.relative_to(REPO)}: {len(machine.versions)} looked at")


def length_line(what: str, lengths: list[int], limit: int) -> Line:
    """Tokens of prompts or responses beside their limit.

    Args:
        what: is counted.
        lengths: in tokens, not empty.
        limit: what is longer is left out or cut.
    """
    ordered = sorted(lengths)
    half, most = (ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
    over = sum(length > limit for length in ordered) / len(ordered)
    return line(
        over > 0,
        f"{what}: {half} tokens in the middle, {most} at 99 %, {limit} at most, {over:.1%} over it",
        "raise the limit and run `make data` again",
        "warning",
    )


def stop_at(lines: Iterable[Line], stage: str) -> None:
    """Print the warnings, and end a stage that would not come through.

    Raises:
        StageError: every check that says stop, with what to do.
    """
    stops = []
    for one in lines:
        if one.level == "warning":
            print(f"{stage}: warning: {one.found}. {one.remedy}", flush=True)
        elif one.level == "stop":
            stops.append(f"\n  - {one.found}. {one.remedy}")
    if stops:
        raise StageError(f"{stage} would not come through (`make preflight` looks at everything):{''.join(stops)}")
