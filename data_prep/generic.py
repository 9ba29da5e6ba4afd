"""The sentences that would fit any question: the second kind of negative in Eq. 5, mined by frequency.

A sentence is generic as far as its wording recurs: its score is the mean, over its character trigrams, of the share of
questions whose responses hold that trigram. On large corpora the winners are literally repeated (我理解你的感受),
on a hundred questions, where hardly a sentence is, they are the likes of it (能够理解你的困扰). Counting whole
sentences alone would find 50 among PsyQA's 100 questions and next to none in the sample.
"""

import re
from typing import Final

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from tqdm import tqdm

from common.records.question import Question

# Shortest and longest sentence taken, in characters of words and digits: shorter ones are greetings or list marks.
SENTENCE_CHARS: Final = (8, 40)

# How many sentences are kept.
POOL_SIZE: Final = 200

# A sentence this alike (rapidfuzz ``ratio``, 0 to 100) to a better one is a variant of it and is passed over.
VARIANT_RATIO: Final = 70.0

_GRAM = 3
_SENTENCE = re.compile(r"[^。！？!?；;…～~\n]+[。！？!?；;…～~]*[”』」）)]*")
_NOT_TEXT = re.compile(r"[\W_]+")

Trigrams = npt.NDArray[np.uint64]


def mine_generic(questions: list[Question], pool_size: int = POOL_SIZE) -> dict[str, float]:
    """The most generic sentences of the questions' responses and how generic each is, 0 to 1.

    The most generic comes first; variants are passed over.
    """
    sentences: dict[str, str] = {}
    held: list[Trigrams] = [np.empty(0, dtype=np.uint64)]
    for question in tqdm(questions, desc="counting trigrams", unit="question", disable=None):
        own = [
            (_NOT_TEXT.sub("", sentence), sentence)
            for response in question.responses
            for sentence in split_sentences(response)
        ]
        held.append(np.unique(_trigrams([words for words, _ in own])))
        for words, sentence in own:
            if SENTENCE_CHARS[0] <= len(words) <= SENTENCE_CHARS[1]:
                sentences.setdefault(words, sentence)
    trigrams, frequency = np.unique(np.concatenate(held), return_counts=True)
    counts = frequency[np.searchsorted(trigrams, _trigrams(list(sentences)))]
    lengths = np.array([len(words) - _GRAM + 1 for words in sentences], dtype=np.int64)
    sums = np.add.reduceat(counts, np.cumsum(lengths) - lengths) if sentences else lengths
    scored = sorted(zip((sums / lengths).tolist(), sentences, strict=True), key=lambda item: (-item[0], item[1]))
    pool: dict[str, float] = {}
    for score, words in scored:
        if len(pool) == pool_size:
            break
        if process.extractOne(words, pool.keys(), scorer=fuzz.ratio, score_cutoff=VARIANT_RATIO) is None:
            pool[words] = score / len(questions)
    return {sentences[words]: score for words, score in pool.items()}


def split_sentences(text: str) -> list[str]:
    """The text's sentences, with the marks that end them; a line end ends one too."""
    return [sentence for match in _SENTENCE.finditer(text) if (sentence := match.group().strip())]


def _trigrams(texts: list[str]) -> Trigrams:
    """The trigrams of all texts in order, none of them across two texts; three code points of 21 bits each."""
    points = np.frombuffer("\n".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if len(points) < _GRAM:
        return np.empty(0, dtype=np.uint64)
    parts = [points[place : len(points) - _GRAM + 1 + place] for place in range(_GRAM)]
    inside = np.logical_and.reduce([part != ord("\n") for part in parts])
    return (parts[0] | parts[1] << np.uint64(21) | parts[2] << np.uint64(42))[inside]
