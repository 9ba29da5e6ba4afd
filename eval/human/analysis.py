"""What rankings say: Win@1, Win@2, mean rank, strengths, and how far raters agree and can be relied on.

The paper gives Win@1, Win@2 and mean rank without intervals (Table 2). Here both the questions and the raters are taken
as drawn at random, so both are drawn again for the standard error (Owen, 2007, https://doi.org/10.1214/07-AOAS122), and
the interval has Student's quantile of the smaller of both numbers: few raters say little about others.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import choix
import krippendorff
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import kendalltau
from tqdm import tqdm

from common.errors import StageError
from common.records.rankings import Ranking
from eval.intervals import LEAST, Bounds, cut, student
from eval.statistics import Interval

RESAMPLES: Final = 2000
# Raters from which on there is an interval: of two, Student's quantile is 13 and it says nothing.
LEAST_RATERS: Final = 3
# Fewer: each takes a tenth of a second.
STRENGTH_RESAMPLES: Final = 100
# Of Plackett–Luce: keeps the strength of a model that always wins or always loses finite.
_REGULARISED: Final = 0.01

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """One model's figures.

    Attributes:
        win_1: how often it was put first, in per cent.
        win_2: how often first or second, in per cent.
        mean_rank: 1 for always first.
        strength: of Plackett–Luce, all models' adding up to 1: the chance to be put first among all.
    """

    win_1: Interval
    win_2: Interval
    mean_rank: Interval
    strength: Interval


@dataclass(frozen=True, slots=True)
class Rater:
    """How far one rater can be relied on.

    Attributes:
        questions: ranked.
        tau: Kendall's, with the mean ranks of the others, mean over the questions; None where nobody else
            ranked any of them, or the rater was left out.
        checks: attention checks seen.
        passed: of them.
    """

    questions: int
    tau: float | None
    checks: int
    passed: int


@dataclass(frozen=True, slots=True)
class Study:
    """All of it.

    Attributes:
        models: figures by model, the strongest first.
        raters: whose rankings were used, by name.
        left_out: whose rankings were not, for too many checks failed; no other figure counts them.
        questions: that were ranked.
        rankings: that were used.
        w: Kendall's W, mean over questions with two raters or more; None without such a question.
        w_by_chance: what W would be if all ranked at random: it falls with the number of raters.
        alpha: Krippendorff's alpha, ordinal; None where fewer than two raters share a question.
    """

    models: dict[str, Figures]
    raters: dict[str, Rater]
    left_out: dict[str, Rater]
    questions: int
    rankings: int
    w: float | None
    w_by_chance: float | None
    alpha: float | None


def analyse(
    rankings: Sequence[Ranking],
    seed: int,
    checks_passed: float = 0.0,
    strength_resamples: int = STRENGTH_RESAMPLES,
) -> Study:
    """Everything that rankings of the same models say.

    Args:
        rankings: of any number of raters and questions, attention checks among them.
        seed: of resampling.
        checks_passed: raters who passed a smaller share of their attention checks are left out, 0 for nobody.
        strength_resamples: for the intervals of the strengths.

    Raises:
        StageError: no ranking, or rankings of different models.
    """
    real = [ranking for ranking in rankings if not ranking.attention]
    checks = {
        rater: [bool(r.passed) for r in rankings if r.attention and r.rater == rater]
        for rater in sorted({r.rater for r in rankings})
    }
    failed = [rater for rater, passed in checks.items() if passed and np.mean(passed) < checks_passed]
    ranks = _ranks([ranking for ranking in real if ranking.rater not in failed])
    counted = Counter(ranking.rater for ranking in real)

    def own(rater: str) -> Rater:
        tau = None if rater in failed else _tau_with_others(ranks, rater)
        return Rater(counted[rater], tau, len(checks[rater]), sum(checks[rater]))

    w, by_chance = _kendalls_w(ranks)
    return Study(
        models=_figures(ranks, seed, strength_resamples),
        raters={rater: own(rater) for rater in checks if rater not in failed and counted[rater]},
        left_out={rater: own(rater) for rater in failed},
        questions=ranks["question_id"].nunique(),
        rankings=len(ranks),
        w=w,
        w_by_chance=by_chance,
        alpha=_alpha(ranks),
    )


def _ranks(rankings: Sequence[Ranking]) -> pd.DataFrame:
    """A row a ranking: rater, question_id, and each model's rank from 1."""
    if not rankings:
        raise StageError("no rankings to analyse, expected one or more. Were all raters left out by their checks?")
    models = sorted(rankings[0].order)
    for ranking in rankings:
        if sorted(ranking.order) != models:
            raise StageError(
                f"{ranking.rater} ranked {sorted(ranking.order)} on question {ranking.question_id}, expected {models} "
                "as in the first ranking. Analyse studies of different models apart."
            )
    return pd.DataFrame(
        {"rater": r.rater, "question_id": r.question_id, **{m: float(r.order.index(m) + 1) for m in models}}
        for r in rankings
    )


def _models(ranks: pd.DataFrame) -> list[str]:
    return [str(name) for name in ranks.columns[2:]]


def _figures(ranks: pd.DataFrame, seed: int, strength_resamples: int) -> dict[str, Figures]:
    models = _models(ranks)
    values = ranks[models].to_numpy()
    weights = _crossed(ranks, RESAMPLES, seed)
    shares = weights / weights.sum(axis=1, keepdims=True)
    strengths = _strengths(values, weights[:strength_resamples])
    raters, questions = (ranks[column].nunique() for column in ("rater", "question_id"))
    enough = raters >= LEAST_RATERS and questions >= LEAST

    def interval(mean: float, draws: Floats, bounds: Bounds) -> Interval:
        error = float(draws.std(ddof=1))
        if not enough or error < 1e-12:
            return Interval(mean)
        half = student(0.95, min(raters, questions) - 1) * error
        return Interval.of(mean, cut(mean, -half, half, bounds))

    def over(own: Floats, bounds: Bounds) -> Interval:
        return interval(float(own.mean()), (shares @ own)[:, 0], bounds)

    found = {
        model: Figures(
            over(100.0 * (rank <= 1), (0.0, 100.0)),
            over(100.0 * (rank <= 2), (0.0, 100.0)),
            over(rank, (1.0, float(len(models)))),
            interval(float(strengths[0][column]), strengths[1][:, column], (0.0, 1.0)),
        )
        for column, model in enumerate(models)
        for rank in [values[:, [column]]]
    }
    return dict(sorted(found.items(), key=lambda item: -item[1].strength.mean))


def _crossed(ranks: pd.DataFrame, resamples: int, seed: int) -> Floats:
    """How often each ranking counts when raters and questions are both drawn again, of shape (resamples, rankings).

    A draw that leaves nothing, which only studies of a few rankings know, is made again.
    """
    rng = np.random.default_rng(seed)
    raters, questions = (pd.factorize(ranks[column])[0] for column in ("rater", "question_id"))
    found: list[Floats] = []
    while len(found) < resamples:
        times = [
            np.bincount(rng.integers(0, codes.max() + 1, codes.max() + 1), minlength=codes.max() + 1)[codes]
            for codes in (raters, questions)
        ]
        weights = (times[0] * times[1]).astype(np.float64)
        if weights.any():
            found.append(weights)
    return np.array(found)


def _strengths(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Plackett–Luce strengths of all rankings, of shape (models,), and of each resample, (resamples, models)."""
    orders, times = np.unique(np.argsort(values, axis=1), axis=0, return_inverse=True)
    whole = _plackett_luce(orders, np.bincount(times.ravel(), minlength=len(orders)))
    drawn = [
        _plackett_luce(orders, np.bincount(times.ravel(), weights=row, minlength=len(orders)).astype(int))
        for row in tqdm(weights, desc="strengths", unit="resample", disable=None)
    ]
    return whole, np.array(drawn)


def _plackett_luce(orders: npt.NDArray[np.int64], times: npt.NDArray[np.int64]) -> Floats:
    data = [tuple(order) for order, count in zip(orders.tolist(), times, strict=True) for _ in range(count)]
    strengths: Floats = np.exp(choix.ilsr_rankings(orders.shape[1], data, alpha=_REGULARISED))
    return strengths / strengths.sum()


def _kendalls_w(ranks: pd.DataFrame) -> tuple[float | None, float | None]:
    """Kendall's W (Kendall and Babington Smith, 1939) and its mean by chance, over questions with several raters."""
    models = _models(ranks)
    found, by_chance, items = [], [], len(models)
    for group in (group for _, group in ranks.groupby("question_id") if len(group) > 1):
        raters = len(group)
        spread = float(((group[models].sum() - raters * (items + 1) / 2) ** 2).sum())
        found.append(12 * spread / (raters**2 * (items**3 - items)))
        by_chance.append(1 / raters)
    return (float(np.mean(found)), float(np.mean(by_chance))) if found else (None, None)


def _alpha(ranks: pd.DataFrame) -> float | None:
    """Krippendorff's alpha of the ranks, a unit for each model's reply to each question."""
    models = _models(ranks)
    table = ranks.melt(["rater", "question_id"], models).pivot_table(
        index="rater", columns=["question_id", "variable"], values="value"
    )
    if len(table) < 2 or not (table.notna().sum() > 1).any():
        return None
    return float(krippendorff.alpha(reliability_data=table.to_numpy(), level_of_measurement="ordinal"))


def _tau_with_others(ranks: pd.DataFrame, rater: str) -> float | None:
    """Kendall's tau of a rater's orders and the mean ranks of the others, mean over the questions."""
    models = _models(ranks)
    own, others = ranks[ranks["rater"] == rater], ranks[ranks["rater"] != rater]
    means = others.groupby("question_id")[models].mean()
    found = [
        kendalltau(row[models].astype(float), means.loc[row["question_id"]]).statistic
        for _, row in own.iterrows()
        if row["question_id"] in means.index
    ]
    # Others who tie all models with each other say nothing.
    told = [value for value in found if not np.isnan(value)]
    return float(np.mean(told)) if told else None
