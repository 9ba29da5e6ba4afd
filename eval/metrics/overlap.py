"""BLEU-1, ROUGE-L and METEOR of one reply against one reference, whatever the tokens are.

Each equals the implementation it is named after to 1e-9 (tests/eval/test_overlap.py) at a small part of its time:
one alignment serves BLEU-1 and METEOR, and rapidfuzz finds the longest common subsequence by words of bits.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from rapidfuzz.distance import LCSseq

from eval.metrics.tokens import Tokens

METEOR_ALPHA: Final = 0.9
METEOR_BETA: Final = 3.0
METEOR_GAMMA: Final = 0.5
"""nltk's defaults (Lavie and Agarwal, 2007)."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which tokens of a reply are matched with equal ones of a reference, each at most once.

    Attributes:
        matches: how many; also BLEU's clipped count of unigrams.
        chunks: runs of matches that are adjacent on both sides.
    """

    matches: int
    chunks: int


def align(reply: Tokens, reference: Tokens) -> Alignment:
    """nltk's exact matching: the last of equal tokens with the last, the one before with the one before, and so on."""
    if not len(reply.keys) or not len(reference.keys):
        return Alignment(0, 0)
    found = np.minimum(np.searchsorted(reference.keys, reply.keys), len(reference.keys) - 1)
    equal = reference.keys[found] == reply.keys
    matches = int(np.count_nonzero(equal))
    if not matches:
        return Alignment(0, 0)
    partner = np.full(len(reply.keys), -1)
    partner[reply.places[equal]] = reference.places[found[equal]]
    matched = np.flatnonzero(partner >= 0)
    adjacent = (np.diff(matched) == 1) & (np.diff(partner[matched]) == 1)
    return Alignment(matches, matches - int(np.count_nonzero(adjacent)))


def bleu_1(alignment: Alignment, reply: int, reference: int) -> float:
    """Unigram precision times the brevity penalty (Papineni et al., 2002, https://aclanthology.org/P02-1040).

    Args:
        alignment: of the two texts.
        reply: its number of tokens.
        reference: its number of tokens.
    """
    if not alignment.matches:
        return 0.0
    penalty = 1.0 if reply >= reference else math.exp(1 - reference / reply)
    return penalty * alignment.matches / reply


def rouge_l(reply: Tokens, reference: Tokens) -> float:
    """F1 of the longest common subsequence (Lin, 2004, https://aclanthology.org/W04-1013, with beta = 1)."""
    if not reply.text or not reference.text:
        return 0.0
    return 2 * LCSseq.similarity(reply.text, reference.text) / (len(reply.text) + len(reference.text))


def meteor(alignment: Alignment, reply: int, reference: int) -> float:
    """METEOR with exact matches only: Chinese has neither the stems nor the WordNet that its other stages need.

    (Banerjee and Lavie, 2005, https://aclanthology.org/W05-0909, with the parameters of 2007.)

    Args:
        alignment: of the two texts.
        reply: its number of tokens.
        reference: its number of tokens.
    """
    if not alignment.matches:
        return 0.0
    precision, recall = alignment.matches / reply, alignment.matches / reference
    mean = precision * recall / (METEOR_ALPHA * precision + (1 - METEOR_ALPHA) * recall)
    return mean * (1 - METEOR_GAMMA * (alignment.chunks / alignment.matches) ** METEOR_BETA)
