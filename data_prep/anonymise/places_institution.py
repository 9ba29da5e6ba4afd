"""Named schools and employers: from an ending leftwards to where the name begins, and by cues where no ending stands.

An institution counts when something beyond its kind names it: 临江市第三中学, but not 重点中学; 恒越电子厂, but not 电子厂.
No model; addresses are in ``places_address``.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import ahocorasick

from data_prep.anonymise.segments import Words, is_word
from data_prep.anonymise.word_lists import word_list

SCHOOL, EMPLOYER = "学校", "单位"
_BRAND: Final = "brand"
_KINDS: Final = frozenset(word_list("places.txt", "kinds"))
_ONLY_KINDS: Final = re.compile(f"(?:{'|'.join(sorted(_KINDS, key=len, reverse=True))})*")
_BARE: Final = frozenset(
    [
        "公司",
        "工厂",
        "厂",
        "学校",
        "医院",
        "店",
        "酒店",
        "超市",
        "银行",
        "宾馆",
        "饭店",
        "大学",
        "高中",
        "初中",
        "小学",
        "中学",
        "机构",
        "单位",
        "商场",
        "国际",
        "移动",
        "邮局",
        "火车站",
        "汽车站",
        "机场",
        "海关",
        "地铁",
        "公交",
        "中心",
    ]
)
_NUMERAL: Final = "一二三四五六七八九十"
_NUMBERED: Final = re.compile(
    rf"(?:(?:第?[{_NUMERAL}]{{1,3}}|附|实)(?:实验|附属)?[中小幼高](?:学|分校)?|[{_NUMERAL}](?:实验小学|实小|附小|师|外|医|高))(?![{_NUMERAL}个年午国等口点半外心])|"
    r"(?:公司|集团|油田|矿业|渔业|钻井|石油|航务)[一二三四五六七八九十]{1,2}(?:公司|队|处|部|厂)"
)
_AFTER_SHORT: Final = re.compile(r"[念读的上大研本毕博硕，。！？；在计学老数经]|$")
_WORK: Final = r"(?:上[着了]?班|工作|实习|任职|就职|打工|做事|当[\u4e00-\u9fa5]|做[\u4e00-\u9fa5]{0,4}[员师工理]|跑[车船业]|打螺丝|入职|离职|辞职|干了|干过|待了|呆了|裁员|倒闭|加班|兼职|的(?:同事|老板|领导|工资|offer|员工))"
_BY_CUE: Final = re.compile(
    rf"(?:在|从|被|去了?|到)([\u4e00-\u9fa5]{{2,8}}?)(?={_WORK})|(?:入职了?|就职于|任职于|供职于|跳槽到了?|跳到)([\u4e00-\u9fa5]{{2,6}})(?=[，。！？；的、]|{_WORK})"
)
_STOP_WORDS: Final = frozenset(
    [
        "在",
        "读",
        "上",
        "去",
        "从",
        "到",
        "考",
        "考进",
        "考上",
        "考到",
        "考入",
        "考取",
        "进",
        "进了",
        "转到",
        "转",
        "转去",
        "转学",
        "转入",
        "来到",
        "来",
        "是",
        "了",
        "的",
        "于",
        "送进",
        "送到",
        "送去",
        "送",
        "毕业",
        "就读",
        "任教",
        "就职",
        "供职",
        "入职",
        "任职",
        "刚",
        "刚刚",
        "住",
        "住在",
        "叫",
        "因为",
        "以前",
        "之前",
        "所在",
        "曾",
        "曾经",
        "和",
        "跟",
        "与",
        "或",
        "及",
        "被",
        "把",
        "给",
        "让",
        "为",
        "对",
        "就",
        "都",
        "也",
        "还",
        "又",
        "才",
        "很",
        "最",
        "去年",
        "今年",
        "明年",
        "初三",
        "初二",
        "初一",
        "高一",
        "高二",
        "高三",
        "大一",
        "大二",
        "大三",
        "大四",
        "那年",
        "退休",
        "老公",
        "老婆",
        "爸爸",
        "妈妈",
        "我爸",
        "我妈",
        "男友",
        "女友",
        "男朋友",
        "女朋友",
        "儿子",
        "女儿",
        "孩子",
        "妹妹",
        "弟弟",
        "姐姐",
        "哥哥",
        "家里",
        "本人",
        "自己",
        "学生",
        "退学",
        "同学",
        "老师",
        "爱人",
        "丈夫",
        "妻子",
        "表哥",
        "表姐",
        "表弟",
        "表妹",
        "室友",
        "闺蜜",
        "我哥",
        "我姐",
        "我弟",
        "我妹",
        "婆婆",
        "公公",
        "舅舅",
        "叔叔",
        "保研",
        "落榜",
        "分配",
        "实习",
        "应聘",
        "应届",
        "升",
        "升入",
        "升到",
        "选择",
        "喜欢",
        "想",
        "想去",
        "离开",
        "看到",
        "听说",
        "觉得",
        "毕业于",
        "任教于",
        "就职于",
        "进入",
        "加入",
        "报",
        "报考",
        "报名",
        "录取",
        "被录取",
        "教",
        "当",
        "做",
        "开",
        "有",
        "没有",
        "没",
        "不",
        "路过",
        "经过",
        "找",
        "找到",
        "调",
        "调到",
        "调去",
        "调剂",
        "跳",
        "跳到",
        "跳槽",
        "投",
        "投给",
        "辞",
        "辞掉",
        "辞职",
        "辞了",
        "换",
        "换到",
        "离",
        "回",
        "回到",
        "带",
        "带到",
        "接",
        "接到",
        "逼",
        "逼我",
        "供",
        "供我",
        "念",
        "上了",
        "上过",
        "下",
        "坐",
        "坐在",
        "站",
        "站在",
        "走",
        "走到",
        "跑",
        "跑到",
        "打",
        "打给",
        "打到",
        "骗",
        "骗到",
        "骗去",
        "陪",
        "陪读",
        "请",
        "请到",
        "派",
        "派到",
        "选",
        "选上",
        "开除",
        "嫁",
        "嫁到",
        "搬",
        "搬到",
        "靠",
        "靠近",
        "属于",
        "位于",
        "说",
        "问",
        "讲",
        "告诉",
        "知道",
        "以为",
        "认为",
        "希望",
        "打算",
        "准备",
        "决定",
        "继续",
        "开始",
        "需要",
        "要",
        "要求",
        "可以",
        "能",
        "会",
        "应该",
        "必须",
        "得",
        "想要",
        "愿意",
        "通过",
        "经过",
        "根据",
        "按照",
        "由于",
        "关于",
        "至于",
        "除了",
        "包括",
        "例如",
        "比如",
        "像",
        "如",
        "向",
        "往",
        "朝",
        "向着",
        "通知",
        "安排",
        "介绍",
        "推荐",
        "建议",
        "帮",
        "帮助",
        "替",
        "陪同",
        "联系",
        "咨询",
        "求助",
        "投诉",
        "举报",
        "起诉",
        "告",
        "申请",
        "签",
        "签约",
        "签的",
        "面试",
        "笔试",
        "跨考",
        "二战",
        "一战",
        "本科",
        "硕士",
        "博士",
        "研究生",
        "大专",
        "中专",
        "高职",
        "倒闭",
        "关闭",
        "开办",
        "创办",
        "经营",
        "成立",
        "合并",
        "搬迁",
        "装修",
        "建",
        "建成",
        "盖",
        "租",
        "买",
        "卖",
        "付",
        "交",
        "花",
        "收",
        "收到",
        "拿",
        "拿到",
        "得到",
        "获得",
        "提供",
        "支持",
        "面对",
        "遇到",
        "碰到",
        "发生",
        "出现",
        "存在",
        "成为",
        "变成",
        "当作",
        "作为",
        "以及",
        "并且",
        "而且",
        "但是",
        "所以",
        "然后",
        "于是",
        "虽然",
        "即使",
        "如果",
        "因此",
        "每天",
        "每次",
        "经常",
        "一直",
        "已经",
        "正在",
        "将要",
        "马上",
        "立刻",
        "终于",
        "突然",
        "忽然",
        "可能",
        "也许",
        "大概",
        "差不多",
        "几乎",
        "非常",
        "特别",
        "十分",
        "更",
        "更加",
        "比较",
        "相当",
        "太",
        "真",
        "真的",
        "好好",
        "赶紧",
        "赶快",
        "尽快",
        "慢慢",
        "渐渐",
        "分别",
        "一起",
        "共同",
        "互相",
        "亲自",
        "单独",
        "独自",
        "免费",
        "送外卖",
        "护士",
        "医生",
        "会计",
        "主治",
        "值班",
        "急诊",
        "初中部",
        "校医院",
        "退伍",
        "转业",
        "下岗",
        "内退",
        "转岗",
        "复读",
        "休学",
        "辍学",
        "借读",
        "陪",
        "家",
        "单位",
        "出",
        "哪家",
        "这家",
        "那家",
        "一家",
        "一所",
        "这所",
        "那所",
        "某家",
        "某所",
    ]
)
_STOP_TAGS: Final = frozenset(
    {"r", "p", "u", "ul", "uj", "uz", "ud", "uv", "ug", "d", "c", "y", "e", "o", "t", "x", "eng", "ad", "zg"}
)
_LEAD: Final = re.compile(
    r"(?:刚?入职|前公司|毕业于|就读于|考[进上到]|转[到去进]|送[到去进]|在|读|上|去|从|到|进|是|的|了|被|和|给|离|念|住在?|让|把|跟|与|我|他|她)(?=[\u4e00-\u9fa5]{2})"
)
_CUE_BEFORE: Final = re.compile(
    r"(?:在|于|去|到|从|进|入职|读|上|是|念|考上|考入|给|被|辞掉|离开|[（(，。！？、：“\n]|^|于是|的|路过|投给|和|签的是|单位|学校|公司)$"
)
_MEMBER_AFTER: Final = re.compile(
    r"[，。！？、；）)”\n]|$|的|上班|工作|实习|任职|打工|做|当|读|念|上[学大中小初高]|就读|毕业|里|门口|对面|附近|住院|看病|门诊|急诊|老板|员工|辞|裁|倒闭|欠|通知|退休|初[一二三]|高[一二三]|大[一二三四]|研[一二三]|[一二三四五六]年级|[小中大]班|开|说|对|要|干|跑|洗|端|卖|送|收|学|打|待|呆"
)


class Institution(NamedTuple):
    """A school or an employer that the text names at ``start:end``."""

    kind: str
    start: int
    end: int


def _automaton() -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for section, kind in (("brand endings", _BRAND), ("employer endings", EMPLOYER), ("school endings", SCHOOL)):
        for ending in word_list("places.txt", section):
            automaton.add_word(ending, (kind, len(ending)))
    automaton.make_automaton()
    return automaton


class InstitutionFinder:
    """The endings as an Aho-Corasick automaton, and the rules about what stands before them."""

    def __init__(self) -> None:
        """Build the automaton: 900 endings, a few milliseconds."""
        self._endings = _automaton()

    def may_match(self, text: str) -> bool:
        """Whether an ending, a number of a school or a word of work stands somewhere."""
        hit = next(self._endings.iter(text), None) is not None
        return hit or _NUMBERED.search(text) is not None or _BY_CUE.search(text) is not None

    def find(self, text: str, cut: Words) -> list[Institution]:
        """Every named institution; of two that overlap the longer."""
        found = sorted(self._all(text, cut), key=lambda one: (one.start - one.end, one.kind == EMPLOYER, one.start))
        kept: list[Institution] = []
        for one in found:
            if all(one.end <= other.start or one.start >= other.end for other in kept):
                kept.append(one)
        return sorted(kept, key=lambda one: one.start)

    def _all(self, text: str, cut: Words) -> Iterator[Institution]:
        for last, (kind, length) in self._endings.iter(text):
            end = last + 1
            if _ends_here(text, cut, end, length) and (start := _begin(text, cut, end - length, end, kind)) is not None:
                yield Institution(EMPLOYER if kind == _BRAND else kind, start, end)
        for match in _NUMBERED.finditer(text):
            kind = EMPLOYER if match[0][-1] in "司队处部厂" else SCHOOL
            if (start := _begin(text, cut, match.start(), match.end(), kind)) is not None:
                yield Institution(kind, start, match.end())
        for match in _BY_CUE.finditer(text):
            group = match.lastindex or 1
            if _invented(cut, *match.span(group)):
                yield Institution(EMPLOYER, *match.span(group))


def _ends_here(text: str, cut: Words, end: int, length: int) -> bool:
    """Whether a word ends at ``end``: 局 in 结局 and 店 in 店员 are no endings."""
    i = cut.at(end - 1)
    if cut.starts[i + 1] == end:
        return length > 1 or len(cut.words[i]) == 1 or not is_word(cut.words[i]) or cut.words[i] not in _KINDS
    return not is_word(cut.words[i]) and length > 1


def _begin(text: str, cut: Words, before: int, end: int, kind: str) -> int | None:
    """Where the name begins whose ending stands at ``before:end``; nothing if only kinds stand before the ending."""
    edge, strong, i = before, False, cut.at(before) if before < len(text) else len(cut.words) - 1
    pieces: list[tuple[str, str]] = []
    while i >= 0 and end - cut.starts[i] <= 16:
        start = cut.starts[i]
        part = cut.words[i][: max(0, edge - start)]
        i -= 1
        if not part:
            continue
        tag, known = cut.tags[i + 1], is_word(cut.words[i + 1])
        if not re.fullmatch(r"[\u4e00-\u9fa5]+", part) or part in _STOP_WORDS:
            break
        if tag in _STOP_TAGS and known and part not in _KINDS:
            break
        lead = _LEAD.match(part) if not known or len(part) < len(cut.words[i + 1]) else None
        if lead:
            edge = start + lead.end()
            pieces.append((part[lead.end() :], tag))
            break
        edge = start
        pieces.append((part, tag))
    core = text[edge:before]
    if not core or _ONLY_KINDS.fullmatch(core):
        return None
    strong = any(
        part not in _KINDS
        and (tag[:2] in ("ns", "nz", "nt", "nr") or not is_word(part))
        and not _ONLY_KINDS.fullmatch(part)
        for part, tag in pieces
    )
    if kind == _BRAND:
        nearest = pieces[0][0] if pieces else ""
        strong = strong and nearest not in _STOP_WORDS and _CUE_BEFORE.search(text[max(0, edge - 4) : edge]) is not None
        return edge if strong and _MEMBER_AFTER.match(text, end) else None
    if text[before:end] in _BARE and is_word(core) and pieces[0][1] == "ns":
        return None
    if not strong and not (_CUE_BEFORE.search(text[max(0, edge - 4) : edge]) and _MEMBER_AFTER.match(text, end)):
        return None
    return edge


def _invented(cut: Words, start: int, end: int) -> bool:
    """Whether ``start:end`` is made of whole words of which one at least is in no dictionary and is not a place."""
    first, last = cut.at(start), cut.at(end - 1)
    if cut.starts[first] != start or cut.starts[last + 1] != end:
        return False
    tags = cut.tags[first : last + 1]
    if any(tag in _STOP_TAGS or tag[:2] in ("ns", "nr") for tag in tags):
        return False
    return any(not is_word(word) for word in cut.words[first : last + 1])
