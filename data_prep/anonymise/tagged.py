"""Texts cut into sentences, and the words of those in which a name, school, employer or address can stand.

A sentence that is made of common words alone holds none of these, so the model never sees it: two sentences of three.
Equal sentences are looked at once. `entities` reads the words.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import rjieba

from data_prep.anonymise.lac import lac, tag_names
from data_prep.anonymise.segments import word_list

# A sentence, or a part of one that is too long for one look.
_SENTENCE: Final = re.compile(r"[^。！？!?；;\n\r…~～]{1,120}[。！？!?；;\n\r…~～]*|[。！？!?；;\n\r…~～]+")
# What tells a place though its words are common (希望小学, 阳光小区), or is common as a word (戴总).
_TELLING: Final = re.compile(
    r"[中小]学(?<!中小学)(?<!初中学)|附[中小]|幼儿园|[镇巷栋幢弄]|小区|花园|单元|号楼|新村|传媒|科技|"
    r"[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蔡蒋余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范石廖贾夏方邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严赖武戴孔汤]总"
)


class Word(NamedTuple):
    """A word of a sentence: where it stands, and its tag as LAC names it (PER, LOC, ORG, n, v …)."""

    start: int
    end: int
    tag: str


class Sentence(NamedTuple):
    """A sentence and its words; `last` if it ends its text."""

    text: str
    words: tuple[Word, ...]
    last: bool

    def at(self, position: int) -> int:
        """The number of the word that covers a character."""
        return next(number for number, word in enumerate(self.words) if position < word.end)

    def tags(self, start: int, end: int) -> set[str]:
        """The tags of the words that have a character between these two."""
        return {word.tag for word in self.words if word.start < end and start < word.end}


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """The sentences of a text, with where each begins."""
    return ((match.start(), match[0]) for match in _SENTENCE.finditer(text))


def may_tell(sentence: str) -> bool:
    """Whether a sentence has to be looked at: it holds a word that is not common, or one of a place."""
    common = common_words()
    return _TELLING.search(sentence) is not None or any(
        word not in common and not word.isspace() for word in rjieba.cut(sentence)
    )


def tagged(texts: Sequence[str]) -> list[tuple[Word, ...]]:
    """The words of each sentence. A placeholder's mark is read as a pronoun, which is at home anywhere."""
    names = tag_names()
    begins = np.array([not name.endswith("-I") for name in names])
    result = []
    for tags in lac().tags([text.replace("\ue000", "他") for text in texts]):
        starts = [0, *(np.flatnonzero(begins[tags[1:]]) + 1).tolist()]
        ends = [*starts[1:], len(tags)]
        result.append(
            tuple(
                Word(start, end, names[tags[start]].rpartition("-")[0]) for start, end in zip(starts, ends, strict=True)
            )
        )
    return result


@cache
def common_words() -> frozenset[str]:
    """The words that counselling dialogues use most: none of them names anybody."""
    return frozenset(word_list("common_words.txt", "common"))
