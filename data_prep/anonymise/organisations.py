"""Schools and employers: an ending that says so, and before it something that is no mere kind.

From the ending it is read to the left as long as the words can belong to a name. 民办幼儿园, 一家公司 and
省重点高中 are kinds and stay; so do platforms, lists of hotlines, and schools abroad unless somebody studies there.
Without an ending a name counts where somebody studies or works: 考上北师大, 在星屿上班.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import rjieba

from data_prep.anonymise.segments import alternatives, is_word, word_list, words_of
from data_prep.anonymise.tagged import Sentence

_LISTS: Final = "entities.txt"
_NUMERAL: Final = "[一二三四五六七八九十]"
_SCHOOL: Final = re.compile(alternatives(_LISTS, "school endings"))
_SCHOOL_TAIL: Final = re.compile(r"(?:附[中小幼]|附属[中小]学?|(?:[东西南北新老]|第?[一二三四五])?校区|分校|国际部)")
_WEAK_SCHOOL: Final = re.compile("外国语|政法|双语|书院|国际部|理工|实中|.大|职院")
_EMPLOYER: Final = re.compile(alternatives(_LISTS, "employer endings"))
# Endings that are words of everyday speech as well: an employer where LAC sees a firm before them, or somebody works.
_TRADE: Final = re.compile(alternatives(_LISTS, "trades"))
# Endings of any place of work: only where somebody works.
_WORKPLACE: Final = re.compile("[馆站店铺坊社厂]|(?<![住出入开进转])院|(?:税务|供电|环卫)所|中心|之家|食堂")
_STUDIES: Final = re.compile(rf"(?:{alternatives(_LISTS, 'before schools')})$")
_STUDY_AFTER: Final = re.compile(alternatives(_LISTS, "after schools"))
_PAUSE: Final = re.compile(r"[，。,！!；;、）)\s]|$|了|的|那|以?后|之[前后]|时|被|却|但")
_WORKS: Final = re.compile(rf"(?:{alternatives(_LISTS, 'before employers')})$")
_WORK_AFTER: Final = re.compile(rf"[^，。！？,\s]{{0,6}}?(?:{alternatives(_LISTS, 'after employers')})")
_AT_ONCE: Final = re.compile("上班|工作|实习|打工|上夜班|兼职")
_AT_WORK: Final = re.compile("上班|工作|实习|任职|打工|做|当")
_JOINED: Final = re.compile("(?:入职了?|加入了?|进了|就职于|任职于|供职于)$")
_JOINED_OR_IN: Final = re.compile("(?:在|入职了?|就职于|任职于|去|进了?)$")
_ADMITTED: Final = re.compile("(?:考上了?|毕业于|就读于|考进了?|考取了?|保研到?)$")
# Endings of schools that a city alone does not make particular, and levels that stand for the school's town.
_KIND_OF_SCHOOL: Final = re.compile("高中|初中|中学|小学|学校|幼儿园|学院|中专|职高|[职技卫警艺体]校")
_LEVELS: Final = ("省", "市", "县", "区", "镇")
_NUMBERED: Final = re.compile(rf"第?{_NUMERAL}{{1,3}}[中小高]|附[中小]|实[小中]")
# Short forms before a year of study, or before a word for students: 桂电大四, 绵中女生; or at the end of a clause.
_SHORT: Final = re.compile(
    r"(?:^|(?<=[，,。：:、 岁\n（(在是读念上进去我于到])|(?<=考上)|(?<=考进))"
    r"(?=(?P<name>[\u4e00-\u9fff]{2,5}?)(?:大[一二三四](?![点些个样])|高[一二三]|研[一二三究]|读研|念高|读高|读大[一二三四学]|"
    r"(?:的?(?:一[个名位])?)(?:女生|男生|学生|大学生|高中生|研究生)))"
    r"|(?:(?<=考上)|(?<=考上了)|(?<=考进)|(?<=刚上)|(?<=就读于)|(?<=毕业于)|(?<=保研到)|(?<=转到))"
    r"(?=(?P<aim>[\u4e00-\u9fff]{2,5}?)(?:[，。,！!；;的了]|$))"
)
_SHORT_END: Final = re.compile("[外实师财电商法工大院附职交航邮]$|^[^其之家途]中$")
_STOP: Final = frozenset(
    "的了在是和跟与从去到上读念进来被把给让对就都也还又才很最我你他她它们这那哪某每个所家叫有没说想考转教开做当"
    "，。、；：:,.!?！？ “”\"'《》（）()\n\ue000"
)
# What is left of a name that is only a kind: numbers, sizes, levels.
_SMALL_KINDS: Final = re.compile(
    "[一二三四五六七八九十两几半各新老旧好坏差破大小中高的了和与同首本该贵全省市县区镇乡村校院所家个间座分总子母前原现上下公私国外男女幼附专商网年第队部0-9]*"
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
            _SHORT_END.search(name)
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
        name, before, after = text[start : match.start()], text[:start], text[end:]
        if _quoted(text[start:end], before, after) or (len(name) == 1 and name not in _LEVELS):
            continue
        seen = sentence.tags(start, end) & {"ORG", "LOC"}
        studies = _STUDIES.search(before) is not None and (_STUDY_AFTER.match(after) or _PAUSE.match(after)) is not None
        if _particular(sentence, start, match.start(), studies):
            alone = _town(name) and _KIND_OF_SCHOOL.fullmatch(ending)
            # 场景一中: a word before a number, and no place.
            counted = _NUMBERED.fullmatch(ending) and is_word(name) and not seen
            if not alone and not counted and (studies or seen or not _WEAK_SCHOOL.fullmatch(ending)):
                yield start, end, "学校"
        elif studies and _NUMBERED.fullmatch(ending) and (not name or name in _LEVELS):
            # 一中 alone names a school where somebody studies there.
            yield start, end, "学校"


def _employers(sentence: Sentence, ends: set[int]) -> Iterator[tuple[int, int, str]]:
    text = sentence.text
    for pattern in (_EMPLOYER, _TRADE, _WORKPLACE):
        for match in pattern.finditer(text):
            start, end = _reached(sentence, match.start()), match.end()
            name, before, after = text[start : match.start()], text[:start], text[end:]
            if (
                end not in ends
                or {text[start:end], name} & words_of(_LISTS, "platforms")
                or (_town(name) and not _DISTINCT.match(match[0]))
                or _quoted(text[start:end], before, after)
            ):
                continue
            works = _WORKS.search(before) is not None and _WORK_AFTER.match(after) is not None
            if not _particular(sentence, start, match.start(), works):
                continue
            named = bool(sentence.tags(start, match.start()) & _NAMING)
            at_once = _AT_ONCE.match(after) is not None
            if not named and not at_once and _compound(_rest(name)):
                continue
            invented = named or not is_word(name)
            if (
                pattern is _EMPLOYER
                or (pattern is _WORKPLACE and works and invented and len(_rest(text[start:end])) > 2)
                or (pattern is _TRADE and _is_firm(sentence, start, end, invented, works and (invented or at_once)))
            ):
                yield start, end, "单位"


def _is_firm(sentence: Sentence, start: int, end: int, invented: bool, at_work: bool) -> bool:
    """Whether a trade with something before it is a firm: somebody works or begins there, or LAC sees one."""
    before, after = sentence.text[:start], sentence.text[end:]
    if at_work or (invented and _JOINED.search(before)):
        return True
    return "ORG" in sentence.tags(start, end) and any((_WORKS.search(before), _WORK_AFTER.match(after)))


def _without_ending(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    """Names that have no ending of their kind, where somebody studies or works there."""
    text = sentence.text
    for word in sentence.words:
        if word.end - word.start < 2:
            continue
        value, before, after = text[word.start : word.end], text[: word.start], text[word.end :]
        if value in words_of(_LISTS, "known schools"):
            if _STUDIES.search(before) and (_STUDY_AFTER.match(after) or _PAUSE.match(after)):
                yield word.start, word.end, "学校"
        elif value in words_of(_LISTS, "known employers"):
            if _WORKS.search(before) and before[-1:] not in "，们是" and _WORK_AFTER.match(after):
                yield word.start, word.end, "单位"
        elif word.tag in _NAMING and not is_word(value) and not _town(value) and _rest(value):
            if value in words_of(_LISTS, "platforms"):
                continue
            admitted = word.tag == "ORG" and _ADMITTED.search(before) is not None
            short = word.tag != "LOC" and _SHORT_END.search(value) is not None
            if admitted or (short and _STUDIES.search(before) and _STUDY_AFTER.match(after)):
                yield word.start, word.end, "学校"
            elif word.tag in ("ORG", "nz") and _JOINED_OR_IN.search(before) and _AT_WORK.match(after):
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
            or value in words_of(_LISTS, "before names")
        ):
            break
        if any(char in '，。、；,!?！？ “”"\ue000' for char in value):
            break
        number, start = number - 1, word.start
    if match := re.match(r"[一两几这那][个名份所家批位下次趟]|[0-9]{2,4}[级岁]|.*[读升念岁]", text[start:position]):
        start += match.end()
    # LAC cuts 上海 after 去.
    if start and text[start - 1] == "上" and text[start] in "海饶虞":
        start -= 1
    # 上饶 is a town to LAC, and its 上 no word for going there.
    if start < position and text[start] == "上" and sentence.words[sentence.at(start)].tag in ("LOC", "ORG"):
        return start
    while start < position and text[start] in _STOP | frozenset("完升学考初如该找看要"):
        start += 1
    return start


def _rest(name: str) -> str:
    """A name without the words of kinds."""
    rest = _kinds_pattern().sub("", name)
    return "" if _SMALL_KINDS.fullmatch(rest) else rest


def _particular(sentence: Sentence, start: int, end: int, cued: bool) -> bool:
    """Whether these characters tell one institution from others of its kind."""
    rest = _rest(sentence.text[start:end])
    if not re.search(r"[\u4e00-\u9fffA-Za-z]", rest):
        return False
    tags = sentence.tags(start, end)
    if tags & {"ORG", "LOC"} or ("PER" in tags and len(rest) >= 2):
        return True
    if is_word(rest) and "nz" not in tags and not cued:
        return False
    return bool(tags & _NAMING) or cued


def particular_name(name: str) -> bool:
    """Whether anything is left of a name without the words of kinds."""
    return bool(_rest(name))


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
    return any(part in name for part in words_of(_LISTS, "quoted")) and not (
        _STUDIES.search(before) and _STUDY_AFTER.match(after)
    )


@cache
def _kinds_pattern() -> re.Pattern[str]:
    kinds = sorted({word for word in word_list(_LISTS, "kinds") if len(word) > 1}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, kinds)))


@cache
def towns_pattern() -> re.Pattern[str]:
    """Cities and provinces, one or several."""
    towns = "|".join(word_list(_LISTS, "towns"))
    return re.compile(rf"(?:(?:{towns})(?:市|省|县)?|[省市县区镇乡]|本[市省县区])+")
