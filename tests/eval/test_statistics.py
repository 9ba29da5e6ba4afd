"""Intervals on known cases."""

import numpy as np
import pytest

from eval.statistics import PValue, bootstrap_mean, holm, length_controlled, paired_bootstrap, paired_p_value


def test_a_clear_gain_excludes_zero() -> None:
    before = np.random.default_rng(0).normal(0.5, 0.2, 40)
    interval = paired_bootstrap((before + 0.3).tolist(), before.tolist(), seed=1)
    assert interval.mean == pytest.approx(0.3)
    assert interval.low > 0


def test_no_gain_includes_zero() -> None:
    rng = np.random.default_rng(0)
    interval = paired_bootstrap(rng.normal(0.5, 0.2, 40).tolist(), rng.normal(0.5, 0.2, 40).tolist(), seed=1)
    assert interval.low < 0 < interval.high


def test_coverage_of_the_normal_interval() -> None:
    values = np.random.default_rng(3).normal(1.0, 1.0, 400)
    interval = bootstrap_mean(values.tolist(), seed=2)
    half = 1.96 * values.std() / 20
    assert interval.low == pytest.approx(values.mean() - half, abs=0.02)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.02)


def test_equal_values_give_a_point() -> None:
    assert bootstrap_mean([1.0, 1.0, 1.0], seed=0).low == 1.0 == bootstrap_mean([1.0, 1.0, 1.0], seed=0).high


def test_same_seed_same_interval() -> None:
    assert bootstrap_mean([0, 1, 1, 0, 2], seed=5) == bootstrap_mean([0, 1, 1, 0, 2], seed=5)


@pytest.mark.parametrize(("a", "b"), [([1.0], [1.0]), ([1.0, 2.0], [1.0])])
def test_too_few_or_unequal(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match="questions"):
        paired_bootstrap(a, b, seed=0)


def test_p_is_small_for_a_gain_and_large_without_one() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(0.5, 0.2, 60)
    assert paired_p_value((before + rng.normal(0.1, 0.1, 60)).tolist(), before.tolist(), seed=1).value < 0.001
    assert paired_p_value(rng.normal(0.5, 0.2, 60).tolist(), before.tolist(), seed=1).value > 0.05
    assert paired_p_value([0.5, 0.5], [0.5, 0.5], seed=1) == PValue(1.0)


def test_p_of_few_questions_is_exact() -> None:
    # All 16 ways to swap four questions' models are as likely; two have a mean as far from 0.
    assert paired_p_value([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], seed=1) == PValue(2 / 16)


def test_where_no_resample_is_as_extreme_p_is_a_bound_that_lies_above_the_exact_one() -> None:
    rng = np.random.default_rng(4)
    for size in (17, 18):
        difference = rng.uniform(0.5, 1.5, size)
        signs = np.array([[1 if number >> place & 1 else -1 for place in range(size)] for number in range(2**size)])
        exact = float(np.mean(np.abs(signs @ difference) >= abs(difference.sum()) - 1e-9))
        found = paired_p_value(difference.tolist(), [0.0] * size, seed=1)
        assert exact < 2 / 10_001
        assert found.at_most
        assert exact <= found.value <= 2 / 10_001


def test_many_comparisons_can_be_clear() -> None:
    """8 models and 9 figures: Holm times the least p of 10,000 resamples would be 0.0504."""
    rng = np.random.default_rng(4)
    better = rng.normal(0.3, 0.1, 40)
    found = holm([paired_p_value(better.tolist(), [0.0] * 40, seed=1)] * 252)
    assert found[0].at_most
    assert found[0].value < 1e-4


@pytest.mark.parametrize(
    ("p", "text"),
    [(PValue(0.0004), "p < 0.001"), (PValue(0.0468, True), "p ≤ 0.047"), (PValue(0.0123), "p = 0.012")],
)
def test_a_bound_is_told_as_one(p: PValue, text: str) -> None:
    assert p.text() == text


def test_holm_on_its_textbook_case() -> None:
    found = holm([PValue(0.01), PValue(0.04), PValue(0.03, True), PValue(0.005)])
    assert [p.value for p in found] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [p.at_most for p in found] == [False, False, True, False]
    assert [p.value for p in holm([PValue(0.9), PValue(0.9)])] == [1.0, 1.0]
    assert holm([]) == []


def test_length_controlled_takes_a_gain_of_length_away() -> None:
    rng = np.random.default_rng(0)
    theirs, their_length = rng.normal(0.5, 0.05, 200), rng.integers(100, 900, 200)
    our_length = their_length * rng.uniform(1.0, 2.0, 200)
    bought = 0.2 * (np.log1p(our_length) - np.log1p(their_length))
    longer = theirs + bought + rng.normal(0, 0.02, 200)
    lengths = our_length.tolist(), their_length.tolist()
    assert paired_bootstrap(longer.tolist(), theirs.tolist(), 1).low > 0.03
    interval = length_controlled(longer.tolist(), theirs.tolist(), *lengths, 1)
    assert interval.low < 0 < interval.high
    better = length_controlled((longer + 0.1).tolist(), theirs.tolist(), *lengths, 1)
    assert better.mean == pytest.approx(0.1, abs=0.02)


def test_length_controlled_without_a_difference_in_length_is_the_plain_gain() -> None:
    ours, theirs, length = [0.5, 0.7, 0.4], [0.1, 0.2, 0.3], [100.0, 100.0, 100.0]
    interval = length_controlled(ours, theirs, length, length, seed=1)
    assert interval.mean == pytest.approx(np.mean(np.subtract(ours, theirs)))
    with pytest.raises(ValueError, match="three or more"):
        length_controlled(ours[:2], theirs[:2], length[:2], length[:2], seed=1)
