"""Risk tags: how much risk a post shows, and of which kinds, by rules that a clinician can read and edit.

The tags keep posts out of the RL prompts and form slices of the evaluation of their own. They are no screening
instrument and say nothing of any person: the rules know wordings, not people, they miss what is said in other words,
and tag what only sounds alike. No one's safety may hang on them. ``Risk`` is what any tagger gives for a post:
``RiskRules`` is one. Levels and kinds are defined in `common.records.risk`.
"""

from common.records.risk import KINDS, LEVELS, Risk
from data_prep.risk.reading import RiskRulesError
from data_prep.risk.tags import Match, RiskRules

__all__ = ["KINDS", "LEVELS", "Match", "Risk", "RiskRules", "RiskRulesError"]
