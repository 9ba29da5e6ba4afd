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
from sentence_transformers import SentenceTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score

Cosines = npt.NDArray[np.float64]
Scorer = Callable[[Sequence[str], npt.NDArray[np.int64], npt.NDArray[np.int64]], Cosines]
"""Texts, and the places of the two that each pair compares, to the pairs' cosines."""

RESAMPLES: Final = 2000
_GRAMS: Final = (1, 3)
_SHOWN: Final = 500
"""From how many texts on a progress bar is shown."""


@dataclass(frozen=True, slots=True)
class KindResult:
    """How scorers do on one kind of negative.

    Attributes:
        kind: of the negatives.
        questions: how many there are.
        triplets: how many there are.
        accuracy: by scorer, the share of triplets whose response comes before the negative, ties counting half.
        auc: by scorer, area under the ROC curve of responses against negatives, over all questions together.
        gain: by scorer, its accuracy less the baseline's, with the bounds of the 95 % interval; no baseline's.
    """

    kind: str
    questions: int
    triplets: int
    accuracy: dict[str, float]
    auc: dict[str, float]
    gain: dict[str, tuple[float, float, float]]


def encoder_scorer(model: SentenceTransformer) -> Scorer:
    """Cosines of an encoder's embeddings; a text is encoded once, however often the scorer is asked for it."""
    known: dict[str, npt.NDArray[np.float32]] = {}

    def score(texts: Sequence[str], left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> Cosines:
        new = [text for text in texts if text not in known]
        if new:
            encoded = model.encode(new, normalize_embeddings=True, show_progress_bar=len(new) > _SHOWN)
            known.update(zip(new, np.asarray(encoded), strict=True))
        vectors = np.stack([known[text] for text in texts])
        return np.einsum("ij,ij->i", vectors[left], vectors[right]).astype(np.float64)

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


def compare(
    scorers: Mapping[str, Scorer], baseline: str, triplets: pd.DataFrame, kinds: Sequence[str], seed: int
) -> list[KindResult]:
    """Every scorer on every kind of negative, beside a baseline.

    Args:
        scorers: by name, the baseline's among them.
        triplets: with columns question_id, question, positive, negative, kind.
        kinds: in the order wanted; one without triplets is left out.
        seed: of the resampling of questions.

    Raises:
        ValueError: no triplet of any of the kinds.
    """
    cosines = {name: triplet_cosines(scorer, triplets) for name, scorer in scorers.items()}
    results = []
    for kind in kinds:
        mine = (triplets["kind"] == kind).to_numpy()
        if not mine.any():
            continue
        questions = triplets["question_id"].to_numpy()[mine]
        right = {name: ranked_right(good[mine], bad[mine]) for name, (good, bad) in cosines.items()}
        results.append(
            KindResult(
                kind=kind,
                questions=len(set(questions)),
                triplets=int(mine.sum()),
                accuracy={name: float(values.mean()) for name, values in right.items()},
                auc={name: _auc(good[mine], bad[mine]) for name, (good, bad) in cosines.items()},
                gain={
                    name: _gain(values - right[baseline], questions, seed)
                    for name, values in right.items()
                    if name != baseline
                },
            )
        )
    if not results:
        raise ValueError(f"no triplet of the kinds {', '.join(kinds)} to rank. Run `make data` with more questions.")
    return results


def render_ranking(results: Sequence[KindResult], baseline: str, hard: Sequence[str]) -> str:
    """The comparison as a Markdown table, a row a kind of negative."""
    names = list(results[0].accuracy)
    head = ["negatives", "", "questions", "triplets"]
    head += [f"{name}: accuracy / AUC" for name in names]
    head += [f"{name} − {baseline}, 95 % interval" for name in results[0].gain]
    rows = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * (len(head) - 2)]
    for result in results:
        cells: list[Any] = [result.kind, "hard" if result.kind in hard else "easy", result.questions, result.triplets]
        cells += [f"{result.accuracy[name]:.3f} / {result.auc[name]:.3f}" for name in names]
        cells += [f"{mean:+.3f} ({low:+.3f} to {high:+.3f})" for mean, low, high in result.gain.values()]
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows) + "\n"


def _auc(good: Cosines, bad: Cosines) -> float:
    return float(roc_auc_score(np.repeat([1, 0], [len(good), len(bad)]), np.concatenate([good, bad])))


def _gain(difference: Cosines, questions: npt.NDArray[Any], seed: int) -> tuple[float, float, float]:
    """Mean difference over triplets, and bounds by drawing whole questions with replacement."""
    by_question = pd.Series(difference).groupby(questions).agg(["sum", "count"]).to_numpy()
    drawn = np.random.default_rng(seed).integers(0, len(by_question), (RESAMPLES, len(by_question)))
    sums = by_question[drawn].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return float(difference.mean()), float(low), float(high)
