"""Which of the tagger's finds stay: none that cuts into a word, is a kind, a city alone, a platform or a public figure.

The tagger knows how names, schools, employers and addresses look and where they stand. It does not know who is famous,
and what is a word of the language. The lists are those of ``entities.txt`` and ``public_figures.txt``.
"""

import math
import re
from functools import cache
from typing import Final

import numpy as np
import rjieba

from data_prep.anonymise.boundaries import Place, name_of, place_of, unsplit
from data_prep.anonymise.lac import Tags, word_begins
from data_prep.anonymise.segments import alternatives, characters, is_word, word_list, words_of
from data_prep.anonymise.sentences import common_words
from data_prep.anonymise.tagger.labels import Found
from data_prep.anonymise.tagger.network import Find

_LISTS: Final = "entities.txt"
_TITLE: Final = alternatives(_LISTS, "titles")
_TITLED: Final = re.compile(rf"(?:{_TITLE})(?!们)|[婶姨董]")
_TITLE_END: Final = re.compile(rf"(?:{_TITLE})$")
_TITLE_ALONE: Final = re.compile(_TITLE)
_SURNAMED: Final = re.compile("姓(?:是|“)?$")
# Words before a name that leave no doubt that it is one.
_CALLED: Final = re.compile(rf"(?:{alternatives(_LISTS, 'called')}|叫|——|@)[“\"「]?$")
_BEARER: Final = re.compile(rf"(?:{alternatives(_LISTS, 'relatives')})(?:名?叫|是|:|：|“|\(|（|、)?$")
_KIN: Final = re.compile(
    "(?:老公|老婆|丈夫|妻子|对象|[男女]朋友|[男女]友|前任|前夫|前妻|儿子|女儿|舍友|室友|同桌|闺蜜|发小|弟弟|妹妹|哥哥|姐姐|同事|领导)$"
)
_PUBLIC_BEFORE: Final = re.compile(rf"(?:{alternatives(_LISTS, 'public before')})[的之“\"是叫、:：]?$")
_PUBLIC_AFTER: Final = re.compile(
    rf"[\"”』」)）]?(?:公主|王子|{alternatives(_LISTS, 'public after')})"
    r"|(?:老师|教授|博士|先生|女士|医生)的?.{0,6}(?:课程?|书|讲座|分享|观点|理论|公众号|视频|节目|著作|文章)"
)
_STORY: Final = re.compile("《|电视剧|电影|小说|主角|小明|心理学家|历史|综艺|明星|剧中|名言")
# Characters that foreign names are written with.
_TRANSCRIBING: Final = frozenset(
    "斯尔德克特夫洛弗伊格罗巴卡拉马萨提亚沙森霍妮内科布鲁史蒂埃里利莱茨顿荷姆恩普兰罕贝蒙帕哈莎维奥勒皮哲塞肯比昂奇艾彻宾诺胡珀戈曼"
)
_FOREIGN: Final = re.compile(r"[\u4e00-\u9fff]+(?:[·•][\u4e00-\u9fff]+)+")
_BESIDE: Final = tuple("上下里边口旁")
# Ends of places, by which a word of the dictionary or two characters are one.
_PLACE_ENDS: Final = tuple("村镇乡路街巷区县厝")
# What of an address only numbers it; numbers that are none of a place; a number that goes on over the end of a value.
_NUMBERING: Final = re.compile(r"[0-9A-Za-z\s\-第号房楼层栋幢单元室座排弄期区]+")
_NUMBER_OF: Final = re.compile(
    "[0-9]{5}|订单|单号|号码|尾号|粉丝|房号|座位|车位|考场|编号|件码|码|热线|电话|信号|门号|群号|[0-9]-[0-9]+-[0-9]+-[0-9]"
)
# 6亿人 is none of an employer.
_QUANTITY: Final = re.compile("[0-9一二两三四五六七八九十百千几][万亿]")
_NUMBER_GOES_ON: Final = re.compile("[0-9][0-9-]|-[0-9]")
# A year of study, and words for going to a place.
_YEAR: Final = re.compile("[大高初研][一二三四]")
_ENTERS: Final = re.compile("[读上完在去念从进到](?![海饶虞和])")
_FLOOR: Final = re.compile("[一二三四五六七八九十0-9]+[楼层]")
_LETTERS: Final = re.compile(r"[\u4e00-\u9fff]+(?:[·•][\u4e00-\u9fff]+)*|[A-Z][a-z]+(?: [A-Z][a-z]+)?")
# Behind one character of a given name: 豪哥, 娜姐.
_FAMILIAR: Final = re.compile("[哥姐总叔爷婶妹弟仔]")
# Surnames that are words of grammar: 向医生说明.
_GRAMMAR: Final = frozenset("于向和从由")
# Names of examples before which another stands: 张三李四.
_EXAMPLES: Final = ("张三", "李四", "王五")
_WORDS: Final = re.compile(r"\w")
_LETTER: Final = re.compile(r"[\u4e00-\u9fffA-Za-z]")
# Names that are numbers: 七中, 市二院, 31658部队.
_NUMBERED: Final = re.compile(
    "[省市县区]?(?:第?[一二三四五六七八九十]{1,3}[中小高院]|附[一二三]?院|[一二三]附院)|[省市县区]?实验[一二三]?[小中]学?|[0-9]{3,6}(?:部队|厂)"
)
# An employer that is a school: 启航培训学校.
_IS_SCHOOL: Final = re.compile("(?:学校|大学|学院|[中小]学|幼儿园|职高|技校|中专|书院|[一二三四五六七八九十]中)$")
# No school or employer has these in its name.
_NO_NAME: Final = re.compile("[的。！？!?；;，,、]")
# What is studied, behind what looks like a school, and what is done in a town: 新传专业, 天津干保安.
_SUBJECT: Final = re.compile("(?:管理|工程|经济|技术|科学)?(?:类|学)?专业")
_DOES: Final = re.compile("[干做当打跑送卖]")
_HELP: Final = re.compile("热线|援助中心|危机干预")
# What is left of a name that is only a kind: numbers, sizes, levels.
_SMALL_KINDS: Final = re.compile(
    "[一二三四五六七八九十两几半各新老旧好坏差破大小中高的了和与同首本该贵全省市县区镇乡村校院所家个间座分总子母前原现上下公私国外男女幼附专商网年第队部0-9]*"
)


# The least lead (see `Find`) of a name that nothing beside it tells: of one that is a word (桃子), one with a surname,
# and any other. One that is a word and stands behind somebody's word (闺蜜桃子) needs the last.
_SURE: Final = 4.0
_LIKELY_FULL: Final = -1.5
_LIKELY: Final = 0.0
# Below it, a word of the dictionary over an end of a value is enough to drop it.
_CUTTING: Final = 3.0
# Of an address, and of a school or employer that does not end as those do.
_LIKELY_SHAPED: Final = -2.5
# Of a school or employer that is a word (光辉).
_LIKELY_PLACE: Final = 0.5
# Of one that the lists do not take for a name, where something beside it speaks for one.
_LIKELY_WORD: Final = 3.0


class Finds:
    """Says what of the tagger's finds in a sentence is personal data."""

    def __init__(self, titled: bool, given: bool) -> None:
        """Set up; see `EntityFinder`."""
        self._titled, self._given = titled, given

    def __call__(self, text: str, tags: Tags, find: Find) -> Found | None:
        """The find, without a title at its end; None if it is none.

        Args:
            tags: LAC's, a number a character of the text.
        """
        start, end, type, lead = find
        if _NUMBER_GOES_ON.search(text[start - 1 : start + 1]) or _NUMBER_GOES_ON.search(text[end - 1 : end + 1]):
            return None
        if type == "姓名":
            start, end = _whole_name(text, tags, *name_of(text, Place(start, end)))
        else:
            start, end = place_of(text, tags, Place(start, end), type)
        if type == "姓名" and (match := _TITLE_END.search(text[start:end])) and match.start() > 0:
            end = start + match.start()
        if text[:start].count("《") > text[:start].count("》"):
            return None
        if text[start:end] in words_of(_LISTS, "platforms"):
            return None
        if type == "姓名":
            keep = self._is_name(text, tags, start, end, lead)
        elif type == "地址":
            start = _entered(text, start, end)
            # 路上 is a word: 胜利路 may end inside it.
            last = start if text[end : end + 1] in _BESIDE else end
            keep = (
                lead >= _LIKELY_SHAPED
                and _is_address(text[start:end])
                and not cuts_a_word(text, tags, start, last, lead)
            )
        else:
            start, end = _whole_institution(text, tags, start, end)
            # 大二 is a word: 民大 may end inside of 民大大二.
            last = start if _YEAR.match(text, end) else end
            keep = (
                _is_institution(text, start, end)
                and lead >= _least_of_place(text[start:end])
                and not cuts_a_word(text, tags, start, last, lead)
            )
        if keep and type == "单位" and _IS_SCHOOL.search(text[start:end]):
            type = "学校"
        if not keep or (whole := unsplit(text, Place(start, end), _TITLE_ALONE)) is None:
            return None
        return (*whole, type)

    def _is_name(self, text: str, tags: Tags, start: int, end: int, lead: float) -> bool:
        value, before, after = text[start:end], text[:start], text[end:]
        if len(value) == 1 or value in words_of(_LISTS, "compound surnames"):
            titled = _TITLED.match(after) is not None or _SURNAMED.search(before) is not None
            # 霸凌 is a word: 凌同学 is nobody in 霸凌同学.
            if (value in _GRAMMAR and lead < _SURE) or text[start - 1 : end] in words_of(_LISTS, "not persons"):
                return False
            familiar = _FAMILIAR.match(after) is not None
            if familiar and is_word(text[start : end + 1]):
                return False  # 帅哥
            if lead >= _LIKELY_WORD and familiar and value in characters(_LISTS, "given"):
                return self._titled
            return self._titled and titled and value in surnames() and not _weekday(value, before)
        called, borne = _CALLED.search(before) is not None, _BEARER.search(before) is not None
        if (
            (value in words_of(_LISTS, "not persons") and not (borne and lead >= _LIKELY_WORD))
            or before.endswith(_EXAMPLES)
            or (_is_public(value) and not called)
        ):
            return False
        if not _LETTERS.fullmatch(value):
            return False
        # A foreign name that is a sentence of its own signs the text.
        alone = value.isascii() and not _WORDS.search(before + after)
        told = called or alone
        cued = told or borne
        # 老公刘海波提出离婚 speaks of no theory.
        private = called or _KIN.search(before) is not None
        if not private and (_PUBLIC_AFTER.match(after) or _PUBLIC_BEFORE.search(before) or _STORY.search(text)):
            return False
        if not cued and (_is_foreign(value) or cuts_a_word(text, tags, start, end, lead)):
            return False
        if not told and lead < _least(value, borne):
            return False
        return self._given or is_full(value) or _FOREIGN.fullmatch(value) is not None


def _least(value: str, borne: bool) -> float:
    """The least lead of a name that nothing tells.

    Args:
        borne: somebody's word stands before it: 老师 before 澄清.
    """
    common = _is_common(value, "nr")
    if borne:
        return _LIKELY if common else -math.inf
    if common:
        return _SURE
    # A surname before such a word is no name: 金镯子, 黄铺子.
    return _LIKELY_FULL if is_full(value) and not value.endswith(("子", "儿")) else _LIKELY


def _whole_name(text: str, tags: Tags, start: int, end: int) -> tuple[int, int]:
    """A name with the surname that somebody's word stands before, and to the end of LAC's word: 顾 of 班主任顾丽萍."""
    if end - start == 2 and _BEARER.search(text[: start - 1]) and text[start - 1] in characters(_LISTS, "surnames"):
        start -= 1
    begins = word_begins()[tags]
    if end - start == 2 and end < len(text) and not begins[end] and (end + 1 == len(text) or begins[end + 1]):
        end += is_full(text[start : end + 1])
    return start, end


def _entered(text: str, start: int, end: int) -> int:
    """Where a place begins before which a word for going there stands: 附中 of 读附中."""
    match = _ENTERS.match(text, start, end)
    return match.end() if match and match.end() < end - 1 else start


def _whole_institution(text: str, tags: Tags, start: int, end: int) -> tuple[int, int]:
    """A school or employer to the end of LAC's word (江左大学), and not into the year of study (桂电 of 桂电大三)."""
    start = _entered(text, start, end)
    if _YEAR.match(text, end - 1) and end - start > 2:
        return start, end - 1
    if end - start < 2:
        return start, end
    following = np.flatnonzero(word_begins()[tags[end : end + 3]])
    size = int(following[0]) if len(following) else len(text) - end
    return start, end + size if size < 3 and not _YEAR.match(text, end) else end


def _is_institution(text: str, start: int, end: int) -> bool:
    """Whether a school or employer has a name."""
    value, after = text[start:end], text[end:]
    if _HELP.search(text) or any(part in value for part in words_of(_LISTS, "quoted")):
        return False
    if _QUANTITY.search(value):
        return False
    bare = towns_pattern().sub("", value)
    if _FLOOR.fullmatch(value) or bare in words_of(_LISTS, "generic places"):
        return False
    if _NO_NAME.search(value) or _SUBJECT.match(after) or value.startswith(tuple(words_of(_LISTS, "platforms"))):
        return False
    if (town := towns_pattern().match(value)) and _DOES.match(value, town.end()):
        return False
    if re.match(r"的?(?:教授|心理学(?:家|教授|研究)|研究(?!生)|一项|一位|科学家|学者|曾|出版社)", after):
        return False
    if _NUMBERED.fullmatch(value):
        return True
    return end - start > 1 and particular_name(value) and not _is_common(value, "nt", "nz", "nr", "j")


def _least_of_place(value: str) -> float:
    """The least lead of a school or employer: of a word (光辉), of one that ends as those do, of any other."""
    if is_word(value):
        return _LIKELY_PLACE
    if value[-1] in "中小高" and _is_common(value[:-1]):
        return _SURE  # 经验中, 东西小
    return -math.inf if len(value) == 2 or value.endswith(_institution_ends()) else _LIKELY_SHAPED


@cache
def _institution_ends() -> tuple[str, ...]:
    parts = ("trades", "firm ends", "shops", "places of work", "old works", "offices in short", "numbered works")
    made_up = {word for part in parts for word in word_list("tagger/values.txt", part)}
    return tuple(sorted(made_up | words_of(_LISTS, "kinds") | set("校院大中小学厂店局所站社队行部司")))


def _is_address(value: str) -> bool:
    """Whether a place is more than a city, a country or a floor, and more than a kind."""
    kind = towns_pattern().sub("", value)
    if (len(_NUMBERING.sub("", kind)) < 2 and not kind.endswith(_PLACE_ENDS)) or _NUMBER_OF.search(value):
        return False
    if not kind or {kind, value} & words_of(_LISTS, "generic places") or _FLOOR.fullmatch(value):
        return False
    ends = value.endswith(_PLACE_ENDS)
    return (len(value) > 2 or ends) and (ends or not _is_common(value))


def _is_common(value: str, *names: str) -> bool:
    """Whether a value is a word of the language that the dictionary does not have as a name of these kinds."""
    if value in common_words():
        return True
    return is_word(value) and not rjieba.tag(value)[0][1].startswith(names)


def _is_foreign(value: str) -> bool:
    return sum(char in _TRANSCRIBING for char in value) >= max(2, len(value) - 1)


def is_full(value: str) -> bool:
    """Whether a string has the shape of a surname with a given name."""
    if value[:2] in words_of(_LISTS, "compound surnames"):
        return 3 <= len(value) <= 4
    return 2 <= len(value) <= 3 and value[0] in characters(_LISTS, "surnames")


@cache
def surnames() -> frozenset[str]:
    """Surnames of one character and of two."""
    return (
        characters(_LISTS, "surnames")
        | words_of(_LISTS, "compound surnames")
        | set("钮佴覃仇阎訾璩亓亢逄贡綦雒謇簡陳張劉楊黃趙吳孫馬許")
    )


def _weekday(value: str, before: str) -> bool:
    return value == "周" and before[-1:] in ("上", "下", "每", "这", "本", "隔", "近")


def cuts_a_word(text: str, tags: Tags, start: int, end: int, lead: float) -> bool:
    """Whether a word reaches over one end of a value: 习以为常 over that of 习.

    Of a find that leads by much it has to be one to LAC as well.
    """
    begins = word_begins()[tags]
    inside = [each for each in (start, end) if 0 < each < len(text) and (lead < _CUTTING or not begins[each])]
    if not inside:
        return False
    position = 0
    for word in rjieba.cut(text):
        left, position = position, position + len(word)
        if len(word) > 1 and is_word(word) and any(left < each < position for each in inside):
            return True
    return False


def particular_name(name: str) -> bool:
    """Whether anything is left of a name without the words of kinds."""
    rest = _kinds_pattern().sub("", name)
    return _LETTER.search(rest) is not None and not _SMALL_KINDS.fullmatch(rest)


@cache
def _kinds_pattern() -> re.Pattern[str]:
    kinds = sorted({word for word in word_list(_LISTS, "kinds") if len(word) > 1}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, kinds)))


@cache
def towns_pattern() -> re.Pattern[str]:
    """Cities and provinces, one or several."""
    towns = "|".join(word_list(_LISTS, "towns"))
    return re.compile(rf"(?:(?:{towns})(?:市|省|县)?|[省市县区镇乡]|本[市省县区])+")


def _is_public(value: str) -> bool:
    """Whether a name is a public figure's, or holds one of three characters: 王维 is not 王维舟."""
    match = _public_pattern().search(value)
    return match is not None and (match[0] == value or len(match[0]) > 2)


@cache
def _public_pattern() -> re.Pattern[str]:
    return re.compile("|".join(sorted(word_list("public_figures.txt", "persons"), key=len, reverse=True)))
