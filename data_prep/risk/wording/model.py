"""Tags posts by the rules and a linear model together.

The model (`train`) says whether a post shows risk at all, from its wordings and from what the rules call it. Kinds and
the level acute come from the rules, so a clinician can still read why. Where a rule speaks of an acute risk itself
the post stays at least a concern unless the model is sure that there is none; where a rule only infers one (安排后事,
往下一看) the model decides.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from common.records.risk import KINDS, Kind, Level, Risk
from data_prep.linear import LinearModel, runs
from data_prep.risk.tags import Match, RiskRules

WEIGHTS: Final = Path(__file__).with_name("weights.safetensors")
# Shorter posts are left to the rules: the model learnt from none.
SHORTEST: Final = 60
# How much the rules' level says beside the wordings.
LEVEL_WEIGHT: Final = 0.5
# Odds of one to seven that there is a risk: below the model is sure of none.
_SURE_OF_NONE: Final = -2.0
# The kind of a post that only the model finds at risk.
_UNTOLD: Final[tuple[Kind, ...]] = ("other",)


class WordingTags:
    """The rules and the model, ready to use; one object a process, which no call changes."""

    def __init__(self, rules: RiskRules, path: Path = WEIGHTS) -> None:
        """Read the model's weights."""
        self._rules = rules
        self._model = LinearModel.load(path)
        self.threshold = self._model.threshold

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
        score = self.score(text, risk)
        if score > self.threshold:
            if risk.kinds:
                return risk
            hinted = {match.kind for match in self._rules.explain(text)}
            return Risk("concern", tuple(kind for kind in KINDS if kind in hinted) or _UNTOLD)
        # Most posts match nothing acute: these are not explained once more.
        kept = risk.level == "acute" and stays(self._rules.explain(text), score)
        return Risk("concern", risk.kinds) if kept else Risk()

    def score(self, text: str, risk: Risk) -> float:
        """How much the model takes the post for one at risk: the logarithm of the odds.

        Args:
            risk: what the rules say.
        """
        return self._model.score(runs(text), of_level(risk.level))


def of_level(level: Level) -> dict[str, float]:
    """The rules' level as features beside the runs; no run of characters is called like them."""
    return {} if level == "none" else {f"<{level}>": LEVEL_WEIGHT}


def stays(matches: Iterable[Match], score: float) -> bool:
    """Whether a post that the model takes for harmless stays tagged by its acute matches.

    Args:
        matches: the rules' own.
        score: the model's.
    """
    named = any(match.named and match.weight == "acute" for match in matches)
    return named and score > _SURE_OF_NONE
