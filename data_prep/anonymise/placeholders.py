"""Placeholders in a text, and the view of it that recognisers get: what is replaced is one mark they cannot match.

A placeholder is ``[type]``, ``[type2]``, ``[type3]`` … : the number tells the values of one type apart, the first has
none. Since a replaced value and a placeholder look the same in the view, anonymising a second time sees what the last
look of the first time saw.
"""

import re
from bisect import insort
from dataclasses import dataclass
from typing import Final, Literal, get_args

_FOLDED: Final = "+-./@_#&=%~" + "".join(chr(code) for code in range(0x30, 0x7B) if chr(code).isalnum())
_TABLE: Final = {
    **{ord(char) + 0xFEE0: char for char in _FOLDED},
    **{ord(first) + i: str(i + 1) for first in "①⑴⒈❶➀➊" for i in range(9)},
    **dict.fromkeys(map(ord, "⓪⓿"), "0"),
}
_FOLDABLE: Final = re.compile("[" + "".join(map(chr, _TABLE)) + "]")


def fold(text: str) -> str:
    """The text with its wide and circled letters, digits and marks in ASCII; as long as the text.

    A full-width colon or question mark stays: in Chinese text it ends a phrase.
    """
    return text.translate(_TABLE) if _FOLDABLE.search(text) else text


# What is looked for, by the word that stands in its placeholder.
PersonalData = Literal[
    "电话",
    "身份证",
    "银行卡",
    "邮箱",
    "QQ",
    "微信",
    "网址",
    "车牌",
    "账号",
    "证件",
    "编号",
    "姓名",
    "学校",
    "单位",
    "地址",
]

ALL_TYPES: Final[tuple[PersonalData, ...]] = get_args(PersonalData)

# The types that a pattern or a cue beside them tells, without a look at the meaning of a sentence.
PATTERNED: Final[tuple[PersonalData, ...]] = tuple(
    type for type in ALL_TYPES if type not in ("姓名", "学校", "单位", "地址")
)

_PLACEHOLDER: Final = re.compile(rf"\[({'|'.join(ALL_TYPES)})([0-9]{{0,4}})\]")
_MARK: Final = "\ue000"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text, replaced by the placeholder of a type and number.

    For a placeholder that stood in the text already, the number is its own, 1 where it has none.
    """

    start: int
    end: int
    type: str
    number: int


def placeholder(type: str, number: int) -> str:
    """The placeholder of a type's value of that number, counted from 1."""
    return f"[{type}]" if number == 1 else f"[{type}{number}]"


class MarkedText:
    """A text, and what of it is a placeholder or has been replaced by one."""

    def __init__(self, text: str) -> None:
        """Find the placeholders that the text brings along."""
        self.text = text
        self.folded = fold(text)
        self.found: list[Span] = []
        self.standing = [
            Span(match.start(), match.end(), match[1], int(match[2] or 1)) for match in _PLACEHOLDER.finditer(text)
        ]
        self._spans = list(self.standing)

    def view(self) -> str:
        """The folded text with a mark for every placeholder, replaced or standing."""
        return _replaced(self.folded, self._spans, [_MARK] * len(self._spans))

    def locate(self, start: int, end: int) -> tuple[int, int] | None:
        """Where characters of the view lie in the text; None where a mark is among them."""
        shift = 0
        for span in self._spans:
            mark = span.start - shift
            if mark >= end:
                break
            if mark >= start:
                return None
            shift += span.end - span.start - 1
        return start + shift, end + shift

    def free(self, start: int, end: int) -> bool:
        """Whether no placeholder touches these characters of the text."""
        return all(span.end <= start or end <= span.start for span in self._spans)

    def replace(self, span: Span) -> None:
        """Put a placeholder over a span that is free."""
        insort(self._spans, span)
        insort(self.found, span)

    def result(self) -> str:
        """The text with the placeholders in place."""
        return _replaced(self.text, self.found, [placeholder(span.type, span.number) for span in self.found])


def _replaced(text: str, spans: list[Span], others: list[str]) -> str:
    """The text with something else in the place of each span."""
    pieces, position = [], 0
    for span, other in zip(spans, others, strict=True):
        pieces += [text[position : span.start], other]
        position = span.end
    return "".join([*pieces, text[position:]])
