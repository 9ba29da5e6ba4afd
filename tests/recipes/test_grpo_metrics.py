"""Every step's record has the parts of the reward, and alarms go by them."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tensordict import NonTensorStack, TensorDict

from recipes.grpo import merge_metrics
from recipes.grpo_alarms import AlarmWatch, drifting
from recipes.grpo_metrics import step_metrics, with_reward_metrics
from recipes.grpo_validation import validation_figures

UIDS = ["p1_0_0", "p1_1_0", "p2_0_0", "p2_1_0"]
PARTS: list[dict[str, Any]] = [
    {"format": 1.0, "answer": 1.0, "cosine": 0.8, "answer_chars": 100.0, "wait_s": 0.2},
    {"format": 0.0, "answer": 0.0, "cosine": 0.0, "answer_chars": 0.0, "wait_s": 0.0},
    {"format": 1.0, "answer": 0.0, "cosine": 0.4, "answer_chars": 50.0, "wait_s": 0.4},
    {"format": 1.0, "answer": 0.0, "cosine": 0.6, "answer_chars": 60.0, "wait_s": 0.6},
]
LIMITS = {"entropy_below": 0.05, "kl_above": 1.0, "tied_above": 0.95, "heldout_falls": 0.1, "stop": False}


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


def test_the_entropy_is_on_record_without_the_pass_that_verl_takes_it_from(monkeypatch: pytest.MonkeyPatch) -> None:
    class Trainer:
        config = SimpleNamespace(data=SimpleNamespace(max_response_length=10))

        def _compute_metrics(self, batch: Any, metrics: dict[str, float]) -> None:
            metrics |= self.logged

        logged: dict[str, float]

    monkeypatch.setattr("transfer_queue.kv_batch_get", lambda **_: _rollouts())
    batch = SimpleNamespace(keys=UIDS[:2], tags=[{}, {}], partition_id="train")
    for Trainer.logged, entropy in (
        ({"actor/entropy_loss": 2.0}, 2.0),
        ({"actor/entropy": 3.0, "actor/entropy_loss": 2.0}, 3.0),
    ):
        record: dict[str, float] = {}
        with_reward_metrics(Trainer)()._compute_metrics(batch, record)
        assert record["actor/entropy"] == entropy


def _rollouts() -> Any:
    lengths = torch.tensor([2, 3])
    rewards = torch.nested.as_nested_tensor([torch.ones(int(each)) for each in lengths], layout=torch.jagged)
    return TensorDict(
        {"rm_scores": rewards, "responses": rewards, "extra_fields": NonTensorStack(*({} for _ in lengths))},
        batch_size=[2],
    )


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


def test_the_log_has_alarms_alone_and_none_of_steps_that_are_done_again(tmp_path: Path) -> None:
    records, log, lines = tmp_path / "metrics.jsonl", tmp_path / "alarms.log", list[str]()
    fine = {"reward/format": 0.5, "reward/tied": 0.25}
    AlarmWatch(records, LIMITS, lines.append, log=log)()
    write(records, fine)
    AlarmWatch(records, LIMITS, lines.append, log=log)()
    assert lines
    assert not log.exists()
    tied = {"reward/tied": 1.0}
    write(records, tied, fine, tied)
    AlarmWatch(records, LIMITS, lines.append, log=log)()
    assert [line.partition(":")[0] for line in log.read_text().splitlines()] == ["step 1", "step 3"]
    # Killed in the third step, which is done again.
    AlarmWatch(tmp_path / "none", LIMITS, lines.append, [{"step": 1, "data": tied}, {"step": 2, "data": fine}], log)
    assert log.read_text().startswith("step 1: 100% of the groups tie")
    assert len(log.read_text().splitlines()) == 1


def test_an_alarm_can_end_the_run(tmp_path: Path) -> None:
    records = tmp_path / "metrics.jsonl"
    write(records, {"reward/tied": 1.0})
    assert AlarmWatch(records, {**LIMITS, "tied_above": None, "stop": True}, lambda line: None)() == ""
    reason = AlarmWatch(records, {**LIMITS, "stop": True}, lambda line: None)()
    assert reason == "alarm at step 1: 100% of the groups tie, more than 95% (recipe.alarms.stop)"


def test_the_first_step_is_told_after_a_validation_too(tmp_path: Path) -> None:
    """verl validates before it trains, as step 0."""
    records, told = tmp_path / "metrics.jsonl", list[str]()
    watch = AlarmWatch(records, LIMITS, told.append)
    first = {"reward/format": 0.5, "reward/tied": 0.25}
    for data in ([validated(1.0, 0.5)], [validated(1.0, 0.5), first], [validated(1.0, 0.5), first, first]):
        write(records, *data)
        watch()
    assert told == ["step 2: format 50%, groups that tie 25%"]
    resumed = AlarmWatch(records, LIMITS, told.append, [{"step": 1, "data": first}])
    resumed()
    assert len(told) == 1


def validated(reward: float, heldout: float) -> dict[str, float]:
    """A record's part, as verl and the held-out model's scorer write it, of two sources."""
    return {
        "val-core/a/reward/mean@4": reward - 0.1,
        "val-core/b/reward/mean@4": reward + 0.1,
        "val-core/a/reward/best@4/mean": 2.0,
        "val-aux/a/format/mean@4": 0.5,
        "val-aux/num_turns/mean": 2.0,
        "val/heldout_answer": heldout,
    }


def test_the_figures_of_a_validation() -> None:
    assert validation_figures(validated(1.2, 0.4)) == pytest.approx(
        {"reward": 1.2, "format": 0.5, "heldout_answer": 0.4}
    )
    assert validation_figures({"reward/format": 0.5, "actor/entropy": 1.0}) == {}


@pytest.mark.parametrize(
    ("rewards", "heldout", "alarm"),
    [
        ((1.0, 1.1, 1.2, 1.3), (0.5, 0.45, 0.4, 0.3), True),
        ((1.0, 1.1, 1.2, 1.3), (0.5, 0.5, 0.6, 0.6), False),  # both rise
        ((1.0, 0.9, 0.8, 0.7), (0.5, 0.45, 0.4, 0.3), False),  # both fall
        ((1.0, 1.1, 1.2, 1.3), (0.5, 0.5, 0.5, 0.45), False),  # by less than the limit
        ((1.0, 1.1, 1.2), (0.5, 0.4, 0.3), False),  # too few to tell
        ((0.0, 1.5, 1.5, 1.5, 1.5), (0.9, 0.3, 0.3, 0.3, 0.3), False),  # long ago
    ],
)
def test_a_reward_that_may_be_gamed(rewards: tuple[float, ...], heldout: tuple[float, ...], alarm: bool) -> None:
    figures = {
        50 * place: {"reward": reward, "heldout_answer": other}
        for place, (reward, other) in enumerate(zip(rewards, heldout, strict=True))
    }
    assert bool(drifting(figures, 0.1)) is alarm
    assert drifting(figures, None) == {}


def test_validations_before_a_resume_count_and_the_alarm_is_told_once(tmp_path: Path) -> None:
    records, told = tmp_path / "metrics.jsonl", list[str]()
    earlier = [{"step": -place, "data": validated(1.0 - 0.1 * place, 0.5 + 0.1 * place)} for place in (2, 1, 0)]
    fine = {"reward/format": 0.5, "reward/tied": 0.25}
    write(records, validated(1.1, 0.4) | fine, fine, validated(1.2, 0.3) | fine)
    watch = AlarmWatch(records, {**LIMITS, "stop": True}, told.append, earlier)
    assert watch().startswith("alarm at step 1: over the validations of steps -2 to 1 the reward rises by 0.30, while")
    assert len(told) == 1
    assert AlarmWatch(records, LIMITS, told.append)() == ""


def test_a_checkpoint_that_is_validated_again_keeps_its_record(tmp_path: Path) -> None:
    earlier, attempt = tmp_path / "metrics.jsonl", tmp_path / "metrics.attempt.jsonl"
    write(earlier, {"reward/tied": 0.1}, {"reward/tied": 0.2})
    records = [{"step": 2, "data": {"val/heldout_answer": 0.5}}, {"step": 3, "data": {"reward/tied": 0.3}}]
    attempt.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    merge_metrics(tmp_path)
    assert [json.loads(line) for line in earlier.read_text(encoding="utf-8").splitlines()] == [
        {"step": 1, "data": {"reward/tied": 0.1}},
        {"step": 2, "data": {"reward/tied": 0.2, "val/heldout_answer": 0.5}},
        {"step": 3, "data": {"reward/tied": 0.3}},
    ]
