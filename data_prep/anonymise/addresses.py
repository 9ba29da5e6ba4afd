"""Addresses: a street, an estate, a village or a building with a name, with what stands before and after it.

They begin at a word that LAC takes for a place, and go on as long as places, kinds of places and numbers follow. A
city, province or county alone stays, and so does a kind of place (小区, 镇上, 城中村).
"""

import re
from collections.abc import Iterator
from typing import Final

import rjieba

from data_prep.anonymise.organisations import towns_pattern
from data_prep.anonymise.segments import is_word, words_of
from data_prep.anonymise.tagged import Sentence

_NO_PART: Final = "的了在是和跟与从去到上住来被把给让对就都也还又才很最我你他她它们这那有没说租买"
_DIGIT: Final = "[0-9一二三四五六七八九十百零〇]"
_UNIT: Final = "(?:号楼|号院|号|栋|幢|座|单元|室|楼|层|弄|巷|组|队|社|排|户|门|期|区|街坊)"
_NUMBER: Final = re.compile(
    rf"(?:[东西南北]?附?第?[A-Za-z甲乙丙丁]?{_DIGIT}{{1,5}}(?:-{_DIGIT}{{1,4}}){{0,3}}{_UNIT}(?![线人多个])|[东西南北][段侧口门头区]|"
    r"(?:(?<=大厦)|(?<=公寓)|(?<=花园)|(?<=广场)|(?<=国际)|(?<=[苑府庭湾邸轩阁舍]))[0-9]{3,4}(?![0-9年月日%元块岁个人])|"
    r"-?[0-9]{1,4}(?:-[0-9]{1,4})+|(?<=[号楼栋幢座元])[0-9]{2,5}(?![0-9年月日%元块岁个])|[A-Z](?:座|栋|区))"
)
_KIND: Final = re.compile(
    r"[东西南北中前后新老一二三四五六七八九十]?(?:街道|大街|胡同|大道|路口|[街路巷镇乡村屯弄苑区]|新村|花园|[花雅佳名嘉]苑|家园|小区|社区|公寓|"
    r"大厦|广场|新城|家属[院楼区]|大院|宿舍楼?|山庄|别墅|庄园|园区|号院)"
)
# What goes on from a street or an estate to the door: 甲6号院, 三组27号, A座1209室, 1204公里+300米.
_TAIL: Final = re.compile(
    rf"[^\W0-9A-Za-z_{_NO_PART}]{{0,6}}?[A-Za-z]?{_DIGIT}{{1,5}}(?:[-#+.][0-9A-Za-z]{{1,5}})*"
    rf"(?:{_UNIT}|舍|门|梯|库|仓库|摊位|公里|米|墓区|(?<=[0-9]{{3}})(?![0-9年月日%元块岁个人]))(?![线人多个厅])"
    r"(?:[+-][0-9]+米?)?[东西南北]?(?:楼|院)?"
)
_ENDING: Final = re.compile(
    r"(?:街道|街|胡同|大道|路|巷|弄|镇|乡|村|屯|庄|寨|新村|花园|家园|小区|社区|公寓|苑|邸|大厦|广场|区|新城|家属[院楼区]|"
    r"宿舍楼?|大院|山庄|别墅|里|湾|园|楼|城|府|庭|[一二三四五六七八九十]期|壹号|旗|桥|门|店)$"
)
# Endings that leave no doubt, so that nobody has to live there.
_SURE: Final = re.compile(
    r"(?:街道|胡同|大道|[^半一来去]路|[^每一]巷|[^城古小]镇|[^家下]乡|[^农山]村|[^大小老商]街|新村|花园|家园|小区|社区|苑|公寓|"
    r"家属[院楼区])$"
)
_LIVES: Final = re.compile(
    r"(?:住在?的?|家住|住址是?|地址[是:：]?|家在|老家[在是]?|租[在住了]?|[搬新]{1,2}[到去进了]{0,2}|位于|来自|嫁到|在|寄到|户口在|从|"
    r"回到?|留守|想到|丢在|走|住到|住进|暂住|现居|坐落在|走|离开|买在|是)(?:了)?$"
)
# Parts of a city named after the village they were: 朝阳区十八里店.
_OLD_NAME: Final = re.compile(r"[^\W0-9A-Za-z的了在上有和一个这那是我你他她，。]{1,3}[店桥营庄屯坡岗湾铺](?![的里])")
# A dwelling a few characters on belongs to the street before it: 府前街老粮站宿舍.
_ANNEX: Final = re.compile(
    r"(?:[^\W0-9_的了在里上有和一个这那是我你他她，。]){1,5}?(?:宿舍|家属[院楼区]|小区|公寓|花园|社区|新村)"
)
_DWELLS: Final = re.compile(
    r"(?:住在?的?|家住|家在|老家[在是]?|租[在住了]?|搬[到去进了]{0,2}|位于|嫁到|地址[是:：]?|户口在|暂住|现居)(?:了)?$"
)
# Places that are everybody's, or no place to live: a lake, a temple, a station, a country.
_PUBLIC_PLACE: Final = re.compile(
    "[国州洲省市县湖海江河山寺庙岛峰泉宫陵塔关口站港洋]$|机场|公园|景区|(?:[学校院中大小师]|幼儿园)$|[A-Za-z]"
)
# A place in one piece with an ending that leaves no doubt: 双桥镇, though 双桥 is a word.
_TOGETHER: Final = re.compile(
    "(?:[^半一来去心之出思道弯老回]路|[^古小]镇|[^农山地球]村|大街|胡同|大道|花园|花苑|雅苑|佳苑|家园|小区|大厦|公寓|家属[院楼区]|新村)$"
)
# Parts of speech of proper names in rjieba's dictionary.
_PROPER: Final = ("ns", "nr", "nrt", "nrfg", "nz", "nt")
_FOREIGN: Final = re.compile(
    "[斯尔特克姆鲁布纽伦敦罗巴]{2,}|[欧亚美非澳]洲|海峡|群岛|[美英法德韩泰俄外]国|纽约|伦敦|巴黎|东京|维也纳"
)


# A place with the number of its house, at the beginning of a word that LAC takes for something else.
_HOUSE: Final = re.compile(
    r"([\u4e00-\u9fff]{1,6}?(?:新村|花园|家园|小区|社区|公寓|大厦|[苑园府轩邸庭居阁村路街巷城湾寓]|[一二三四五]期))"
    rf"第?{_DIGIT}{{1,4}}(?:号楼|栋|幢|号院|单元|座|号|舍)(?!线)"
)
_NUMBERED: Final = re.compile(rf"{_DIGIT}{{1,4}}(?:号楼|栋|幢|号院|单元|座|号|-[0-9]{{1,2}}-[0-9]{{3,4}})")


# A dormitory and its room: 竹园2舍308.
_ROOM: Final = re.compile(
    rf"(?!宿舍|寝室|学校|对抗|我们)[\u4e00-\u9fff]{{1,3}}?[园苑区]{_DIGIT}{{1,2}}(?:舍|栋|幢|号楼)[0-9]{{3,4}}(?![0-9年元块岁个人%])"
)
# What LAC takes for a place, behind a word for going or living there: 住吕厝, 去罗家坝.
_HAMLET: Final = re.compile("[坝厝铺沟坪垭塘桥堡营冲岭坳集店湾庄屯寨圩墩浜埠]$")


def addresses(sentence: Sentence) -> Iterator[tuple[int, int]]:
    """Where addresses stand."""
    text, done = sentence.text, 0
    for number, word in enumerate(sentence.words):
        if word.start < done:
            continue
        if word.tag == "LOC":
            done = end = _continued(sentence, number)
            # 梅园6栋417宿舍: the room's number ends it.
            if re.search(r"[0-9](?:宿舍|寝室)$", text[word.start : end]):
                end -= 2
            # LAC counts 回 of 回凤凰路 to the place.
            start = word.start + (text[word.start] == "回" and end - word.start > 3)
            if _is_address(text, start, end, text[start : word.end]):
                yield start, end
        elif room := _ROOM.match(text, word.start):
            done = room.end()
            yield word.start, done
        elif word.tag == "ORG" and re.search("家属[院楼区]$", text[word.start : word.end]):
            done = word.end
            yield word.start, done
        elif (house := _numbered(sentence, number)) is not None:
            done = house
            yield word.start, house


def _continued(sentence: Sentence, number: int) -> int:
    """The end of the address that begins with this word."""
    text, first = sentence.text, sentence.words[number]
    end = first.end
    while end < len(text):
        match = next(filter(None, (pattern.match(text, end) for pattern in (_TAIL, _NUMBER, _KIND, _ANNEX))), None)
        if match is None and text[end - 1] == "区":
            match = _OLD_NAME.match(text, end)
        further = match.end() if match else _next_place(sentence, first.start, end)
        if further is None:
            break
        end = further
    return end


def _next_place(sentence: Sentence, start: int, end: int) -> int | None:
    """The end of the next word if it belongs to the address: a place, or the name of a street or an estate."""
    text, follower = sentence.text, sentence.words[sentence.at(end)]
    value = text[end : follower.end]
    if follower.start != end or "\ue000" in value:
        return None
    if follower.tag in ("LOC", "ORG") or (follower.tag == "PER" and re.search("[镇村庄乡屯]$", value)):
        return follower.end
    if follower.tag not in ("n", "nz", "a", "m", "f", "v") or any(char in _NO_PART for char in value):
        return None
    if len(value) == 1 and end - start <= 2 and follower.end < len(text):
        beyond = sentence.words[sentence.at(follower.end)]
        # LAC cuts 枣强大营镇 into 枣, 强 and 大营镇.
        return beyond.end if beyond.tag == "LOC" else None
    named = len(value) < 5 and _KIND.match(text, follower.end) and not is_word(text[end : follower.end + 1])
    return follower.end if named and follower.tag != "v" and not re.search("[个一]", value) else None


def _numbered(sentence: Sentence, number: int) -> int | None:
    """The end of an address that LAC does not see, if a house with its number follows: 翠湖花园7号楼."""
    text, word = sentence.text, sentence.words[number]
    if word.tag not in ("n", "nz", "ORG", "PER", "nw"):
        return None
    inner = _HOUSE.match(text, word.start)
    if (
        inner
        and not is_word(inner[1])
        and inner[1] not in words_of("entities.txt", "generic places")
        and not any(char in _NO_PART for char in inner[1])
    ):
        return _from(text, inner.end())
    end = word.end
    kind = _KIND.match(text, end)
    if kind is None and not _SURE.search(text[word.start : end]):
        return None
    end = kind.end() if kind else end
    name = text[word.start : end]
    match = _NUMBERED.match(text, end)
    if (
        match is None
        or name in words_of("entities.txt", "generic places")
        or is_word(name)
        or (is_word(text[word.start : word.end]) and not _LIVES.search(text[: word.start]))
    ):
        return None
    return _from(text, match.end())


def _from(text: str, end: int) -> int:
    """The end of an address of which a number ends here."""
    while match := _TAIL.match(text, end) or _NUMBER.match(text, end):
        end = match.end()
    return end


def _is_address(text: str, start: int, end: int, seen: str) -> bool:
    """Whether it is more than a city, and no place that everybody knows.

    Args:
        seen: what LAC takes for a place in one piece.
    """
    name = text[start:end]
    own = towns_pattern().match(name)
    rest = name[own.end() :] if own else name
    if (
        not rest
        or name in words_of("entities.txt", "generic places")
        or rest in words_of("entities.txt", "generic places")
        or _FOREIGN.search(name)
    ):
        return False
    lives = _LIVES.search(text[:start]) is not None
    told = lives or _ENDING.search(name) is not None
    if seen == name and len(name) >= 3 and told and not is_word(name) and not _PUBLIC_PLACE.search(name):
        return True
    if _HAMLET.search(name) and (not is_word(name) or rjieba.tag(name)[0][1] in _PROPER) and lives:
        return True
    if len(name) < 3:
        return False
    if rest[-1] in "市省县州" or (is_word(name) and not re.search(r"[区镇乡村路街巷]$", name)):
        return False
    if _NUMBER.search(rest) and re.search(r"[路街巷镇乡村苑区园楼栋幢座号院弄里城期厦邸府湾庄庭寓舍]", rest):
        return True
    if text[:start].count("《") > text[:start].count("》"):
        return False
    stem = _ENDING.sub("", rest)
    if _TOGETHER.search(seen) and (not is_word(seen) or rjieba.tag(seen)[0][1] in _PROPER):
        return True
    if is_word(stem) and rjieba.tag(stem)[0][1] not in _PROPER and not _DWELLS.search(text[:start]):
        return False
    if _SURE.search(name) or re.search("[^市城郊社小景学山地校时灾禁误片厂辖战牧盲雷园舒适]区$", name):
        return not is_word(name) or _LIVES.search(text[:start]) is not None
    return (
        _LIVES.search(text[:start]) is not None
        and _ENDING.search(name) is not None
        and not is_word(rest)
        and len(rest) >= 3
    )
