"""Intervals: questions are what was drawn at random, so questions are what is drawn again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its bootstrap interval."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low > 0 or self.high < 0


def bootstrap_mean(values: Sequence[float], seed: int, resamples: int = 10_000, level: float = 0.95) -> Interval:
    """The mean over questions with its percentile bootstrap interval.

    Percentile and not BCa: BCa is undefined where all values but few are equal, which binary rewards bring about.

    Args:
        values: one number a question.

    Raises:
        ValueError: fewer than two questions.
    """
    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1 or sample.size < 2:
        raise ValueError(f"an interval needs two questions or more, found values of shape {sample.shape}")
    mean = float(sample.mean())
    if np.ptp(sample) == 0:
        return Interval(mean, mean, mean)
    result = bootstrap((sample,), np.mean, n_resamples=resamples, confidence_level=level, method="percentile", rng=seed)
    return Interval(mean, float(result.confidence_interval.low), float(result.confidence_interval.high))


def paired_bootstrap(
    ours: Sequence[float], theirs: Sequence[float], seed: int, resamples: int = 10_000, level: float = 0.95
) -> Interval:
    """The mean difference ours − theirs over the same questions, with its interval.

    Args:
        ours: one number a question, such as the mean reward of its replies.
        theirs: of the same questions in the same order.

    Raises:
        ValueError: unequal numbers of questions, or fewer than two.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} and {len(theirs)} questions, expected the same ones on both sides")
    return bootstrap_mean(np.subtract(ours, theirs).tolist(), seed, resamples, level)
