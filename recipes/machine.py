"""What a run asks for and what this machine has: a model's size; cards, driver, memory, disk, a compiler."""

import ctypes
import importlib.metadata
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from ray._private.utils import get_num_cpus
from transformers import AutoConfig, AutoModelForCausalLM


@dataclass(frozen=True)
class Card:
    """A GPU: its name, and its memory in bytes."""

    name: str
    memory: int


@dataclass(frozen=True)
class Machine:
    """The facts; read by `read_machine`, made up in tests.

    Attributes:
        cards: GPUs that torch sees.
        driver: of NVIDIA, such as "580.65.06"; "" without one.
        cuda: that torch was built for, such as "13.0"; "" for a CPU build.
        memory: of the host, in bytes, that is free or can be made so.
        shared: size of ``/dev/shm`` in bytes.
        free: bytes that can be written where the run's folder is.
        compiler: whether a C compiler and Python's headers are there, which Triton asks for.
        versions: of installed packages, by name.
        cores: that Ray would count as slots; in a container those that it was given.
        cluster: address of the Ray cluster that GRPO joins, "" where it starts one of its own.
        library: CUDA that the driver's library takes, such as "13.0"; more than the driver's own where NVIDIA's package
            for forward compatibility is installed; "" without one.
    """

    cards: tuple[Card, ...]
    driver: str
    cuda: str
    memory: int
    shared: int
    free: int
    compiler: bool
    versions: dict[str, str]
    cores: int
    cluster: str = ""
    library: str = ""


def read_machine(folder: Path, packages: Iterable[str]) -> Machine:
    """Look at this machine.

    Args:
        folder: the run's; it need not be there yet.
        packages: whose versions are looked up; those that are absent are left out.
    """
    place = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.is_dir())
    headers = Path(sysconfig.get_paths()["include"], "Python.h")
    shared = Path("/dev/shm")
    return Machine(
        cards=read_cards(),
        driver=_driver(),
        cuda=torch.version.cuda or "",
        memory=psutil.virtual_memory().available,
        shared=shutil.disk_usage(shared).total if shared.is_dir() else 0,
        free=shutil.disk_usage(place).free,
        compiler=headers.is_file() and any(map(shutil.which, (os.environ.get("CC") or "cc", "gcc", "clang"))),
        versions=_versions(packages),
        cores=int(get_num_cpus()),
        cluster=os.environ.get("RAY_ADDRESS", ""),
        library=_library(),
    )


def read_cards() -> tuple[Card, ...]:
    """The GPUs that torch sees."""
    found = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    return tuple(Card(one.name, one.total_memory) for one in found)


def model_shape(model: str) -> tuple[Mapping[str, Any], int]:
    """A model's ``config.json``, and how many parameters it has; no weight is read.

    Raises:
        OSError: there is no such model here, and none can be had.
    """
    found = AutoConfig.from_pretrained(model, trust_remote_code=False)
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(found)
    return found.to_dict(), sum(parameter.numel() for parameter in empty.parameters())


def _driver() -> str:
    if not (program := shutil.which("nvidia-smi")):
        return ""
    command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return next(iter(done.stdout.split()), "") if done.returncode == 0 else ""


def _library() -> str:
    """CUDA as the driver's library tells it; nvidia-smi tells the kernel module's, whatever library lies over it."""
    version = ctypes.c_int(0)
    try:
        failed = ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(version))
    except OSError:
        return ""
    return "" if failed else f"{version.value // 1000}.{version.value % 1000 // 10}"


def _versions(packages: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
