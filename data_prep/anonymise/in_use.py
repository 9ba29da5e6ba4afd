"""Schools and employers without a plain name or ending, told by what somebody does there.

Numbered schools (我们十七中), shortened ones (浙工商大四, 杭外念初三), numbered hospitals (市二院), and firms whose
trade follows a made-up name (在声浪文化做运营). `organisations` finds those that have an ending of their kind.
"""

import re
from collections.abc import Iterator
from typing import Final

from data_prep.anonymise.organisations import particular_name, towns_pattern
from data_prep.anonymise.segments import alternatives, is_word, word_list, words_of
from data_prep.anonymise.tagged import Sentence

_LISTS: Final = "entities.txt"
_NUMERAL: Final = "[一二三四五六七八九十]"
_SHORT_TOWNS: Final = "".join(word_list(_LISTS, "towns in short"))
_YEAR: Final = "大[一二三四](?![点些个样])|研[一二三究]|高[一二三]|初[一二三]|大学"
_AT_SCHOOL_BEFORE: Final = re.compile(
    "(?:^|[，,。：:、 \\n（(]|我|是|在|读|念|上|去|到|进|从|于|被|用|系|考上了?|考进|考取|我们|离开|孩子|儿子|女儿|岁)$"
)
_AT_SCHOOL_AFTER: Final = (
    f"(?:{_YEAR}|的?(?:图书馆|宿舍|食堂|操场|老师|同学|学生|研究生|校园|教室|新生|女生|男生|本科生?|硕士|博士|心理)|"
    "[准复预]?[备习]?考试|[准复]备|期末|念|读(?!书会)|上[学课初高]|就读|毕业|一[个名位](?:学生|女生|男生|开学|大|高)|高中部|初中部|留作业|和同学|录取)"
)
_PAUSE: Final = "[，。,！!；;、]|$|的[，。]"
_NUMBERED_SCHOOL: Final = re.compile(
    rf"(?P<name>(?:(?:省|市|县|区|镇)?)第?{_NUMERAL}{{1,3}}中)"
    rf"(?={_AT_SCHOOL_AFTER}|[上读念](?=[初高])|和|跟|的|{_PAUSE})"
)
_SHORT_SCHOOL: Final = re.compile(
    rf"(?P<name>[{_SHORT_TOWNS}]{{1,2}}(?:{alternatives(_LISTS, 'school ends in short')}))"
    rf"(?={_AT_SCHOOL_AFTER}|{_PAUSE})"
)
_NUMBERED_HOSPITAL: Final = re.compile(
    rf"(?P<name>(?:[省市县区])?第?{_NUMERAL}{{1,2}}附?院|附{_NUMERAL}院|[省市县区](?:妇幼|中医院|精卫中心))(?![子校落])"
)
_LOCAL_HOSPITAL: Final = re.compile("(?:妇幼|中医院|人民医院|红会|精卫中心)")
_TRADE: Final = re.compile(f"(?:{alternatives(_LISTS, 'trades')}|{alternatives(_LISTS, 'trades in use')})")
_ENTERS: Final = re.compile("(?:[在进给到被]|入职了?|加入了?|来|去了?|从|送到|跳到|辞了|离开了?)$")
_AT_WORK: Final = re.compile(
    "上班|工作|任职|实习|打工|做|当|开车|晨会|主管|经理|老板|领导|同事|员工|店员|女工|护士|前台|外包|部门|辞|裁员|任务|PUA|pua|"
    "工资|底薪|急诊|夜班|值班|加班|摸鱼|那[几两三]年|入职|offer|面试|送货|跑单|干|待"
)
# Within how many characters the work is spoken of, behind a word for going there and without one.
_NEAR: Final = 12
_NEXT: Final = 5
# Characters of a firm's name before its trade.
_LONGEST_NAME: Final = 5
_NAMED: Final = frozenset(("LOC", "ORG", "PER", "nz"))
_PARTS: Final = _NAMED | {"n", "nw", "v", "a", "vn", "m"}
_NO_PART: Final = re.compile("[的了在是我你他她有和跟非不没无玩懂借些等各多少从把让]")


def in_use(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    """Start, end and type, 学校 or 单位, of what somebody studies, is treated or works at."""
    yield from _numbered_schools(sentence)
    yield from _short_schools(sentence)
    yield from _hospitals(sentence)
    yield from _firms(sentence)


def _numbered_schools(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    text = sentence.text
    for match in _NUMBERED_SCHOOL.finditer(text):
        start, end = match.span("name")
        begin = _town_before(sentence, start)
        if begin < start or _AT_SCHOOL_BEFORE.search(text[:start]):
            yield begin, end, "学校"


def _short_schools(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    text = sentence.text
    for match in _SHORT_SCHOOL.finditer(text):
        start, end = match.span("name")
        if not is_word(match["name"]) and _AT_SCHOOL_BEFORE.search(text[:start]):
            yield start, end, "学校"


def _hospitals(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    text = sentence.text
    for match in _NUMBERED_HOSPITAL.finditer(text):
        start, end = match.span("name")
        begin = _town_before(sentence, start)
        if begin < start or text[start] in "省市县区" or "附" in match["name"]:
            yield begin, end, "单位"
    for match in _LOCAL_HOSPITAL.finditer(text):
        if (begin := _town_before(sentence, match.start())) < match.start():
            yield begin, match.end(), "单位"


def _firms(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    """A name of one to three words and a trade, where somebody works: the surer the word before it and the name are."""
    text, words = sentence.text, sentence.words
    for match in _TRADE.finditer(text):
        number = sentence.at(match.start())
        start = match.start()
        if not any(word.end == match.end() for word in words):
            continue
        for word in reversed(words[: number + 1]):
            value = text[word.start : min(word.end, match.start())]
            if not value:
                continue
            if word.tag not in _PARTS or _NO_PART.search(value) or _ENTERS.fullmatch(value):
                break
            if match.start() - word.start > _LONGEST_NAME:
                break
            start = word.start
        if (entered := re.match("入职了?|进了?|在|给|去了?|来", text[start : match.start()])) is not None:
            start += entered.end()
        name = text[start : match.start()]
        if (
            not 2 <= len(name) <= _LONGEST_NAME
            or not particular_name(name)
            or name in words_of(_LISTS, "common before trades")
        ):
            continue
        if towns_pattern().fullmatch(name) or text[start : match.end()] in words_of(_LISTS, "platforms"):
            continue
        tags = sentence.tags(start, match.start())
        named, entered_before = bool(tags & _NAMED), _ENTERS.search(text[:start]) is not None
        if is_word(text[start : match.end()]) or not (entered_before or named):
            continue
        near = text[match.end() :][: _NEAR if entered_before else _NEXT]
        if _AT_WORK.search(near) or (entered_before and "ORG" in tags):
            yield start, match.end(), "单位"


def _town_before(sentence: Sentence, position: int) -> int:
    """Where the place begins that ends here; the position itself where none does."""
    if position == 0:
        return position
    word = sentence.words[sentence.at(position - 1)]
    if word.tag in ("LOC", "ORG") and word.end >= position and word.start < position:
        return word.start
    return position
