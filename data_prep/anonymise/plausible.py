"""Which of the tagger's finds stay: none that is known as a word, a city alone, a platform or a public figure.

The tagger knows how names, schools, employers and addresses look and where they stand. It does not know who is famous.
The lists are those of ``entities.txt``; `public` has the famous.
"""

import math
import re
from functools import cache
from typing import Final

from data_prep.anonymise.boundaries import (
    LISTS,
    Place,
    name_of,
    unsplit_name,
    unsplit_place,
    whole_letters,
    without_running_number,
)
from data_prep.anonymise.lac import Tags, cuts_common
from data_prep.anonymise.place_types import typed_place
from data_prep.anonymise.public import cuts_public, is_public, names_public
from data_prep.anonymise.segments import alternatives, characters, is_word, part_of_speech, word_list, words_of
from data_prep.anonymise.tagger.labels import Found
from data_prep.anonymise.tagger.network import Find

# The least lead (see `Find`) of a value, by type: what looks like a name is one most seldom.
_LEAST: Final = {"姓名": 2.4, "学校": 1.6, "单位": 1.8, "地址": 1.2}
# Of one word of the dictionary that is nobody's name in it: 石头, 红包.
_LEAST_WORD: Final = {"姓名": 3.5, "学校": 3.5, "单位": 4.5, "地址": 4.5}
# Of a name behind 我叫, and behind 我女儿.
_LEAST_CALLED: Final = 0.0
_LEAST_TOLD: Final = 0.3
# Of what a list calls nobody's name: 小丽 may be somebody's.
_LEAST_LISTED: Final = 5.0
# Of a name where a public person or a story is spoken of.
_LEAST_SPOKEN_OF: Final = 4.0
# Of a place that begins inside of a word, and of such a name.
_LEAST_SPLITTING: Final = 5.0
_LEAST_SPLITTING_NAME: Final = 8.0
# The dictionary's parts of speech for idioms (半途而废), of which it calls many persons (海纳百川), and for names.
_IDIOMS: Final = frozenset(("i", "l", "nr"))
_OF_NAMES: Final = frozenset(("nr", "nrt", "nrfg", "ns", "nt", "nz", "eng", "x"))
_TITLE: Final = alternatives(LISTS, "titles")
_TITLES: Final = re.compile(_TITLE)
_TITLED: Final = re.compile(rf"(?:{_TITLE})(?!们)|主管|村长|站长|馆长|社长|督导|[婶姨董哥姐总叔爷妹弟仔工导嫂局处律]")
# 准医生, 副校长, 某老师
_NO_SURNAME: Final = frozenset("准副前某该本代")
_SURNAMED: Final = re.compile("姓(?:是|“)?$")
# Words before a name that leave no doubt that it is one.
_CALLED: Final = re.compile(rf"(?:{alternatives(LISTS, 'called')}|叫|——|@)[“\"「]?$")
# 你好，小李。
_GREETED: Final = re.compile("(?:^|[：:，,。！!\n ])(?:[你您]好|谢谢[你您]?|感谢[你您])[，,！! ]?$")
_GREETED_END: Final = re.compile("[，,。！!~～]|$")
_BY_ANOTHER_NAME: Final = re.compile("[（(](?:化名|假名)")
_TOLD: Final = re.compile(
    "(?:老公|老婆|丈夫|妻子|对象|[男女]朋友|[男女]友|前任|前夫|前妻|儿子|女儿|舍友|室友|同桌|闺蜜|发小|"
    "弟弟|妹妹|哥哥|姐姐|同事|领导)$"
)
# 丈夫徐峥 may stand in the news, and somebody who is called 司马光 in a story.
_OWN: Final = re.compile(
    r"[我咱](?:们?的?|家的?|班的?)?[\u4e00-\u9fff]{0,3}?"
    r"(?:老公|老婆|丈夫|妻子|对象|[男女]朋友|[男女]友|前任|前夫|前妻|儿子|女儿|舍友|室友|同桌|闺蜜|发小|弟弟?|妹妹?|哥哥?|姐姐?|同事|领导|同学|"
    r"朋友|老师|爸爸?|妈妈?|爷爷|奶奶)(?:名?叫|是)?$|"
    r"(?:我(?:的(?:名字|全名|真名|小名))?(?:就?叫|是)|署名|落款|签名|联系人|借款人|亲爱的)[:：“\"]?$"
)
_PUBLIC_BEFORE: Final = re.compile(rf"(?:{alternatives(LISTS, 'public before')})[的之“\"是叫、:：]?$")
_PUBLIC_AFTER: Final = re.compile(
    rf"[\"”』」)）]?(?:公主|王子|{alternatives(LISTS, 'public after')})"
    r"|(?:老师|教授|博士|先生|女士|医生)的?.{0,6}(?:课程?|书|讲座|分享|观点|理论|公众号|视频|节目|著作|文章)"
)
_STORY: Final = re.compile("《|电视剧|电影|小说|主角|小明|心理学家|历史|综艺|明星|剧中|名言")
_FOREIGN: Final = re.compile(r"[\u4e00-\u9fff]+(?:[·•][\u4e00-\u9fff]+)+")
_LETTERS: Final = re.compile(r"[\u4e00-\u9fff]+(?:[·•][\u4e00-\u9fff]+)*|[A-Z][a-z]+(?: [A-Z][a-z]+)?")
# No school, employer or address has these in its name: nor the number of an order, but a postcode behind a street.
_NO_NAME: Final = re.compile("[的。！？!?；;，,、]|^[^省市区县镇乡村路街巷道栋幢楼座室苑园庄里坊弄]*[0-9]{6}")
# Of every town one, or no certain one.
_EVERYWHERE: Final = re.compile(alternatives(LISTS, "everywhere"))
# No school ends so, but for 三小, 附小, 实小: 东北男 of 东北男的, 晨读小 of 晨读小老师, 三天一小 of 三天一小吵.
_NO_SCHOOL: Final = re.compile("[男女a-z]$|(?<![一二三四五六七八九十附实中])小$|[天日周]一小$")
_FLOOR: Final = re.compile("[一二三四五六七八九十0-9]+[楼层]")
_HELP: Final = re.compile("热线|援助中心|危机干预")


class Finds:
    """Says what of the tagger's finds in a sentence is personal data."""

    def __init__(self, titled: bool, given: bool, bias: float) -> None:
        """Set up; see `EntityFinder`."""
        self._titled, self._given, self._bias = titled, given, bias

    def __call__(self, text: str, tags: Tags, find: Find) -> Found | None:
        """The find, without a title or a part of a word at its end; None if it is none.

        Args:
            text: the sentence.
            tags: LAC's, of its characters.
            find: the tagger's.
        """
        start, end, type, lead = find
        place = without_running_number(text, Place(start, end))
        if place is None or text[:start].count("《") > text[:start].count("》"):
            return None
        place, lead = whole_letters(text, place), lead + self._bias
        if type == "姓名":
            whole = unsplit_name(text, tags, name_of(text, tags, place, _TITLES), lead >= _LEAST_SPLITTING_NAME)
        else:
            whole = unsplit_place(text, tags, place, lead >= _LEAST_SPLITTING)
        # 何小龙 of 何小龙女儿 is a name whatever 小龙女 is, where the tagger is sure of it; a school 翰纳什 is none.
        sure = lead >= _LEAST_SPLITTING
        if whole is None or ((type != "姓名" or not sure) and cuts_public(text, whole)):
            return None
        if not sure and cuts_common(tags, *whole):
            return None
        if text[whole.start : whole.end] in words_of(LISTS, "platforms"):
            return None
        if not (self._is_name(text, whole, lead) if type == "姓名" else _is_place(text, whole, type, lead)):
            return None
        return (whole.start, whole.end, type) if type == "姓名" else typed_place(text, whole, type)

    def _is_name(self, text: str, place: Place, lead: float) -> bool:
        value, before, after = text[place.start : place.end], text[: place.start], text[place.end :]
        if value in _NO_SURNAME:
            return False
        if len(value) == 1:
            title = _TITLED.match(after)
            # 帅哥 is a word, 李老 of 李老师 is none of these.
            titled = title is not None and not (len(title[0]) == 1 and is_word(value + title[0]))
            # 月嫂 is no word of the dictionary, and 月 no surname.
            short = title is not None and len(title[0]) == 1
            sure = value in characters(LISTS, "surnames") or (lead >= _LEAST["姓名"] and not short)
            return self._titled and sure and (titled or _SURNAMED.search(before) is not None)
        called = _is_called(before, after)
        told = called or _TOLD.search(before) is not None
        least = _LEAST_CALLED if called else _LEAST_TOLD if told else _least("姓名", value)
        if lead < least or not _LETTERS.fullmatch(value):
            return False
        listed = value in words_of(LISTS, "not persons") and lead < _LEAST_LISTED
        # 我男朋友黄浩然 is no actor. 一个叫刘德华的 is one, somebody called 李娜 may be anybody.
        own = _OWN.search(before) or _is_greeted(before, after)
        if not own and is_public(value) and (not called or len(value) > 2):
            return False
        if listed and not called:
            return False
        spoken_of = _PUBLIC_AFTER.match(after) or _PUBLIC_BEFORE.search(before) or _STORY.search(text)
        if spoken_of and lead < _LEAST_SPOKEN_OF and not told:
            return False
        return self._given or is_full(value) or _FOREIGN.fullmatch(value) is not None


def _is_called(before: str, after: str) -> bool:
    """Whether the words around a name leave no doubt that it is one."""
    return _CALLED.search(before) is not None or _BY_ANOTHER_NAME.match(after) is not None or _is_greeted(before, after)


def _is_greeted(before: str, after: str) -> bool:
    return _GREETED.search(before) is not None and _GREETED_END.match(after) is not None


def _is_place(text: str, place: Place, type: str, lead: float) -> bool:
    """Whether a school, an employer or an address is more than a city, and none that everybody knows."""
    value = text[place.start : place.end]
    return not (
        len(value) < 2
        or lead < _least(type, value)
        or (type == "学校" and _NO_SCHOOL.search(value))
        or (type == "地址" and value[-1].isascii() and value[-1].islower())
        or names_public(value)
        or towns_pattern().fullmatch(value)
        or _FLOOR.fullmatch(value)
        or _EVERYWHERE.fullmatch(value)
        or _HELP.search(text)
        or _NO_NAME.search(value)
        or (type != "地址" and any(part in value for part in words_of(LISTS, "quoted")))
        or value in words_of(LISTS, "quoted")
    )


def _least(type: str, value: str) -> float:
    """The least lead of a value: more where the dictionary has it as a word that names nobody."""
    speech = part_of_speech(value)
    if (speech in _IDIOMS and len(value) > 3) or value in words_of("words.txt", "medicines"):
        return math.inf
    return _LEAST[type] if speech is None or speech in _OF_NAMES else _LEAST_WORD[type]


def is_full(value: str) -> bool:
    """Whether a string has the shape of a surname with a given name."""
    if value[:2] in words_of(LISTS, "compound surnames"):
        return 3 <= len(value) <= 4
    return 2 <= len(value) <= 3 and value[0] in characters(LISTS, "surnames")


@cache
def towns_pattern() -> re.Pattern[str]:
    """Cities, provinces and countries, one or several, or the country around one."""
    towns = "|".join((*word_list(LISTS, "towns"), *word_list(LISTS, "abroad")))
    levels = "[上读念](?:中专|大专|高中|初中|大学|技校|职高)"
    return re.compile(rf"(?:(?:{towns})(?:市|省|县)?(?:农村|乡下|山区|郊区|{levels})?|[省市县区镇乡]|本[市省县区])+")
