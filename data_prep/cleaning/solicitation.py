"""Advertisements and solicitations of contact: which sentences are such, by the scored patterns of solicitation.txt.

A counsellor may advise to seek help, name a help line or a book; to draw the asker away to the writer's own account, or
to sell, is what training must not teach. Precision comes first: patterns that have another use need company, and
warnings of advertisements count against. Contact data by itself (a number, an address) is anonymisation's.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from ahocorasick_rs import AhoCorasick

# The score from which a sentence is a solicitation.
ENOUGH: Final = 3

# The share of a text's characters in such sentences from which the text as a whole is an advertisement.
LARGE_SHARE: Final = 0.5

_STRONG = 2
_LIST = Path(__file__).with_name("solicitation.txt")
_LINE = re.compile(r"(-?\d)  (\S+)  (\S.*)")
_SENTENCE = re.compile(r"[^。！？!?；;…～~\n]+[。！？!?；;…～~]*[”』」）)]*")


@dataclass(frozen=True, slots=True)
class _Pattern:
    score: int
    words: tuple[str, ...]
    pattern: re.Pattern[str]


def cut_solicitations(text: str) -> str:
    """Cut the sentences that solicit out of a response: a good answer is worth more than its last line costs.

    Left alone are posts, in which people tell of advertisements and of contacts, and the sentences around.
    """
    for start, end in reversed(_solicitations(text)):
        text = text[:start] + text[end:]
    return text


def advertisement_share(text: str) -> float:
    """The share of the text's characters, 0 to 1, that stand in sentences which solicit."""
    return sum(end - start for start, end in _solicitations(text)) / len(text) if text else 0.0


def solicitation_score(sentence: str) -> int:
    """What the patterns found in the sentence add up to; 0 where none of them is strong."""
    always, finder, of_word, _ = _patterns()
    words = {number for number, _, _ in finder.find_matches_as_indexes(sentence.lower(), overlapping=True)}
    possible = always.union(*(of_word[number] for number in words))
    found = [entry.score for entry in possible if entry.pattern.search(sentence)]
    return sum(found) if max(found, default=0) >= _STRONG else 0


# One text is asked about twice in a row: for what to cut, and for the share of it.
@lru_cache(maxsize=1)
def _solicitations(text: str) -> list[tuple[int, int]]:
    """First and last-but-one character of each sentence that solicits."""
    *_, strong = _patterns()
    hits = [start for _, start, _ in strong.find_matches_as_indexes(text)]
    return [
        match.span()
        for match in (_SENTENCE.finditer(text) if hits else ())
        if any(match.start() <= hit < match.end() for hit in hits) and solicitation_score(match.group()) >= ENOUGH
    ]


@cache
def _patterns() -> tuple[frozenset[_Pattern], AhoCorasick, list[list[_Pattern]], AhoCorasick]:
    """The list, ready to use.

    Returns:
        the patterns that need no word; what finds the words of all others, in lower case; the patterns of each word;
        what finds any word without which no strong pattern can match.
    """
    patterns = []
    for number, line in enumerate(_LIST.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{_LIST.name}:{number}: found {line!r}, expected: score  words  pattern. Mend the line.")
        words = () if match[2] == "-" else tuple(match[2].split("/"))
        patterns.append(_Pattern(int(match[1]), words, re.compile(match[3], re.IGNORECASE)))
    strong = {word for entry in patterns if entry.score >= _STRONG for word in entry.words}
    letters = {variant for word in strong for variant in (word, word.upper(), word.capitalize())}
    of_word: dict[str, list[_Pattern]] = {}
    for entry in patterns:
        for word in entry.words:
            of_word.setdefault(word, []).append(entry)
    always = frozenset(entry for entry in patterns if not entry.words)
    return always, AhoCorasick(of_word), list(of_word.values()), AhoCorasick(sorted(letters))
