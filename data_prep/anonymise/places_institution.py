"""Named schools and employers: from an ending leftwards to where the name begins, and by cues where no ending stands.

An institution counts when something beyond its kind names it: 临江市第三中学, but not 重点中学; 恒越电子厂, but not
电子厂. No model; addresses are in ``places``.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

from data_prep.anonymise.segments import Words, is_word, word_list

SCHOOL, EMPLOYER = "学校", "单位"
_BRAND: Final = "brand"
_KNOWN: Final = "known"
_KINDS: Final = frozenset(word_list("places.txt", "kinds"))
_ONLY_KINDS: Final = re.compile(f"(?:{'|'.join(sorted(_KINDS, key=len, reverse=True))})*")
_BARE: Final = frozenset(word_list("places.txt", "bare endings"))
_NUMERAL: Final = "一二三四五六七八九十"
_NUMBERED: Final = re.compile(
    rf"(?:(?:第?[{_NUMERAL}]{{1,3}}|附|实)(?:实验|附属)?[中小幼高](?:学|分校)?|[{_NUMERAL}](?:实验小学|实小|附小|师|外|医|高))(?![{_NUMERAL}个年午国等口点半外心块撮片段部])|"
    r"(?:公司|集团|油田|矿业|渔业|钻井|石油|航务|公交|环卫|客运|货运|建筑|建工|市政|运输|水电)[一二三四五六七八九十]{1,2}(?:公司|队|处|部|厂|所|站|场)|"
    r"(?<![第之百千万两])[一二三四五六七八九十](?:棉|毛|丝|麻|钢|铁|机|电|纺|化|药|汽|轧|印|油|木|建|冶|安|煤|砖|水|糖|纸)厂"
)
# What every `_NUMBERED` has in it; it begins with one set of characters, and so is searched ten times as quickly.
_NUMBER_HINT: Final = re.compile(
    rf"[{_NUMERAL}附实](?=(?:实验|附属)?[中小幼高]|实小|附小|[师外医队处部厂所站场]|公司|.厂)"
)
_WORK: Final = (
    r"(?:上[着了]?班|工作|实习|任职|就职|打工|做事|当[\u4e00-\u9fa5]|做[\u4e00-\u9fa5]{0,4}[员师工理]|跑[车船业]|打螺丝|"
    r"入职|离职|辞职|干了|干过|待了|呆了|裁员|倒闭|加班|兼职|的(?:同事|老板|领导|工资|offer|员工))"
)
_BY_CUE: Final = re.compile(
    rf"(?:在|从|被|去了?|到)([\u4e00-\u9fa5]{{2,8}}?)(?={_WORK})|(?:入职了?|就职于|任职于|供职于|跳槽到了?|跳到)([\u4e00-\u9fa5]{{2,6}})(?=[，。！？；的、]|{_WORK})"
)
_STOP_WORDS: Final = frozenset(word_list("places.txt", "not in institutions"))
_TOWNS: Final = frozenset(word_list("places.txt", "towns"))
_VISITED: Final = frozenset(word_list("places.txt", "visited"))
_FIRM: Final = frozenset(word_list("places.txt", "firm characters"))
_KNOWN_SCHOOLS: Final = frozenset(word_list("places.txt", "known schools"))
_BEFORE_HE: Final = re.compile(r"[^\W人会家想说做爱哭笑吃喝打]")
_STOP_TAGS: Final = frozenset(
    {"r", "p", "u", "ul", "uj", "uz", "ud", "uv", "ug", "d", "c", "y", "e", "o", "t", "x", "eng", "ad"}
)
_BEFORE_NAME: Final = frozenset(word_list("places.txt", "before institutions"))
_WAYS: Final = frozenset("路街沟湾桥河")
_LOOSE: Final = "职入个家所间座些各旧好坏本该某每别两几前现原后和或"
_NAME_TAGS: Final = ("ns", "nz", "nt", "nr")
_TIERS: Final = ("省", "市", "县", "区", "州", "镇", "乡")
_LONGEST: Final = 18
_HAN: Final = re.compile(r"[\u4e00-\u9fa5]+")
_GRAMMAR: Final = re.compile(
    r".*(?:[咱塞我你他她它们这那的了是在从不要会去就也都还把被让给对想能说看找很刚到过跟和与问考报逼送转进于念读至个]|前公司)(?=[\u4e00-\u9fa5]*$)"
)
_GRAMMAR_LEAD: Final = re.compile(
    r"(?:就读|任教|[咱塞我你他她它这那的了是在从去就也都还把被让给对很到过跟和与考报逼送转进于念读至])+(?=[\u4e00-\u9fa5]{2})"
)
_ENDINGS: Final = frozenset(word_list("places.txt", "employer endings")) | frozenset(
    word_list("places.txt", "school endings")
)
_CUED_BRAND: Final = re.compile(r"(?:在|入职|从|给|前公司)([\u4e00-\u9fa5]{1,3}[^打玩看学做搞\W])$")
_WORKS_AT: Final = re.compile(r"(?:在|于|入职了?|从|辞掉)$")
_END: Final = re.compile(r"的?[，。！？、；）)”\n]|$")
_LOCAL: Final = frozenset(word_list("places.txt", "local endings"))
_WORLD: Final = frozenset(word_list("places.txt", "universities of the world"))
_PLACE_IN: Final = re.compile(r"[\u4e00-\u9fa5]{2}[省市县区镇乡村州旗路街湾桥]|第[一二三四五六七八九十].")
_ORDINAL: Final = re.compile(rf"第[{_NUMERAL}]{{1,2}}(?![{_NUMERAL}家个所间座份次年]).")
_MAIN: Final = re.compile(r"(?:医院|厂|公司|大学|学院|学校|中学|小学|集团|酒店|超市|中心|银行|支行|[店馆所])")
_SURNAME: Final = f"(?:{'|'.join(word_list('places.txt', 'owners'))})"
_OWNER: Final = re.compile(f"[老小阿]{_SURNAME}|[老小阿]?{_SURNAME}(?:[记氏]|[大二]?[哥姐婶嫂])")
_INNER: Final = frozenset(word_list("places.txt", "inner endings"))
_ABOUT: Final = re.compile(
    r"的?[\u4e00-\u9fa5]{0,6}?(?:教授|研究|学者|科学家|心理学家|神经科|实验发现|调查|课程《|公开课)"
)
_LED: Final = re.compile(
    r"(?:在|于|去了?|到|从|进了?|入职了?|读|考[上入进]|给|被|叫做?|[一那]家|就是|辞[掉了]|跳到|跳槽到|转[到去进]|送[到进去]|前公司|单位(?:是|[：:])?|学校|由|跑|离开|报了?|念|投给|退的是|签的是|和|、|跨考|升[入到])$"
)
_FREE: Final = re.compile(r"(?:^|[（(，。！？、：:“”\n\s]|的|是|上|我们?|可|他|她|[哥弟姐妹儿女孩娃爸妈])$")
_YEAR_AFTER: Final = re.compile(
    r"初[一二三]|高[一二三]|大[一二三四]|研[一二三]|博[一二三]|[一二三四五六]年级|[小中大]班|毕业|就读|[念读上][初高大小一二三四五六研]"
)
_JOB_AFTER: Final = re.compile(
    r"上[着了]?[夜早晚白]?班|流水线|产线|车间|窗口|一线|门店|工作|实习|任职|就职|打工|[做当干跑](?!为|成|作)|前台|站[务夜岗]|倒[大小]?班|端|带(?:孩子|娃|学生|[大中小]?班|徒弟|看)|种[地菜田]|铺床|站柜台|扫[大地马]|扫厕|看[仓机店大]|养[猪鸡鱼]|杀[猪鱼鸡]|打针|抄表|检票|帮工|照顾|教(?!育|训|练|堂|会|室|材|程|授|徒|父|主)|开(?:叉|天|铲|吊|货|公交|大|小|网约|出租|班|校|挖|塔)车?|收[费银]|催收|裁|倒闭|欠|辞|离职|入职|加班|出来|的(?:同事|老板|经理|中介|活|宣传|店长|工资|销售|客服|顾问|工作|员工|领导|主管)|卖|骗|跳到|留下|送[货餐外快]|学徒|兼职|洗碗|三年|两年|第[一二三四五六七八九十]+个?[天年月周]|后厨|打杂|帮[工厨忙]|学手艺|下[井矿]|打下手|[值坐]班|[一二三四五六七八九十]个?[年月]"
)
_BESIDE: Final = re.compile(r"(?:楼[上下]|门口|隔壁|对面|附近|路边|街边)(?=[\u4e00-\u9fa5]{3})")
_TITLE: Final = re.compile(
    r"(?:的|做|当|[干做]过)?(?:一个|一名|名|个)?[\u4e00-\u9fa5]{0,4}?(?:工(?![夫具])|[理检化验售票教研]员|职员|员工|店员|司机|骑手|会计|出纳|护士|护工|医生|大夫|经理|主管|总监|保安|保洁|厨师|学徒|店长|老板|同事|领导|助理|文员|客服|柜员|法务|编辑|记者|程序员|师傅|工程师|设计师|分析师|销售|前台|人事|导购|业务员|理货员|检票员|售票员|收银员?|临时工|合同工|派遣|志愿者|义工|社工|志愿|实习生|管培生)"
)
_CHAIN: Final = re.compile(
    r"(?:大?酒店|公司|集团|银行|超市|保险|证券|快递|速递|物流|电器|汽车|科技|餐厅|地产|门店|专卖店|[分支总]行)+"
)
_AT_OR_OF: Final = re.compile(
    r"(?:在|从|被|给|是|于|跑|开|去了?|进了?|到了?|原|前|我们?|他|她|[爸妈哥姐弟妹公]|[，。！？、]|^)$"
)
_JOINED: Final = re.compile(
    r"(?:入职了?|跳槽[去到]了?|跳到了?|就职于|任职于|供职于|离开|考[进上]了?|应聘|被|进了|去了)$(?<!被)"
)
_HIRED: Final = re.compile(r"(?:入职了?|跳槽[去到]|跳到了?|[就任供]职于|应聘|辞[掉了])$")
_STUDIES_AT: Final = re.compile(r"(?:在|从|于|[上念读]|是|考[上到进]了?|去了?|到|保研|进了?|[，。！？、]|^)$")
_STUDENT_AFTER: Final = re.compile(
    r"的?(?:读|念|[上](?!班)|毕业|本科|硕|博|研|大[一二三四]|附[中小]|学(?!费)|任教|教书|做博后|的(?:时候|那|第|学生|研究生|博士|硕士|老师|辅导员))"
)
_MEMBER_AFTER: Final = re.compile(
    r"[，。！？、；）)”\n]|$|的|上班|工作|实习|任职|打工|做|当|读|念|上[学大中小初高一二三四五六]|就读|毕业|里|以?后|之|门口|对面|附近|住院|看病|门诊|急诊|老板|员工|辞|裁|倒闭|欠|通知|退休|初[一二三]|高[一二三]|大[一二三四]|研[一二三]|[一二三四五六]年级|[小中大]班|开|关|说|对|要|干|跑|洗|端|卖|送|收|学|打|待|呆|拆|去年|今年|来|有|走|退|复|培训|招|离|前台|种|是|又|包|食|赔|黄|每|车|扫|值|到|跳|[（(吧让睡年撤窗人不都学打]|返工|会|找|给|被|把|因|一|[二两三四]"
)


class Institution(NamedTuple):
    """A school or an employer that the text names at ``start:end``."""

    kind: str
    start: int
    end: int


@lru_cache(maxsize=8192)
def _only_kinds(part: str) -> bool:
    """Whether a piece is made of kinds alone; kept, because the same few words stand before most endings."""
    return part in _KINDS or _ONLY_KINDS.fullmatch(part) is not None


class InstitutionFinder:
    """The endings, and the rules about what stands before them."""

    def __init__(self) -> None:
        """Build the automaton: 1,400 endings and names, a few milliseconds."""
        words: dict[str, str] = {}
        for section, kind in (
            ("brand endings", _BRAND),
            ("employer endings", EMPLOYER),
            ("school endings", SCHOOL),
            ("known employers", _KNOWN),
            ("known schools", _KNOWN),
        ):
            words |= dict.fromkeys(word_list("places.txt", section), kind)
        self._endings = AhoCorasick(words, implementation=Implementation.ContiguousNFA)
        self._kinds = list(words.values())

    def hints(self, text: str) -> set[int]:
        """Where an ending, the number of a school or a word of work stands: no sentence without one is worth a cut."""
        hints = {start for _, start, _ in self._endings.find_matches_as_indexes(text, overlapping=True)}
        return hints.union(*((match.start() for match in hint.finditer(text)) for hint in (_NUMBER_HINT, _BY_CUE)))

    def find(self, text: str, cut: Words) -> list[Institution]:
        """Every named institution; of two that overlap the longer."""
        found = sorted(self._all(text, cut), key=lambda one: (one.start - one.end, one.kind == EMPLOYER, one.start))
        kept: list[Institution] = []
        for one in found:
            if all(one.end <= other.start or one.start >= other.end for other in kept):
                kept.append(one)
        return sorted(kept, key=lambda one: one.start)

    def _all(self, text: str, cut: Words) -> Iterator[Institution]:
        for number, begin, end in self._endings.find_matches_as_indexes(text, overlapping=True):
            kind, length = self._kinds[number], end - begin
            if kind == _KNOWN:
                if suffix := _CHAIN.match(text, end):
                    end, length = suffix.end(), length + len(suffix[0])
                if _named(text, end - length, end):
                    yield Institution(
                        SCHOOL if text[end - length : end] in _KNOWN_SCHOOLS else EMPLOYER, end - length, end
                    )
                continue
            if kind == SCHOOL and length == 2 and _within_a_word(cut, end - length, end):
                continue
            if _ends_here(text, cut, end, length) and (start := _begin(text, cut, end - length, end, kind)) is not None:
                beside = _BESIDE.match(text, start)
                yield Institution(EMPLOYER if kind == _BRAND else kind, beside.end() if beside else start, end)
        for match in _NUMBERED.finditer(text):
            if len(match[0]) == 2 and _within_a_word(cut, *match.span()):
                continue
            kind = EMPLOYER if match[0][-1] in "司队处部厂所站场" else SCHOOL
            start = _begin(text, cut, match.start(), match.end(), kind)
            if start is None and len(match[0]) == 3 and match[0][-1] == "厂":
                # 二棉厂 is a works of its town that everybody there knows.
                start = match.start()
            if start is not None:
                yield Institution(kind, start, match.end())
        for match in _BY_CUE.finditer(text):
            group = match.lastindex or 1
            if _invented(cut, *match.span(group)):
                yield Institution(EMPLOYER, *match.span(group))


def _named(text: str, start: int, end: int) -> bool:
    """Whether somebody works or studies at the well-known place at ``start:end``: 在华为上班, but not 华为手机."""
    lead_in, name = text[max(0, start - 6) : start], text[start:end]
    if name in _KNOWN_SCHOOLS:
        if len(name) > 3 and name[-2:] in ("大学", "学院"):
            return True
        return _STUDIES_AT.search(lead_in) is not None and _STUDENT_AFTER.match(text, end) is not None
    if name[-1] == "局" and lead_in.endswith("在"):
        return True
    at_work = _JOB_AFTER.match(text, end) is not None or _TITLE.match(text, end) is not None
    return (at_work and _AT_OR_OF.search(lead_in) is not None) or _JOINED.search(lead_in) is not None


def _ends_here(text: str, cut: Words, end: int, length: int) -> bool:
    """Whether a word ends at ``end``: 局 in 结局 and 店 in 店员 are no endings."""
    i = cut.at(end - 1)
    if cut.starts[i + 1] == end:
        return length > 1 or len(cut.words[i]) == 1 or not is_word(cut.words[i]) or cut.words[i] not in _KINDS
    return length > 2 or (not is_word(cut.words[i]) and (length > 1 or cut.starts[i] == end - 1))


def _within_a_word(cut: Words, start: int, end: int) -> bool:
    """Whether a word of the dictionary runs into ``start:end`` and ends in it: 现实 in 实中 of 现实中."""
    first = cut.at(start)
    return first < cut.at(end - 1) and cut.starts[first] < start and is_word(cut.words[first])


def _begin(text: str, cut: Words, before: int, end: int, kind: str) -> int | None:
    """Where the name begins whose ending stands at ``before:end``; nothing if only kinds stand before the ending."""
    pieces = _pieces(cut, before, end)
    edge = before - sum(len(part) for part, _ in pieces)
    core, ending = text[edge:before], text[before:end]
    if kind == _BRAND and not core and (cued := _CUED_BRAND.search(text[max(0, before - 6) : before])):
        return before - len(cued[1]) if _JOB_AFTER.match(text, end) and not _only_kinds(cued[1]) else None
    if (
        not core
        or core in _WORLD
        or text[end : end + 1] in tuple("巷路街弄")
        or _ABOUT.match(text, end)
        or (ending == "中学" and text[end : end + 1] in tuple("到会习"))
    ):
        return None
    if _only_kinds(core):
        numbered = (core in _TIERS and _NUMBERED.fullmatch(ending)) or _ORDINAL.search(core)
        return edge if numbered else None
    if (ending in _INNER or kind == _BRAND) and _MAIN.search(core):
        return None
    lead_in = text[max(0, edge - 4) : edge]
    tags_after = cut.tags[cut.at(end)] if end < len(text) else "x"
    own = [(part, tag) for part, tag in pieces if not _only_kinds(part)]
    strong = _PLACE_IN.search(core) is not None or any(
        tag[:2] in _NAME_TAGS or part in _TOWNS or (not is_word(part) and tag[:2] != "uz") for part, tag in own
    )
    strong = strong or (kind == EMPLOYER and any(_OWNER.fullmatch(part) for part in _heads(pieces)))
    verb = any(tag[0] == "v" and is_word(part) and part not in _TOWNS and part not in _FIRM for part, tag in own)
    if verb and (own[-1][0] in _TOWNS or own[-1][1] == "ns"):
        verb = False
    if strong and not verb and kind != _BRAND and ending not in _VISITED and ending not in _LOCAL:
        return edge
    led, job = _LED.search(lead_in) is not None, _JOB_AFTER.match(text, end) is not None
    busy = tags_after[0] == "v" and text[end] not in "是有没会能" and _WORKS_AT.search(lead_in) is not None
    job = job or busy or _HIRED.search(lead_in) is not None or _TITLE.match(text, end) is not None
    member = _MEMBER_AFTER.match(text, end) is not None
    free = _FREE.search(lead_in) is not None
    if kind == _BRAND:
        invented = any(not is_word(part) for part, _ in own)
        in_town = len(own) > 1 and own[-1][0] in _TOWNS
        named = (led and (job or (strong and member))) or (
            free and ((invented and (job or _END.match(text, end))) or (in_town and (job or member)))
        )
        return edge if named else None
    if len(pieces) == 1 and ending in _LOCAL and (core in _TOWNS or (pieces[0][1] == "ns" and is_word(core))):
        return edge if core[-1] in "县区镇旗" or (job and _WORKS_AT.search(lead_in)) else None
    if ending in _VISITED and not job:
        return None
    if strong and not verb:
        return edge
    of_a_trade = pieces[0] not in own and len(pieces) > 1
    if (ending in _BARE and not of_a_trade) or (verb and (kind == EMPLOYER or len(own[-1][0]) == 1)):
        return edge if job and _WORKS_AT.search(lead_in) else None
    if kind == SCHOOL and len(ending) > 1 and free and not verb and len("".join(part for part, _ in own)) > 1:
        return edge
    return (
        edge
        if _YEAR_AFTER.match(text, end)
        or (led and _WORKS_AT.search(lead_in))
        or ((led or free) and (member or (kind == EMPLOYER and len(core) > 1)))
        else None
    )


def _heads(pieces: list[tuple[str, str]]) -> Iterator[str]:
    """What a name may begin with: its first word, and its first two together (老 and 周 of 老周牛肉面馆)."""
    if pieces:
        yield pieces[-1][0]
        yield "".join(part for part, _ in pieces[:-3:-1])


def _pieces(cut: Words, before: int, end: int) -> list[tuple[str, str]]:
    """The words that may belong to the name, with their tags, from the ending at ``before`` leftwards."""
    pieces: list[tuple[str, str]] = []
    edge, i = before, cut.at(before - 1) if before else -1
    while i >= 0 and end - cut.starts[i] <= _LONGEST:
        word, tag = cut.words[i], cut.tags[i]
        if word == "和" and i and _BEFORE_HE.fullmatch(cut.words[i - 1]) and cut.tags[i - 1][0] in "mnavgz":
            # 万和物业: after a single character it is hardly a conjunction.
            i -= 1
            word, tag = cut.words[i] + word, "nz"
        part = word[: edge - cut.starts[i]]
        town = part in _TOWNS or (len(part) == 1 and part in _FIRM) or _OWNER.fullmatch(part) is not None
        if not _HAN.fullmatch(part) or part in _STOP_WORDS or (pieces and part in _BEFORE_NAME):
            break
        if tag == "m" and part[0] != "第" and (pieces or part not in _NUMERAL):
            break
        if len(part) == 2 and part[1] in "进到去回入出完掉" and tag[:1] == "v":
            break
        if town:
            pass
        elif is_word(part) and part not in _ENDINGS:
            if tag in _STOP_TAGS or (
                tag == "v"
                and pieces
                and not all(_only_kinds(one) for one, _ in pieces)
                and not (i and cut.words[i - 1] in _TOWNS)
                and pieces[-1][0] not in _WAYS
            ):
                break
        elif grammar := (_GRAMMAR_LEAD if tag[:2] in _NAME_TAGS else _GRAMMAR).match(part):
            # The segmenter took words of grammar along: 考进安和, 是从大学.
            if len(part) - grammar.end() > 1:
                pieces.append((part[grammar.end() :], tag))
            break
        if part[0] == "职" and len(part) > 2 and i and cut.words[i - 1] in tuple("入就任供离"):
            pieces.append((part[1:], tag))
            break
        pieces.append((part, tag))
        edge = cut.starts[i]
        i -= 1
    while pieces and (pieces[-1][0] in _BEFORE_NAME or (len(pieces[-1][0]) == 1 and pieces[-1][0] in _LOOSE)):
        pieces.pop()
    return pieces


def _invented(cut: Words, start: int, end: int) -> bool:
    """Whether ``start:end`` is made of whole words of which one at least is in no dictionary and is not a place."""
    first, last = cut.at(start), cut.at(end - 1)
    if cut.starts[first] != start or cut.starts[last + 1] != end:
        return False
    tags = cut.tags[first : last + 1]
    if any(tag in _STOP_TAGS or tag[:2] in ("ns", "nr") for tag in tags):
        return False
    return any(not is_word(word) for word in cut.words[first : last + 1])
