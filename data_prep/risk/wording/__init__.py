"""A linear model over a post's wordings and the rules' level: what the rules tag, weighed against how it is told."""

from data_prep.risk.wording.model import WordingTags

__all__ = ["WordingTags"]
