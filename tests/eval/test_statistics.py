"""Intervals on known cases."""

import numpy as np
import pytest

from eval.statistics import bootstrap_mean, paired_bootstrap


def test_a_clear_gain_excludes_zero() -> None:
    before = np.random.default_rng(0).normal(0.5, 0.2, 40)
    interval = paired_bootstrap((before + 0.3).tolist(), before.tolist(), seed=1)
    assert interval.mean == pytest.approx(0.3)
    assert interval.excludes_zero


def test_no_gain_includes_zero() -> None:
    rng = np.random.default_rng(0)
    interval = paired_bootstrap(rng.normal(0.5, 0.2, 40).tolist(), rng.normal(0.5, 0.2, 40).tolist(), seed=1)
    assert interval.low < 0 < interval.high
    assert not interval.excludes_zero


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
