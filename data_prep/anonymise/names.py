"""Whether the characters of a string make a Chinese name: its surname, its given name, words that look like one."""

import re
from typing import Final

import rjieba

from data_prep.anonymise.segments import characters, is_word, words_of

_LISTS: Final = "entities.txt"
_WEEKDAY: Final = re.compile("周[一二三四五六日末]")
# Characters of given names that make words with what stands before them: 黄光, 顾自, 过程中.
_LOOSE: Final = frozenset("光文成中多香自言辈名才真心和平安乐本元方正明长天大小人日月男女老会来发起开行高新有")
# Characters after 小 or 阿 that make words with it: 小受, 小浪.
_SMALL_WORDS: Final = frozenset(
    "浪帅胜美新强明亮光众凡红白黑黄花刚北南东西声心情道段利错童舍受组区学段时天草星月雨雪鹿"
)
# Characters that foreign names are written with.
_TRANSCRIBING: Final = frozenset(
    "斯尔德克特夫洛弗伊格罗巴卡拉马萨提亚沙森霍妮内科布鲁史蒂埃里利莱茨顿荷姆恩普兰罕贝蒙帕哈莎维奥勒皮哲塞肯比昂奇艾彻宾诺胡珀戈曼"
)


def is_full(value: str) -> bool:
    """Whether a string has the shape of a surname with a given name."""
    if value[:2] in words_of(_LISTS, "compound surnames"):
        return 3 <= len(value) <= 4
    return 2 <= len(value) <= 3 and value[0] in characters(_LISTS, "surnames") and not _WEEKDAY.match(value)


def looks_like_a_full_name(value: str) -> bool:
    """Whether a string of that shape is likely one, though nobody says whose: by the characters of its given name."""
    given = characters(_LISTS, "given")
    if value[:2] in words_of(_LISTS, "compound surnames"):
        return True
    as_word = value[0] in characters(_LISTS, "word surnames")
    if len(value) == 2:
        return value[1] in given and value[1] not in _LOOSE and not as_word
    parts = [part for part in (value[:2], value[1:]) if is_word(part) and part[0] != part[1]]
    if not given.issuperset(value[1:]):
        return not parts and not as_word and not given.isdisjoint(value[1:])
    return not as_word or all(map(is_name_in_dictionary, parts))


def looks_like_a_nickname(value: str) -> bool:
    """Whether a string is 小, 阿 or 老 with a surname, or 小 or 阿 with a character of given names."""
    if len(value) != 2 or value[0] not in "小阿老":
        return False
    if value[1] in characters(_LISTS, "surnames") - characters(_LISTS, "word surnames"):
        return True
    return value[0] != "老" and value[1] in characters(_LISTS, "given") - _SMALL_WORDS


def is_name_in_dictionary(word: str) -> bool:
    """Whether rjieba's dictionary has a word as a person's name."""
    return bool(rjieba.tag(word)[0][1].startswith("nr"))


def looks_foreign(value: str) -> bool:
    """Whether a name is written as foreign ones are."""
    foreign = sum(char in _TRANSCRIBING for char in value)
    return foreign >= max(2, len(value) - 1)
