"""A configuration and a corpus for tests of the whole way: sizes for some dozens of questions, nothing masked."""

from typing import Final

from common.records.question import Question
from data_prep.config import DataConfig
from data_prep.corpora import Corpus
from data_prep.risk.model import RiskTaggerConfig

# The tests' tokenizer gives about a token a byte.
CONFIG: Final = DataConfig(
    data_source="made up",
    test_size=10,
    val_size=5,
    max_prompt_tokens=3000,
    max_response_tokens=3000,
    heldout_fraction=0.2,
    mask=[],
    workers=1,
    # Made-up posts are of random characters, of which the model over wordings knows nothing.
    risk=RiskTaggerConfig(tagger="rules"),
)


def corpus(questions: list[Question]) -> Corpus:
    """The questions as a corpus of which no record was rejected."""
    return Corpus(questions, [], len(questions), len(questions), "sample")
