"""Pairs of models on known values: gains, corrected p, and gains at equal length only where lengths overlap."""

import numpy as np
import pandas as pd
import pytest

from eval.compare import by_topic, compare
from eval.results import Result
from eval.statistics import Interval, PValue, holm, paired_p_value

RNG = np.random.default_rng(0)
IDS = [f"q{n}" for n in range(60)]


def result(model: str, values: "np.ndarray", chars: "np.ndarray", test_set: str = "x") -> Result:
    frame = pd.DataFrame({"navg": values, "chars": chars}, index=pd.Index(IDS, name="question_id"))
    return Result(model, test_set, "s", 1, {}, {}, {}, frame, shown_by_question=frame)


def test_every_pair_of_a_test_set_and_one_correction_for_all() -> None:
    base, chars = RNG.normal(0.5, 0.1, 60), RNG.integers(100, 200, 60)
    other = RNG.integers(100, 200, 60)
    better = base + RNG.normal(0.02, 0.05, 60)
    results = [result("a", base, chars), result("b", better, other), result("c", better, other)]
    gains = compare([*results, result("a", base, chars, "y")], ["navg"], 1)
    assert [(gain.ours, gain.theirs) for gain in gains] == [("b", "a"), ("c", "a"), ("c", "b")]
    plain = [paired_p_value(better.tolist(), base.tolist(), 1)] * 2 + [PValue(1.0)]
    assert [gain.p for gain in gains] == holm(plain)
    assert gains[0].gain.mean == pytest.approx((better - base).mean())
    assert gains[0].at_equal_length is not None
    assert gains[2].at_equal_length is not None  # of equal length throughout


def test_no_gain_at_equal_length_where_no_lengths_are_equal() -> None:
    base = RNG.normal(0.5, 0.1, 60)
    short, long = RNG.integers(10, 20, 60), RNG.integers(500, 600, 60)
    assert compare([result("a", base, short), result("b", base + 0.1, long)], ["navg"], 1)[0].at_equal_length is None


def test_both_readings_of_a_gain_that_only_fewer_empty_replies_bring() -> None:
    """Two models whose replies are the same word for word; the later one just leaves fewer questions without any."""
    values, chars = RNG.uniform(0.2, 0.4, 60), RNG.integers(100, 200, 60)
    frame = pd.DataFrame({"navg": values, "chars": chars, "visible": 1.0}, index=pd.Index(IDS, name="question_id"))

    def silent(model: str, count: int) -> Result:
        first = pd.Series(range(60), index=frame.index) < count
        whole, there = frame.mask(first, 0.0), frame[~first].drop(columns="visible")
        return Result(model, "x", "s", 1, {}, {}, {}, whole, shown_by_question=there)

    (navg, visible) = compare([silent("before", 20), silent("after", 5)], ["navg", "visible"], 1)
    assert navg.gain.low > 0.03
    assert navg.p.value < 0.01
    assert (navg.shown, navg.p_shown, navg.questions) == (Interval(0.0, 0.0, 0.0), PValue(1.0), 40)
    assert navg.visible == pytest.approx((55 / 60, 40 / 60))
    assert navg.at_equal_length is not None
    assert navg.at_equal_length.mean == 0.0
    assert (visible.shown, visible.p_shown, visible.at_equal_length) == (None, None, None)


def test_where_all_replies_show_something_both_readings_are_one_test() -> None:
    base, chars = RNG.normal(0.5, 0.1, 60), RNG.integers(100, 200, 60)
    (gain,) = compare([result("a", base, chars), result("b", base + RNG.normal(0.02, 0.05, 60), chars)], ["navg"], 1)
    assert (gain.shown, gain.p_shown) == (gain.gain, gain.p)


def test_topics_by_size_without_the_small_and_the_unlabelled() -> None:
    questions = pd.DataFrame({"id": list("abcdef"), "topic": ["恋爱", "职场", "恋爱", "", "", "家庭"]})
    assert by_topic(questions) == {"恋爱": ["a", "c"], "家庭": ["f"], "职场": ["b"]}
    assert by_topic(questions, 2) == {"恋爱": ["a", "c"]}
