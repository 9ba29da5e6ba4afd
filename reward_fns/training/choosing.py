"""Chooses T of Eq. 6 on held-out pairs, and measures what it lets through, kind of negative by kind."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve

from reward_fns.reward_model import Threshold
from reward_fns.training.pairwise import Cosines

GOOD: Final = "good"
# How T follows from the held-out pairs, by the rule's name.
RULES: Final = {
    "youden": "largest true minus false positive rate on held-out pairs (Youden's J)",
    "fpr": "lowest T that at most {rate:g} of the held-out negatives pass",
    "fpr_each": "lowest T that at most {rate:g} of each kind of held-out negatives pass",
    "tpr": "highest T that at least {rate:g} of the held-out answers pass",
}


@dataclass(frozen=True, slots=True)
class Pairs:
    """Held-out questions and answers with their cosines.

    Attributes:
        kind: "good" for a question's own response, else the kind of the negative.
    """

    kind: npt.NDArray[np.str_]
    cosine: npt.NDArray[np.float64]

    @property
    def good(self) -> npt.NDArray[np.bool_]:
        """Which pairs are a question and its own response."""
        return self.kind == GOOD

    @property
    def kinds(self) -> list[str]:
        """The kinds of negatives."""
        return sorted(set(self.kind.tolist()) - {GOOD})

    def of(self, kind: str) -> npt.NDArray[np.float64]:
        """The cosines of one kind."""
        return self.cosine[self.kind == kind]


def heldout_pairs(triplets: pd.DataFrame, positive: Cosines, negative: Cosines) -> Pairs:
    """Held-out triplets as pairs, each once.

    Args:
        positive: each triplet's cosine of question and positive.
        negative: of question and negative.

    Raises:
        ValueError: no triplet.
    """
    if triplets.empty:
        raise ValueError("triplets.parquet has no held-out row, so no threshold can be chosen; give it more questions")
    good = triplets.assign(cosine=positive, kind=GOOD).drop_duplicates(["question", "positive"])
    bad = triplets.assign(cosine=negative).drop_duplicates(["question", "negative", "kind"])
    pairs = pd.concat([good, bad], ignore_index=True)
    return Pairs(pairs["kind"].to_numpy(dtype=np.str_), pairs["cosine"].to_numpy())


def choose_threshold(pairs: Pairs, margin: float, rule: str = "youden", rate: float = 0.05) -> Threshold:
    """T by a rule, and what it lets through.

    Args:
        margin: m that the encoder was trained with.
        rule: a key of `RULES`.
        rate: of the rules that keep one, 0 to 1.

    Raises:
        ValueError: a rate that no T keeps.
    """
    good, cosine = pairs.good, pairs.cosine
    false_positive, true_positive, cuts = roc_curve(good, cosine, drop_intermediate=False)
    worst = np.max([[(pairs.of(kind) >= cut).mean() for cut in cuts] for kind in pairs.kinds], axis=0)
    difference = true_positive - false_positive
    kept = {
        "youden": np.flatnonzero(difference == difference.max())[:1],
        "fpr": np.flatnonzero(false_positive <= rate)[-1:],
        "fpr_each": np.flatnonzero(worst <= rate)[-1:],
        "tpr": np.flatnonzero(true_positive >= rate)[:1],
    }
    best = int(kept[rule][0])
    if not np.isfinite(cuts[best]):
        raise ValueError(f"threshold_rule={rule} threshold_rate={rate}: no answer would pass. Choose another rate.")
    # Half-way to the next lower score: the cut itself is the cosine of a pair, and Eq. 6 asks for more than T.
    lower = cosine[cosine < cuts[best]]
    value = float((cuts[best] + lower.max()) / 2) if lower.size else float(cuts[best]) - 1e-6
    slope, intercept = _logistic(good, cosine)
    return Threshold(
        value=value,
        rule=RULES[rule].format(rate=rate),
        pairs=len(cosine),
        accuracy=float((true_positive[best] + 1 - false_positive[best]) / 2),
        auc={kind: float(roc_auc_score(good[m := good | (pairs.kind == kind)], cosine[m])) for kind in pairs.kinds},
        false_positive_rate={kind: float((pairs.of(kind) > value).mean()) for kind in pairs.kinds},
        true_positive_rate=float((cosine[good] > value).mean()),
        slope=slope,
        intercept=intercept,
        margin=margin,
    )


def _logistic(good: npt.NDArray[np.bool_], cosine: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Slope and intercept of the chance that a pair is good, where good and bad are equally frequent."""
    mean, spread = float(cosine.mean()), float(cosine.std()) or 1.0
    fitted = LogisticRegression(class_weight="balanced").fit(((cosine - mean) / spread)[:, None], good)
    slope = float(fitted.coef_[0, 0]) / spread
    return slope, float(fitted.intercept_[0]) - slope * mean
