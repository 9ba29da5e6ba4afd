"""Risk tags: which kinds of crisis a post speaks of, by rules that a clinician can read and edit.

The tags keep posts out of the RL prompts and form a slice of the evaluation of their own. They are no screening
instrument and say nothing of any person: the rules know wordings, not people, they miss what is said in other words,
and tag what only sounds alike. No one's safety may hang on them. What is left out: severity, time and whose crisis it
is. A post about a daughter or about ten years ago is tagged like one about tonight.
"""

from data_prep.risk.reading import RISKS, RiskRulesError
from data_prep.risk.tags import Match, RiskRules

__all__ = ["RISKS", "Match", "RiskRules", "RiskRulesError"]
