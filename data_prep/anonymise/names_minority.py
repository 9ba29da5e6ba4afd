"""Uyghur, Kazakh, Tibetan, Mongolian and Yi names as they are written in Chinese: by the parts they are made of.

It leaves out foreign names (欧文·亚隆): whom counselling posts quote is an author, as a rule.
"""

import re
from collections.abc import Iterator
from typing import Final

from data_prep.anonymise.names_context import after_points, before_points
from data_prep.anonymise.word_lists import word_list

_PART: Final = "|".join(sorted(word_list("names.txt", "minority parts"), key=len, reverse=True))
_SYLLABLE: Final = "".join(word_list("names.txt", "minority characters"))
_DOTTED: Final = re.compile(rf"[{_SYLLABLE}]{{2,6}}[·•・][{_SYLLABLE}]{{2,6}}(?![·•・])")
_UNDOTTED: Final = re.compile(rf"(?:{_PART})(?:{_PART}){{0,2}}[{_SYLLABLE}措珠雅木]{{0,2}}")
_DOT: Final = re.compile("[·•・]")
# Points of context that a name without a dot needs: a relation before it, or a person's word after it and a clause.
_SURE: Final = 3.5


def minority_names(text: str) -> Iterator[tuple[int, int]]:
    """Where such names stand."""
    if _DOT.search(text):
        for match in _DOTTED.finditer(text):
            yield match.span()
    for match in _UNDOTTED.finditer(text):
        if (
            match.end() - match.start() > 2
            and before_points(text, match.start())[0] + after_points(text, match.end()) >= _SURE
        ):
            yield match.span()
