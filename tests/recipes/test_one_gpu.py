"""The profile for one card says only what differs, and Ray lets the reward model onto the trainer's card."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from common.code import REPO
from common.decisions import DataDecisions
from recipes.grpo_config import compose_config
from recipes.grpo_machine import cpu_slots_needed, gpus_needed
from recipes.plan import plan

DECIDED = DataDecisions("sample", "coe", "系统", False, 1024, 1024, "base")
SEEN = """
import os, ray
ray.init(num_gpus=1, num_cpus=2, include_dashboard=False)
seen = ray.remote(num_gpus=0, num_cpus=1)(lambda: os.environ.get("CUDA_VISIBLE_DEVICES"))
print("SEEN", ray.get(seen.remote()))
"""


def test_it_has_at_most_60_lines() -> None:
    names = ("profiles/one_gpu.yaml", "llamafactory_configs/sft_one_gpu.yaml", "verl_configs/grpo_one_gpu.yaml")
    lines = [line.strip() for name in names for line in (REPO / name).read_text(encoding="utf-8").splitlines()]
    assert 30 < len([line for line in lines if line and not line.startswith("#")]) <= 60


def test_one_card_holds_everything(tmp_path: Path) -> None:
    config = compose_config("one_gpu", tmp_path, 42, DECIDED, [])
    assert gpus_needed(config) == 1
    assert cpu_slots_needed(config) <= config.ray_kwargs.ray_init.num_cpus
    assert config.recipe.reward_worker.device == "cuda"
    lora = compose_config("one_gpu", tmp_path, 42, DECIDED, ["actor_rollout_ref.model.lora_rank=32"])
    assert lora.actor_rollout_ref.model.lora.merge


def test_an_actor_that_asks_for_no_card_still_sees_it() -> None:
    """Older versions of Ray hid all cards from it; the reward model would then find none."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "0"}
    done = subprocess.run([sys.executable, "-c", SEEN], env=environment, capture_output=True, text=True, timeout=120)
    assert "SEEN 0" in done.stdout, done.stdout + done.stderr[-2000:]


def commands(stage: str) -> list[tuple[str, list[str]]]:
    """Model and overrides of each command for one card in the guide."""
    text = (REPO / "docs" / "grpo.md").read_text(encoding="utf-8")
    found = re.findall(rf'^make {stage} PROFILE=one_gpu MODEL=(\S+) ARGS="([^"]*)"', text, re.MULTILINE)
    return [(model, overrides.split()) for model, overrides in found]


@pytest.mark.parametrize(("model", "overrides"), commands("grpo"))
def test_each_model_of_the_guide_fits_by_the_plan(
    model: str, overrides: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(["profile=one_gpu", f"model={model}", f"out={tmp_path}", "card=rtx4090", *overrides])
    told = capsys.readouterr().out
    assert re.search(r"fullest: .* of 23.6 GiB: fits", told), told
    # Without adapters none of them does.
    plan(["profile=one_gpu", f"model={model}", f"out={tmp_path}", "card=rtx4090"])
    assert "DOES NOT FIT" in capsys.readouterr().out


def test_the_guide_names_two_larger_models_for_both_trainings() -> None:
    assert [model for model, _ in commands("grpo")] == ["Qwen/Qwen3-1.7B", "Qwen/Qwen3-4B"]
    assert [model for model, _ in commands("sft")] == ["Qwen/Qwen3-1.7B", "Qwen/Qwen3-4B"]
