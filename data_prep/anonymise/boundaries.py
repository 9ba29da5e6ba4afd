"""Where a find of the tagger begins and ends: by the dictionary's words, and by the ends that places have.

The tagger scores characters, so that it may take one too many (闫磊善 of 闫磊善良, 19幢402房 of 19幢402房间).
"""

import re
from typing import Final, NamedTuple

from data_prep.anonymise.lac import Tags, begins_common, begins_linking, common_word, only_functions
from data_prep.anonymise.segments import characters, is_word, part_of_speech, words_in, words_of
from data_prep.anonymise.sentences import common_words

LISTS: Final = "entities.txt"
# Words of the dictionary by four characters and more are idioms; by two, names as well.
_IDIOM: Final = 4
_LONG: Final = 3
# Ends of schools, employers and addresses: what ends so is whole, though a word goes on over it (民大学生).
_WHOLE: Final = re.compile(
    "[校院大中小高附园师学厂局所站社队行部店司厅村镇乡路街巷区县弄栋幢号座楼苑城坊庄屯寨湾口桥]$|公司$|心理$|集团$"
)
# Of a find whose last characters belong to a word, what has to be left without them.
_LEAST: Final = 2
# Words of one character that follow a name.
_FOLLOWING: Final = frozenset("来说是在和跟去也都就还对把被让给想总很不没有会能要从到却又再问做当")
_BEHIND_PLACE: Final = _FOLLOWING | frozenset("有的了上里这那我")
_TAIL: Final = re.compile(r"[0-9\s]+$")
# A number that goes on before a value, or behind it, or that counts what follows: 劲松三区 of 劲松三区20多天.
_GOES_ON: Final = re.compile("[0-9][0-9-]|-[0-9]")
_COUNTS: Final = re.compile("[0-9](?:[0-9-]|多|几|岁|天|年|个|块|元|点|分)|-[0-9]")
_RUNNING: Final = re.compile("[0-9-]+$")


class Place(NamedTuple):
    """Characters `start` to `end` (exclusive) of a sentence."""

    start: int
    end: int


def without_running_number(text: str, place: Place) -> Place | None:
    """A find without the beginning of a number that goes on behind it; None where it begins inside of one."""
    start, end = place
    if _COUNTS.match(text, end - 1):
        end = start + len(_RUNNING.sub("", text[start:end]))
    return None if start == end or (start and _GOES_ON.match(text, start - 1)) else Place(start, end)


def name_of(text: str, tags: Tags, place: Place, titles: re.Pattern[str]) -> Place:
    """A name without digits, the word and the title behind it: 沐沐 of 沐沐5, 刘小军 of 刘小军来, 李 of 李老师.

    Args:
        text: the sentence.
        tags: LAC's, of its characters.
        place: the find.
        titles: matches one.
    """
    start, end = place
    # 小柳 of 向小柳表达, but 向小柳 of 我叫向小柳
    start += end - start > 2 and begins_linking(tags, start) and text[start - 1 : start] not in ("叫", "是")
    if text[start] == text[start + 1 : start + 2] and end - start > 2 and begins_common(tags, start + 2):
        # 朵朵 of 朵朵很乖
        end = start + 2
    if (match := _TAIL.search(text[start:end])) and match.start() > 0:
        end = start + match.start()
    if end - start > 3 and text[end - 1] in _FOLLOWING and text[start] in characters(LISTS, "surnames"):
        end -= text[start : start + 2] not in words_of(LISTS, "compound surnames")
    elif end - start > 2 and text[end - 1] in _FOLLOWING and begins_common(tags, end - 1):
        # 悦悦 of 悦悦|来说
        end -= 1
    # Also one that goes on behind it: 李琼 of 李琼小|姐, but 李玉书 of 李玉书|记得.
    for at in range(start + 1, end):
        match = titles.match(text, at)
        if match and match.end() >= end and (match.end() == end or at == start + 1 or common_word(tags, end) == at):
            end = at
            break
    # 我家秀梅
    start += end - start > 2 and text[start] == "家" and text[start - 1 : start] in tuple("我你他她")
    return Place(start, end)


def whole_letters(text: str, place: Place) -> Place:
    """A find with whole words in letters: Audrey of Audr."""
    start, end = place
    while start and _is_letter(text[start]) and _is_letter(text[start - 1]):
        start -= 1
    while end < len(text) and _is_letter(text[end - 1]) and _is_letter(text[end]):
        end += 1
    return Place(start, end)


def unsplit_name(text: str, tags: Tags, place: Place, sure: bool) -> Place | None:
    """A name without the begin of a word at its end: 苏珊 of 苏珊大婶.

    Args:
        text: the sentence.
        tags: LAC's, of its characters.
        place: the find.
        sure: whether it stays where a word reaches over an end: 解红梅 of 和解红梅, 符永健 of 符永健谈上.

    Returns:
        the place; None where a word reaches over an end and too little would be left without it: 宇航 of 宇航员.
    """
    start, end = place
    for left, right in crossing(text, place):
        # LAC parts the same word off: 来说 of 悦悦来|说吧.
        agreed = start < left < end and common_word(tags, end) == left
        if sure and not (agreed and left - start >= _LEAST):
            continue
        known = agreed or _is_common(text[left:right])
        if left < start:
            if "·" in text[start:end]:
                # 路|易斯·海
                start = left
            elif known or right - left >= _LONG:
                return None
        elif end - start > 1 and (known or right - left >= _LONG):
            # Of one character alone, the surname in 李老师, a title says that it is one.
            if left - start < _LEAST:
                return None
            end = left
    return Place(start, end)


def unsplit_place(text: str, tags: Tags, place: Place, sure: bool) -> Place | None:
    """A school, employer or address that begins and ends with its words: 19幢402 of 19幢402房间, 农商行 of 农商|行.

    Args:
        text: the sentence.
        tags: LAC's, of its characters.
        place: the find.
        sure: whether it stays where a word reaches over its begin; a noun is then taken in.

    Returns:
        the place; None where a word reaches over an end and too little would be left without it.
    """
    start, end = place
    # 在沙龙中学|到的
    if only_functions(tags, start, end) or (text[end - 2 : end] == "中学" and text[end : end + 1] in ("到", "会")):
        return None
    if not sure and begins_linking(tags, start):
        if end - start <= _LEAST:
            return None
        start += 1
    for left, right in crossing(text, Place(start, end)):
        if left < start:
            if not sure:
                return None
            # 社区卫生服务站 of 区卫生服务站
            start = left if part_of_speech(text[left:right]) == "n" else start
        elif _WHOLE.search(text[start:end]):
            # 纳粹集中|营, but 民大|学生 and 中学|生
            end = right if right - left >= _LONG and text[right - 1] != "生" else end
        elif _is_common(text[left:right]) or right - left >= _IDIOM:
            if left - start < _LEAST:
                return None
            end = left
        else:
            # 农商|行
            end = right
    # 美院 of 美院油画|系
    if not _WHOLE.search(text[start:end]) and start + _LEAST <= (left := common_word(tags, end)) < end:
        end = left
    # 义堂镇有, 四象法来, 搬到观山湖后
    shorter, last = text[start : end - 1], text[end - 1]
    is_whole = _WHOLE.search(shorter) is not None or (last in "来去" and begins_common(tags, end - 1))
    if (last in _BEHIND_PLACE and is_whole) or (last == "后" and len(shorter) > _LEAST):
        end -= 1
    return Place(start, end)


def _is_common(word: str) -> bool:
    """Whether a word of the dictionary is one that counselling posts use, or one that jieba's own lacks."""
    return word in common_words() or part_of_speech(word) == ""


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def crossing(text: str, at: tuple[int, int]) -> list[Place]:
    """The words of the dictionary that reach over one of two places."""
    found, position = [], 0
    for word in words_in(text):
        start, position = position, position + len(word)
        if len(word) > 1 and any(start < each < position for each in at) and is_word(word):
            found.append(Place(start, position))
    return found
