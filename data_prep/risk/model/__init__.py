"""A model in the place of the risk rules: a chat server, or a Hugging Face text classifier."""

from data_prep.risk.model.config import TAGGERS, RiskTaggerConfig

__all__ = ["TAGGERS", "RiskTaggerConfig"]
