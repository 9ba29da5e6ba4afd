"""What the dictionary knows of each character: its place in its word, the word's part of speech, whether it is common.

So few weights cannot learn which strings are words. The segmenter's dictionary has 350,000 of them, places, names and
firms among them (租在|道义, 从|澳柯玛|内退).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import rjieba

from data_prep.anonymise.sentences import common_words

# The dictionary's parts of speech; others count as the first. Their order is the weights'.
# fmt: off
_TAGS: Final = (
    "x", "v", "r", "n", "uj", "d", "c", "a", "p", "m", "vn", "zg", "f", "ul", "l", "t", "nr", "ad", "i", "y", "b",
    "an", "uv", "uz", "s", "u", "q", "df", "nz", "ug", "ns", "ud", "z", "mq", "ng", "e", "k", "eng", "j", "nrt",
    "rr", "vd", "nt", "vg", "tg", "h", "rz", "g", "vi", "nrfg", "vq", "o", "ag",
)
# fmt: on
_NUMBER: Final = {tag: number for number, tag in enumerate(_TAGS)}
# A word's first character, one inside, its last one; a word of one character.
_FIRST, _INSIDE, _LAST, _ONLY = range(0, 4 * 64, 64)
_COMMON: Final = 4 * 64
# How many kinds there are.
KINDS: Final = 2 * _COMMON


def word_kinds(sentence: str) -> npt.NDArray[np.int64]:
    """A number below `KINDS` for each character."""
    return np.fromiter(_kinds(sentence), dtype=np.int64, count=len(sentence))


def _kinds(sentence: str) -> Iterator[int]:
    common = common_words()
    for word, tag in rjieba.tag(sentence):
        kind = _NUMBER.get(tag, 0) + (_COMMON if word in common else 0)
        if len(word) == 1:
            yield _ONLY + kind
        else:
            yield _FIRST + kind
            for _ in range(len(word) - 2):
                yield _INSIDE + kind
            yield _LAST + kind
