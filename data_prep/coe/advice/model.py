"""A linear model over the runs of one to four characters of a layer's clauses; `train` writes the weights.

Rules by words (可以试着, 应该多) found six of ten layers with advice and took wishes (想知道可以怎么做) for it. The
score of a layer is the mean of its two highest: of clauses, of neighbouring clauses together, of the whole.
"""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from data_prep.linear import LinearModel, runs

WEIGHTS: Final = Path(__file__).with_name("weights.safetensors")
# Who is spoken of says nothing: layers speak of 她, 来访者, 来信者.
_PERSON: Final = re.compile("来访者|来信者|求助者|[你您他她我]们?|自己")
_CLAUSE: Final = re.compile("[，。；！？\n]")
_SHORTEST: Final = 4
_TOP: Final = 2


class Advice:
    """The model, ready to use."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        """Read the weights."""
        self._model = LinearModel.load(path)

    def __call__(self, layer: str) -> bool:
        """Whether a layer gives advice."""
        return layer_score([score(self._model, part) for part in parts(layer)]) > self._model.threshold


def score(model: LinearModel, part: str) -> float:
    """The logarithm of the odds that a part of a layer is advice."""
    return model.score(runs(impersonal(part)))


def impersonal(text: str) -> str:
    """The text without who is spoken of."""
    return _PERSON.sub("X", text)


def parts(layer: str) -> list[str]:
    """A layer's clauses, neighbouring ones together, and the whole."""
    clauses = [part for part in _CLAUSE.split(layer) if len(part) >= _SHORTEST]
    return [*clauses, *(f"{one}，{other}" for one, other in itertools.pairwise(clauses)), layer]


def layer_score(scores: Sequence[float]) -> float:
    """The score of a layer from those of its parts."""
    top = sorted(scores)[-_TOP:]
    return sum(top) / len(top)
