"""Label Studio for people's work: `eval.human` has replies ranked in it, `data_prep.coe.review` has chains reviewed."""

from common.label_studio.server import ACCOUNTS, Annotator, LabelStudio, Server, accounts
from common.label_studio.style import style

__all__ = ["ACCOUNTS", "Annotator", "LabelStudio", "Server", "accounts", "style"]
