"""Studies made up from known strengths: they show that the analysis finds what was put in, and its errors.

Orders come from Plackett–Luce, or from the distribution of largest entropy that has a table's Win@1, Win@2 and mean
rank. The second exists because the first does not do for the paper: strengths that give the printed Win@1 of Empathy-R1
(44.3 on Empathy-QA) would put it at Win@2 72.7 and a mean rank of 1.97; printed are 56.3 and 2.600.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp

from common.records.rankings import Ranking

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Orders:
    """A distribution over all orders of a few models.

    Attributes:
        models: their names.
        orders: int, (orders, models): places in `models`, best first.
        chances: (orders,), adding up to 1.
    """

    models: tuple[str, ...]
    orders: npt.NDArray[np.int64]
    chances: Floats

    def expected(self) -> Floats:
        """Win@1 and Win@2 in per cent and mean rank, of shape (models, 3)."""
        ranks = np.argsort(self.orders, axis=1) + 1
        return np.stack(
            [100 * self.chances @ (ranks <= 1), 100 * self.chances @ (ranks <= 2), self.chances @ ranks], axis=1
        )

    def study(self, annotators: int, questions: int, seed: int) -> list[Ranking]:
        """Every annotator ranks every question, each time by a draw of its own."""
        drawn = np.random.default_rng(seed).choice(len(self.orders), (annotators, questions), p=self.chances)
        return [
            Ranking(
                f"annotator-{rater}",
                f"question-{question}",
                tuple(self.models[m] for m in self.orders[drawn[rater, question]]),
            )
            for rater in range(annotators)
            for question in range(questions)
        ]


def plackett_luce(models: Sequence[str], strengths: Sequence[float]) -> Orders:
    """Each place goes to one of the models that are left with a chance proportional to its strength."""
    orders = _all_orders(len(models))
    theta = np.asarray(strengths, dtype=float)[orders]
    left = np.cumsum(theta[:, ::-1], axis=1)[:, ::-1]
    return Orders(tuple(models), orders, np.prod(theta / left, axis=1))


def largest_entropy(
    models: Sequence[str], win_1: Sequence[float], win_2: Sequence[float], mean_rank: Sequence[float]
) -> Orders:
    """The orders that a table's three columns say least about beyond themselves.

    Args:
        models: their names.
        win_1: in per cent.
        win_2: in per cent.
        mean_rank: from 1.

    Raises:
        ValueError: no distribution of orders has these columns, within the rounding of a printed table.
    """
    orders = _all_orders(len(models))
    ranks = np.argsort(orders, axis=1) + 1
    features = np.concatenate([ranks <= 1, ranks <= 2, ranks], axis=1).astype(float)
    # Printed figures are rounded, so they are brought to the sums that orders have.
    wanted = np.concatenate(
        [
            np.asarray(win_1) / np.sum(win_1),
            2 * np.asarray(win_2) / np.sum(win_2),
            np.asarray(mean_rank) * (len(models) * (len(models) + 1) / 2) / np.sum(mean_rank),
        ]
    )

    def dual(weights: Floats) -> tuple[float, Floats]:
        scores = features @ weights
        total = logsumexp(scores)
        return float(total - wanted @ weights), np.exp(scores - total) @ features - wanted

    # Where no orders have the columns the weights run off to infinity: the bounds stop them.
    result = minimize(
        dual,
        np.zeros(len(wanted)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-60.0, 60.0)] * len(wanted),
        options={"maxiter": 20000, "maxfun": 100000, "ftol": 1e-15, "gtol": 1e-8},
    )
    scores = features @ result.x
    found = Orders(tuple(models), orders, np.exp(scores - logsumexp(scores)))
    error = np.abs(np.exp(scores - logsumexp(scores)) @ features - wanted).max()
    if error > 1e-3:
        raise ValueError(f"no orders of {list(models)} have these columns: the nearest differ by {error:.3g}")
    return found


def _all_orders(models: int) -> npt.NDArray[np.int64]:
    return np.array(list(permutations(range(models))))
