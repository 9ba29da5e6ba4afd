"""The benchmark of a card: random models of known shapes, memory by process, and the tables; its run is by hand."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks import card, held_memory
from benchmarks.card import CardConfig, claim, compose
from benchmarks.card_report import report, setup
from benchmarks.held_memory import Device, HeldMemory
from benchmarks.random_model import write_random
from common.code import REPO
from common.decisions import DataDecisions
from common.errors import StageError
from recipes.planning.setup import find_card

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


def test_a_random_encoder_embeds(tmp_path: Path) -> None:
    """As the reward model's trainer loads it."""
    folder = write_random("BAAI/bge-small-zh-v1.5", tmp_path / "encoder")
    vectors = SentenceTransformer(str(folder), device="cpu").encode(["最近睡不着。", "他又没回家。"])
    assert vectors.shape == (2, 512)
    assert not np.allclose(vectors[0], vectors[1])


def test_an_unknown_shape_is_told(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"shape=Qwen/Qwen9: not in shapes.yaml or encoders.yaml"):
        write_random("Qwen/Qwen9", tmp_path / "base")


def test_memory_is_seen_by_process_while_it_is_held() -> None:
    code = "import time; held = bytearray(b'x' * 90_000_000); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with HeldMemory(on_cards=False) as held:
            pass
        process.kill()
    assert any(name.startswith("python") and size > 90_000_000 for name, size in held.most.items())
    assert held.together > 90_000_000
    assert not held.problem


def test_processes_of_one_name_count_together_on_each_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.held_memory._name", {1: "worker", 2: "worker", 3: "engine", 4: ""}.__getitem__)
    held = HeldMemory(on_cards=True)
    held.note([Device(50, {1: 10, 2: 20, 3: 5, 4: 70}), Device(60, {2: 8})])
    held.note([Device(40, {1: 15, 3: 9}), Device(20, {})])
    assert held.most == {"worker": 30, "engine": 9}
    assert held.together == 60


def test_what_nvidia_smi_tells_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cards; of four lines one is ours, one another's, one has no size, one is of a card that we do not see."""
    with subprocess.Popen(
        [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"], stdout=-1
    ) as own:
        assert own.stdout is not None
        own.stdout.readline()
        program = tmp_path / "nvidia-smi"
        program.write_text(
            f"""#!/bin/sh
echo "$@" >> {tmp_path}/asked
case "$*" in
*query-gpu*) echo "GPU-a, 9000"; echo "GPU-b, 300" ;;
*) echo "GPU-a, {own.pid}, 700"; echo "GPU-a, 1, 8000"; echo "GPU-b, {own.pid}, [N/A]"; echo "GPU-c, {own.pid}, 5" ;;
esac
"""
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
        with HeldMemory(on_cards=True) as held:
            pass
        own.kill()
    assert list(held.most.values()) == [700 * 2**20]
    assert held.together == 9000 * 2**20
    assert all(line.startswith("-i 2,3 ") for line in (tmp_path / "asked").read_text().splitlines())


def test_without_nvidia_smi_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="nvidia-smi"), HeldMemory(on_cards=True):
        pass


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["ray::WorkerDict.actor_update_actor"], "ray::WorkerDict"),
        (["ray::vllm_server_0_0:vLLMHttpServer.generate"], "ray::vLLMHttpServer"),
        (["VLLM::EngineCore"], "VLLM::EngineCore"),
        (["/usr/bin/python3", "-m", "recipes.grpo_train", "config.yaml"], "recipes.grpo_train"),
        (["/ray/raylet/raylet", "--port=1"], "raylet"),
    ],
)
def test_a_process_has_a_name_that_stays(command: list[str], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.Process.cmdline", lambda process: command)
    assert held_memory._name(os.getpid()) == name


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
    decided = DataDecisions("", "plain", "", False, 1024, 1024, "base")
    monkeypatch.setattr(card, "read_decisions", lambda out: decided)
    options = CardConfig("Qwen/Qwen3-0.6B", str(tmp_path))
    config = compose(options, tmp_path, ["data.train_batch_size=16", "actor_rollout_ref.actor.ppo_mini_batch_size=16"])
    assert config.trainer.save_freq == config.trainer.test_freq == -1
    assert config.data.train_batch_size == 16
    assert config.actor_rollout_ref.rollout.ignore_eos
    held = HeldMemory(on_cards=True, most={"ray::WorkerDict": 8 * 2**30}, together=20 * 2**30)
    # The first step warms up and counts in no time.
    steps = [figures(500.0), figures(45.0), figures(47.0)]
    planned = setup(options.shape, options.profile, config, find_card("rtx4090"), steps)
    told = report("0.6B", steps, held, planned)
    lines = [[cell.strip() for cell in line.split("|")][1:-1] for line in told.splitlines()]
    rows = {cells[0]: cells[1:] for cells in lines if cells}
    assert rows["rollout"][0] == "30.0"
    assert float(rows["rollout"][1]) > 0
    assert rows["update and moving weights"][0] == "9.0"
    assert rows["a step"][0] == "46.0"
    assert rows["all else"][0] == "3.0"
    assert rows["ray::WorkerDict"] == ["8.0", ""]
    assert rows["fullest moment of the card"] == ["20.0", ""]
    assert float(rows["plan: update"][1]) > 0
    # Without a plan, and without processes.
    alone = report("0.6B", steps, HeldMemory(on_cards=True, problem="no answer"), None)
    assert "plan:" not in alone
    assert "no answer" in alone
    assert "--pid=host" in alone


def test_another_run_s_folder_is_left(tmp_path: Path) -> None:
    (tmp_path / "grpo").mkdir()
    with pytest.raises(StageError, match=r"no run of benchmarks\.card"):
        claim(CardConfig(TINY, str(tmp_path)), tmp_path)
    own = tmp_path / "own"
    claim(CardConfig(TINY, str(own)), own)
    claim(CardConfig(TINY, str(own), card="rtx4090"), own)
    with pytest.raises(StageError, match=r"Name another folder"):
        claim(CardConfig("Qwen/Qwen3-0.6B", str(own)), own)


def test_an_encoder_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"shape=BAAI/bge-m3: not in shapes.yaml"):
        CardConfig("BAAI/bge-m3", str(tmp_path))
