"""Pairs of models on known values: gains, corrected p, and gains at equal length only where lengths overlap."""

import numpy as np
import pandas as pd
import pytest

from eval.compare import by_topic, compare
from eval.results import Result
from eval.statistics import holm, paired_p_value

RNG = np.random.default_rng(0)
IDS = [f"q{n}" for n in range(60)]


def result(model: str, values: "np.ndarray", chars: "np.ndarray", test_set: str = "x") -> Result:
    frame = pd.DataFrame({"navg": values, "chars": chars}, index=pd.Index(IDS, name="question_id"))
    return Result(model, test_set, "s", 1, {}, {}, {}, frame)


def test_every_pair_of_a_test_set_and_one_correction_for_all() -> None:
    base, chars = RNG.normal(0.5, 0.1, 60), RNG.integers(100, 200, 60)
    other = RNG.integers(100, 200, 60)
    better = base + RNG.normal(0.02, 0.05, 60)
    results = [result("a", base, chars), result("b", better, other), result("c", better, other)]
    gains = compare([*results, result("a", base, chars, "y")], ["navg"], 1)
    assert [(gain.ours, gain.theirs) for gain in gains] == [("b", "a"), ("c", "a"), ("c", "b")]
    plain = [paired_p_value(better.tolist(), base.tolist(), 1)] * 2 + [1.0]
    assert [gain.p for gain in gains] == pytest.approx(holm(plain))
    assert gains[0].gain.mean == pytest.approx((better - base).mean())
    assert gains[0].at_equal_length is not None
    assert gains[2].at_equal_length is not None  # of equal length throughout


def test_no_gain_at_equal_length_where_no_lengths_are_equal() -> None:
    base = RNG.normal(0.5, 0.1, 60)
    short, long = RNG.integers(10, 20, 60), RNG.integers(500, 600, 60)
    assert compare([result("a", base, short), result("b", base + 0.1, long)], ["navg"], 1)[0].at_equal_length is None


def test_topics_by_size_without_the_small_and_the_unlabelled() -> None:
    questions = pd.DataFrame({"id": list("abcdef"), "topic": ["恋爱", "职场", "恋爱", "", "", "家庭"]})
    assert by_topic(questions) == {"恋爱": ["a", "c"], "家庭": ["f"], "职场": ["b"]}
    assert by_topic(questions, 2) == {"恋爱": ["a", "c"]}
