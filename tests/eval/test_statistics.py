"""Intervals cover as often as they say, stay within bounds and are left out where nothing can be said; p-values."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import permutation_test

from eval.intervals import LEAST
from eval.statistics import (
    Interval,
    PValue,
    clustered_interval,
    holm,
    length_controlled,
    mean_interval,
    paired_interval,
    paired_p_value,
    t_interval,
)

SHARE = (0.0, 1.0)
Draw = Callable[[np.random.Generator, int], "np.ndarray"]


def coverage(draw: Draw, mean: float, size: int, bounds: tuple[float, float], paired: bool = False) -> float:
    """Share of 1,500 samples whose interval holds the mean, of those that have one."""
    rng, found = np.random.default_rng(1), []
    for _ in range(1500):
        values = draw(rng, size)
        interval = paired_interval(values.tolist(), [0.0] * size, bounds) if paired else mean_interval(values, bounds)
        if interval.ends:
            found.append(interval.ends[0] <= mean <= interval.ends[1])
    assert len(found) > 900
    return float(np.mean(found))


def eighths(chance: float) -> Draw:
    """Questions that differ, with eight replies each of which a share pass."""
    return lambda rng, size: rng.binomial(8, rng.beta(4 * chance, 4 * (1 - chance), size)) / 8


@pytest.mark.parametrize("size", [LEAST, 20, 100])
@pytest.mark.parametrize(
    ("draw", "mean", "bounds", "paired"),
    [
        (lambda rng, size: rng.normal(0.4, 0.05, size), 0.4, SHARE, False),
        (lambda rng, size: rng.lognormal(0.0, 0.5, size), np.exp(0.125), (0.0, np.inf), False),
        (eighths(0.5), 0.5, SHARE, False),
        (eighths(0.8), 0.8, SHARE, False),
        (lambda rng, size: rng.normal(0.4, 0.05, size), 0.4, SHARE, True),
        (lambda rng, size: rng.choice([-1.0, 0.0, 1.0], size, p=[0.2, 0.4, 0.4]), 0.2, SHARE, True),
    ],
    ids=["normal", "skewed", "share of half", "high share", "difference", "difference of shares"],
)
def test_intervals_cover(draw: Draw, mean: float, bounds: tuple[float, float], paired: bool, size: int) -> None:
    # Two standard errors of 1,500 samples beside 93 to 97 %.
    assert 0.92 <= coverage(draw, mean, size, bounds, paired) <= 0.98


def test_a_percentile_bootstrap_does_not_where_ours_does() -> None:
    rng = np.random.default_rng(2)
    samples = rng.lognormal(0.0, 0.5, (300, LEAST))
    drawn = samples[:, rng.integers(0, LEAST, (500, LEAST))].mean(axis=2)
    ends = np.percentile(drawn, [2.5, 97.5], axis=1)
    assert np.mean((ends[0] <= np.exp(0.125)) & (np.exp(0.125) <= ends[1])) < 0.9


def test_no_interval_below_the_least_number_of_questions() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, LEAST)
    assert mean_interval(values[1:]).ends is None
    assert mean_interval(values).ends is not None
    assert mean_interval([0.7]) == Interval(0.7)
    assert paired_interval(values[1:].tolist(), [0.0] * (LEAST - 1)).ends is None
    with pytest.raises(ValueError, match="a question or more"):
        mean_interval([])


def test_where_all_questions_pass_the_interval_is_wilson_s() -> None:
    found = mean_interval([1.0] * 20, SHARE)
    assert found.ends == pytest.approx((20 / (20 + 1.959964**2), 1.0))
    assert mean_interval([0.0] * 20, SHARE).ends == pytest.approx((0.0, 1 - 20 / (20 + 1.959964**2)))
    # A value that nothing bounds says nothing of another one.
    assert mean_interval([0.4] * 20, SHARE).ends is None
    assert mean_interval([1.0] * 20).ends is None


def test_one_reply_a_question_is_wilson_s_interval() -> None:
    share, z2 = 0.3, 1.959964**2
    half = np.sqrt(z2 * share * (1 - share) / 30 + z2**2 / 3600)
    ends = (share + z2 / 60 - half) / (1 + z2 / 30), (share + z2 / 60 + half) / (1 + z2 / 30)
    assert mean_interval([1.0] * 9 + [0.0] * 21, SHARE).ends == pytest.approx(ends)
    percent = mean_interval([100.0] * 9 + [0.0] * 21, (0.0, 100.0)).ends
    assert percent == pytest.approx(tuple(100 * end for end in ends))


def test_no_interval_passes_a_bound() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        high = np.minimum(rng.normal(0.95, 0.1, 12), 1.0)
        found = mean_interval(high, SHARE).ends
        assert found is not None
        assert 0 <= found[0] <= high.mean() <= found[1] <= 1
        difference = paired_interval(high.tolist(), (1 - high).tolist(), SHARE).ends
        assert difference is not None
        assert -1 <= difference[0] <= difference[1] <= 1
    assert t_interval([0.99, 0.97, 1.0], SHARE).high == 1.0
    with pytest.raises(ValueError, match=r"values from 0 to 2, expected 0 to 1: the figure's bounds"):
        mean_interval([0.0, 2.0], SHARE)


COSINE = (-1.0, 1.0)


def test_what_only_rounding_sets_beside_a_bound_lies_on_it() -> None:
    # Each post's cosine with itself, in float32: what the baseline "the post" has.
    alike = [1.0000001192, 0.9999998808] * 10
    found = mean_interval(alike, COSINE, share=False)
    assert found.ends is None
    assert 1 - 1e-6 < found.mean <= 1.0
    assert mean_interval([value - 0.5 for value in alike], COSINE, share=False).ends is None
    assert clustered_interval(alike, range(20), COSINE, share=False).ends is None
    assert mean_interval(alike, SHARE).ends == pytest.approx((20 / (20 + 1.959964**2), 1.0))
    assert paired_interval(alike, [0.0] * 20, SHARE).ends == pytest.approx((0.678, 1.0), abs=0.001)
    # A mean that rounding alone puts beyond the bound, of questions that do differ.
    few = mean_interval([1.0000009] * 999 + [0.9999], COSINE, share=False).ends
    assert few is not None
    assert 0.999 < few[0] < few[1] <= 1.0


def test_large_samples_have_the_normal_interval() -> None:
    values = np.random.default_rng(3).normal(1.0, 1.0, 400)
    half = 1.966 * values.std(ddof=1) / 20
    assert mean_interval(values).ends == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_a_gain_and_none() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(0.5, 0.2, 40)
    gain = paired_interval((before + rng.normal(0.3, 0.1, 40)).tolist(), before.tolist())
    assert gain.low is not None
    assert gain.low > 0.2
    none = paired_interval(rng.normal(0.5, 0.2, 40).tolist(), before.tolist()).ends
    assert none is not None
    assert none[0] < 0 < none[1]
    # The same text word for word: nothing says how another question would differ.
    assert paired_interval(before.tolist(), before.tolist(), SHARE) == Interval(0.0)
    assert paired_interval([1.0] * 12, [0.0] * 12, SHARE).ends == pytest.approx((0.515, 1.0), abs=0.001)


def test_few_differences_are_not_taken_for_the_variance() -> None:
    found = paired_interval([1.0] + [0.0] * 29, [0.0] * 30, SHARE).ends
    assert found is not None
    assert found[0] < -0.05
    assert found[1] > 0.1


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0, 2.0], [1.0])])
def test_none_or_unequal_numbers_of_questions(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match="the same questions"):
        paired_interval(a, b)
    with pytest.raises(ValueError, match="the same questions"):
        paired_p_value(a, b, seed=0)


def test_clusters_of_one_give_the_plain_interval() -> None:
    values = np.random.default_rng(4).normal(0.5, 0.1, 12).tolist()
    names = [f"q{n}" for n in range(12)]
    assert clustered_interval(values, names, SHARE).ends == pytest.approx(mean_interval(values, SHARE).ends)
    plain = paired_interval(values, [0.0] * 12, SHARE)
    assert clustered_interval(values, names, SHARE, differences=True).ends == pytest.approx(plain.ends)


def test_values_of_one_cluster_count_once() -> None:
    values = np.random.default_rng(5).normal(0.5, 0.1, 15)
    once = mean_interval(values, SHARE).ends
    assert clustered_interval(np.tile(values, 4), list(range(15)) * 4, SHARE).ends == pytest.approx(once)
    with pytest.raises(ValueError, match="a cluster each"):
        clustered_interval([1.0, 2.0], ["a"])


def test_intervals_as_text_and_moved() -> None:
    assert Interval(0.5).text(".2f") == "0.50"
    assert Interval(0.5, 0.25, 0.75).text("+.2f") == "+0.50 (+0.25 to +0.75)"
    assert Interval(0.5, 0.25, 1.0).moved(-1.0) == Interval(-0.5, -1.0, -0.25)
    assert Interval(0.0, -1.0, 0.5).moved(0.5, 0.5) == Interval(0.5, 0.0, 0.75)
    assert Interval(0.5).moved(-1.0) == Interval(-0.5)


def test_p_is_small_for_a_gain_and_large_without_one() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(0.5, 0.2, 60)
    assert paired_p_value((before + rng.normal(0.1, 0.1, 60)).tolist(), before.tolist(), seed=1).value < 0.001
    assert paired_p_value(rng.normal(0.5, 0.2, 60).tolist(), before.tolist(), seed=1).value > 0.05
    assert paired_p_value([0.5, 0.5], [0.5, 0.5], seed=1) == PValue(1.0)
    assert paired_p_value([0.5], [0.1], seed=1) == PValue(1.0)


def test_p_of_few_questions_is_exact() -> None:
    # All 16 ways to swap four questions' models are as likely; two have a mean as far from 0.
    assert paired_p_value([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], seed=1) == PValue(2 / 16)
    difference = np.random.default_rng(2).normal(0.3, 1.0, 11)
    peer = permutation_test((difference,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert paired_p_value(difference.tolist(), [0.0] * 11, seed=1).value == pytest.approx(peer.pvalue)


def test_small_p_are_drawn_finer() -> None:
    difference = np.random.default_rng(20).normal(0.95, 1.0, 18)
    swaps = np.array([[1 if number >> place & 1 else -1 for place in range(18)] for number in range(2**18)])
    exact = float(np.mean(np.abs(swaps @ difference) >= abs(difference.sum()) - 1e-9))
    assert 2e-4 < exact < 1e-3
    assert paired_p_value(difference.tolist(), [0.0] * 18, seed=1).value == pytest.approx(exact, rel=0.3)


def test_p_below_all_draws_is_a_bound_that_lies_above_the_exact_one() -> None:
    difference = np.random.default_rng(4).uniform(0.5, 1.5, 21)
    # Only the two swaps of all or none are as extreme.
    found = paired_p_value(difference.tolist(), [0.0] * 21, seed=1)
    assert found == PValue(1 / 100_001, at_most=True)
    assert found.value >= 2 / 2**21
    large = paired_p_value(np.full(200, 0.5).tolist(), [0.0] * 200, seed=1)
    assert large.at_most
    assert 2 / 2**200 <= large.value < 1e-40


@pytest.mark.parametrize(
    ("p", "text", "named"),
    [
        (PValue(0.0004), "p < 0.001", "p < 0.001"),
        (PValue(0.0468, True, "primary", 7), "p ≤ 0.047", "p ≤ 0.047 (primary)"),
        (PValue(0.0123), "p = 0.012", "p = 0.012"),
    ],
)
def test_a_bound_is_told_as_one(p: PValue, text: str, named: str) -> None:
    assert (p.text(), p.named()) == (text, named)


def test_holm_on_its_textbook_case() -> None:
    found = holm([PValue(0.01), PValue(0.04), PValue(0.03, True), PValue(0.005)], "secondary")
    assert [p.value for p in found] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [p.at_most for p in found] == [False, False, True, False]
    assert {(p.family, p.tests) for p in found} == {("secondary", 4)}
    assert [p.value for p in holm([PValue(0.9), PValue(0.9)])] == [1.0, 1.0]
    assert holm([]) == []


def test_length_controlled_takes_a_gain_of_length_away() -> None:
    rng = np.random.default_rng(0)
    theirs, their_length = rng.normal(0.5, 0.05, 200), rng.integers(100, 900, 200)
    our_length = their_length * rng.uniform(1.0, 2.0, 200)
    bought = 0.2 * (np.log1p(our_length) - np.log1p(their_length))
    longer = theirs + bought + rng.normal(0, 0.02, 200)
    lengths = our_length.tolist(), their_length.tolist()
    plain = paired_interval(longer.tolist(), theirs.tolist()).ends
    assert plain is not None
    assert plain[0] > 0.03
    found = length_controlled(longer.tolist(), theirs.tolist(), *lengths).ends
    assert found is not None
    assert found[0] < 0 < found[1]
    better = length_controlled((longer + 0.1).tolist(), theirs.tolist(), *lengths)
    assert better.mean == pytest.approx(0.1, abs=0.02)


def test_the_interval_at_equal_length_covers() -> None:
    rng, inside = np.random.default_rng(6), []
    for _ in range(800):
        ours, theirs = rng.integers(100, 300, 12), rng.integers(100, 250, 12)
        gain = 0.1 * (np.log1p(ours) - np.log1p(theirs)) + rng.normal(0.05, 0.1, 12)
        found = length_controlled(gain, [0.0] * 12, ours, theirs).ends  # type: ignore[arg-type]
        assert found is not None
        inside.append(found[0] <= 0.05 <= found[1])
    assert 0.92 <= np.mean(inside) <= 0.98


def test_length_controlled_without_a_difference_in_length_is_the_plain_gain() -> None:
    ours, theirs, length = [0.5, 0.7, 0.4], [0.1, 0.2, 0.3], [100.0, 100.0, 100.0]
    interval = length_controlled(ours, theirs, length, length)
    assert interval.mean == pytest.approx(np.mean(np.subtract(ours, theirs)))
    assert interval.ends is None
    with pytest.raises(ValueError, match="three or more"):
        length_controlled(ours[:2], theirs[:2], length[:2], length[:2])


def test_a_question_that_alone_holds_the_line_leaves_no_interval() -> None:
    gains = np.random.default_rng(7).normal(0.1, 0.1, 12).tolist()
    alone = length_controlled(gains, [0.0] * 12, [100.0] * 11 + [900.0], [100.0] * 12)
    assert alone.ends is None


def test_intervals_of_pooled_runs_cover() -> None:
    """Questions that stand in one to three runs, each with a value of its own beside what they share."""
    rng, inside = np.random.default_rng(8), []
    for _ in range(800):
        runs = rng.integers(1, 4, 15)
        places = np.repeat(np.arange(15), runs)
        values = rng.normal(0.1, 0.1, 15)[places] + rng.normal(0.0, 0.05, len(places))
        found = clustered_interval(values, places, SHARE, differences=True).ends
        assert found is not None
        inside.append(found[0] <= 0.1 <= found[1])
    assert 0.92 <= np.mean(inside) <= 0.98
