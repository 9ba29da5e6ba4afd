"""Schools and employers: an ending that says so, and before it something that is no mere kind.

From the ending it is read to the left as long as the words can belong to a name. 民办幼儿园, 一家公司 and 省重点高中 are
kinds and stay; so do platforms, lists of hotlines, and schools abroad unless somebody studies there. Without an ending
a name counts where somebody studies or works: 考上北师大, 在星屿上班.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import rjieba

from data_prep.anonymise.segments import alternatives, is_word, word_list
from data_prep.anonymise.tagged import Sentence

_NUMERAL: Final = "[一二三四五六七八九十]"
_SCHOOL: Final = re.compile(alternatives("entities.txt", "school endings"))
_SCHOOL_TAIL: Final = re.compile(r"(?:附[中小幼]|附属[中小]学?|(?:[东西南北新老]|第?[一二三四五])?校区|分校|国际部)")
_WEAK_SCHOOL: Final = re.compile("外国语|政法|双语|书院|国际部|理工|实中|.大|职院")
_EMPLOYER: Final = re.compile(alternatives("entities.txt", "employer endings"))
# Endings that are words of everyday speech as well: an employer where LAC sees a firm before them, or somebody works.
_TRADE: Final = re.compile(alternatives("entities.txt", "trades"))
# Endings of any place of work: only where somebody works.
_WORKPLACE: Final = re.compile("[馆站店铺坊社厂]|(?<![住出入开进转])院|(?:税务|供电|环卫)所|中心|之家|食堂")
_STUDIES: Final = re.compile(rf"(?:{alternatives('entities.txt', 'before schools')})$")
_STUDY_AFTER: Final = re.compile(alternatives("entities.txt", "after schools"))
_PAUSE: Final = re.compile(r"[，。,！!；;、）)\s]|$|了|的|那|以?后|之[前后]|时|被|却|但")
_WORKS: Final = re.compile(rf"(?:{alternatives('entities.txt', 'before employers')})$")
_WORK_AFTER: Final = re.compile(rf"[^，。！？,\s]{{0,6}}?(?:{alternatives('entities.txt', 'after employers')})")
_AT_ONCE: Final = re.compile("上班|工作|实习|打工|上夜班|兼职")
# A short form before a year of study, or before a word for its students: 桂电大四, 绵中女生.
_SHORT: Final = re.compile(
    r"(?:^|(?<=[，,。：:、 岁\n（(在是读念上进去我于到])|(?<=考上)|(?<=考进))(?=(?P<name>[\u4e00-\u9fff]{2,5}?)(?:大[一二三四](?!点|些|个|样)|高[一二三]|"
    r"研[一二三究]|读研|念高|读高|读大[一二三四学]|(?:的?(?:一[个名位])?)(?:女生|男生|学生|大学生|高中生|研究生)))"
    r"|(?:(?<=考上)|(?<=考上了)|(?<=考进)|(?<=刚上)|(?<=就读于)|(?<=毕业于)|(?<=保研到)|(?<=转到))(?=(?P<aim>[\u4e00-\u9fff]{2,5}?)(?:[，。,！!；;的了]|$))"
)
_STOP: Final = frozenset(
    "的了在是和跟与从去到上读念进来被把给让对就都也还又才很最我你他她它们这那哪某每个所家叫有没说想考转教开做当，。、；：:,.!?！？ “”\"'《》（）()\n\ue000"
)
_NAMING: Final = frozenset(("LOC", "ORG", "PER", "nz", "nw"))
# Endings that tell one from another even after a city alone: 株洲市七院.
_DISTINCT: Final = re.compile("第?[一二三四五六七八九十]院|[一二三四五六七八九十]矿|[水供电税交民财教司农林]{1,2}.?局")
_HELP: Final = re.compile("热线|援助中心|危机干预")


def organisations(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    """Start, end and type, 学校 or 单位, of what has a name."""
    if _HELP.search(sentence.text):
        return
    ends = {word.end for word in sentence.words}
    yield from _schools(sentence, ends)
    yield from _employers(sentence, ends)
    yield from _without_ending(sentence)
    yield from _short_forms(sentence)


def _short_forms(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    """Short forms that only the words beside them tell: 桂电大四, 省实的一个高中生, 刚上浙工商."""
    for match in _SHORT.finditer(sentence.text):
        group = "name" if match["name"] else "aim"
        name, (start, end) = match[group], match.span(group)
        words = [word for word in sentence.words if word.start < end and start < word.end]
        if (
            re.search("[外实师财电商法工大院附职交航邮]$|^[^其之家途]中$", name)
            and all(word.tag in _NAMING or word.tag in ("n", "a", "m", "f", "b") for word in words)
            and words[0].start == start
            and not is_word(name)
            and not _STOP.intersection(name)
            and _rest(name)
            and not re.search("[男女生班刚级某]", name)
        ):
            yield start, end, "学校"


def _schools(sentence: Sentence, ends: set[int]) -> Iterator[tuple[int, int, str]]:
    text = sentence.text
    for match in _SCHOOL.finditer(text):
        end, ending = match.end(), match[0]
        if end not in ends:
            continue
        while (tail := _SCHOOL_TAIL.match(text, end)) is not None:
            end = tail.end()
        start = _reached(sentence, match.start())
        before, after = text[:start], text[end:]
        if _quoted(text[start:end], before, after):
            continue
        if start < match.start() and (
            (match.start() - start == 1 and text[start] not in "省市县区镇")
            or (
                re.match(rf"{_NUMERAL}+中", ending)
                and is_word(text[start : match.start()])
                and not {word.tag for word in sentence.words[sentence.at(start) : sentence.at(end - 1) + 1]}
                & {"LOC", "ORG"}
            )
        ):
            continue
        studies = _STUDIES.search(before) is not None and (_STUDY_AFTER.match(after) or _PAUSE.match(after)) is not None
        if _particular(sentence, start, match.start(), studies):
            if _town(text[start : match.start()]) and re.fullmatch(
                "高中|初中|中学|小学|学校|幼儿园|学院|中专|职高|[职技卫警艺体]校", ending
            ):
                continue
            tags = {word.tag for word in sentence.words[sentence.at(start) : sentence.at(end - 1) + 1]}
            if not _WEAK_SCHOOL.fullmatch(ending) or studies or tags & {"ORG", "LOC"}:
                yield start, end, "学校"
        elif (
            studies
            and re.fullmatch(rf"第?{_NUMERAL}{{1,3}}[中小高]|附[中小]|实[小中]", ending)
            and (start == match.start() or text[start : match.start()] in "省市县区镇")
        ):
            # 一中 alone names a school where somebody studies there.
            yield start, end, "学校"


def _employers(sentence: Sentence, ends: set[int]) -> Iterator[tuple[int, int, str]]:
    text = sentence.text
    for pattern in (_EMPLOYER, _TRADE, _WORKPLACE):
        for match in pattern.finditer(text):
            end = match.end()
            if end not in ends:
                continue
            start = _reached(sentence, match.start())
            before, after = text[:start], text[end:]
            if (
                start == match.start()
                and sentence.words[sentence.at(start)].start == start
                and sentence.words[sentence.at(start)].tag != "ORG"
            ):
                continue
            works = _WORKS.search(before) is not None and _WORK_AFTER.match(after) is not None
            if (
                {text[start:end], text[start : match.start()]} & _platforms()
                or (_town(text[start : match.start()]) and not _DISTINCT.match(match[0]))
                or _quoted(text[start:end], before, after)
            ):
                continue
            firm = any(word.tag == "ORG" for word in sentence.words[sentence.at(start) : sentence.at(end - 1) + 1])
            if not _particular(sentence, start, match.start(), works):
                continue
            named = (
                {word.tag for word in sentence.words[sentence.at(start) : sentence.at(match.start() - 1) + 1]} & _NAMING
                if start < match.start()
                else set()
            )
            joined = re.search(r"(?:入职了?|加入了?|进了|就职于|任职于|供职于)$", before) is not None
            at_work = works and (named or not is_word(text[start : match.start()]) or _AT_ONCE.match(after) is not None)
            if pattern is _WORKPLACE and not (
                works and len(_rest(text[start:end])) > 2 and (named or not is_word(text[start : match.start()]))
            ):
                continue
            if not named and not _AT_ONCE.match(after) and _compound(_rest(text[start : match.start()])):
                continue
            if pattern is _TRADE and not (
                at_work
                or (firm and (_WORKS.search(before) or _WORK_AFTER.match(after)))
                or ((named or not is_word(text[start : match.start()])) and joined)
            ):
                continue
            yield start, end, "单位"


def _without_ending(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    """Names that have no ending of their kind, where somebody studies or works there."""
    text = sentence.text
    for word in sentence.words:
        value, before, after = text[word.start : word.end], text[: word.start], text[word.end :]
        studies = _STUDIES.search(before) is not None
        if value in _known_schools():
            if studies and (_STUDY_AFTER.match(after) or _PAUSE.match(after)):
                yield word.start, word.end, "学校"
        elif value in _known_employers():
            if _WORKS.search(before) and not before.endswith(("，", "们", "是")) and _WORK_AFTER.match(after):
                yield word.start, word.end, "单位"
        elif (
            word.tag in ("ORG", "nz", "PER", "LOC")
            and len(value) >= 2
            and not is_word(value)
            and value not in _platforms()
            and _rest(value)
            and not _town(value)
        ):
            if (word.tag == "ORG" and re.search(r"(?:考上了?|毕业于|就读于|考进了?|考取了?|保研到?)$", before)) or (
                studies
                and _STUDY_AFTER.match(after)
                and re.search("[中外实师财电商法工大院附]$", value)
                and word.tag != "LOC"
            ):
                yield word.start, word.end, "学校"
            elif (
                word.tag in ("ORG", "nz")
                and re.search(r"(?:在|入职了?|就职于|任职于|去|进了?)$", before)
                and re.match(r"(?:上班|工作|实习|任职|打工|做|当)", after)
            ):
                yield word.start, word.end, "单位"


def _reached(sentence: Sentence, position: int) -> int:
    """Where a name begins of which the ending begins here: as far to the left as words may belong to a name."""
    text = sentence.text
    number = sentence.at(position)
    start = sentence.words[number].start
    limit = position - 12
    while number > 0 and start > limit:
        word = sentence.words[number - 1]
        value = text[word.start : word.end]
        ahead = sentence.words[number - 2].tag if number > 1 else ""
        if word.tag == "v" and len(value) == 1 and ahead in _NAMING and value not in _STOP:
            number, start = number - 1, word.start
            continue
        if word.tag not in _NAMING and (
            any(char in _STOP for char in value)
            or word.tag not in ("n", "m", "a", "an", "vn", "f", "s")
            or value in _before_names()
        ):
            break
        if any(char in '，。、；,!?！？ “”"\ue000' for char in value):
            break
        number, start = number - 1, word.start
    if match := re.match(r"[一两几这那][个名份所家批位下]|[0-9]{2,4}[级岁]|.*[读升念岁]", text[start:position]):
        start += match.end()
    # LAC cuts 上海 after 去.
    if start and text[start - 1] == "上" and text[start] in "海饶虞":
        start -= 1
    while start < position and text[start] in _STOP | frozenset("完升学考初如该找看要"):
        start += 1
    return start


def _rest(name: str) -> str:
    """A name without the words of kinds."""
    rest = _kinds_pattern().sub("", name)
    return "" if _SMALL_KINDS.fullmatch(rest) else rest


_SMALL_KINDS: Final = re.compile(
    "[一二三四五六七八九十两几半各新老旧好坏差破大小中高的了和与同首本该贵省市县区镇乡村校院所家个间座分总子母前原现上下公私国外男女幼附专商网年第队部0-9]*"
)


def _particular(sentence: Sentence, start: int, end: int, cued: bool) -> bool:
    """Whether these characters tell one institution from others of its kind."""
    if start >= end:
        word = sentence.words[sentence.at(start)]
        return False if word.start == start else False
    text = sentence.text
    rest = _rest(text[start:end])
    if not re.search(r"[\u4e00-\u9fffA-Za-z]", rest):
        return False
    tags = {word.tag for word in sentence.words[sentence.at(start) : sentence.at(end - 1) + 1]}
    if "ORG" in tags or "LOC" in tags:
        return True
    if is_word(rest) and "nz" not in tags and not cued:
        return False
    return bool(tags & _NAMING) or cued


def _compound(name: str) -> bool:
    """Whether a name is made of words of the language alone: 地理信息 of 地理信息公司."""
    return all(len(word) > 1 and is_word(word) for word in rjieba.cut(name))


def _town(name: str) -> bool:
    """Whether this is a city or province alone: 北京 of 北京医院 tells nothing."""
    return towns_pattern().fullmatch(name) is not None


def _quoted(name: str, before: str, after: str) -> bool:
    if re.match(
        r"的?(?:教授|心理学(?:家|教授|研究)|研究(?!生)|一项|一位|科学家|实验|公开课|幸福课|学者|曾|出版社)", after
    ) or before.count("《") > before.count("》"):
        return True
    return any(part in name for part in _quoted_names()) and not (_STUDIES.search(before) and _STUDY_AFTER.match(after))


@cache
def _kinds_pattern() -> re.Pattern[str]:
    kinds = sorted({word for word in word_list("entities.txt", "kinds") if len(word) > 1}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, kinds)))


@cache
def _before_names() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "before names"))


@cache
def towns_pattern() -> re.Pattern[str]:
    """Cities and provinces, one or several."""
    towns = "|".join(word_list("entities.txt", "towns"))
    return re.compile(rf"(?:(?:{towns})(?:市|省|县)?|[省市县区镇乡]|本[市省县区])+")


@cache
def _quoted_names() -> tuple[str, ...]:
    return word_list("entities.txt", "quoted")


@cache
def _known_schools() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "known schools"))


@cache
def _known_employers() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "known employers"))


@cache
def _platforms() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "platforms"))
