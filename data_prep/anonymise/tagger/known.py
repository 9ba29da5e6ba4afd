"""What lists know of each character: whether it stands in the name of a place or of a firm, and where in it.

So few weights cannot hold such facts, and no sentence tells them: that 大碶 is a place and 法尔胜 a firm.
"""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import AhoCorasick, MatchKind

from data_prep.anonymise.segments import word_list

# The first character of a name, one inside, the last one; none is 0. Those of a firm count `FIRM` times.
_FIRST, _INSIDE, _LAST = 1, 2, 3
FIRM: Final = 4
# How many kinds there are.
KINDS: Final = 16


def known_kinds(sentence: str) -> npt.NDArray[np.int64]:
    """A number below `KINDS` for each character; of names that overlap the longest of those that begin first."""
    kinds = np.zeros(len(sentence), dtype=np.int64)
    for finder, factor in ((_places(), 1), (_firms(), FIRM)):
        for _, start, end in finder.find_matches_as_indexes(sentence):
            kinds[start] += _FIRST * factor
            kinds[start + 1 : end - 1] += _INSIDE * factor
            kinds[end - 1] += _LAST * factor
    return kinds


@cache
def _places() -> AhoCorasick:
    return AhoCorasick(word_list("tagger/known.txt", "places"), matchkind=MatchKind.LeftmostLongest)


@cache
def _firms() -> AhoCorasick:
    names = {*word_list("tagger/known.txt", "firms"), *word_list("employers.txt", "employers")}
    return AhoCorasick(sorted(names), matchkind=MatchKind.LeftmostLongest)
