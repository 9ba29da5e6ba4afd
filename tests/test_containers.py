"""What the container files and the Slurm file name exists; nothing is built."""

import fnmatch
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.code import REPO

FILES = sorted((REPO / "containers").glob("*.Dockerfile"))
MAKEFILE = (REPO / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.M))
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))

containers = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def instructions(file: Path) -> Iterator[tuple[str, str]]:
    """Each instruction's name and value, continued lines joined, comments left out."""
    lines = (line for line in file.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#"))
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, value = line.partition(" ")
            yield name, value.strip()


def comments(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join(line.lstrip("# ") for line in lines if line.startswith("#")).replace("\\\n", " ")


def arguments(file: Path) -> dict[str, list[str]]:
    """The values of each build argument: its default, and those that the head's commands give it."""
    given = re.findall(r"--build-arg (\w+)=(\S+)", comments(file))
    given += [
        (name, value) for kind, text in instructions(file) if kind == "ARG" for name, _, value in [text.partition("=")]
    ]
    return {name: [value for other, value in given if other == name and value] for name, _ in given}


def commands(file: Path) -> Iterator[list[str]]:
    """What is run: while the image is built, in its containers, and by the commands of its head."""
    for kind, value in instructions(file):
        if kind == "RUN":
            yield from (shlex.split(part) for part in re.sub(r"^(--\S+ +)*", "", value).split("&&"))
        elif kind == "CMD":
            yield json.loads(value)
    for line in comments(file).splitlines():
        if found := re.search(r"^docker run .*?(make .*)", line):
            yield shlex.split(found[1])


def targets(words: list[str]) -> set[str]:
    return {word for word in words[1:] if "=" not in word}


def test_there_is_one_for_a_cpu_and_one_for_cuda() -> None:
    assert [file.name for file in FILES] == ["cpu.Dockerfile", "cuda.Dockerfile"]


@containers
def test_what_is_copied_exists(file: Path) -> None:
    copies = [value.split() for kind, value in instructions(file) if kind in ("COPY", "ADD")]
    sources = [word for words in copies for word in words[:-1] if not word.startswith("--")]
    assert sources
    assert [source for source in sources if not (REPO / source).exists()] == []


@containers
def test_make_knows_the_targets(file: Path) -> None:
    values = arguments(file)
    asked = {target for words in commands(file) if words[0] == "make" for target in targets(words)}
    named = {value for target in asked for value in values.get(target.strip("${}"), [target])}
    assert named
    assert named - TARGETS == set()


@containers
def test_python_is_the_locks(file: Path) -> None:
    version = PROJECT["tool"]["mypy"]["python_version"]
    assert set(re.findall(r"--python-version (\S+)", MAKEFILE)) == {version}
    text = "\n".join(value for _, value in instructions(file))
    found = set(re.findall(r"\bpython:?(3\.\d+)", text))
    assert found == {version}


@containers
def test_it_says_what_it_is(file: Path) -> None:
    assert "Not built, 2026-11-29" in comments(file)
    # Wheels come from wherever the user's pip takes them.
    assert "://" not in file.read_text(encoding="utf-8")
    kinds = dict(instructions(file))
    assert kinds["USER"] not in ("0", "root")
    assert json.loads(kinds["VOLUME"]) == ["/app/outputs", "/home/empathy/.cache"]


def test_the_image_has_all_but_pictures() -> None:
    lines = (REPO / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.removeprefix("**/") for line in lines if line and not line.startswith("#")]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        above = [name, *map(str, Path(name).parents)]
        kept = not any(fnmatch.fnmatch(path, pattern) for path in above for pattern in patterns)
        assert kept or name.startswith("docs/pictures/"), name


def test_the_slurm_file_is_bash_and_runs_a_target() -> None:
    file = REPO / "slurm" / "grpo.sbatch"
    subprocess.run(["bash", "-n", str(file)], check=True)
    text = file.read_text(encoding="utf-8")
    assert set(re.findall(r"^make ([a-z-]+)", text, re.M)) == {"grpo"} <= TARGETS
    # Slurm stops reading its options at the first command.
    assert text.index("#SBATCH") < text.rindex("#SBATCH") < text.index("\nset -euo pipefail")
