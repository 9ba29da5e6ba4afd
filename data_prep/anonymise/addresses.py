"""Addresses: a street, an estate, a village or a building with a name, with what stands before and after it.

A city, province or county alone stays, and so does a kind of place (小区, 镇上, 城中村).
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from data_prep.anonymise.organisations import _towns_pattern
from data_prep.anonymise.segments import is_word, word_list
from data_prep.anonymise.tagged import Sentence

_NUMERAL: Final = "[0-9一二三四五六七八九十百零〇两甲乙丙丁A-Za-z]"
_PLACE: Final = re.compile(
    r"街道|大街|[东西南北中]街|[^上下逛大出]街|胡同|大道|[^公马道出上下一半来去思套门活铁电网线走赶问带网迷末后退死绝生财心弯长短]路|巷子?|弄堂|[^一二两几多0-9]镇|[^家下城回]乡|[^全农乡一本同山]村|屯子?|新村|花园|家园|小区|社区|公寓|名苑|雅苑|嘉苑|佳苑|[^文学医戏剧法研]苑|名邸|府邸|大厦|广场|[^市城郊社小景学山地校时灾禁误片厂辖战牧盲雷园]区|新城|家属[院楼区]|大院|宿舍楼|山庄|庄园|里弄|[^这那哪屋家心夜城乡手脑眼怀嘴公学校院村镇县市店厂班组会书海水山林田梦话车楼室房圈群包口]里|[^一二两三四五六七八九十几这那每大高上下住教办酒青整层写字门主]楼|湾|[^石木两山]桥"
)
_DETAIL: Final = re.compile(
    rf"(?:[东西南北中]?(?:段|侧|口|门|头|路口)?(?:附?第?{_NUMERAL}{{1,5}}(?:-{_NUMERAL}{{1,4}})*(?:号楼|号院|号|栋|幢|座|单元|室|楼|层|弄|巷|组|队|社|排|户|门|期|区|街坊|村|街|路)(?!线|人|多|个)(?:之{_NUMERAL}{{1,2}})?|-?[0-9]{{1,5}}(?:-[0-9]{{1,5}}){{0,3}}(?![0-9年月日%元块岁个])))+"
)
_NUMBERED: Final = re.compile(
    rf"{_NUMERAL}{{1,5}}(?:号楼|号院|栋|幢|单元){_NUMERAL}{{0,5}}(?:号楼|单元|号|室|楼|层)?(?:{_NUMERAL}{{1,5}}(?:室|号|楼|单元))?(?:[0-9]{{3,4}})?"
)
_LIVES: Final = re.compile(
    r"(?:住在?|家住|住址是?|地址[是:：]?|家在|老家[在是]?|租[在住了]?|搬[到去进了]{0,2}|位于|来自|嫁到|在|寄到|户口在|从|回到?|住到|住进|暂住|现居|坐落在|到|去|买在|是)(?:了)?$"
)
_STOP: Final = frozenset("的了在是和跟与从去到上住来被把给让对就都也还又才很最我你他她它们这那哪某每个叫有没说想考转教开做当走条过，。、；：:,.!?！？ “”\"'《》（）()\n")
_GENERIC: Final = frozenset(
    "小区 社区 街道 花园 公寓 广场 大厦 新村 新区 老区 城区 市区 郊区 县城 乡镇 农村 城镇 村镇 山村 乡村 古镇 小镇 集镇 本村 同村 邻村 全村 城中村 步行街 商业街 美食街 老街 小巷 大院 家属院 家属楼 家属区 宿舍楼 "
    "开发区 高新区 经济开发区 工业区 住宅区 生活区 别墅区 度假区 旅游区 景区 教学楼 办公楼 写字楼 图书馆 自治区 特区 一楼 地区 舒适区 误区 雷区 禁区 盲区 十字路 林荫路 人生路 回头路 后花园 精神家园 心灵家园 港湾 避风港湾 "
    "安全区 隔离区 疫区 灾区 重灾区 贫民区 红灯区 时区 校区 学区 片区 辖区 小街 大路 小路 山路 水路 陆路 高速路 柏油路 石板路 独木桥 立交桥 天桥 大桥 高架桥 奈何桥 鹊桥 华尔街 唐人街 地球村 度假村 购物广场 时代广场 天安门广场 人民广场".split()
)


def addresses(sentence: Sentence) -> Iterator[tuple[int, int]]:
    """Where addresses stand."""
    text = sentence.text
    done = -1
    for match in _PLACE.finditer(text):
        if match.start() < done:
            continue
        end = match.end()
        start = _reached(sentence, match.start(), end)
        name = text[start:end]
        detail = _DETAIL.match(text, end)
        lives = _LIVES.search(text[:start]) is not None
        if not _named(sentence, start, end, lives or detail is not None):
            continue
        if detail is None and not lives and not _located(sentence, start, end):
            continue
        # 石桥镇柳树村4组: what follows without a gap is of the same address.
        end = _continued(sentence, detail.end() if detail else end)
        if name in _GENERIC:
            continue
        done = end
        yield start, end


def _reached(sentence: Sentence, position: int, end: int) -> int:
    """Where the name of a place begins: places before it belong to it (宜春市袁州区)."""
    text = sentence.text
    number = sentence.at(end - 1)
    start = min(sentence.words[number].start, position)
    number = sentence.at(start)
    start = sentence.words[number].start
    while number > 0 and start > end - 22:
        word = sentence.words[number - 1]
        value = text[word.start : word.end]
        if word.tag in ("LOC", "ORG", "nz") and not any(char in "，。、；,!?！？ “”" for char in value):
            number, start = number - 1, word.start
        elif word.tag in ("n", "m", "f", "s", "a", "PER", "nw", "vn") and start > position - 4 and not any(char in _STOP for char in value):
            number, start = number - 1, word.start
        else:
            break
    while start < position and text[start] in _STOP:
        start += 1
    return start


def _continued(sentence: Sentence, end: int) -> int:
    text = sentence.text
    while True:
        match = re.compile(rf"[\u4e00-\u9fff]{{1,6}}?(?:街道|大街|路|巷|弄|镇|村|屯|小区|花园|家园|公寓|大厦|广场|苑|区|楼|新城|号院)").match(text, end)
        if match and not any(char in _STOP for char in match[0]):
            end = match.end()
        elif (detail := _DETAIL.match(text, end)) is not None:
            end = detail.end()
        else:
            return end


def _named(sentence: Sentence, start: int, end: int, surely: bool) -> bool:
    """Whether the place has a name of its own, not a kind's or a city's."""
    text = sentence.text
    name = text[start:end]
    if name in _GENERIC or len(name) < 3 or any(name.endswith(kind) and (name == kind or _towns_pattern().fullmatch(name[: -len(kind)])) for kind in _GENERIC):
        return False
    tags = {word.tag for word in sentence.words[sentence.at(start) : sentence.at(end - 1) + 1]}
    if "LOC" in tags or "ORG" in tags or "nz" in tags:
        return not _foreign(name)
    return surely and not is_word(name) and len(name) >= 4


def _located(sentence: Sentence, start: int, end: int) -> bool:
    """Whether LAC takes all of it for one place with a part that is no city."""
    return False


def _foreign(name: str) -> bool:
    return re.search("[斯尔特克姆鲁布纽伦敦罗巴]{2,}", name) is not None


@cache
def _unused() -> tuple[str, ...]:
    return word_list("entities.txt", "towns")
