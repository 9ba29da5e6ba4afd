"""Well-known persons, living, of history and of fiction, by the names of ``public_figures.txt``."""

import re
from functools import cache
from typing import Final

from ahocorasick_rs import AhoCorasick

from data_prep.anonymise.boundaries import Place
from data_prep.anonymise.segments import word_list

_SECTIONS: Final = ("persons", "now", "history", "fiction")
# Shorter names may be a part of anybody's: 王维 of 王维舟.
_LEAST: Final = 3
# What stands behind a name and makes no place of it, in characters; and what makes one.
_TAIL: Final = 2
_PLACE: Final = re.compile("[校院大中小高附园学厂局所站社队行部店厅村镇乡路道街巷区县栋幢楼苑城坊庄桥馆室号厦]$")
# How far around a find a name that reaches over its ends is looked for, in characters.
_WINDOW: Final = 12


def is_public(value: str) -> bool:
    """Whether a name is a well-known person's, or holds one of three characters and more."""
    return any(
        len(name) >= _LEAST or name == value for name in _names().find_matches_as_strings(value, overlapping=True)
    )


def names_public(value: str) -> bool:
    """Whether what looks like a place is a well-known person's name, or one with a word behind it: 佛洛依德精分.

    A street, a school or a firm by such a name is a place: 张自忠路3号院.
    """
    return any(
        value == name or (len(name) >= _LEAST and value.startswith(name) and len(value) <= len(name) + _TAIL)
        for name in _names().find_matches_as_strings(value, overlapping=True)
    ) and not _PLACE.search(value)


def cuts_public(text: str, place: Place) -> bool:
    """Whether a well-known person's name reaches over an end of a find: 约翰纳什 over that of 翰纳什."""
    first = max(0, place.start - _WINDOW)
    around = text[first : place.end + _WINDOW]
    return any(
        end - start >= _LEAST and any(first + start < at < first + end for at in place)
        for _, start, end in _names().find_matches_as_indexes(around, overlapping=True)
    )


@cache
def _names() -> AhoCorasick:
    return AhoCorasick(sorted({name for section in _SECTIONS for name in word_list("public_figures.txt", section)}))
