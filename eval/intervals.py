"""How far a mean over questions may be off: the formulas of `eval.statistics`, each simulated in `benchmarks.coverage`.

All of them take the mean and its influence: for each question (or cluster of values) how far its own value lies from
the mean, so that the mean's variance is that of the influence over the number of questions.
"""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

Floats = npt.NDArray[np.float64]
Bounds = tuple[float, float]
# The ends of an interval, None where nothing can be said.
Ends = tuple[float, float] | None

# Questions from which on there is an interval. With fewer, more and more figures are not covered in 93 to 97 % of
# samples (docs/evaluation.md), and the smallest p that swapping two models can give is 2 / 2**n.
LEAST: Final = 10
UNBOUNDED: Final = (-np.inf, np.inf)
# How far float32, in which models give their figures, may put a value beside its own: the cosine of a post with itself
# is 1.0000001 or 0.9999999.
ROUNDING: Final = 1e-6


def within(values: npt.ArrayLike, bounds: Bounds) -> Floats:
    """The values, those that only rounding puts out of the bounds on them.

    Raises:
        ValueError: a value out of the bounds.
    """
    sample = np.asarray(values, dtype=float)
    low, high = bounds
    if sample.size and (sample.min() < low - ROUNDING or sample.max() > high + ROUNDING):
        raise ValueError(
            f"values from {sample.min():g} to {sample.max():g}, expected {low:g} to {high:g}: the figure's bounds in "
            "eval/figures.py. Give it those that it has."
        )
    return sample.clip(low, high)


def ends_of_mean(
    mean: float, influence: Floats, values: Floats, bounds: Bounds, level: float, least: int, share: bool = True
) -> Ends:
    """The interval of a mean of values within bounds.

    Args:
        mean: of the values.
        influence: of each question.
        values: that the mean is of, see `within`.
        bounds: the smallest and the largest value that there can be.
        level: how often the interval is to cover.
        least: questions for which there is one.
        share: the values are shares of answers, of which equal ones on a bound tell how far another may lie.
    """
    low, high = bounds
    on_bound = (values <= low + ROUNDING) | (values >= high - ROUNDING)
    alike = equal(influence)
    if len(influence) < least or (alike and not (share and on_bound.all())):
        return None
    if not on_bound.any() or not np.isfinite(high - low):
        return _studentised(mean, influence, bounds, level)
    part, variance = (mean - low) / (high - low), (influence**2).sum() / (len(influence) - 1) / (high - low) ** 2
    # With one reply a question, or all of them alike, the variance is the binomial's and not estimated.
    known = alike or (on_bound.all() and len(values) == len(influence))
    answers = float(len(influence)) if known else float(len(influence) * part * (1 - part) / variance)
    quantile = float(norm.ppf((1 + level) / 2)) if known else student(level, len(influence) - 1)
    ends = _wilson(min(max(part, 0.0), 1.0), answers, quantile)
    return low + (high - low) * ends[0], low + (high - low) * ends[1]


def ends_of_difference(mean: float, influence: Floats, values: Floats, bounds: Bounds, level: float) -> Ends:
    """The interval of a mean difference of a figure within bounds; arguments as for `ends_of_mean`."""
    size, width = len(influence), bounds[1] - bounds[0]
    if equal(influence) and np.isfinite(width) and abs(mean) > width - ROUNDING:
        return ends_of_mean(mean, influence, values, (-width, width), level, LEAST)
    if size < LEAST or equal(influence):
        return None
    if np.mean(values == 0) <= 0.5:
        return _studentised(mean, influence, (-width, width), level)
    largest = float(np.abs(values).max())
    more = np.concatenate([influence, [largest - mean, -largest - mean]])
    half = student(level, size - 1) * float(more.std(ddof=1) / np.sqrt(len(more)))
    return cut(mean, float(more.mean()) - half, float(more.mean()) + half, (-width, width))


@cache
def student(level: float, freedom: int) -> float:
    """How many standard errors an interval of the level reaches to either side, by Student's t."""
    return float(t.ppf((1 + level) / 2, freedom))


def cut(mean: float, below: float, above: float, bounds: Bounds) -> tuple[float, float]:
    """The ends so far from the mean, within the bounds."""
    return max(mean + below, bounds[0]), min(mean + above, bounds[1])


def equal(values: Floats) -> bool:
    """Whether the values differ by no more than rounding."""
    return float(np.ptp(values)) <= ROUNDING * max(1.0, float(np.abs(values).max()))


def _wilson(share: float, answers: float, quantile: float) -> tuple[float, float]:
    weight = quantile**2 / answers
    centre = (share + weight / 2) / (1 + weight)
    half = float(np.sqrt(weight * share * (1 - share) + weight**2 / 4)) / (1 + weight)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _studentised(mean: float, influence: Floats, bounds: Bounds, level: float) -> tuple[float, float]:
    """Student's interval with Hall's correction (1992, https://doi.org/10.1111/j.2517-6161.1992.tb01872.x).

    Two degrees of freedom go to the skewness, which is estimated too. Where hardly half of the values differ from each
    other it is that of a few of them, and the correction is left out.
    """
    size, variance = len(influence), float((influence**2).mean())
    error = float(np.sqrt(variance / (size - 1)))
    if len(np.unique(influence.round(9))) <= size / 2:
        half = student(level, size - 1) * error
        return cut(mean, -half, half, bounds)
    skewness = float((influence**3).mean()) / variance**1.5
    quantile = student(level, size - 3)
    below, above = (-error * _unskewed(end, skewness, size) for end in (quantile, -quantile))
    return cut(mean, below, above, bounds)


def _unskewed(value: float, skewness: float, size: int) -> float:
    """Student's t that Hall's cubic, which takes the skewness out of it, turns into the value."""
    if abs(skewness) < 1e-6:
        return value
    root = float(np.sqrt(size))
    cubic = 1 + skewness * (value / root - skewness / (6 * size))
    return root * 3 / skewness * (float(np.cbrt(cubic)) - 1)
