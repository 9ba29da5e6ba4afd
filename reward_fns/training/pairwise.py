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
from scipy.sparse import csr_array
from scipy.stats import rankdata
from sklearn.feature_extraction.text import TfidfVectorizer

from common.pages import Markdown, table
from common.records.triplets import HARD, KINDS
from reward_fns.encoder import Encoder

Cosines = npt.NDArray[np.float64]
Both = tuple[Cosines, Cosines]
# A difference with the lower and the upper bound of its 95 % interval.
Difference = tuple[float, float, float]
BASELINE: Final = "TF-IDF"
# The file with the results of `compare`.
PAIRWISE: Final = "pairwise.json"
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


def triplet_cosines(encoder: Encoder, triplets: pd.DataFrame) -> Both:
    """Each triplet's cosine of question and positive, and of question and negative; every text is encoded once."""
    texts, (question, positive, negative) = _texts(triplets)
    embedded = encoder.encode(texts)
    return embedded[question].cosines(embedded[positive]), embedded[question].cosines(embedded[negative])


def tfidf_cosines(triplets: pd.DataFrame) -> Both:
    """The same by TF-IDF weighted character 1- to 3-grams, fitted on the very texts that are compared."""
    texts, (question, positive, negative) = _texts(triplets)
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=_GRAMS, sublinear_tf=True)
    rows = csr_array(vectorizer.fit_transform(texts))
    asked = rows[question]
    return asked.multiply(rows[positive]).sum(axis=1), asked.multiply(rows[negative]).sum(axis=1)


def _texts(triplets: pd.DataFrame) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The distinct texts, and the places of questions, positives and negatives among them, of shape (3, triplets)."""
    codes, texts = pd.factorize(triplets[["question", "positive", "negative"]].to_numpy().ravel())
    return list(texts), codes.reshape(-1, 3).T


def ranked_right(good: Cosines, bad: Cosines) -> npt.NDArray[np.float64]:
    """1 where the positive comes first, 0.5 for a tie, else 0."""
    return (good > bad) + 0.5 * (good == bad)


def compare(cosines: Mapping[str, Both], triplets: pd.DataFrame, seed: int) -> list[PairwiseAccuracy]:
    """Scorers on every kind of negative that there is, beside character TF-IDF.

    Args:
        cosines: by scorer, of each triplet's question and positive, and of its question and negative.
        triplets: with columns question_id, question, positive, negative, kind.
        seed: of the resampling of questions.
    """
    every = {BASELINE: tfidf_cosines(triplets), **cosines}
    results = []
    for kind in (kind for kind in KINDS if (triplets["kind"] == kind).any()):
        mine = (triplets["kind"] == kind).to_numpy()
        questions = triplets["question_id"].to_numpy()[mine]
        scores = {name: (good[mine], bad[mine]) for name, (good, bad) in every.items()}
        drawn = _draws(questions, seed)
        results.append(
            PairwiseAccuracy(
                kind=kind,
                questions=len(set(questions)),
                triplets=int(mine.sum()),
                accuracy={name: _accuracy(*pair) for name, pair in scores.items()},
                auc={name: _auc(*pair) for name, pair in scores.items()},
                gain={name: _difference(_accuracy, scores[name], scores[BASELINE], drawn) for name in cosines},
                auc_gain={name: _difference(_auc, scores[name], scores[BASELINE], drawn) for name in cosines},
            )
        )
    return results


def render_pairwise(results: Sequence[PairwiseAccuracy]) -> Markdown:
    """The comparison as a table, a row a kind of negative; differences with their 95 % intervals."""
    names = list(results[0].accuracy)
    head = ["negatives", "", "questions", "triplets"]
    head += [f"{name}: accuracy / AUC" for name in names]
    head += [f"{name} − {BASELINE}: {what}" for name in results[0].gain for what in ("accuracy", "AUC")]
    rows: list[list[object]] = []
    for result in results:
        kind = Markdown(result.kind), "hard" if result.kind in HARD else "easy"
        scores = [f"{result.accuracy[name]:.3f} / {result.auc[name]:.3f}" for name in names]
        gains = (gain for name in result.gain for gain in (result.gain[name], result.auc_gain[name]))
        shown = [f"{mean:+.3f} ({low:+.3f} to {high:+.3f})" for mean, low, high in gains]
        rows.append([*kind, result.questions, result.triplets, *scores, *shown])
    return table(head, rows, left=2)


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
