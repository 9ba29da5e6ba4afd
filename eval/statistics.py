"""Intervals: questions are what was drawn at random, so questions are what is drawn again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap, norm, permutation_test, t


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its bootstrap interval."""

    mean: float
    low: float
    high: float

    def text(self, form: str, pattern: str = "{} ({} to {})") -> str:
        """Mean and ends by a format such as ".2f" or "+.3f": "0.34 (0.26 to 0.42)"."""
        return pattern.format(*(f"{value:{form}}" for value in (self.mean, self.low, self.high)))


def bootstrap_mean(values: npt.ArrayLike, seed: int, resamples: int = 10_000, level: float = 0.95) -> Interval:
    """The mean over questions with its percentile bootstrap interval.

    Percentile and not BCa: BCa is undefined where all values but few are equal, which binary rewards bring about.

    Args:
        values: one number a question; a single one has an interval of one point.

    Raises:
        ValueError: no question.
    """
    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1 or not sample.size:
        raise ValueError(f"an interval needs a question or more, found values of shape {sample.shape}")
    return _bootstrapped(np.mean, (sample,), seed, resamples, level)


def t_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean of a few independent values, such as one a seed, with Student's interval.

    A bootstrap of three values covers some 75 % instead of 95; this one is wide, and right where the values are about
    normal.

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"{len(values)} values, expected two or more")
    sample = np.asarray(values, dtype=float)
    mean, error = float(sample.mean()), float(sample.std(ddof=1) / np.sqrt(len(sample)))
    half = float(t.ppf((1 + level) / 2, len(sample) - 1)) * error
    return Interval(mean, mean - half, mean + half)


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
    return bootstrap_mean(_paired(ours, theirs), seed, resamples, level)


def clustered_bootstrap(
    values: npt.ArrayLike, clusters: npt.ArrayLike, seed: int, resamples: int = 10_000, level: float = 0.95
) -> Interval:
    """The mean of all values with its percentile interval, whole clusters drawn again.

    Args:
        values: such as a difference a question and run.
        clusters: which values belong together, such as the question's id; as many as values.

    Raises:
        ValueError: other shapes, or fewer than two clusters.
    """
    table = np.asarray(values, dtype=float), np.asarray(clusters)
    names, places = np.unique(table[1], return_inverse=True)
    if table[0].shape != table[1].shape or table[0].ndim != 1 or len(names) < 2:
        raise ValueError(f"{table[0].shape} values in {len(names)} clusters, expected a cluster a value, two or more")
    sums, counts = (np.bincount(places, weights=one).astype(np.float64) for one in (table[0], np.ones_like(table[0])))

    def mean(total: npt.NDArray[np.float64], count: npt.NDArray[np.float64], axis: int = -1) -> Any:
        return total.sum(axis=axis) / count.sum(axis=axis)

    return _bootstrapped(mean, (sums, counts), seed, resamples, level)


@dataclass(frozen=True, slots=True)
class PValue:
    """A p-value.

    Attributes:
        value: of the test, corrected or not.
        at_most: it is an upper bound, since no resample was as extreme as what was found.
    """

    value: float
    at_most: bool = False

    def text(self) -> str:
        """ "p < 0.001", "p = 0.012", or "p ≤ 0.047" where it is a bound."""
        if self.value < 0.001:
            return "p < 0.001"
        return f"p {'≤' if self.at_most else '='} {self.value:.3f}"


# Of Rademacher sums: P(S ≥ x) ≤ c P(Z ≥ x), Bentkus and Dzindzalieta, 2015, https://doi.org/10.3150/14-BEJ603.
_RADEMACHER: Final = float(1 / (4 * norm.sf(np.sqrt(2))))


def paired_p_value(ours: Sequence[float], theirs: Sequence[float], seed: int, resamples: int = 10_000) -> PValue:
    """Two-sided p of the mean difference being 0: a permutation test that swaps the two models, question by question.

    Where no resample is as extreme as what was found, all that they say is "below 2 / resamples"; corrected for many
    comparisons nothing could ever be clear. The exact p of the swaps is at most what a bound on sums of random signs
    gives, so the smaller of the two is told, as a bound.

    Args:
        ours: one number a question.
        theirs: of the same questions in the same order.

    Raises:
        ValueError: unequal numbers of questions, or fewer than two.
    """
    difference = _paired(ours, theirs)
    if not difference.any():
        return PValue(1.0)
    result = permutation_test(
        (difference,), np.mean, permutation_type="samples", n_resamples=resamples, rng=seed, vectorized=True, batch=500
    )
    found, floor = float(result.pvalue), 2 / (resamples + 1)
    # With few questions scipy takes every swap there is, and its p is exact.
    if 2 ** len(difference) <= resamples or found > floor * (1 + 1e-9):
        return PValue(found)
    tail = 2 * _RADEMACHER * float(norm.sf(abs(difference.sum()) / np.sqrt((difference**2).sum())))
    return PValue(min(found, tail), at_most=True)


def holm(p_values: Sequence[PValue]) -> list[PValue]:
    """Adjusted p of several tests at once (Holm, 1979, https://www.jstor.org/stable/4615733), in the order given."""
    values = np.asarray([p.value for p in p_values], dtype=float)
    order = np.argsort(values, kind="stable")
    stepped = np.minimum(1.0, np.maximum.accumulate(values[order] * (len(values) - np.arange(len(values)))))
    adjusted = stepped[np.argsort(order)].tolist()
    return [PValue(value, p.at_most) for value, p in zip(adjusted, p_values, strict=True)]


def length_controlled(
    ours: Sequence[float],
    theirs: Sequence[float],
    our_lengths: Sequence[float],
    their_lengths: Sequence[float],
    seed: int,
    resamples: int = 2_000,
    level: float = 0.95,
) -> Interval:
    """What the mean difference would be between replies of one length, with its interval over questions.

    The intercept of the differences regressed on the difference of the logarithms of the lengths (plus one character,
    for empty replies), as AlpacaEval 2 takes length out of its win rate (https://arxiv.org/abs/2404.04475). Where the
    lengths never differ it is the plain difference.

    Args:
        ours: one number a question.
        theirs: of the same questions in the same order.
        our_lengths: mean characters of each question's replies.
        their_lengths: likewise.

    Raises:
        ValueError: unequal numbers of questions, or fewer than three, which a line always fits.
    """
    difference = _paired(ours, theirs)
    longer = _paired(np.log1p(our_lengths), np.log1p(their_lengths))
    if len(difference) != len(longer) or len(difference) < 3:
        raise ValueError(f"{len(difference)} differences and {len(longer)} lengths, expected as many and three or more")

    def intercept(
        y: npt.NDArray[np.float64], x: npt.NDArray[np.float64], axis: int = -1
    ) -> npt.NDArray[np.float64] | np.float64:
        means = x.mean(axis, keepdims=True), y.mean(axis, keepdims=True)
        spread = ((x - means[0]) ** 2).sum(axis)
        slope = np.where(spread > 0, ((x - means[0]) * (y - means[1])).sum(axis) / np.where(spread > 0, spread, 1.0), 0)
        return y.mean(axis) - slope * x.mean(axis)

    return _bootstrapped(intercept, (difference, longer), seed, resamples, level)


def lengths_overlap(ours: Sequence[float], theirs: Sequence[float]) -> bool:
    """Whether either model has the longer reply to one question in ten at least."""
    longer = sum(mine > other for mine, other in zip(ours, theirs, strict=True)) / len(ours)
    shorter = sum(mine < other for mine, other in zip(ours, theirs, strict=True)) / len(ours)
    return len(ours) > 2 and (min(longer, shorter) >= 0.1 or longer == shorter == 0)


def _bootstrapped(
    statistic: Callable[..., Any], data: Sequence[npt.NDArray[np.float64]], seed: int, resamples: int, level: float
) -> Interval:
    """A figure of the questions with its percentile interval; one point where nothing differs."""
    mean = float(statistic(*data))
    if not any(np.ptp(one) for one in data):
        return Interval(mean, mean, mean)
    drawn = bootstrap(
        data,
        statistic,
        paired=len(data) > 1,
        vectorized=True,
        n_resamples=resamples,
        batch=500,
        confidence_level=level,
        method="percentile",
        rng=seed,
    )
    return Interval(mean, *map(float, drawn.confidence_interval))


def _paired(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> npt.NDArray[np.float64]:
    left, right = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    if left.shape != right.shape or left.ndim != 1 or len(left) < 2:
        raise ValueError(f"{left.shape} and {right.shape} values, expected the same questions, two or more")
    return left - right
