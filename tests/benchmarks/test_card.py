"""The benchmark of a card: random models of known shapes, memory by process, and the tables; its run is by hand."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks import card
from benchmarks.card import CardConfig, compose, planned, report
from benchmarks.held_memory import HeldMemory
from benchmarks.random_model import write_random
from common.code import REPO
from common.decisions import DataDecisions
from common.errors import StageError

TINY = str(REPO / "recipes" / "tiny_base" / "model")


def test_a_random_model_has_the_shape_and_other_weights(tmp_path: Path) -> None:
    folder = write_random(TINY, tmp_path / "base")
    made, own = (AutoModelForCausalLM.from_pretrained(each) for each in (folder, TINY))
    assert [each.shape for each in made.parameters()] == [each.shape for each in own.parameters()]
    assert not any(bool((a == b).all()) for a, b in zip(made.parameters(), own.parameters(), strict=True) if a.ndim > 1)
    assert AutoTokenizer.from_pretrained(folder).chat_template
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert write_random(TINY, folder) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written


def test_an_unknown_shape_is_told(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"shape=Qwen/Qwen9: not in shapes.yaml or encoders.yaml"):
        write_random("Qwen/Qwen9", tmp_path / "base")


def test_memory_is_seen_by_process_while_it_is_held() -> None:
    code = "import time; held = bytearray(b'x' * 90_000_000); print(1, flush=True); time.sleep(60)"
    with HeldMemory(on_cards=False) as held, subprocess.Popen([sys.executable, "-c", code], stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        end = time.monotonic() + 30
        while not held.together and time.monotonic() < end:
            time.sleep(0.1)
        process.kill()
    (name,) = [name for name, size in held.most.items() if size > 90_000_000]
    assert name.startswith("python")
    assert held.together > 90_000_000


def test_processes_of_one_name_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.held_memory._name", {1: "worker", 2: "worker", 3: "engine"}.__getitem__)
    held = HeldMemory(on_cards=True)
    held.note({1: 10, 2: 20, 3: 5}, together=50)
    held.note({1: 15, 3: 9}, together=40)
    assert held.most == {"worker": 30, "engine": 9}
    assert held.together == 50


def figures(step: float) -> dict[str, Any]:
    """A step's record."""
    timings = {"gen": 30.0, "old_log_prob": 2.0, "ref": 2.0, "update_actor": 8.0, "update_weights": 1.0, "step": step}
    return {
        **{f"timing_s/{name}": value for name, value in timings.items()},
        **{"perf/total_num_tokens": 50_000, "response_length/mean": 1024.0, "response_length/max": 1024.0},
        **{"prompt_length/mean": 300.0, "actor/perf/max_memory_allocated_gb": 9.5},
        "actor/perf/max_memory_reserved_gb": 11.0,
    }


def test_the_tables_have_the_plan_beside_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decided = DataDecisions("", "coe", "", False, 1024, 1024, "base")
    monkeypatch.setattr(card, "read_decisions", lambda out: decided)
    options = CardConfig("Qwen/Qwen3-0.6B", str(tmp_path), card="rtx4090")
    config = compose(options, tmp_path, ["data.train_batch_size=16", "actor_rollout_ref.actor.ppo_mini_batch_size=16"])
    assert config.trainer.save_freq == config.trainer.test_freq == -1
    assert config.data.train_batch_size == 16
    held = HeldMemory(on_cards=True, most={"ray::WorkerDict": 8 * 2**30}, together=20 * 2**30)
    # The first step warms up and counts in no time.
    steps = [figures(500.0), figures(45.0), figures(47.0)]
    told = report(options, steps, held, planned(options, config, steps))
    rows = {
        cells[0]: cells[1:] for line in told.splitlines() if (cells := [each.strip() for each in line.split("|")][1:-1])
    }
    assert rows["rollout"][0] == "30.0"
    assert float(rows["rollout"][1]) > 0
    assert rows["a step"][0] == "46.0"
    assert rows["all else"][0] == "3.0"
    assert rows["ray::WorkerDict"] == ["8.0", ""]
    assert rows["fullest moment of the card"] == ["20.0", ""]
    assert float(rows["plan: update"][1]) > 0
    # Without a card there is nothing to put beside it.
    alone = CardConfig("Qwen/Qwen3-0.6B", str(tmp_path))
    assert "plan:" not in report(alone, steps, held, planned(alone, config, steps))
