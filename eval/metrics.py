"""The paper's automatic metrics (section 4.1.4) on Chinese characters: protocol ``zh``.

Each metric scores a reply against each human reference, then the arithmetic mean is taken (section 4.1.1). Tokens are
characters, white space left out. The tables of the paper were made otherwise (its ROUGE-L sees Latin letters and digits
only), so figures of this protocol are not comparable with them.
"""

import math
from collections.abc import Sequence
from typing import Final

from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.translate.meteor_score import single_meteor_score
from rapidfuzz.distance import LCSseq

METRICS: Final = ("bleu_1", "rouge_l", "meteor", "distinct_1")


class _ExactMatchOnly:
    """For nltk's METEOR, where a stemmer and WordNet belong: Chinese characters have neither stems nor its synonyms."""

    @staticmethod
    def stem(token: str) -> str:
        return token

    @staticmethod
    def synsets(token: str) -> list[str]:
        del token
        return []


def characters(text: str) -> list[str]:
    """The tokens of protocol ``zh``."""
    return [char for char in text if not char.isspace()]


def bleu_1(reply: Sequence[str], reference: Sequence[str]) -> float:
    """Unigram precision times the brevity penalty (Papineni et al., 2002), by nltk, without smoothing."""
    if not reply or not set(reply) & set(reference):
        return 0.0
    # method0 leaves the counts as they are.
    return float(sentence_bleu([reference], reply, weights=(1.0,), smoothing_function=SmoothingFunction().method0))


def rouge_l(reply: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the longest common subsequence (Lin, 2004, with beta = 1)."""
    if not reply or not reference:
        return 0.0
    return 2 * LCSseq.similarity(reply, reference) / (len(reply) + len(reference))


def meteor(reply: Sequence[str], reference: Sequence[str]) -> float:
    """METEOR (Banerjee and Lavie, 2005) with exact matches only, by nltk."""
    if not reply or not reference:
        return 0.0
    exact = _ExactMatchOnly()
    return float(single_meteor_score(reference, reply, preprocess=str, stemmer=exact, wordnet=exact))


def distinct_1(reply: Sequence[str]) -> float:
    """Distinct tokens among all tokens of one reply (Li et al., 2015)."""
    return len(set(reply)) / len(reply) if reply else 0.0


def navg(scores: dict[str, float]) -> float:
    """The paper's normalised average: the plain mean of the four metrics (it recomputes every printed row)."""
    return math.fsum(scores[name] for name in METRICS) / len(METRICS)


def score_reply(reply: str, references: Sequence[str]) -> dict[str, float]:
    """bleu_1, rouge_l, meteor (means over the references), distinct_1 and navg; zeros for an empty reply.

    Raises:
        ValueError: no reference, or a blank one.
    """
    if not references or not all(reference.strip() for reference in references):
        raise ValueError(f"{len(references)} references, blank ones among them or none at all; expected human texts")
    tokens = characters(reply)
    pairs = [(tokens, characters(reference)) for reference in references]
    scores = {
        name: math.fsum(metric(*pair) for pair in pairs) / len(pairs)
        for name, metric in (("bleu_1", bleu_1), ("rouge_l", rouge_l), ("meteor", meteor))
    }
    scores["distinct_1"] = distinct_1(tokens)
    return {**scores, "navg": navg(scores)}
