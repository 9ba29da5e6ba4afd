"""Pairs of models on known values: gains, corrected p, and gains at equal length only where lengths overlap."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from eval.compare import PRIMARY, SECONDARY, Gain, by_topic, compare, families, slices
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
    # The stages in order are a-b and b-c; c-a is told too, and corrected apart.
    first, last = holm([plain[0], plain[2]], PRIMARY)
    assert [gain.p for gain in gains] == [first, *holm(plain[:1], SECONDARY), last]
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
    assert navg.gain.low is not None
    assert navg.gain.low > 0.03
    assert navg.p.value < 0.01
    # Word for word the same: no interval says how far another question's replies would differ.
    assert (navg.shown, navg.p_shown, navg.questions) == (Interval(0.0), PValue(1.0, False, PRIMARY, 1), 40)
    assert {navg.p.family, visible.p.family} == {SECONDARY}
    assert navg.visible == pytest.approx((55 / 60, 40 / 60))
    assert navg.at_equal_length is not None
    assert navg.at_equal_length.mean == 0.0
    assert (visible.shown, visible.p_shown, visible.at_equal_length) == (None, None, None)


def test_where_all_replies_show_something_both_readings_are_one_test() -> None:
    base, chars = RNG.normal(0.5, 0.1, 60), RNG.integers(100, 200, 60)
    (gain,) = compare([result("a", base, chars), result("b", base + RNG.normal(0.02, 0.05, 60), chars)], ["navg"], 1)
    assert (gain.shown, gain.p_shown) == (gain.gain, gain.p)


def family(models: Sequence[str], gain: float, seed: int) -> list[Gain]:
    """Models in the headline's figures and others on the same 100 questions, of which the last is better."""
    rng, index = np.random.default_rng(seed), pd.Index([f"q{n}" for n in range(100)], name="question_id")
    keys = ["reward", "format", "heldout_answer", "answer", "bleu_1", "rouge_l", "meteor", "distinct_1", "navg"]
    hard = rng.normal(0.0, 0.1, 100)
    results = []
    for model in models:
        better = gain if model == models[-1] else 0.0
        frame = pd.DataFrame({key: 0.5 + hard + rng.normal(better, 0.1, 100) for key in keys}, index=index).clip(0, 1)
        results.append(Result(model, "x", "s", 1, {}, {}, {}, frame, shown_by_question=frame))
    return compare(results, keys, seed)


def test_eight_models_in_nine_figures_can_differ_clearly() -> None:
    models = ["base", "m1", "m2", "m3", "m4", "m5", "SFT", "SFT+GRPO"]
    gains = family(models, 0.06, 1)
    assert {(gain.p.family, gain.p.tests) for gain in gains} == {(PRIMARY, 8), (SECONDARY, 244)}
    # 0.4 standard deviations of a question's difference.
    last = [gain for gain in gains if gain.ours == "SFT+GRPO"]
    assert all(gain.p.value < 0.05 for gain in last if gain.p.family == PRIMARY)
    assert np.mean([gain.p.value < 0.05 for gain in last]) > 0.5


def test_under_the_null_a_family_has_a_clear_test_in_one_run_of_twenty_at_most() -> None:
    runs = [family(["base", "SFT", "SFT+GRPO"], 0.0, seed) for seed in range(120)]
    for name in (PRIMARY, SECONDARY):
        clear = [any(gain.p.value < 0.05 for gain in gains if gain.p.family == name) for gains in runs]
        # 5 % of 120, and two standard errors.
        assert np.mean(clear) <= 0.09


def test_a_note_tells_the_families() -> None:
    told = families(family(["base", "SFT", "SFT+GRPO"], 0.0, 3))
    assert "the same in every run, 8 tests" in told
    assert "Reward, Format, Held-out answer, NAvg" in told
    assert "Secondary family: the other 19 tests, of which chance alone would put about 1 below 0.05" in told
    alone = families(family(["SFT+GRPO", "mine"], 0.0, 3)[:0])
    assert "no stage follows another" in alone


def test_one_question_is_compared_without_intervals() -> None:
    results = []
    for model, value in {"a": 0.1, "b": 0.3}.items():
        frame = pd.DataFrame({"navg": [value], "chars": [9.0]}, index=pd.Index(["q"], name="question_id"))
        results.append(Result(model, "x", "s", 1, {}, {}, {}, frame, shown_by_question=frame))
    (gain,) = compare(results, ["navg"], 1)
    assert gain.gain.mean == pytest.approx(0.2)
    assert (gain.gain.ends, gain.p.value) == (None, 1.0)
    assert slices(results, {"all": ["q"]}, "navg")["all"]["a"] == Interval(0.1)


def test_topics_by_size_without_the_small_and_the_unlabelled() -> None:
    questions = pd.DataFrame({"id": list("abcdef"), "topic": ["恋爱", "职场", "恋爱", "", "", "家庭"]})
    assert by_topic(questions) == {"恋爱": ["a", "c"], "家庭": ["f"], "职场": ["b"]}
    assert by_topic(questions, 2) == {"恋爱": ["a", "c"]}
