"""A linear model over the runs of one to four characters of a layer's clauses; `train` writes the weights.

Rules by words (可以试着, 应该多) found six of ten layers with advice and took wishes (想知道可以怎么做) for it. The
score of a layer is the mean of its two highest: of clauses, of neighbouring clauses together, of the whole.
"""

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from safetensors import safe_open

from data_prep.risk.wording.features import runs, weighted

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
        with safe_open(path, framework="numpy") as file:
            features = json.loads(file.metadata()["features"])
            self._threshold = float(file.metadata()["threshold"])
            self._bias = float(file.metadata()["bias"])
            weights, rarity = (file.get_tensor(name).astype(np.float64).tolist() for name in ("weights", "rarity"))
        self._weights = dict(zip(features, weights, strict=True))
        self._rarity = dict(zip(features, rarity, strict=True))

    def __call__(self, layer: str) -> bool:
        """Whether a layer gives advice."""
        return layer_score([self._score(part) for part in parts(layer)]) > self._threshold

    def _score(self, part: str) -> float:
        features = weighted(runs(impersonal(part)), self._rarity)
        return self._bias + sum(self._weights[name] * value for name, value in features.items())


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
