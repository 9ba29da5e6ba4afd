"""The model and what it sees of a text: its runs of one to four characters, weighted by rarity.

Weights are term frequencies on a logarithmic scale times inverse document frequencies, scaled to length one, as
scikit-learn's ``TfidfVectorizer(sublinear_tf=True)`` has them. Punctuation counts, white space does not.
"""

import json
import math
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from common.files import replacing

LONGEST_RUN: Final = 4
# Of a text, the first characters: a longer one says its matter there.
LONGEST_TEXT: Final = 3000


def runs(text: str) -> Counter[str]:
    """How often each run of one to four characters stands in a text."""
    text = "".join(unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).lower().split())
    return Counter(
        text[start : start + size] for size in range(1, LONGEST_RUN + 1) for start in range(len(text) - size + 1)
    )


def weighted(counts: Mapping[str, int], rarity: Mapping[str, float]) -> dict[str, float]:
    """The weight of each run that the model knows, together of length one."""
    weights = {run: (1 + math.log(count)) * rarity[run] for run, count in counts.items() if run in rarity}
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {run: weight / length for run, weight in weights.items()}


class LinearModel(NamedTuple):
    """Logistic regression, as `data_prep.linear.fit` trains it.

    Attributes:
        weights: of each feature: runs, and what a caller adds beside them.
        rarity: of each run, its inverse document frequency.
        bias: the logarithm of the odds where no feature is seen.
        threshold: texts of a higher score are taken for what the model looks for.
    """

    weights: dict[str, float]
    rarity: dict[str, float]
    bias: float
    threshold: float = 0.0

    def score(self, counts: Mapping[str, int], beside: Mapping[str, float] | None = None) -> float:
        """The logarithm of the odds.

        Args:
            counts: the text's `runs`.
            beside: features that are no runs, with their values.
        """
        features = weighted(counts, self.rarity) | dict(beside or {})
        return self.bias + sum(self.weights[name] * value for name, value in features.items())

    @classmethod
    def load(cls, path: Path) -> "LinearModel":
        """Read what `save` wrote."""
        with safe_open(path, framework="numpy") as file:
            told = file.metadata()
            weights, rarity = (file.get_tensor(name).astype(np.float64).tolist() for name in ("weights", "rarity"))
        features = json.loads(told["features"])
        return cls(
            dict(zip(features, weights, strict=True)),
            # Of rarity 0 are those beside the runs.
            {feature: value for feature, value in zip(features, rarity, strict=True) if value},
            float(told["bias"]),
            float(told["threshold"]),
        )

    def save(self, path: Path) -> None:
        """Write as safetensors, in half precision."""
        tensors = {
            "weights": np.array(list(self.weights.values()), dtype=np.float16),
            "rarity": np.array([self.rarity.get(name, 0.0) for name in self.weights], dtype=np.float16),
        }
        told = {
            "features": json.dumps(list(self.weights), ensure_ascii=False),
            "bias": str(self.bias),
            "threshold": str(self.threshold),
        }
        with replacing(path) as partial:
            save_file(tensors, partial, told)
