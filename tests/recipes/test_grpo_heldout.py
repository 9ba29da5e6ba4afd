"""A reward model that GRPO never sees scores the validation outputs, and nothing else."""

import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
import torch
from verl.trainer.ppo.v1.trainer_base import TRAINER_REGISTRY

from common.decisions import DataDecisions
from recipes.grpo_config import compose_config, heldout_off
from recipes.grpo_heldout import heldout_scorer, share_device, with_heldout
from recipes.grpo_machine import cpu_slots_needed, gpus_needed
from reward_fns.coe_format import CoEOutput
from reward_fns.judgement import Judgement
from reward_fns.options import RewardOptions
from reward_fns.reward_worker import RewardWorkerConfig

DECIDED = DataDecisions("sample", "coe", "系统", False, 1024, 1024, "base")
LAYERS = ("难过", "自责", "被理解", "先共情")
OUTPUTS = [
    ("问一", CoEOutput(LAYERS, "很好").render()),
    ("问二", CoEOutput(LAYERS, "不行").render()),
    ("问三", "没有标签"),
]


@pytest.fixture(scope="module")
def judge() -> Iterator[Any]:
    """An actor that lets one answer pass, and fails at another."""

    # Here, so that it goes to Ray's process by value: the tests are no package there.
    class Judge:
        async def judge(self, question: str, answer: str, timeout_s: float) -> Judgement:
            if answer == "坏了":
                raise RuntimeError("broken")
            good = answer == "很好"
            return Judgement(0.8 if good else 0.2, float(good), 0.9 if good else 0.1, 0.0)

    ray.init(num_cpus=1, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    yield ray.remote(Judge).options(num_cpus=0).remote()
    ray.shutdown()


def test_the_answer_reward_is_that_of_the_run(judge: Any) -> None:
    found = heldout_scorer(judge, RewardOptions())(OUTPUTS)
    assert found == pytest.approx({"val/heldout_answer": 1 / 3, "val/heldout_cosine": 0.5})
    dense = heldout_scorer(judge, RewardOptions(mode="dense"))(OUTPUTS)
    assert dense["val/heldout_answer"] == pytest.approx(1.0 / 3)
    guarded = heldout_scorer(judge, RewardOptions(min_chars=3))(OUTPUTS)
    assert guarded["val/heldout_answer"] == 0.0
    # Without CoE the whole reply is the answer.
    plain = heldout_scorer(judge, RewardOptions(format_mode="none"))([("问", "很好"), ("问", "不行")])
    assert plain == pytest.approx({"val/heldout_answer": 0.5, "val/heldout_cosine": 0.5})
    assert heldout_scorer(judge, RewardOptions())([("问", "没有标签")]) == {"val/heldout_answer": 0.0}
    assert heldout_scorer(judge, RewardOptions())([]) == {}


def test_a_judge_that_fails_stops_nothing(judge: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert heldout_scorer(judge, RewardOptions())([*OUTPUTS, ("问", CoEOutput(LAYERS, "坏了").render())]) == {}
    assert "did not answer, this validation goes without it" in capsys.readouterr().out


class Trainer:
    """What `with_heldout` needs of verl's: a buffer, from which a validation takes its outputs."""

    def __init__(self) -> None:
        self.replay_buffer = self._build_replay_buffer()
        self.tokenizer = SimpleNamespace(decode=lambda ids, skip_special_tokens: "".join(map(chr, ids.tolist())))

    def _build_replay_buffer(self) -> Any:
        def sample(global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict[str, float]]:
            return SimpleNamespace(keys=["a_0_0", "a_1_0"], partition_id=partition_id), {}

        return SimpleNamespace(sample=sample)

    def train(self) -> None:
        self.replay_buffer.sample(global_steps=1, partition_id="train", batch_size=1)

    def _validate(self) -> dict[str, float]:
        self.replay_buffer.sample(global_steps=1, partition_id="val", batch_size=1)
        return {"val-core/a/reward/mean@2": 1.0}


class Fields(dict[str, Any]):
    """A TensorDict's part that is read."""


def test_what_is_validated_is_what_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    replies = torch.nested.nested_tensor([torch.tensor([22909]), torch.tensor([19981, 34892])], layout=torch.jagged)

    def get(keys: list[str], partition_id: str, select_fields: list[str]) -> Fields:
        assert (partition_id, set(select_fields)) == ("val", {"extra_info", "responses"})
        info = SimpleNamespace(tolist=lambda: [{"question": "问一"}, {"question": "问二"}])
        return Fields(extra_info=info, responses=replies)

    monkeypatch.setitem(sys.modules, "transfer_queue", SimpleNamespace(kv_batch_get=get))
    seen: list[list[tuple[str, str]]] = []

    def score(pairs: Any) -> dict[str, float]:
        seen.append(list(pairs))
        return {"val/heldout_answer": 0.5}

    trainer = with_heldout(Trainer, score)()
    for _ in range(2):
        trainer.train()
        assert trainer._validate() == {"val-core/a/reward/mean@2": 1.0, "val/heldout_answer": 0.5}
    assert seen == [[("问一", "好"), ("问二", "不行")]] * 2


def test_verl_s_trainers_still_take_it() -> None:
    for trainer in TRAINER_REGISTRY.values():
        wrapped = with_heldout(trainer, lambda pairs: {})
        for hook in ("_build_replay_buffer", "_validate"):
            assert getattr(wrapped, hook) is not getattr(trainer, hook)


def test_both_models_share_a_card() -> None:
    """Checked once on four GPU slots of Ray: 0.99, 0.99 and 0.01 lie on two, and two whole ones are left."""
    workers = RewardWorkerConfig("reward-model", "cuda", replicas=2, num_gpus=1, num_cpus=4)
    own, other = share_device(workers, "heldout-reward-model")
    assert own == replace(workers, num_gpus=0.99)
    assert other == replace(workers, model="heldout-reward-model", replicas=1, num_gpus=0.01)
    on_cpu = share_device(replace(workers, num_gpus=0), "x")
    assert [one.num_gpus for one in on_cpu] == [0, 0]


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        (["trainer.test_freq=2"], ""),
        (["trainer.val_before_train=true"], ""),
        ([], "the run does not validate"),
        (["trainer.test_freq=2", "recipe.heldout=null"], "recipe.heldout=null"),
        (["trainer.test_freq=2", "recipe.heldout=/nowhere"], "/nowhere is not there"),
        (["trainer.test_freq=2", "reward.custom_reward_function.path=/mine.py"], "a function of your own"),
    ],
)
def test_where_there_is_none(overrides: list[str], why: str, tmp_path: Path) -> None:
    (tmp_path / "heldout-reward-model").mkdir()
    assert why in (off := heldout_off(compose_config("tiny", tmp_path, 42, DECIDED, overrides)))
    assert bool(off) == bool(why)


def test_it_takes_a_slot_and_no_card(tmp_path: Path) -> None:
    def needed() -> Mapping[str, int]:
        config = compose_config("qwen3_8b", tmp_path, 42, DECIDED, [])
        return {"cards": gpus_needed(config), "slots": cpu_slots_needed(config)}

    without = needed()
    (tmp_path / "heldout-reward-model").mkdir()
    assert needed() == {"cards": without["cards"], "slots": without["slots"] + 4}
