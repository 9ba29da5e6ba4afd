"""`make plan` as a user runs it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from common.decisions import DataDecisions
from common.errors import StageError
from recipes.grpo_config import compose_config
from recipes.plan import plan
from recipes.planning.constants import FILE, Constants
from recipes.planning.from_config import setup_of
from recipes.planning.setup import GIB, Lengths, Setup, find_card
from recipes.planning.shapes import find_encoder, find_shape


def _hours(printed: str) -> float:
    line = next(line for line in printed.splitlines() if line.startswith("a step"))
    return float(line.split("steps ")[1].split()[0])


def _all_hours(printed: str) -> float:
    line = next(line for line in printed.splitlines() if "one after another" in line)
    return float(line.split()[-3])


def _setup(config: object) -> Setup:
    encoders = ("BAAI/bge-m3", "BAAI/bge-base-zh-v1.5")
    return setup_of(config, find_shape("Qwen/Qwen3-0.6B"), find_card("rtx4090"), Lengths(500, 400, 1024), encoders)  # type: ignore[arg-type]


def test_one_gpu_fits_24_gb_in_an_evening(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan(["profile=one_gpu", f"out={tmp_path}", "card=rtx4090"])
    printed = capsys.readouterr().out
    assert "of 23.6 GiB: fits (not measured)" in printed
    assert _hours(printed) < _all_hours(printed) < 6
    assert "prompts 500 (assumed)" in printed
    assert "actor_rollout_ref.model.lora_rank=32" in printed


def test_each_line_with_a_figure_says_that_it_is_not_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(["profile=one_gpu", f"out={tmp_path}", "card=rtx4090"])
    given, _, figures = capsys.readouterr().out.partition("\n\n")
    assert len(given.splitlines()) == 3
    lines = [line for line in figures.partition("what the figures rest on")[0].splitlines() if re.search(r"\d", line)]
    assert len(lines) > 30
    assert [line for line in lines if "not measured" not in line] == []


def test_all_stages_have_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["profile=one_gpu", f"out={tmp_path}", "card=rtx4090"]
    plan(arguments)
    printed = capsys.readouterr().out
    table = printed.partition("hours of the profile's stages")[2].partition("on top come")[0]
    stages = ["sft", "reward-model", "heldout-reward-model", "grpo", "generate", "all"]
    assert [line.split()[0] for line in table.splitlines()[4:]] == stages
    assert "400,000 triplets to train on" in printed
    plan([*arguments, "triplets=100000"])
    fewer = capsys.readouterr().out
    assert "triplets as given" in fewer
    assert "bge-m3, 4,950 triplets" in fewer
    assert _all_hours(fewer) < _all_hours(printed)
    assert _hours(fewer) == _hours(printed)


def test_each_constant_has_a_source() -> None:
    read = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert list(read) == [field.name for field in fields(Constants)]
    assert all(isinstance(each["value"], int | float) and each["from"].strip() for each in read.values())


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
    large, small = find_encoder("BAAI/bge-m3"), find_encoder("BAAI/bge-base-zh-v1.5")
    assert large is not None
    assert small is not None

    def beside() -> float:
        return _setup(config).beside

    assert beside() == 2 * GIB + 4 * (large.parameters + small.parameters)
    for file in ("model.safetensors", "2_Dense/model.safetensors", "untrained/model.safetensors"):
        path = tmp_path / "reward-model" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(1000))
    assert beside() == 2 * GIB + 2000 + 4 * small.parameters
    config.recipe.heldout = None
    assert beside() == GIB + 2000


def test_deferred_gradients_are_taken_from_the_configuration(tmp_path: Path) -> None:
    key = "actor_rollout_ref.actor.fsdp_config.use_no_sync_for_gradient_accumulation"
    decided = DataDecisions("", "coe", "", False, 1024, 1024, "m")
    assert not _setup(compose_config("one_gpu", tmp_path, 42, decided, [])).deferred
    assert _setup(compose_config("one_gpu", tmp_path, 42, decided, [f"{key}=true"])).deferred


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
