"""BLEU-1, ROUGE-L, METEOR and Distinct-1 of one reply against one reference, whatever the tokens are.

Each equals the implementation it is named after to 1e-9 (tests/eval/test_overlap.py) at a small part of its time:
one alignment serves BLEU-1 and METEOR, and rapidfuzz finds the longest common subsequence by words of bits.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from rapidfuzz.distance import LCSseq

from eval.metrics import tokens
from eval.metrics.tokens import Tokens

# Those of Banerjee and Lavie (2005), which are nltk's defaults. Lavie and Agarwal (2007), whom nltk cites, tuned others
# for English (0.81, 0.83, 0.28); none were tuned for Chinese.
METEOR_ALPHA: Final = 0.9
METEOR_BETA: Final = 3.0
METEOR_GAMMA: Final = 0.5


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


@dataclass(frozen=True)
class Pair:
    """A reply and one reference, both of the same kind of tokens; every metric takes one.

    Attributes:
        reply: its tokens.
        reference: its tokens.
    """

    reply: Tokens
    reference: Tokens

    @cached_property
    def alignment(self) -> Alignment:
        """Made once for all metrics that need it."""
        return align(self.reply, self.reference)


def bleu_1(pair: Pair) -> float:
    """Unigram precision times the brevity penalty (Papineni et al., 2002, https://aclanthology.org/P02-1040)."""
    if not pair.alignment.matches:
        return 0.0
    reply, reference = len(pair.reply.text), len(pair.reference.text)
    penalty = 1.0 if reply >= reference else math.exp(1 - reference / reply)
    return penalty * pair.alignment.matches / reply


def rouge_l(pair: Pair) -> float:
    """F1 of the longest common subsequence (Lin, 2004, https://aclanthology.org/W04-1013, with beta = 1)."""
    reply, reference = pair.reply.text, pair.reference.text
    if not reply or not reference:
        return 0.0
    return 2 * LCSseq.similarity(reply, reference) / (len(reply) + len(reference))


def meteor(pair: Pair) -> float:
    """METEOR with exact matches only: Chinese has neither the stems nor the WordNet that its other stages need.

    (Banerjee and Lavie, 2005, https://aclanthology.org/W05-0909, with the parameters of that paper.)
    """
    found = pair.alignment
    if not found.matches:
        return 0.0
    precision, recall = found.matches / len(pair.reply.text), found.matches / len(pair.reference.text)
    mean = precision * recall / (METEOR_ALPHA * precision + (1 - METEOR_ALPHA) * recall)
    return mean * (1 - METEOR_GAMMA * (found.chunks / found.matches) ** METEOR_BETA)


def distinct_1(pair: Pair) -> float:
    """Of the reply alone, see `eval.metrics.tokens.distinct_1`."""
    return tokens.distinct_1(pair.reply.text)
