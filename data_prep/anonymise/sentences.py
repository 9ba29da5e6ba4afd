"""Texts cut into sentences, and those in which a name, school, employer or address can stand.

A sentence that is made of common words alone holds none of these, so the model never sees it: three sentences of four.
`entities` looks at the others, at equal ones once.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import rjieba

from data_prep.anonymise.segments import word_list

# A sentence, or a part of one that is too long for one look.
_SENTENCE: Final = re.compile(r"[^。！？!?；;\n\r…~～]{1,120}[。！？!?；;\n\r…~～]*|[。！？!?；;\n\r…~～]+")
# What tells a place though its words are common (希望小学, 安定医院), or are common as words (戴总, 钱医生).
_TELLING: Final = re.compile(
    r"[中小]学(?<!中小学)(?<!初中学)|附[中小]|幼儿园|医院|[镇巷栋幢弄]|小区|花园|单元|号楼|新村|传媒|科技|"
    r"[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蔡蒋余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范石廖贾夏方邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严赖武戴孔汤](?:总|老师|医生|大夫|主任|教授|校长|院长|经理|律师|师傅|女士|先生|阿姨|叔|姐|哥)"
)


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """The sentences of a text, with where each begins."""
    return ((match.start(), match[0]) for match in _SENTENCE.finditer(text))


def may_tell(sentence: str) -> bool:
    """Whether a sentence has to be looked at: it holds a word that is not common, or one of a place."""
    common = common_words()
    return _TELLING.search(sentence) is not None or any(
        word not in common and not word.isspace() for word in rjieba.cut(sentence)
    )


@cache
def common_words() -> frozenset[str]:
    """The words that counselling dialogues use most: none of them names anybody."""
    return frozenset(word_list("common_words.txt", "common")) | frozenset(word_list("common_words.txt", "less common"))
