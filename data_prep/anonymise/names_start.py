"""Where a personal name may begin: before anything is weighed, by the character there and its two neighbours.

A regular expression with all these alternatives takes as long as everything else about names. So one table says of
which sets each character is, a few operations on whole arrays pick the places out, and the expression confirms them.
"""

import re
from typing import Final

import numpy as np
import numpy.typing as npt

from data_prep.anonymise.segments import word_list

COMPOUND: Final = word_list("names.txt", "compound")
COMMON: Final = frozenset("".join(word_list("names.txt", "common")))
SURNAMES: Final = COMMON | frozenset("".join(word_list("names.txt", "less common")))
GRAMMAR: Final = frozenset("".join(word_list("names.txt", "function words")))
GIVEN: Final = frozenset("".join(word_list("names.txt", "given")))
NEVER_GIVEN: Final = frozenset("".join(word_list("names.txt", "never given")))

_GIVEN: Final = "".join(sorted(GIVEN))
_ORDINARY: Final = "".join(sorted(SURNAMES - GRAMMAR))
_GRAMMAR: Final = "".join(sorted(GRAMMAR))
_OUTRIGHT: Final = "叫名是为：:— "
_BEFORE_RARE: Final = (
    "叫做名是为写：:— 人伴子夫公婆妻妇友任象爸妈父母亲爷奶姥哥姐弟妹嫂兄儿女孩娃舅姨姑叔伯婶师长桌学事工者患医生"
)
_RARE: Final = rf"[^{''.join(sorted(SURNAMES | NEVER_GIVEN))}\W\d_a-zA-Z]"
_CLAUSE_ENDS: Final = "\n，。；！？、"
_START: Final = re.compile(
    f"(?={'|'.join(COMPOUND)})|[{_ORDINARY}](?=[{_GIVEN}])|(?<=[{_OUTRIGHT}])[{_ORDINARY}](?=[\u4e00-\u9fa5])"
    f"|(?<![^{_BEFORE_RARE}{_CLAUSE_ENDS}])[{_GRAMMAR}](?=[{_GIVEN}])"
    f"|(?<=[{_BEFORE_RARE}]){_RARE}(?=[{_GIVEN}])"
)
_SETS: Final = (
    f"[{''.join(sorted({name[0] for name in COMPOUND}))}]",
    f"[{''.join(sorted({name[1] for name in COMPOUND}))}]",
    f"[{_ORDINARY}]",
    f"[{_GRAMMAR}]",
    f"[{_GIVEN}]",
    f"[{_BEFORE_RARE}]",
    _RARE,
)
_FIRST, _SECOND, _ORD, _GRAM, _GIV, _BEFORE, _ODD = (np.uint8(1 << bit) for bit in range(len(_SETS)))


def name_starts(text: str) -> list[int]:
    """The places, in order: a surname before a character of given names, a compound surname, or after a cue."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    sets = _TABLE[np.minimum(points, len(_TABLE) - 1)]
    here, after = sets[:-1], sets[1:]
    before = np.empty_like(here)
    before[:1] = _BEFORE
    before[1:] = sets[:-2]
    found = (here & _ORD).astype(bool) & ((after & _GIV).astype(bool) | (before & _BEFORE).astype(bool))
    found |= (here & _GRAM).astype(bool) & (after & _GIV).astype(bool)
    found |= (here & _ODD).astype(bool) & (after & _GIV).astype(bool) & (before & _BEFORE).astype(bool)
    found |= (here & _FIRST).astype(bool) & (after & _SECOND).astype(bool)
    return [place for place in np.flatnonzero(found).tolist() if _START.match(text, place)]


def _table() -> npt.NDArray[np.uint8]:
    """One bit for each set that a character is of; the last entry stands for all characters beyond U+FFFE."""
    table = np.zeros(0x10000, dtype=np.uint8)
    every = "".join(map(chr, range(0xFFFF)))
    for bit, characters in enumerate(_SETS):
        members = [match.start() for match in re.finditer(characters, every)]
        table[members] |= np.uint8(1 << bit)
    table[-1] = 0xFF
    return table


_TABLE: Final = _table()
