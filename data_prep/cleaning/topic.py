"""Questions that are no matter of a counsellor's: homework, code, prices, laboratory values, advertisements.

Told by the weighted words of topics.txt. A post goes only when words of other subjects add up to ``ENOUGH`` and
outweigh those of personal and emotional matters; without a sign of either it stays, for 如何看待孤独 and the like are
asked in few words. The lists know common subjects, not all: they spare the corpus the plain cases.
"""

from functools import cache
from pathlib import Path
from typing import Final

import ahocorasick

ENOUGH: Final = 3
"""The weight of other subjects from which a post can be none of a counsellor's."""

PERSONAL: Final = 2
"""How much more a sign of a personal matter counts than one of another subject."""

_LIST = Path(__file__).with_name("topics.txt")
_SECTIONS = ("[other]", "[personal]")


def is_not_psychological(post: str) -> bool:
    """Whether the post's words speak for another subject, and more so than for a personal matter."""
    other, personal = _lists()
    lowered = post.lower()
    weight = _weight(other, lowered)
    return weight >= ENOUGH and weight > PERSONAL * _weight(personal, lowered)


def _weight(words: ahocorasick.Automaton, text: str) -> int:
    """The sum of the weights of the different words found, the longest at each place."""
    return sum(weight for _, weight in {value for _, value in words.iter_long(text)})


@cache
def _lists() -> tuple[ahocorasick.Automaton, ahocorasick.Automaton]:
    automata = {section: ahocorasick.Automaton() for section in _SECTIONS}
    section = ""
    for number, line in enumerate(_LIST.read_text(encoding="utf-8").splitlines(), 1):
        if line in _SECTIONS:
            section = line
        elif line and not line.startswith("#"):
            weight, *words = line.split()
            if section not in automata or not weight.isdecimal() or not words:
                raise ValueError(f"{_LIST.name}:{number}: found {line!r}, expected: weight  words. Mend the line.")
            for word in words:
                automata[section].add_word(word, (word, int(weight)))
    for automaton in automata.values():
        automaton.make_automaton()
    return automata["[other]"], automata["[personal]"]
