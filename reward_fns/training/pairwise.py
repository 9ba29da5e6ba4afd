"""How often a scorer puts a post's own response above a negative, kind by kind, beside character TF-IDF.

TF-IDF is the measure to beat: on easy negatives the words of the post alone tell nearly all of them from a response.
Differences come with intervals over questions, since all pairs of a question share its difficulty.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata
from sklearn.feature_extraction.text import TfidfVectorizer

from common.records.triplets import HARD, KINDS
from reward_fns.encoder import Embedded, Encoder, stack

Cosines = npt.NDArray[np.float64]
Difference = tuple[float, float, float]
"""A difference with the lower and the upper bound of its 95 % interval."""
Scorer = Callable[[Sequence[str], npt.NDArray[np.int64], npt.NDArray[np.int64]], Cosines]
"""Texts, and the places of the two that each pair compares, to the pairs' cosines."""

BASELINE: Final = "TF-IDF"
PAIRWISE: Final = "pairwise.json"
"""The file with the results of `compare`."""
RESAMPLES: Final = 1000
_GRAMS: Final = (1, 3)


@dataclass(frozen=True, slots=True)
class PairwiseAccuracy:
    """How scorers do on one kind of negative.

    Attributes:
        kind: of the negatives.
        questions: how many there are.
        triplets: how many there are.
        accuracy: by scorer, the share of triplets whose response comes before the negative, ties counting half.
        auc: by scorer, area under the ROC curve of responses against negatives, over all questions together.
        gain: by scorer, its accuracy less the baseline's, with the bounds of the 95 % interval; no baseline's.
        auc_gain: the same of the AUC, which is what a single threshold for all questions depends on.
    """

    kind: str
    questions: int
    triplets: int
    accuracy: dict[str, float]
    auc: dict[str, float]
    gain: dict[str, Difference]
    auc_gain: dict[str, Difference]


def encoder_scorer(encoder: Encoder) -> Scorer:
    """Cosines of an encoder's embeddings; a text is encoded once, however often the scorer is asked for it."""
    place: dict[str, int] = {}
    found: list[Embedded] = []

    def score(texts: Sequence[str], left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> Cosines:
        new = [text for text in texts if text not in place]
        if new:
            place.update(zip(new, range(len(place), len(place) + len(new)), strict=True))
            found[:] = [stack([*found, encoder.encode(new)])]
        embedded = found[0][[place[text] for text in texts]]
        return embedded[left].cosines(embedded[right])

    return score


def tfidf_scorer() -> Scorer:
    """Cosines of TF-IDF weighted character 1- to 3-grams, fitted on the very texts that are compared."""

    def score(texts: Sequence[str], left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> Cosines:
        vectorizer = TfidfVectorizer(analyzer="char", ngram_range=_GRAMS, sublinear_tf=True)
        matrix = vectorizer.fit_transform(texts).tocsr()
        return np.asarray(matrix[left].multiply(matrix[right]).sum(axis=1)).ravel().astype(np.float64)

    return score


def triplet_cosines(scorer: Scorer, triplets: pd.DataFrame) -> tuple[Cosines, Cosines]:
    """Each triplet's cosine of question and positive, and of question and negative; every text is scored once."""
    codes, texts = pd.factorize(triplets[["question", "positive", "negative"]].to_numpy().ravel())
    places = codes.reshape(-1, 3)
    cosines = scorer(list(texts), np.repeat(places[:, 0], 2), places[:, 1:].ravel())
    return cosines[::2], cosines[1::2]


def ranked_right(good: Cosines, bad: Cosines) -> npt.NDArray[np.float64]:
    """1 where the positive comes first, 0.5 for a tie, else 0."""
    return (good > bad) + 0.5 * (good == bad)


def accuracy_by_kind(scorer: Scorer, triplets: pd.DataFrame) -> dict[str, float]:
    """The share of triplets ranked right, by kind of negative."""
    right = ranked_right(*triplet_cosines(scorer, triplets))
    return {str(kind): float(part.mean()) for kind, part in pd.Series(right).groupby(triplets["kind"].to_numpy())}


def compare(scorers: Mapping[str, Scorer], triplets: pd.DataFrame, seed: int) -> list[PairwiseAccuracy]:
    """Every scorer on every kind of negative that there is, beside character TF-IDF.

    Args:
        scorers: by name.
        triplets: with columns question_id, question, positive, negative, kind.
        seed: of the resampling of questions.

    Raises:
        ValueError: no triplet.
    """
    if triplets.empty:
        raise ValueError("no held-out triplet to compare on. Run `make data` with more questions.")
    cosines = {
        name: triplet_cosines(scorer, triplets) for name, scorer in {BASELINE: tfidf_scorer(), **scorers}.items()
    }
    results = []
    for kind in (kind for kind in KINDS if (triplets["kind"] == kind).any()):
        mine = (triplets["kind"] == kind).to_numpy()
        questions = triplets["question_id"].to_numpy()[mine]
        scores = {name: (good[mine], bad[mine]) for name, (good, bad) in cosines.items()}
        drawn = _draws(questions, seed)
        results.append(
            PairwiseAccuracy(
                kind=kind,
                questions=len(set(questions)),
                triplets=int(mine.sum()),
                accuracy={name: _accuracy(*pair) for name, pair in scores.items()},
                auc={name: _auc(*pair) for name, pair in scores.items()},
                gain={name: _difference(_accuracy, scores[name], scores[BASELINE], drawn) for name in scorers},
                auc_gain={name: _difference(_auc, scores[name], scores[BASELINE], drawn) for name in scorers},
            )
        )
    return results


def compare_encoders(untrained: Encoder, trained: Scorer, triplets: pd.DataFrame, seed: int) -> list[PairwiseAccuracy]:
    """`compare` of the encoder before and after its training."""
    return compare({"untrained": encoder_scorer(untrained), "trained": trained}, triplets, seed)


def render_pairwise(results: Sequence[PairwiseAccuracy]) -> str:
    """The comparison as a Markdown table, a row a kind of negative; differences with their 95 % intervals."""
    names = list(results[0].accuracy)
    head = ["negatives", "", "questions", "triplets"]
    head += [f"{name}: accuracy / AUC" for name in names]
    head += [f"{name} − {BASELINE}: {what}" for name in results[0].gain for what in ("accuracy", "AUC")]
    rows = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * (len(head) - 2)]
    for result in results:
        cells: list[Any] = [result.kind, "hard" if result.kind in HARD else "easy", result.questions, result.triplets]
        cells += [f"{result.accuracy[name]:.3f} / {result.auc[name]:.3f}" for name in names]
        gains = (gain for name in result.gain for gain in (result.gain[name], result.auc_gain[name]))
        cells += [f"{mean:+.3f} ({low:+.3f} to {high:+.3f})" for mean, low, high in gains]
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows) + "\n"


def _accuracy(good: Cosines, bad: Cosines) -> float:
    return float(ranked_right(good, bad).mean())


def _auc(good: Cosines, bad: Cosines) -> float:
    """The share of all pairs of a response and a negative that are in order, by the sum of ranks (Mann-Whitney)."""
    ranks = rankdata(np.concatenate([good, bad]))
    return float((ranks[: len(good)].sum() / len(good) - (len(good) + 1) / 2) / len(bad))


def _draws(questions: npt.NDArray[Any], seed: int) -> list[npt.NDArray[np.int64]]:
    """All rows first, then the rows of questions drawn with replacement, `RESAMPLES` times."""
    codes = pd.factorize(questions)[0]
    rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    rng = np.random.default_rng(seed)
    drawn = [np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))]) for _ in range(RESAMPLES)]
    return [np.arange(len(questions)), *drawn]


def _difference(
    measure: Callable[[Cosines, Cosines], float],
    scorer: tuple[Cosines, Cosines],
    baseline: tuple[Cosines, Cosines],
    drawn: Sequence[npt.NDArray[np.int64]],
) -> Difference:
    found = [measure(*(x[rows] for x in scorer)) - measure(*(x[rows] for x in baseline)) for rows in drawn]
    low, high = np.quantile(found[1:], [0.025, 0.975])
    return found[0], float(low), float(high)
