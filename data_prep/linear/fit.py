"""Trains a `LinearModel`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from data_prep.linear.model import LinearModel, weighted

# Runs that fewer texts have say nothing of others.
_LEAST: Final = 3
# Runs that are kept: those that weigh most in a first training.
_KEPT: Final = 30_000


class Example(NamedTuple):
    """A text to learn from.

    Attributes:
        counts: its `runs`.
        beside: features that are no runs; no run may be called like one.
        found: whether it is what the model looks for.
    """

    counts: Counter[str]
    beside: Mapping[str, float]
    found: bool


def fit(examples: Sequence[Example], strength: float) -> LinearModel:
    """Logistic regression, both classes of equal weight.

    Args:
        examples: of both classes.
        strength: the inverse of the regularisation (scikit-learn's C).
    """
    spread = Counter(run for example in examples for run in example.counts)
    known = [run for run, count in sorted(spread.items()) if count >= _LEAST]
    model = _fitted(examples, known, spread, strength)
    kept = sorted(sorted(known, key=lambda run: -abs(model.weights[run] * model.rarity[run]))[:_KEPT])
    return _fitted(examples, kept, spread, strength)


def _fitted(
    examples: Sequence[Example], known: Sequence[str], spread: Mapping[str, int], strength: float
) -> LinearModel:
    rarity = {run: float(np.log((1 + len(examples)) / (1 + spread[run]))) + 1 for run in known}
    names = [*known, *sorted({name for example in examples for name in example.beside})]
    numbers = {name: number for number, name in enumerate(names)}
    rows = [weighted(example.counts, rarity) | dict(example.beside) for example in examples]
    matrix = csr_matrix(
        (
            [value for row in rows for value in row.values()],
            [numbers[name] for row in rows for name in row],
            np.cumsum([0, *map(len, rows)]),
        ),
        shape=(len(rows), len(names)),
    )
    model = LogisticRegression(C=strength, max_iter=400, class_weight="balanced")
    model.fit(matrix, [example.found for example in examples])
    return LinearModel(dict(zip(names, model.coef_[0].tolist(), strict=True)), rarity, float(model.intercept_[0]))
