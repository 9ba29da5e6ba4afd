"""Two of vLLM's engines on a CPU write the bytes that one writes, also when one of them is killed on the way."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from common.code import REPO
from common.records.replies import unfinished_replies

pytestmark = pytest.mark.slow

BASE = REPO / "recipes" / "tiny_base" / "model"
# Blocks of which both engines have some; an OpenMP thread each, since two engines' threads would wait for one another.
ASKED = (
    "models=[plain]",
    f"entries.plain.model={BASE}",
    "entries.plain.template_kwargs.enable_thinking=false",
    "samples=3",
    "max_tokens=60",
    "block=2",
    "env.OMP_NUM_THREADS=1",
)
QUESTIONS = 12


def command(root: Path, name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"recipes.{name}", "profile=tiny", f"out={root}", *arguments]


def recipe(root: Path, name: str, *arguments: str) -> str:
    done = subprocess.run(command(root, name, *arguments), cwd=REPO, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def replicas_of(process: psutil.Process) -> list[psutil.Process]:
    """The engines' processes under the stage's."""
    return [one for one in process.children(recursive=True) if "spawn_main" in " ".join(one.cmdline())]


def test_two_engines_write_what_one_writes(tmp_path: Path) -> None:
    recipe(tmp_path, "data", f"test_size={QUESTIONS}")
    recipe(tmp_path, "generate", *ASKED)
    replies = tmp_path / "generate" / "plain.replies.jsonl"
    alone = replies.read_bytes()
    found = unfinished_replies(replies)
    assert len(found) == 3 * QUESTIONS
    # Sampled, not greedy: a question's replies differ.
    assert len({reply.text for reply in found}) > 2 * QUESTIONS
    assert "nothing has changed" in recipe(tmp_path, "generate", *ASKED, "replicas=2")

    replies.unlink()
    stage = subprocess.Popen(
        command(tmp_path, "generate", *ASKED, "replicas=2", "force=true"),
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    process, deadline = psutil.Process(stage.pid), time.monotonic() + 300
    while not (replies.is_file() and unfinished_replies(replies)):
        assert stage.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    engines = replicas_of(process)
    assert len(engines) == 2
    engines[0].kill()
    told, _ = stage.communicate(timeout=120)
    assert stage.returncode == 1
    assert "of 2 ended with exit status -9 before its work was done" in told
    assert "the same command goes on with the others" in told
    assert not any(one.is_running() for one in engines)
    kept = unfinished_replies(replies)
    assert 0 < len(kept) < 3 * QUESTIONS

    recipe(tmp_path, "generate", *ASKED, "replicas=2")
    assert replies.read_bytes() == alone
