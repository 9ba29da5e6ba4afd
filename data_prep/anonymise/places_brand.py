"""Employers that go by a brand (星屿传媒, 祥记烧腊, 麦塔云图): points for the name and for what stands beside it.

``places_institution`` finds those whose ending says outright that an institution is named. Here the ending is a word of
a trade, which may stand behind anything (做传媒的, 两家健身), or there is none; so work has to be spoken of: somebody
works there, has left, is its manager, or it dismisses people.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from ahocorasick_rs import AhoCorasick, Implementation

from data_prep.anonymise.segments import is_word, open_to, segmented, word_list

_TRADES: Final = frozenset(
    word
    for section in ("brand endings", "trades", "employer endings")
    for word in word_list("places.txt", section)
    if len(word) > 1
)
_KINDS: Final = frozenset(word_list("places.txt", "kinds")) | _TRADES
_STOP_WORDS: Final = frozenset(word_list("places.txt", "not in institutions")) | frozenset(
    word_list("places.txt", "before institutions")
)
_EVERYDAY: Final = frozenset(word_list("places.txt", "everyday trades"))
_COMMONPLACE: Final = frozenset(word_list("places.txt", "commonplace trades"))
_SHORTEST: Final = 2
# Points that make an employer.
_SURE: Final = 4.0
# Points that the name itself has at most.
_MOST: Final = 2.5

_JOB: Final = (
    r"上[着了]?[夜早晚白]?班|工作|实习|任职|就职|打工|打过?工|做事|兼职|当[\u4e00-\u9fa5]|做(?!为|成|作|的|梦|爱|错|不|好|到|过)[\u4e00-\u9fa5A-Z]|"
    r"跑[车船业腿长单]|干[了过活]|待[了过]|呆[了过]|值班|站[柜前]|端盘|洗[碗头]|扫|修[图车]|写代码|学[厨徒手]|带课|打螺丝|踩缝纫|卖[房车]|送[货餐外]|"
    r"烧窑|下井|看[场店大山]|坐[柜堂诊]|守了|摇奶茶|切|种了一?|扛|收[银快]|挖了|剪了|教[\u4e00-\u9fa5]{1,2}[，。的]|帮厨|跟妆"
)
_ROLE: Final = (
    r"的?(?:一个|一位|一名)?(?:HR|hr|人事|老板娘?|店[长员]|经理|主管|领导|员工|同事|实习生?|合伙人|工程师|设计师|程序员|厨师|化妆师|私教|教练|会计|司机|"
    r"老师|导购|销售|客服|助理|前台|护士|医生|保安|保洁|技师|师傅|学徒|兄弟|工资|offer|Offer|薪资|工服|工牌|离职|录用|入职|宿舍|流水线|仓库|车间|项目|工地|班组|工作|负责人|业务员|中介|顾问|财务|出纳|文员|编辑|记者|主播)"
)
_EVENT: Final = (
    r"(?:[^，。！？；]{0,5}?)(?:裁员|裁了|裁掉|倒闭|拖欠|欠薪|欠了?我|押了|降薪|扣[我了工]|开除|辞退|解散|破产|跑路|注销|要被收购|冻结招聘|停产|搬迁|开业|"
    r"就?把我|就?不要我|让我[走签加写]|逼我|通知我|给我(?:发|打)|给我妈|打(?:来)?电话|签了|签的)"
)
_LEAVING: Final = r"出来|辞职|离职|辞了|跳槽|跳到|被裁|退下来|回来|面试"
_RIGHT_STRONG: Final = re.compile(f"(?:{_JOB}|{_ROLE}|{_EVENT}|{_LEAVING})")
_RIGHT_WEAK: Final = re.compile(
    r"[，。！？；、）)]|$|以?后|那[天会段]|里|这|的(?!话|时候)|门口|快[一两三]|[一二两三四五六七八九十]+[年个]|的时候"
)
_STRONG: Final = re.compile(
    r"(?:在(?!于|乎|意|线|场|下)|(?<!自)从(?!事|而|此|前|小|来|不)|进了|[去到]了|(?<=不)去|离开了?|面试|应聘|塞进|分到|加入|做到|押在|开了个?|自己开的|合伙[做开]的)"
)
_SUREST: Final = re.compile(
    r"(?:入职了?|离职|辞了|辞掉|跳槽[到去]了?|跳到了?|签了|签约|就职于|任职于|挂靠在?|[单公][位司](?:是|叫|[：:])|offer是)"
)
_WEAK: Final = re.compile(
    r"(?:^|[，：:、“（(\s]|[去今前当]年|[上这下]个?[月周]|后来|现在|当时|以前|原来|楼下|门口|隔壁|对面|附近|村里|镇上|[爸妈爷奶哥姐弟妹]|老公|老婆|爱人|是|就是|叫|被|跟|和|有|接|听说|去|由|把|的|上|到|[昨今][天晚]|上周|[一个那这][个位家名]|(?<=[拿收开进])了)"
)
_HINT: Final = re.compile(
    r"[上工实兼入离辞跳裁倒签打做当跑干面的](?:(?<=上)班|(?<=工)作|(?<=实)习|(?<=兼)职|(?<=入)职|(?<=离)[职开]|(?<=辞)[职了掉]|(?<=跳)[槽到]|(?<=裁)员|(?<=倒)闭|(?<=签)了|(?<=打)工|(?<=面)试|(?<=的)(?:HR|老板|店|经理|员工|offer|同事))"
)
_PIECE: Final = re.compile(r"[\u4e00-\u9fa5A-Za-z0-9]{2,20}")
# What no name of a firm has before its trade.
_NO_CORE: Final = re.compile(
    "|".join(
        (
            # Words of grammar and everyday verbs that no name holds.
            "[咱塞我你他她它们这那的了是在不要会就也都还把被让给对想能说看找很刚到过跟与或问考报逼送转进念读至个换学做为年月岁天某]",
            "[从受触放听拍充吃喝玩戴隔躲穿买卖用像损毁]",
            # These a name may hold before a direction only: 归北, 带南.
            "[去离归等趟欠跑绑带](?![东西南北])",
            # 交流和互动, but not 和韵琴行.
            "^.{2,}和|和$",
            "^[一二三两几多][个家名位种年次点些条天月人方]|^[0-9]|^大?多数",
            "^[家个所而但并又如以按才无将再已即若因且之此仅上去来下回其有每各本该]",
            "^(?:QQ|IT|HR|AI|4S|3C)$",
        )
    )
)
# Parts of speech, by their first letters, that a dictionary's word in a name seldom has.
_NO_NAME: Final = "vdrcpufty"
# Names end in these (佰味轩) even where no trade stands.
_HOUSE: Final = frozenset("记轩坊阁汇屋堂斋居荟")
# Without a trade these end a kind (饮品店) or a place (小镇上).
_NO_BRAND_END: Final = "店厂院馆所站社团队室部司行局处校园前中上下里后时内外间边面"
_SUFFIX: Final = re.compile("(?:股份)?(?:有限)?(?:责任)?公司|集团|服务部|工作室|中心|店|厂")
_NONE: Final = -9.0


class BrandFinder:
    """The trades as an automaton, and the points."""

    def __init__(self) -> None:
        """Build the automaton."""
        self._trades = AhoCorasick(sorted(_TRADES), implementation=Implementation.ContiguousNFA)
        self._telling = AhoCorasick(sorted(_TRADES - _COMMONPLACE), implementation=Implementation.ContiguousNFA)

    def hints(self, text: str) -> set[int]:
        """Where a telling trade or a word of work stands."""
        trades = {start for _, start, _ in self._telling.find_matches_as_indexes(text)}
        trades.update(match.start() for match in _HINT.finditer(text))
        return trades

    def find(self, text: str) -> list[tuple[int, int]]:
        """Every employer by its brand, none of them overlapping: the surest first, then the longest."""
        taken: list[tuple[int, int]] = []
        for _, length, start in sorted(self._candidates(text), reverse=True):
            if open_to(taken, start, start + length):
                taken.append((start, start + length))
        return sorted(taken)

    def _candidates(self, text: str) -> Iterator[tuple[float, int, int]]:
        """Points, length and start of what may be a brand, between what may stand before and after it."""
        trades = list(self._trades_in(text))
        # Without a trade or such an ending a weak cue is never enough.
        weak = trades or not _HOUSE.isdisjoint(text)
        lefts = {
            match.end(): points
            for cue, points in (((_WEAK, 0.5),) if weak else ()) + ((_STRONG, 1.0), (_SUREST, 2.0))
            for match in cue.finditer(text)
        }
        rights: dict[int, float] = {}
        for start, left in lefts.items():
            piece = _PIECE.match(text, start)
            if piece is None:
                continue
            for end, trade in [*_nameless_ends(piece, left), *trades]:
                if not start + _SHORTEST <= (trade or end) <= end <= piece.end():
                    continue
                if end not in rights:
                    rights[end] = _right_points(text, end)
                points = left + rights[end]
                if trade:
                    points += 1.0 if text[trade:end] in _EVERYDAY else 2.5
                crossed = is_word(text[end - 1 : end + 1]) and not (trade and rights[end] > 1)
                if points + _MOST < _SURE or crossed:
                    continue
                points += _core_points(text[start : trade or end], trade is not None)
                if points >= _SURE:
                    yield points, end - start, start

    def _trades_in(self, text: str) -> Iterator[tuple[int, int]]:
        """Where a trade ends and begins, and where it ends with what may follow it (餐饮公司); no part of a word."""
        for _, first, last in self._trades.find_matches_as_indexes(text, overlapping=True):
            if first and not is_word(text[first - 1 : first + 1]):
                yield last, first
                if suffix := _SUFFIX.match(text, last):
                    yield suffix.end(), first


def _nameless_ends(piece: re.Match[str], left: float) -> Iterator[tuple[int, None]]:
    """Where a name without a trade may end: anywhere after a strong cue, else in a character that ends names."""
    start, end = piece.span()
    for last in range(start + _SHORTEST, end + 1):
        if left >= 1 or piece.string[last - 1] in _HOUSE:
            yield last, None


def _right_points(text: str, end: int) -> float:
    """Points for what stands after the name."""
    if _RIGHT_STRONG.match(text, end):
        return 1.5
    return 0.5 if _RIGHT_WEAK.match(text, end) else 0.0


@lru_cache(maxsize=1024)
def _core_points(core: str, trade: bool) -> float:
    """Points for what makes the name a name: the most for what no dictionary has."""
    if _NO_CORE.search(core) or core in _STOP_WORDS or (not trade and core[-1] in _NO_BRAND_END):
        return _NONE
    cut = segmented(core)
    if all(word in _KINDS for word in cut.words):
        return _NONE
    proper = any(tag[:2] in ("nr", "ns", "nz", "nt") for tag in cut.tags)
    known = [(word, tag) for word, tag in zip(cut.words, cut.tags, strict=True) if len(word) > 1 and is_word(word)]
    if any(word in _STOP_WORDS for word, _ in known):
        return _NONE
    if any(tag[0] in _NO_NAME for _, tag in known):
        return 0.0 if trade and len(core) < 4 else _NONE
    if sum(len(word) for word, _ in known) == len(core):
        return (1.0 if proper else 0.5) if trade else _NONE
    return 1.5 if trade or core[-1] not in _HOUSE else 2.5
