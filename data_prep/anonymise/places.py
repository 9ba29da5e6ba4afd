"""Schools, employers and fine addresses as Presidio recognisers, and the rules of addresses.

An address goes from the first place name down to a number of a house, a room, a group of a village or a milestone. A
city, a county or an estate alone stays. The rules of schools and employers are in ``places_institution``.
"""

import re
from typing import Final

from data_prep.anonymise.places_brand import BrandFinder
from data_prep.anonymise.places_institution import EMPLOYER, SCHOOL, InstitutionFinder
from data_prep.anonymise.presidio import NlpArtifacts, Recogniser, RecognizerResult
from data_prep.anonymise.segments import Words, is_word, open_sentences, open_to, segmented, word_list

_SCORES = {SCHOOL: 0.7, EMPLOYER: 0.6}
_BRAND_SCORE = 0.55
_HAN: Final = "一二三四五六七八九十百〇零两"
_N: Final = rf"(?:[0-9]{{1,5}}|[{_HAN}]{{1,4}}|[A-Za-z][0-9]{{0,3}}|[甲乙丙丁附负][0-9{_HAN}]*)"
_NOUN: Final = (
    r"(?:号(?:宿舍楼|公寓|楼|院|门|摊位|商位|仓库|墓区|哨卡|桥墩|库|房|铺|信箱)?|栋|幢|支?弄|座|单元|楼|室|房|舍|"
    r"村民小组|组|大?队|社|巷|排|门|户|层|街|梯|塔|斋|库|网格|地块)"
)
_COARSE: Final = r"(?:[期区段里村条]|号线)"
_UNIT: Final = (
    rf"(?:第?{_N}{_NOUN}|[0-9]+[甲乙丙丁](?=[0-9])|"
    r"[东西南北中前后][0-9]?[门楼塔院座栋](?![口里上下面前后])|东头|西头|后楼)"
)
_DASHED: Final = r"[A-Z]?[0-9]{1,5}(?:号|栋|幢)?[-—－#][0-9A-Z]{1,5}(?:[-—－#][0-9A-Z]{1,5})*(?:[室号房])?"
_TAIL: Final = (
    r"(?:[A-Z]{0,2}[0-9]{2,5}(?![0-9岁元块天年月日个多人次名米斤分万千百%％点度小时])[室房号]?|"
    r"[0-9]{1,2}[A-HF](?![A-Za-z])|[〇零一二三四五六七八九]{3,4}[室房号]?(?![\u4e00-\u9fa5]))"
)
# Units of an address one after another; or a number alone, which only a building before it makes an address.
_RUN: Final = re.compile(
    rf"(?:第?{_N}{_COARSE})*(?P<fine>{_UNIT}|{_DASHED})(?:[，,\s]?(?:{_UNIT}|{_N}{_COARSE}|-?{_DASHED}))*(?:-?{_TAIL})?(?:[-—－][0-9A-Z]{{1,5}})?"
    rf"|(?P<bare>{_TAIL})"
)
_MILESTONE: Final = re.compile(
    r"(?:[国省县乡]道|高速)(?:[A-Z]?[0-9]+(?:线|国道|省道)?|[\u4e00-\u9fa5]{0,6}线?)?(?:K?[0-9]+(?:公里)?(?:\+[0-9]+米?|处|公里))"
)
_PLACE: Final = re.compile(
    r"(?:大道|街道?|道|路|公路|巷|胡同|弄堂?|里|小区|社区|花园|花苑|家园|新[村苑城]|苑|公馆|公寓|宿舍|名[邸都]|[豪华]庭|府|湾|城|庄园?|村|屯|寨|园|坊|塘|坝|坞|坪|校区|广场|大厦|中心|国际|"
    r"[院轩阁台墅邸岛岸郡]|[东西南北]区|家属区|生活区|工业区|开发区|市场|商城|服装城|码头|仓库|[林农渔]场|厂|站|镇|乡|线|渠|埠|堤|桥|[东西南北]里|[一二三四五六]期|[一二三四五六]区|[一二三四五六][路巷里村街]|楼|沟|坡|地|墓园|陵园|角|岗|营|桥南堍|厦|区|县|市|舍|馆|A座|B座|堂|门|屿|畔|天地|都会|壹号|一号|公社|行政村|自然村|大队)"
    r"(?:[东西南北中上下](?:[段路街巷区侧坡口堍]|首|头|面|边)?|交叉口|路口|[东西南北]{1,2}[角侧])?$"
)
_STOREY: Final = re.compile(rf"{_N}[楼层室]")
_ESTATE: Final = re.compile(r"(?:大厦|公寓|花园|小区|苑|路|街|巷|府|湾)$")
_NO_PLACE: Final = re.compile(r"热线|电话|号码|手机|尾号|账号|卡号|微信|编号")
_HALL: Final = re.compile(rf"{_N}号(?:公寓|宿舍楼)[0-9A-Z]")
_NUMERAL: Final = re.compile(rf"[0-9{_HAN}A-Z甲乙丙丁]")
_DIGITS: Final = 16
_BUILDING: Final = re.compile(r"(?:大厦|公寓|宿舍|宿舍楼|苑|国际|广场|中心|花园|小区|[0-9A-Z]座|校区|府|舍|名邸|斋)$")
_GENERIC: Final = frozenset(word_list("places.txt", "generic places"))
_STOP_TAGS: Final = frozenset(
    {"r", "p", "u", "ul", "uj", "uz", "ud", "uv", "ug", "d", "c", "y", "e", "o", "x", "eng", "k"}
)
_STOP_WORDS: Final = frozenset(word_list("places.txt", "not in addresses"))
_LEAD: Final = re.compile(
    r"(?:.*(?:住[在进到]?|[租搬寄送嫁拖约赶回挪换开跑走]到|搬[进去来]|地址|位于|定位在?|挤在|写[着的]|脱口而出|找到|就在)|"
    r"[寄带吼喊我她他你们这那住在到去从是往归给进把离了有的]+)(?=[\u4e00-\u9fa5]{2})"
)
_FIRST_ROAD: Final = re.compile(r"[\u4e00-\u9fa5]{2}(?:大道|路|街|巷)([与和、])$")
# Characters that a place may have before its number.
_MAX: Final = 30
# One set of characters first, then what makes each of them a hint: so it is searched three times as quickly.
_HINT: Final = re.compile(
    rf"[0-9{_HAN}A-Za-z甲乙丙丁附负东西南北中前后公国省县](?:(?<=[0-9{_HAN}A-Za-z甲乙丙丁附负]){_NOUN}|(?<=[0-9])[-—－#+][0-9A-Z]|"
    r"(?<=[\u4e00-\u9fa5][A-Z])[0-9]{2}|(?<=[\u4e00-\u9fa5][0-9])[0-9]|(?<=[东西南北中前后])[0-9]?[门楼塔院座头栋]|(?<=公)里|(?<=[国省县])道)"
)


class Institution(Recogniser):
    """Named schools and employers."""

    types, label = (SCHOOL, EMPLOYER), "institution by its ending"

    def __init__(self) -> None:
        """Read the lists of endings."""
        super().__init__()
        self._finder, self._brands = InstitutionFinder(), BrandFinder()

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Every named institution; a school rather than an employer where it could be both."""
        found = [
            RecognizerResult(one.kind, start + one.start, start + one.end, _SCORES[one.kind])
            for start, sentence in open_sentences(text, self._finder.hints(text))
            for one in self._finder.find(sentence, segmented(sentence))
        ]
        taken = [(result.start, result.end) for result in found]
        found += [
            RecognizerResult(EMPLOYER, start + first, start + last, _BRAND_SCORE)
            for start, sentence in open_sentences(text, self._brands.hints(text))
            for first, last in self._brands.find(sentence)
            if open_to(taken, start + first, start + last)
        ]
        return sorted(found, key=lambda result: result.start)


class Address(Recogniser):
    """Addresses down to a number."""

    types, label = ("地址",), "place and number"

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Every address, from its first place name to its last number."""
        return [
            RecognizerResult("地址", start + first, start + last, 0.75)
            for start, sentence in open_sentences(text, address_hints(text))
            for first, last in find_addresses(sentence, segmented(sentence))
        ]


def address_hints(text: str) -> set[int]:
    """Where a number with a unit of an address stands, or a number after a building."""
    return {match.start() for match in _HINT.finditer(text)}


def find_addresses(text: str, cut: Words) -> list[tuple[int, int]]:
    """Where the addresses stand, none of them overlapping; runs that only a place name parts are one address."""
    milestones = [match.span() for match in _MILESTONE.finditer(text)]
    found: list[tuple[int, int]] = []
    for match in _RUN.finditer(text):
        if found and match.start() < found[-1][1]:
            continue
        span = _address(text, cut, match)
        if span is None or not open_to(milestones, *span):
            continue
        if found and span[0] - found[-1][1] <= 0:
            span = (found.pop()[0], span[1])
        found.append(span)
    return sorted(milestones + found)


def _address(text: str, cut: Words, run: re.Match[str]) -> tuple[int, int] | None:
    if not _NUMERAL.search(run[0]):
        return None
    before = text[max(0, run.start() - _MAX) : run.start()]
    if not (_PLACE.search(before) if run["bare"] is None else _BUILDING.search(before)):
        return run.span() if _HALL.match(run[0]) else None
    start = _begin(text, cut, run.start())
    place = text[start : run.start()]
    if len(place) < 2 or _generic(place) or _NO_PLACE.search(place):
        return None
    if sum(map(str.isdigit, run[0])) > _DIGITS or (_STOREY.fullmatch(run[0]) and not _ESTATE.search(place)):
        return None
    return start, run.end()


def _begin(text: str, cut: Words, before: int) -> int:
    """Where the place names begin that end at ``before``."""
    edge, i = before, cut.at(before - 1)
    while i >= 0 and before - cut.starts[i] <= _MAX:
        start = cut.starts[i]
        part = text[start:edge]
        if (part in _STOP_WORDS and edge != before) or not re.fullmatch(r"[\u4e00-\u9fa5A-Z0-9]+", part):
            break
        if cut.tags[i] in _STOP_TAGS and is_word(cut.words[i]) and edge != before:
            break
        if not is_word(part) and (lead := _LEAD.match(part + text[edge : edge + 2])):
            return start + lead.end()
        edge = start
        i -= 1
    lead = _LEAD.match(text[edge:before])
    edge = edge + lead.end() if lead else edge
    # 望川大道与芦花路交叉口: the first of two roads belongs to the place.
    if crossing := _FIRST_ROAD.search(text[max(0, edge - _MAX) : edge]):
        return _begin(text, cut, edge - len(crossing[1]))
    return edge


def _generic(place: str) -> bool:
    """Whether nothing in the place names it: 小区, 我们宿舍楼."""
    return place in _GENERIC or any(
        place == kind + tail for kind in _GENERIC for tail in ("东", "西", "南", "北", "里", "中")
    )
