"""`make plan` as a user runs it."""

from pathlib import Path

import pytest

from common.decisions import DataDecisions
from common.errors import StageError
from recipes.grpo_config import compose_config
from recipes.plan import plan
from recipes.planning.from_config import setup_of
from recipes.planning.setup import GIB, Lengths, find_card
from recipes.planning.shapes import find_shape


def _hours(printed: str) -> float:
    line = next(line for line in printed.splitlines() if line.startswith("a step"))
    return float(line.split("steps ")[1].split()[0])


def test_one_gpu_fits_24_gb_in_an_evening(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan(["profile=one_gpu", f"out={tmp_path}", "card=rtx4090"])
    printed = capsys.readouterr().out
    assert "of 23.6 GiB: fits (not measured)" in printed
    assert _hours(printed) < 6
    # Each block of figures says that none of them was measured.
    assert printed.count("not measured") == 5
    assert "prompts 500 (assumed)" in printed
    assert "actor_rollout_ref.model.lora_rank=32" in printed


def test_overrides_are_grpos_and_lengths_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["profile=qwen3_8b", f"out={tmp_path}", "card=h100", "prompt=300", "response=900"]
    plan(arguments)
    small = capsys.readouterr().out
    plan([*arguments, "actor_rollout_ref.rollout.n=8"])
    large = capsys.readouterr().out
    assert "prompts 300 (as given), responses 900 (as given)" in small
    assert "6 × h100" in small
    assert _hours(large) > _hours(small)


def test_a_model_that_does_not_fit_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan(["profile=one_gpu", f"out={tmp_path}", "card=rtx4090", "model=Qwen/Qwen3-8B"])
    assert "DOES NOT FIT" in capsys.readouterr().out


def test_reward_models_count_once_they_are_trained_and_before(tmp_path: Path) -> None:
    config = compose_config("one_gpu", tmp_path, 42, DataDecisions("", "coe", "", False, 1024, 1024, "m"), [])
    encoders = ("BAAI/bge-m3", "BAAI/bge-base-zh-v1.5")

    def beside() -> float:
        shape, card = find_shape("Qwen/Qwen3-0.6B"), find_card("rtx4090")
        return setup_of(config, shape, card, Lengths(500, 400, 1024), encoders).beside

    assert beside() == 2 * GIB + 4e6 * (568 + 102)
    for file in ("model.safetensors", "2_Dense/model.safetensors", "untrained/model.safetensors"):
        path = tmp_path / "reward-model" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(1000))
    assert beside() == 2 * GIB + 2000 + 4e6 * 102
    config.recipe.heldout = None
    assert beside() == GIB + 2000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["profile=one_gpu"], r"card= is missing"),
        (["profile=one_gpu", "card=voodoo2"], r"card=voodoo2: not known. Known: rtx3090"),
        (["profile=tiny", "card=h100"], r"trains on a CPU, and the plan is of GPUs"),
        (["profile=one_gpu", "card=h100", "response=2000"], r"response=2000 is longer than the longest, 1024"),
        (["profile=one_gpu", "card=h100", "response=long"], r"response"),
    ],
)
def test_what_cannot_be_planned_is_told(tmp_path: Path, arguments: list[str], told: str) -> None:
    with pytest.raises(StageError, match=told):
        plan([*arguments, f"out={tmp_path}"])
