"""The benchmark of kills sees what a kill might do to a run; the kills themselves are run by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from benchmarks import kills_check
from benchmarks.kills import draw
from benchmarks.kills_check import faults
from benchmarks.loaded_state import digest
from common.records import METRICS_FILE, ROLLOUTS
from reward_fns.coe_format import CoEOutput
from reward_fns.judgement import Judgement

POST = "最近总是睡不着。"
GOOD = CoEOutput(layers=("难过", "失眠", "倾诉", "先共情"), answer="先抱抱你。").render()


def write(root: Path) -> Path:
    """A run of two steps of two rollouts each, one of them rewarded with 2."""
    grpo = root / "grpo"
    (grpo / ROLLOUTS).mkdir(parents=True)
    (root / "data").mkdir()
    pd.DataFrame({"extra_info": [{"question": POST, "question_id": "q1"}]}).to_parquet(
        root / "data" / "grpo_train.parquet"
    )
    reward: dict[str, Any] = {"custom_reward_function": {"reward_kwargs": {}}}
    config = {"reward": reward, "data": {"train_batch_size": 1}, "actor_rollout_ref": {"rollout": {"n": 2}}}
    (grpo / "config.yaml").write_text(yaml.safe_dump(config))
    for step in (1, 2):
        rows = [{"input": f"user\n{POST}\n", "output": text, "score": s} for text, s in ((GOOD, 2.0), ("嗯", 0.0))]
        lines(grpo / ROLLOUTS / f"{step}.jsonl", rows)
    lines(grpo / METRICS_FILE, [{"step": step, "data": figures(step)} for step in (1, 2)])
    return root


def figures(step: int) -> dict[str, float]:
    return {"actor/lr": step / 10, "training/global_step": step, "training/epoch": 0, "critic/score/mean": 1.0}


def lines(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def change(file: Path, edit: Callable[[list[dict[str, Any]]], Any]) -> None:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    edit(rows)
    lines(file, rows)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A run that was left alone, and one that was killed and is like it."""

    class Paying:
        def __init__(self, folder: Path) -> None:
            assert folder.name == "reward-model"

        def judge(self, questions: list[str], answers: list[str]) -> list[Judgement]:
            assert questions == [POST]
            return [Judgement(cosine=0.9, threshold=1.0, dense=0.9, margin=0.9) for _ in answers]

    monkeypatch.setattr(kills_check, "RewardModel", Paying)
    return write(tmp_path / "alone"), write(tmp_path / "killed")


def test_a_run_like_the_other_has_no_fault(runs: tuple[Path, Path]) -> None:
    assert faults(*runs, 2) == []


@pytest.mark.parametrize(
    ("file", "edit", "told"),
    [
        (METRICS_FILE, lambda rows: rows.pop(), "has the steps [1]"),
        (METRICS_FILE, lambda rows: rows.append(rows[-1]), "has the steps [1, 2, 2]"),
        (METRICS_FILE, lambda rows: rows[1]["data"].update({"actor/lr": 0.1}), "step 2: actor/lr is 0.1, 0.2 in"),
        (METRICS_FILE, lambda rows: rows[0]["data"].update({"critic/score/mean": 0.5}), "mean reward is 0.5"),
        (f"{ROLLOUTS}/2.jsonl", lambda rows: rows[1].update(score=1.0), "step 2: 1 of 2 rewards are not those"),
        (f"{ROLLOUTS}/2.jsonl", lambda rows: rows[1].update(input=f"system {POST}"), "step 2: other prompts than"),
        (f"{ROLLOUTS}/1.jsonl", lambda rows: rows.pop(), "step 1: 1 rollouts, expected 2"),
    ],
)
def test_a_fault_is_told(
    file: str, edit: Callable[[list[dict[str, Any]]], Any], told: str, runs: tuple[Path, Path]
) -> None:
    change(runs[1] / "grpo" / file, edit)
    assert any(told in fault for fault in faults(*runs, 2))


def test_a_state_s_digest_is_of_its_bytes() -> None:
    state = {"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]}
    assert digest(state) == digest(state)
    one = digest(state)
    state["state"][0]["exp_avg"][1] = 1e-30  # type: ignore[index]
    assert digest(state) != one


def test_a_generator_s_digest_is_of_its_state() -> None:
    generator = np.random.RandomState(1)
    before = digest({"numpy": generator.get_state(), "cpu": torch.get_rng_state()})
    assert digest({"numpy": generator.get_state(), "cpu": torch.get_rng_state()}) == before
    generator.rand()
    assert digest({"numpy": generator.get_state(), "cpu": torch.get_rng_state()}) != before


def test_moments_are_spread_and_repeatable() -> None:
    moments = draw(10, 8, 1)
    assert moments == draw(10, 8, 1)
    assert moments != draw(10, 8, 2)
    steps = [moment.step for moment in moments if moment.step]
    assert steps == sorted(steps)
    assert 0 < len(steps) < 10
    assert max(steps) <= 5
    # Before the second step's there is no checkpoint to load.
    for seed in range(20):
        assert draw(10, 8, seed)[0].step >= 2
