"""Tags posts by the rules and a linear model together.

The model (`train`) says whether a post shows risk at all, from its wordings and from what the rules call it. Kinds and
the level acute come from the rules, so a clinician can still read why. A post that the rules call acute stays at least
a concern, whatever the model says: it has seen some thousand posts and knows no people.
"""

import json
from pathlib import Path
from typing import Final

import numpy as np
from safetensors import safe_open

from common.records.risk import KINDS, Kind, Risk
from data_prep.risk.tags import RiskRules
from data_prep.risk.wording.features import of_level, runs, weighted

WEIGHTS: Final = Path(__file__).with_name("weights.safetensors")
# Shorter posts are left to the rules: the model learnt from none.
SHORTEST: Final = 60
# The kind of a post that only the model finds at risk.
_UNTOLD: Final[tuple[Kind, ...]] = ("other",)


class WordingTags:
    """The rules and the model, ready to use; one object a process, which no call changes."""

    def __init__(self, rules: RiskRules, path: Path = WEIGHTS) -> None:
        """Read the model's weights."""
        self._rules = rules
        with safe_open(path, framework="numpy") as file:
            features = json.loads(file.metadata()["features"])
            self.threshold = float(file.metadata()["threshold"])
            self._bias = float(file.metadata()["bias"])
            weights, rarity = (file.get_tensor(name).astype(np.float64).tolist() for name in ("weights", "rarity"))
        self._weights = dict(zip(features, weights, strict=True))
        self._rarity = {feature: value for feature, value in zip(features, rarity, strict=True) if value}

    @classmethod
    def load(cls) -> "WordingTags":
        """With the rules of the project.

        Raises:
            RiskRulesError: see `RiskRules.load`.
        """
        return cls(RiskRules.load())

    def __call__(self, text: str) -> Risk:
        """The post's risk."""
        risk = self._rules(text)
        if len(text) < SHORTEST:
            return risk
        if self.score(text, risk) > self.threshold:
            if risk.kinds:
                return risk
            hinted = {match.kind for match in self._rules.explain(text)}
            return Risk("concern", tuple(kind for kind in KINDS if kind in hinted) or _UNTOLD)
        return Risk("concern", risk.kinds) if risk.level == "acute" else Risk()

    def score(self, text: str, risk: Risk) -> float:
        """How much the model takes the post for one at risk: the logarithm of the odds.

        Args:
            risk: what the rules say.
        """
        features = weighted(runs(text), self._rarity) | of_level(risk.level)
        return self._bias + sum(self._weights[name] * value for name, value in features.items())
