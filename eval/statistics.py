"""Intervals and p-values: questions are what was drawn at random, so they are for other questions of the same kind.

No interval is given for fewer than `LEAST` questions, nor where all of them have the same value and nothing says how
far another would lie: the mean stands alone. How often the intervals cover, beside those of a percentile bootstrap:
``python -m benchmarks.coverage``, figures in docs/evaluation.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from eval.intervals import (
    LEAST,
    UNBOUNDED,
    Bounds,
    Ends,
    Floats,
    cut,
    ends_of_difference,
    ends_of_mean,
    equal,
    student,
    within,
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, with its interval where there is one.

    Attributes:
        mean: over the questions.
        low: end of the interval; None where it has none.
        high: likewise.
    """

    mean: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, mean: float, ends: Ends) -> "Interval":
        """A mean with its ends, None for none."""
        return cls(mean, *(ends or (None, None)))

    @property
    def ends(self) -> Ends:
        """Both ends, None without an interval."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def text(self, form: str, pattern: str = "{} ({} to {})") -> str:
        """Mean and ends by a format such as ".2f" or "+.3f": "0.34 (0.26 to 0.42)"; the mean alone without ends."""
        if self.ends is None:
            return f"{self.mean:{form}}"
        return pattern.format(*(f"{value:{form}}" for value in (self.mean, *self.ends)))

    def moved(self, factor: float, shift: float = 0.0) -> "Interval":
        """The interval of factor × figure + shift."""
        mean = factor * self.mean + shift
        return Interval(mean, *sorted(factor * end + shift for end in self.ends or ()))


def mean_interval(
    values: npt.ArrayLike, bounds: Bounds = UNBOUNDED, level: float = 0.95, least: int = LEAST, *, share: bool = True
) -> Interval:
    """The mean over questions.

    Where a value lies on a bound, as with shares of replies, it is Wilson's interval (1927,
    https://doi.org/10.1080/01621459.1927.10502953) of as many independent answers as have the variance found, with
    Student's quantile, as surveys do it (Korn and Graubard, 1998; Franco and others, 2019,
    https://doi.org/10.1093/jssam/smy019); with one reply a question it is Wilson's own. So it never passes a bound, and
    has a width where all questions pass. Otherwise it is Student's with Hall's correction for skewness.

    Args:
        values: one number a question.
        bounds: the smallest and the largest value that the figure can have.
        level: how often it is to cover.
        least: values for which there is an interval.
        share: each value is a share of answers; of another figure equal values on a bound have no interval.

    Raises:
        ValueError: no question, or a value out of the bounds.
    """
    sample = within(values, bounds)
    if sample.ndim != 1 or not sample.size:
        raise ValueError(f"an interval needs a question or more, found values of shape {sample.shape}")
    return _mean(sample, sample - sample.mean(), bounds, level, least, share)


def paired_interval(
    ours: Sequence[float], theirs: Sequence[float], bounds: Bounds = UNBOUNDED, level: float = 0.95
) -> Interval:
    """The mean difference ours − theirs over the same questions, with its interval.

    Student's with Hall's correction for skewness. Where most questions show no difference, the others are too few to
    tell the variance: two questions more are counted, with the largest difference found and its opposite, as for paired
    shares (Agresti and Min, 2005, https://doi.org/10.1002/sim.1781).

    Args:
        ours: one number a question, such as the mean reward of its replies.
        theirs: of the same questions in the same order.
        bounds: the smallest and the largest value of the figure, not of the difference.
        level: how often it is to cover.

    Raises:
        ValueError: unequal numbers of questions, or none.
    """
    difference = _paired(ours, theirs)
    return _difference(difference, difference - difference.mean(), bounds, level)


def clustered_interval(
    values: npt.ArrayLike,
    clusters: npt.ArrayLike,
    bounds: Bounds = UNBOUNDED,
    *,
    differences: bool = False,
    share: bool = True,
    level: float = 0.95,
) -> Interval:
    """The mean of all values, whole clusters being what was drawn.

    As `mean_interval` and `paired_interval`, with a cluster's share in the mean (its linearised value) for a question.

    Args:
        values: such as a difference a question and run.
        clusters: which values belong together, such as the question's id; as many as values.
        bounds: the smallest and the largest value of the figure.
        differences: the values are differences of the figure.
        share: see `mean_interval`.
        level: how often it is to cover.

    Raises:
        ValueError: other shapes, or no cluster.
    """
    names = np.asarray(clusters)
    sample = np.asarray(values, dtype=float) if differences else within(values, bounds)
    if sample.shape != names.shape or sample.ndim != 1 or not sample.size:
        raise ValueError(f"values of shape {sample.shape} in clusters of shape {names.shape}, expected a cluster each")
    _, places = np.unique(names, return_inverse=True)
    influence = np.bincount(places, weights=sample - sample.mean()) / np.bincount(places).mean()
    if differences:
        return _difference(sample, influence, bounds, level)
    return _mean(sample, influence, bounds, level, LEAST, share)


def t_interval(values: Sequence[float], bounds: Bounds = UNBOUNDED, level: float = 0.95) -> Interval:
    """The mean of a few independent means, such as one a seed, with Student's interval, cut at the figure's bounds.

    Each is a mean over many questions and so about normal, which single questions are not: three will do.

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"{len(values)} values, expected two or more")
    sample = np.asarray(values, dtype=float)
    mean = float(sample.mean())
    if equal(sample):
        return Interval(mean)
    half = student(level, len(sample) - 1) * float(sample.std(ddof=1) / np.sqrt(len(sample)))
    return Interval.of(mean, cut(mean, -half, half, bounds))


def length_controlled(
    ours: Sequence[float],
    theirs: Sequence[float],
    our_lengths: Sequence[float],
    their_lengths: Sequence[float],
    level: float = 0.95,
) -> Interval:
    """What the mean difference would be between replies of one length, with its interval over questions.

    The intercept of the differences regressed on the difference of the logarithms of the lengths (plus one character,
    for empty replies), as AlpacaEval 2 takes length out of its win rate (https://arxiv.org/abs/2404.04475). Where the
    lengths never differ it is the plain difference. The interval takes each question's weight in the line into account
    (HC3: MacKinnon and White, 1985, https://doi.org/10.1016/0304-4076(85)90158-7) and has Student's quantile.

    Args:
        ours: one number a question.
        theirs: of the same questions in the same order.
        our_lengths: mean characters of each question's replies.
        their_lengths: likewise.
        level: how often it is to cover.

    Raises:
        ValueError: unequal numbers of questions, or fewer than three, which a line always fits.
    """
    difference = _paired(ours, theirs)
    longer = _paired(np.log1p(our_lengths), np.log1p(their_lengths))
    size = len(difference)
    if size != len(longer) or size < 3:
        raise ValueError(f"{size} differences and {len(longer)} lengths, expected as many and three or more")
    if equal(longer):
        return _difference(difference, difference - difference.mean(), UNBOUNDED, level)
    apart = longer - longer.mean()
    spread = float((apart**2).sum())
    slope = float((apart * difference).sum()) / spread
    intercept = float(difference.mean()) - slope * float(longer.mean())
    residuals = difference - intercept - slope * longer
    leverage = 1 / size + apart**2 / spread
    # A question that alone holds the line says nothing about its own error.
    if size < LEAST or equal(residuals) or leverage.max() > 1 - 1e-9:
        return Interval(intercept)
    moves = (1 / size - longer.mean() * apart / spread) * residuals / (1 - leverage)
    half = student(level, size - 2) * float(np.sqrt((moves**2).sum()))
    return Interval(intercept, intercept - half, intercept + half)


def lengths_overlap(ours: Sequence[float], theirs: Sequence[float]) -> bool:
    """Whether either model has the longer reply to one question in ten at least."""
    longer = sum(mine > other for mine, other in zip(ours, theirs, strict=True)) / len(ours)
    shorter = sum(mine < other for mine, other in zip(ours, theirs, strict=True)) / len(ours)
    return len(ours) > 2 and (min(longer, shorter) >= 0.1 or longer == shorter == 0)


@dataclass(frozen=True, slots=True)
class PValue:
    """A p-value.

    Attributes:
        value: of the test, corrected or not.
        at_most: it is an upper bound, since no resample was as extreme as what was found.
        family: name of the tests that it was corrected together with, "" before.
        tests: how many they are.
    """

    value: float
    at_most: bool = False
    family: str = ""
    tests: int = 1

    def text(self) -> str:
        """ "p < 0.001", "p = 0.012", or "p ≤ 0.047" where it is a bound."""
        if self.value < 0.001:
            return "p < 0.001"
        return f"p {'≤' if self.at_most else '='} {self.value:.3f}"

    def named(self) -> str:
        """The same with the family that it was corrected in: "p = 0.012 (primary)"."""
        return f"{self.text()} ({self.family})" if self.family else self.text()


# Of Rademacher sums: P(S ≥ x) ≤ c P(Z ≥ x), Bentkus and Dzindzalieta, 2015, https://doi.org/10.3150/14-BEJ603.
_RADEMACHER: Final = float(1 / (4 * norm.sf(np.sqrt(2))))
# Signs at a time: what a processor's cache holds.
_BATCH: Final = 500_000
# Small p are what a correction multiplies: below this one, so many times as many resamples are drawn.
_SMALL: Final = 0.002
_FINER: Final = 10


def paired_p_value(ours: Sequence[float], theirs: Sequence[float], seed: int, resamples: int = 10_000) -> PValue:
    """Two-sided p of the mean difference being 0: a permutation test that swaps the two models, question by question.

    With few questions every swap is made, and p is exact. Otherwise they are drawn, ten times as many where p is small:
    a family of 1,000 tests can still be corrected. The exact p of the swaps is at most what a bound on sums of random
    signs gives, 2 c (1 − Φ(z)); where that is below what any number of draws could tell, it is told, as a bound.

    Args:
        ours: one number a question.
        theirs: of the same questions in the same order.
        seed: of the draws.
        resamples: how many.

    Raises:
        ValueError: unequal numbers of questions, or none.
    """
    difference = _paired(ours, theirs)
    if not difference.any():
        return PValue(1.0)
    size = len(difference)
    if 2**size <= resamples:
        return PValue(_as_extreme(difference, [_all_swaps(size)]) / 2**size)
    tail = 2 * _RADEMACHER * float(norm.sf(abs(difference.sum()) / np.sqrt((difference**2).sum())))
    if tail < 1 / (_FINER * resamples + 1):
        return PValue(tail, at_most=True)
    found = 1 + _as_extreme(difference, _swaps(size, resamples, seed))
    if found / (resamples + 1) > _SMALL:
        return PValue(found / (resamples + 1))
    # Draws of their own: going on with the first ones would favour small p.
    resamples *= _FINER
    found = 1 + _as_extreme(difference, _swaps(size, resamples, seed + 1))
    return PValue(found / (resamples + 1), at_most=found == 1)


def holm(p_values: Sequence[PValue], family: str = "") -> list[PValue]:
    """Adjusted p of several tests at once (Holm, 1979, https://www.jstor.org/stable/4615733), in the order given.

    Args:
        p_values: of the whole family.
        family: its name.
    """
    values = np.asarray([p.value for p in p_values], dtype=float)
    order = np.argsort(values, kind="stable")
    stepped = np.minimum(1.0, np.maximum.accumulate(values[order] * (len(values) - np.arange(len(values)))))
    adjusted = stepped[np.argsort(order)].tolist()
    return [
        replace(p, value=value, family=family, tests=len(values)) for value, p in zip(adjusted, p_values, strict=True)
    ]


def _all_swaps(size: int) -> npt.NDArray[np.uint8]:
    numbers = np.arange(2**size, dtype=">u4").view(np.uint8).reshape(-1, 4)
    return np.unpackbits(numbers, axis=1)[:, -size:]


def _swaps(size: int, resamples: int, seed: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Whether each question's models are swapped, a row a resample: scipy's permutation_test takes 16 times as long."""
    rng = np.random.default_rng(seed)
    batch = max(1, _BATCH // size)
    for start in range(0, resamples, batch):
        rows = min(batch, resamples - start)
        yield np.unpackbits(rng.integers(0, 256, (rows, -(-size // 8)), dtype=np.uint8), axis=1, count=size)


def _as_extreme(difference: Floats, swaps: Iterable[npt.NDArray[np.uint8]]) -> int:
    """How many of the swaps have a sum as far from 0; sums that only rounding tells apart are equal."""
    total = float(difference.sum())
    limit = abs(total) - 1e-9 * float(np.abs(difference).sum())
    return sum(int((np.abs(total - 2 * (swapped @ difference)) >= limit).sum()) for swapped in swaps)


def _mean(values: Floats, influence: Floats, bounds: Bounds, level: float, least: int, share: bool) -> Interval:
    mean = float(values.mean())
    return Interval.of(mean, ends_of_mean(mean, influence, values, bounds, level, least, share))


def _difference(values: Floats, influence: Floats, bounds: Bounds, level: float) -> Interval:
    mean = float(values.mean())
    return Interval.of(mean, ends_of_difference(mean, influence, values, bounds, level))


def _paired(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> Floats:
    left, right = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    if left.shape != right.shape or left.ndim != 1 or not len(left):
        raise ValueError(f"{left.shape} and {right.shape} values, expected the same questions, one or more")
    return left - right
