"""Whether a run that was killed left what an undisturbed one leaves; see `benchmarks.kills`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import yaml

from common.files import whole_lines
from common.records import METRICS_FILE, ROLLOUTS
from reward_fns.components import components
from reward_fns.options import RewardOptions
from reward_fns.reward_model import RewardModel

# The reward model computes in float32, and in batches of other sizes.
_CLOSE: Final = 1e-5


def faults(alone: Path, killed: Path, steps: int) -> list[str]:
    """What is wrong with the killed run's records, prompts, learning rates and rewards; [] where nothing is.

    Args:
        alone: the profile's folder of the run that was left alone.
        killed: of the other one, begun from the same data, SFT and reward model.
        steps: of both.
    """
    rows = pd.read_parquet(killed / "data" / "grpo_train.parquet")["extra_info"]
    questions = {info["question"]: info["question_id"] for info in rows}
    return [*_records(alone / "grpo", killed / "grpo", steps, questions), *_rewards(killed, steps, questions)]


def _records(alone: Path, killed: Path, steps: int, questions: Mapping[str, str]) -> Iterator[str]:
    expected, found = (whole_lines(folder / METRICS_FILE) for folder in (alone, killed))
    numbers = [record["step"] for record in found]
    if numbers != list(range(1, steps + 1)):
        yield f"{METRICS_FILE} has the steps {numbers}"
        return
    for one, other in zip(expected, found, strict=True):
        step = one["step"]
        for key in ("actor/lr", "training/global_step", "training/epoch"):
            if one["data"][key] != other["data"][key]:
                yield f"step {step}: {key} is {other['data'][key]}, {one['data'][key]} in the run that was left alone"
        prompts = [Counter(_prompts(_rollouts(folder, step), questions)) for folder in (alone, killed)]
        if prompts[0] != prompts[1]:
            yield f"step {step}: other prompts than in the run that was left alone"


def _rollouts(folder: Path, step: int) -> list[dict[str, Any]]:
    return whole_lines(folder / ROLLOUTS / f"{step}.jsonl")


def _question(prompt: str, questions: Iterable[str]) -> str:
    """That a prompt asks: one post may hold another."""
    return max((question for question in questions if question in prompt), key=len)


def _prompts(rows: Sequence[Mapping[str, Any]], questions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The id of each rollout's prompt, of the one question whose words it holds, and the prompt."""
    for row in rows:
        question = _question(row["input"], questions)
        yield questions[question], row["input"]


def _rewards(killed: Path, steps: int, questions: Mapping[str, str]) -> Iterator[str]:
    config = yaml.safe_load((killed / "grpo" / "config.yaml").read_text(encoding="utf-8"))
    options = RewardOptions.of(config["reward"]["custom_reward_function"]["reward_kwargs"])
    model = RewardModel(killed / "reward-model")
    records = {record["step"]: record["data"] for record in whole_lines(killed / "grpo" / METRICS_FILE)}
    for step in range(1, steps + 1):
        rows = _rollouts(killed / "grpo", step)
        scores = []
        for row in rows:
            question = _question(row["input"], questions)
            answer = options.answer_of(row["output"])
            judgement = None if answer is None else model.judge([question], [answer])[0]
            scores.append(components(question, row["output"], judgement, options)["score"])
        if (invented := sum(abs(row["score"] - score) > _CLOSE for row, score in zip(rows, scores, strict=True))) > 0:
            yield f"step {step}: {invented} of {len(rows)} rewards are not those of their texts"
        mean = records.get(step, {}).get("critic/score/mean")
        if mean is None or not rows or abs(mean - sum(scores) / len(rows)) > _CLOSE:
            yield f"step {step}: the record's mean reward is {mean}, its {len(rows)} rollouts do not give it"
        wanted = config["data"]["train_batch_size"] * config["actor_rollout_ref"]["rollout"]["n"]
        if len(rows) != wanted:
            yield f"step {step}: {len(rows)} rollouts, expected {wanted}"
