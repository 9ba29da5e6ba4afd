"""Every step's record has the parts of the reward, and alarms go by them."""

import json
from pathlib import Path
from typing import Any

import pytest

from recipes.grpo_alarms import AlarmWatch
from recipes.grpo_metrics import step_metrics, with_reward_metrics

UIDS = ["p1_0_0", "p1_1_0", "p2_0_0", "p2_1_0"]
PARTS: list[dict[str, Any]] = [
    {"format": 1.0, "answer": 1.0, "cosine": 0.8, "answer_chars": 100.0, "wait_s": 0.2},
    {"format": 0.0, "answer": 0.0, "cosine": 0.0, "answer_chars": 0.0, "wait_s": 0.0},
    {"format": 1.0, "answer": 0.0, "cosine": 0.4, "answer_chars": 50.0, "wait_s": 0.4},
    {"format": 1.0, "answer": 0.0, "cosine": 0.6, "answer_chars": 60.0, "wait_s": 0.6},
]
LIMITS = {"entropy_below": 0.05, "kl_above": 1.0, "tied_above": 0.95, "stop": False}


def test_the_parts_of_a_step() -> None:
    found = step_metrics(UIDS, [2.0, 0.0, 1.0, 1.0], PARTS, [400, 20, 399, 400], 400)
    assert found == pytest.approx(
        {
            "reward/tied": 0.5,
            "reward/cut": 0.5,
            "reward/shown": 0.75,
            "reward/format": 0.75,
            "reward/answer": 0.25,
            # Of the three that have an answer.
            "reward/cosine": 0.6,
            "reward/answer_chars": 70.0,
            "reward/wait_s": 0.4,
            "reward/wait_s_longest": 0.6,
        }
    )


def test_a_reward_of_one_s_own_need_not_tell_parts() -> None:
    assert step_metrics(UIDS, [1.0, 1.0, 1.0, 1.0], [{}] * 4, [1] * 4, 400) == {"reward/tied": 1.0, "reward/cut": 0.0}
    told = step_metrics(UIDS, [1.0, 0.0, 1.0, 0.0], [{"mine": 1, "why": "text"}] * 4, [1] * 4, 400)
    assert told == {"reward/tied": 0.0, "reward/cut": 0.0, "reward/mine": 1.0}


def test_verl_s_trainers_still_take_it() -> None:
    from verl.trainer.ppo.v1.trainer_base import TRAINER_REGISTRY

    for trainer in TRAINER_REGISTRY.values():
        assert issubclass(with_reward_metrics(trainer), trainer)
        assert with_reward_metrics(trainer)._compute_metrics is not trainer._compute_metrics


def write(records: Path, *data: dict[str, float]) -> None:
    lines = [json.dumps({"step": step, "data": one}) + "\n" for step, one in enumerate(data, start=1)]
    records.write_text("".join(lines), encoding="utf-8")


def test_alarms_are_told_once_until_they_have_gone(tmp_path: Path) -> None:
    records, told = tmp_path / "metrics.jsonl", list[str]()
    watch = AlarmWatch(records, LIMITS, told.append)
    assert watch() == ""
    fine = {"reward/format": 0.5, "reward/tied": 0.25, "actor/entropy": 1.0, "actor/kl_loss": 0.1}
    write(records, fine)
    assert watch() == watch() == ""
    assert told == ["step 1: format 50%, groups that tie 25%"]
    collapsed = {**fine, "actor/entropy": 0.01}
    write(records, fine, collapsed, collapsed, fine, {**collapsed, "actor/kl_loss": 2.0})
    assert watch() == ""
    assert sorted(told[1:]) == [
        "step 2: entropy 0.010 is below 0.05: all are alike",
        "step 5: KL 2.000 is above 1.0: far from the SFT model",
        "step 5: entropy 0.010 is below 0.05: all are alike",
    ]


def test_an_alarm_can_end_the_run(tmp_path: Path) -> None:
    records = tmp_path / "metrics.jsonl"
    write(records, {"reward/tied": 1.0})
    assert AlarmWatch(records, {**LIMITS, "tied_above": None, "stop": True}, lambda line: None)() == ""
    reason = AlarmWatch(records, {**LIMITS, "stop": True}, lambda line: None)()
    assert reason == "alarm at step 1: 100% of the groups tie, more than 95% (recipe.alarms.stop)"
