"""Seconds of a step: what they grow with, and how far off they are on others' runs."""

import math
from dataclasses import replace

import numpy as np
import pytest

from recipes.planning import seconds
from recipes.planning.check import main as check
from recipes.planning.check import make_setup
from recipes.planning.constants import constants
from recipes.planning.setup import Lengths

SETUP = make_setup(
    {"model": "Qwen/Qwen3-0.6B", "card": "rtx4090", "cards": 1, "prompt": 500, "response": 400, "longest": 1024,
     "prompts": 8, "rollouts": 4, "mini": 8, "micro": 2, "scored": 4}
)  # fmt: skip


def test_lengths_keep_mean_and_longest() -> None:
    lengths = Lengths(prompt=0, response=300, longest=1200)
    ages = [age + 0.5 for age in range(1200)]
    longer = [(1 - age / 1200) ** lengths.power for age in ages]
    assert sum(longer) == pytest.approx(300, rel=0.001)
    squares = 2 * sum(age * share for age, share in zip(ages, longer, strict=True))
    assert lengths.spread == pytest.approx((squares - 300**2) ** 0.5, rel=0.01)
    assert Lengths(0, 1200, 1200).spread == 0


def test_a_batch_is_as_long_as_its_longest_row() -> None:
    lengths = Lengths(prompt=0, response=300, longest=1200)
    assert lengths.longest_of(1) == pytest.approx(300, rel=1e-3)
    # The largest of n draws: 1 - n B(1 + 1 / k, n) of the longest.
    k = lengths.power
    beta = math.exp(math.lgamma(1 + 1 / k) + math.lgamma(8) - math.lgamma(9 + 1 / k))
    assert lengths.longest_of(8) == pytest.approx(1200 * (1 - 8 * beta), rel=1e-3)
    drawn = 1200 * (1 - np.random.default_rng(7).random((20_000, 8)) ** (1 / k))
    assert lengths.longest_of(8, 500) == pytest.approx(np.minimum(drawn, 500).max(axis=1).mean(), rel=0.01)
    assert lengths.longest_of(8) < lengths.longest_of(64) < 1200
    assert Lengths(0, 1200, 1200).longest_of(3) == pytest.approx(1200)


def test_operations_are_two_a_parameter() -> None:
    shape = SETUP.shape
    assert seconds.forward_operations(SETUP) == pytest.approx(2 * shape.parameters, rel=0.2)
    # An untied embedding is looked up and not multiplied.
    untied = replace(shape, parameters=shape.parameters + shape.vocabulary * shape.hidden, tied=False)
    assert seconds.forward_operations(replace(SETUP, shape=untied)) == seconds.forward_operations(SETUP)


def test_the_longest_reply_decides_when_few_run() -> None:
    few = replace(SETUP, prompts=1, rollouts=4, mini=1)
    longer = replace(few, lengths=replace(few.lengths, longest=2048))
    assert seconds.rollout(longer, constants()) > 1.7 * seconds.rollout(few, constants())


def test_replies_that_find_no_room_wait() -> None:
    many = replace(SETUP, prompts=256, mini=256, lengths=Lengths(500, 1024, 1024))
    short = replace(many, utilization=0.2)
    assert seconds.rollout(short, constants()) > seconds.rollout(many, constants())


def test_lora_saves_passes_and_two_cards_save_time() -> None:
    full, lora = (
        seconds.estimate(each, constants())["update"] for each in (SETUP, replace(SETUP, lora=32, reference=0))
    )
    assert lora < full
    assert sum(seconds.estimate(replace(SETUP, cards=2), constants()).values()) < sum(
        seconds.estimate(SETUP, constants()).values()
    )


def test_errors_on_others_runs_are_those_of_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    check()
    printed = capsys.readouterr().out
    assert "within a factor of 1.5: 7 of 8" in printed
    assert "worst 1.86" in printed
    training = printed.partition("micro-batch of SFT")[2].partition("peak memory")[0]
    ratios = [line.split("|")[4].strip() for line in training.splitlines() if "prime-rl" in line]
    assert ratios == ["1.86", "1.63", "1.19"]
    assert "within a factor of 1.2: 17 of 21" in printed
    assert "worst 1.43" in printed
    rows = [[cell.strip() for cell in line.split("|")] for line in printed.partition("does it fit?")[2].splitlines()]
    assert [row[2] == row[3] for row in rows if len(row) == 8][2:] == [False, True, True, True, True]
