"""Where a find of the tagger begins and ends: by LAC's words, the dictionary's, and the ends that places have.

The tagger scores characters, so that it may take one too few (湖二中 of 巢湖二中) or one too many (水利局公 of
水利局公务员).
"""

import re
from typing import Final, NamedTuple

import rjieba

from data_prep.anonymise.lac import Tags, word_begins
from data_prep.anonymise.segments import characters, is_word, words_of
from data_prep.anonymise.sentences import common_words

LISTS: Final = "entities.txt"
# Ends of places, and of institutions, behind which a character too many is taken off.
_ENDS: Final = re.compile(
    r"[村镇乡路街巷区县弄栋幢号座楼室苑园城里坊庄屯寨岗店局院校所厂站社队行部中小学]$|[0-9][号栋幢室座楼]$|公司$|酒店$|大厦$|小区$"
)
# The last number of an address with what it numbers: one word more behind it is no part of it (22号后爸).
_NUMBERED_END: Final = re.compile(r".*[0-9](?:号楼?|栋|幢|室|弄|座|单元|楼|层|组|队)")
_LONGEST_REST: Final = 2
# Words of one character that follow a name.
_FOLLOWING: Final = frozenset("来说是在和跟去也都就还对把被让给想总很不没有会能要从到却又再问做当")
# Words of the dictionary by four characters and more are idioms.
_IDIOM: Final = 4
_TAIL: Final = re.compile(r"[0-9\s]+$")


class Place(NamedTuple):
    """Characters `start` to `end` (exclusive) of a sentence."""

    start: int
    end: int


def name_of(text: str, place: Place) -> Place:
    """A name without the digits and the word behind it: 沐沐 of 沐沐5, 刘小军 of 刘小军来."""
    start, end = place
    if (match := _TAIL.search(text[start:end])) and match.start() > 0:
        end = start + match.start()
    if end - start > 3 and text[end - 1] in _FOLLOWING and text[start] in characters(LISTS, "surnames"):
        end -= text[start : start + 2] not in words_of(LISTS, "compound surnames")
    return Place(start, end)


def unsplit(text: str, place: Place, titles: re.Pattern[str]) -> Place | None:
    """A find with whole words in letters (Audrey) and without a title's begin (苏珊 of 苏珊大婶).

    Args:
        text: the sentence.
        place: the find, after its boundaries were mended.
        titles: words that stand behind a name.

    Returns:
        the place; None where a common word or an idiom reaches over one of its ends.
    """
    start, end = place
    while start and _is_letter(text[start]) and _is_letter(text[start - 1]):
        start -= 1
    while end < len(text) and _is_letter(text[end - 1]) and _is_letter(text[end]):
        end += 1
    for left, right in _crossing(text, (start, end)):
        word = text[left:right]
        if left < end < right and left > start and titles.fullmatch(word):
            end = left
        elif word in common_words() or len(word) >= _IDIOM:
            return None
    return Place(start, end)


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def place_of(text: str, tags: Tags, place: Place, kind: str) -> Place:
    """A school, employer or address from the begin of its first word to the end of its last.

    Args:
        text: the sentence.
        tags: LAC's, a number a character.
        place: as the tagger has it.
        kind: its type.
    """
    start, end = place
    begins = word_begins()[tags]
    words = list(_crossing(text, (start, end)))
    if start and (word := next((each for each in words if each.start < start < each.end), None)):
        # 巢湖 of 巢湖二中 is a town, 当然 of 当然阳泉城投 is none.
        own = text[word.start : word.end]
        if own in words_of(LISTS, "towns") or (own not in common_words() and not begins[start]):
            start = word.start
        elif own in common_words() and word.end < end - 1:
            start = word.end
    elif start and not begins[start] and start + 1 < end:
        first = next((at for at in range(start, max(-1, start - 3), -1) if begins[at]), start)
        start = first if not any(own in common_words() for own in rjieba.cut(text[first:start])) else start
    numbered = _NUMBERED_END.match(text[start:end]) if kind == "地址" else None
    if (
        numbered
        and end - start - numbered.end() <= _LONGEST_REST
        and not text[start + numbered.end() : end].isdecimal()
    ):
        end = start + numbered.end()
    elif (word := next((each for each in words if each.start < end < each.end), None)) and _ENDS.search(
        text[start : word.start]
    ):
        end = word.start
    return Place(start, end)


def _crossing(text: str, at: tuple[int, int]) -> list[Place]:
    """The words of the dictionary that reach over one of two places."""
    found, position = [], 0
    for word in rjieba.cut(text):
        start, position = position, position + len(word)
        if len(word) > 1 and any(start < each < position for each in at) and is_word(word):
            found.append(Place(start, position))
    return found
