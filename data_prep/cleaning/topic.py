"""Questions that are no matter of a counsellor's: homework, code, prices, laboratory values, advertisements.

Told by weighted signs. For another subject speak the words of topics.txt, and what subjects of the kind bring with
them: measures (4厘米, 5.8, 3折), Latin words, formulas, asking for a figure or a place. For a personal or emotional
matter speak the words listed there, ``PERSONAL`` times as much. A post goes when the signs of another subject reach
``ENOUGH`` and outweigh those; without a sign of either it stays, for 如何看待孤独 and the like are asked in few words.
A short post goes only by a word that is hardly ever used elsewhere, and never where it speaks of a person: 吃了14颗药，
会死吗 is a number and a question. Subjects are without end, so a question without such signs (要不要买这本书) is not
found out.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

from ahocorasick_rs import AhoCorasick, MatchKind

# The weight from which signs of another subject suffice in a post of ``TELLING_CHARS`` or more.
ENOUGH: Final = 1

# The weight that one word must have in a shorter post, where the want of personal signs says less.
ENOUGH_IN_SHORT: Final = 3

# A post so long, in characters, shows signs of a personal matter where it is one.
TELLING_CHARS: Final = 30

# How much more a sign of a personal matter counts than one of another subject.
PERSONAL: Final = 2

_SPEAKER: Final = re.compile("[我他她]|自己")
_LIST = Path(__file__).with_name("topics.txt")
_SECTIONS = ("[other]", "[personal]")
# Weight and pattern of what needs no word of its own; each counts once. Personality types, diagnoses and everyday
# abbreviations are Latin words of personal posts, too.
_FORMS: Final = tuple(
    (weight, re.compile(pattern))
    for weight, pattern in (
        (
            2,
            r"\d\s*(?:厘米|毫米|千米|公里|米|平方|平米|立方|毫克|毫升|微克|千克|公斤|克|吨|升|度|℃|[%折匹瓦伏寸]|[mgt]b)",
        ),
        (2, r"\d\s?[gkmvwπ](?![a-z])|\d\.\d|[一二三四五六七八九]折|分之"),
        (
            2,
            r"(?<![a-z])(?!(?:mbti|[ie][ns][ft][jp]|ptsd|ocd|adhd|emo|pua|app|ok|qq|vs|cp|kpi|hr|ppt)(?![a-z]))[a-z][a-z+#.\-]+",
        ),
        (2, r"[=＝π²³√∫≤≥≠×÷∠△\\{}\[\]]"),
        (1, r"\d"),
        (
            1,
            r"多少|多[大长远重高久]|几个?[钱层克号]|第几|哪[天款种家个]|哪里[买有领办下]|什么[价时意区行现牌型手材参概位]",
        ),
        (1, r"怎么[算写读收区处匹设配解分加连调装存去纠把]|求[助解推指教资购一]|有没有[降涨货推教区口别]"),
        (1, r"能不能[用换退补续改吃恢]|可以吗|行吗|对吗|超标|偏[高低]|[阴阳]性|适合[买入]|贵不贵|要不要[打做补吃换]"),
    )
)


def is_not_psychological(post: str) -> bool:
    """Whether the post's signs speak for another subject, and more so than for a personal matter."""
    lowered = post.lower()
    other = other_weight(lowered)
    enough = other >= ENOUGH if len(post) >= TELLING_CHARS else _is_plain(lowered)
    return enough and other > PERSONAL * personal_weight(lowered)


def _is_plain(lowered: str) -> bool:
    """Whether a short post shows its subject by one word, and speaks of nobody."""
    finder, weights = _lists()[0]
    found = finder.find_matches_as_indexes(lowered)
    return not _SPEAKER.search(lowered) and any(weights[number] >= ENOUGH_IN_SHORT for number, _, _ in found)


def other_weight(lowered: str) -> int:
    """The sum of the weights of the signs of another subject in a post in lower case."""
    return _weight(_lists()[0], lowered) + sum(weight for weight, form in _FORMS if form.search(lowered))


def personal_weight(lowered: str) -> int:
    """The sum of the weights of the signs of a personal or emotional matter in a post in lower case."""
    return _weight(_lists()[1], lowered)


def _weight(words: tuple[AhoCorasick, list[int]], text: str) -> int:
    """The sum of the weights of the different words found, the longest at each place."""
    finder, weights = words
    return sum(weights[number] for number in {number for number, _, _ in finder.find_matches_as_indexes(text)})


@cache
def _lists() -> tuple[tuple[AhoCorasick, list[int]], tuple[AhoCorasick, list[int]]]:
    """A finder of words and their weights, for other subjects and for personal matters."""
    words: dict[str, dict[str, int]] = {section: {} for section in _SECTIONS}
    section = ""
    for number, line in enumerate(_LIST.read_text(encoding="utf-8").splitlines(), 1):
        if line in _SECTIONS:
            section = line
        elif line and not line.startswith("#"):
            weight, *listed = line.split()
            if section not in words or not weight.isdecimal() or not listed:
                raise ValueError(f"{_LIST.name}:{number}: found {line!r}, expected: weight  words. Mend the line.")
            words[section].update(dict.fromkeys(listed, int(weight)))
    other, personal = (
        (AhoCorasick(words[section], matchkind=MatchKind.LeftmostLongest), list(words[section].values()))
        for section in _SECTIONS
    )
    return other, personal
