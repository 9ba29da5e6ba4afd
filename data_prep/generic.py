"""The sentences that would fit any question: the second kind of negative in Eq. 5, mined by frequency.

A sentence is generic as far as its wording recurs: its score is the mean, over its character trigrams, of the share of
questions whose responses hold that trigram. On large corpora the winners are literally repeated (我理解你的感受),
on a hundred questions, where hardly a sentence is, they are the likes of it (能够理解你的困扰). Counting whole
sentences alone would find 50 among PsyQA's 100 questions and next to none in the sample.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process
from tqdm import tqdm

from data_prep.record import Question

SENTENCE_CHARS: Final = (8, 40)
"""Shortest and longest sentence taken, in characters of words and digits: shorter ones are greetings or list marks."""

POOL_SIZE: Final = 200
"""How many sentences are kept."""

VARIANT_RATIO: Final = 70.0
"""A sentence this alike (rapidfuzz ``ratio``, 0 to 100) to a better one is a variant of it and is passed over."""

_GRAM = 3
_SENTENCE = re.compile(r"[^。！？!?；;…～~\n]+[。！？!?；;…～~]*[”』」）)]*")
_NOT_TEXT = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class GenericSentence:
    """A sentence and how generic it is, 0 to 1."""

    text: str
    score: float


def mine_generic(questions: list[Question], pool_size: int = POOL_SIZE) -> list[GenericSentence]:
    """The most generic sentences of the questions' responses, the most generic first, variants passed over."""
    frequency: Counter[str] = Counter()
    sentences: dict[str, str] = {}
    for question in tqdm(questions, desc="counting trigrams", unit="question", disable=None):
        trigrams: set[str] = set()
        for response in question.responses:
            for sentence in split_sentences(response):
                words = _NOT_TEXT.sub("", sentence)
                trigrams.update(_trigrams(words))
                if SENTENCE_CHARS[0] <= len(words) <= SENTENCE_CHARS[1]:
                    sentences.setdefault(words, sentence)
        frequency.update(trigrams)
    scored = sorted(
        ((sum(frequency[gram] for gram in _trigrams(words)) / (len(words) - _GRAM + 1), words) for words in sentences),
        key=lambda item: (-item[0], item[1]),
    )
    pool: dict[str, float] = {}
    for score, words in scored:
        if len(pool) == pool_size:
            break
        if process.extractOne(words, pool.keys(), scorer=fuzz.ratio, score_cutoff=VARIANT_RATIO) is None:
            pool[words] = score / len(questions)
    return [GenericSentence(sentences[words], score) for words, score in pool.items()]


def split_sentences(text: str) -> list[str]:
    """The text's sentences, with the marks that end them; a line end ends one too."""
    return [sentence for match in _SENTENCE.finditer(text) if (sentence := match.group().strip())]


def _trigrams(words: str) -> list[str]:
    return [words[i : i + _GRAM] for i in range(len(words) - _GRAM + 1)]
