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
    "公司 分公司 工厂 厂 学校 分校 医院 店 门店 分店 酒店 超市 银行 宾馆 饭店 餐厅 食堂 大学 高中 初中 机构 教育机构 培训机构 单位 商场 商店 国际 移动 邮局 火车站 汽车站 海关 地铁 公交 中心 法院 检察院 派出所 公安局 警察局 监狱 "
    "图书馆 博物馆 动物园 游乐园 乐园 景区 大队 中队 支队 总队 车队 协会 学会 俱乐部 工作室 工作坊 培训班 辅导班 实验室 咖啡厅 咖啡馆 酒吧 网吧 书店 药店 诊所 门诊 商会 基金会 商城 山庄 政法 双语 外国语 理工 校区 二外".split()
)
_NUMERAL: Final = "一二三四五六七八九十"
_NUMBERED: Final = re.compile(
    rf"(?:(?:第?[{_NUMERAL}]{{1,3}}|附|实)(?:实验|附属)?[中小幼高](?:学|分校)?|[{_NUMERAL}](?:实验小学|实小|附小|师|外|医|高))(?![{_NUMERAL}个年午国等口点半外心])|"
    r"(?:公司|集团|油田|矿业|渔业|钻井|石油|航务)[一二三四五六七八九十]{1,2}(?:公司|队|处|部|厂)"
)
_AFTER_SHORT: Final = re.compile(r"[念读的上大研本毕博硕，。！？；在计学老数经]|$")
_WORK: Final = (
    r"(?:上[着了]?班|工作|实习|任职|就职|打工|做事|当[\u4e00-\u9fa5]|做[\u4e00-\u9fa5]{0,4}[员师工理]|跑[车船业]|打螺丝|入职|离职|辞职|干了|干过|待了|呆了|裁员|倒闭|加班|兼职|的(?:同事|老板|领导|工资|offer|员工))"
)
_BY_CUE: Final = re.compile(
    rf"(?:在|从|被|去了?|到)([\u4e00-\u9fa5]{{2,8}}?)(?={_WORK})|(?:入职了?|就职于|任职于|供职于|跳槽到了?|跳到)([\u4e00-\u9fa5]{{2,6}})(?=[，。！？；的、]|{_WORK})"
)
_STOP_WORDS: Final = frozenset(
    "在 读 上 去 从 到 考 考进 考上 考到 考入 考取 进 进了 转到 转 转去 转学 转入 来到 来 是 了 的 于 送进 送到 送去 送 毕业 就读 就读于 任教 任教于 就职于 供职于 任职于 小时候 有时候 时候 最近 就职 供职 入职 任职 刚 刚刚 住 住在 叫 因为 以前 之前 所在 "
    "曾 曾经 和 跟 与 或 及 被 把 给 让 为 对 就 都 也 还 又 才 很 最 去年 今年 明年 初三 初二 初一 高一 高二 高三 大一 大二 大三 大四 那年 退休 "
    "老公 老婆 爸爸 妈妈 我爸 我妈 男友 女友 男朋友 女朋友 儿子 女儿 孩子 妹妹 弟弟 姐姐 哥哥 家里 本人 自己 学生 退学 同学 老师 爱人 丈夫 妻子 表哥 表姐 表弟 表妹 室友 闺蜜 我哥 我姐 我弟 我妹 婆婆 公公 舅舅 叔叔 "
    "保研 落榜 分配 实习 应聘 应届 升 升入 升到 选择 喜欢 想 想去 离开 看到 听说 觉得 毕业于 任教于 就职于 进入 加入 报 报考 报名 录取 被录取 教 当 做 开 有 没有 没 不 路过 经过 找 找到 调 调到 调去 调剂 跳 跳到 跳槽 "
    "投 投给 辞 辞掉 辞职 辞了 换 换到 离 回 回到 带 带到 接 接到 逼 逼我 供 供我 念 上了 上过 下 坐 坐在 站 站在 走 走到 跑 跑到 打 打给 打到 骗 骗到 骗去 陪 陪读 请 请到 派 派到 选 选上 开除 嫁 嫁到 搬 搬到 靠 靠近 属于 位于 "
    "说 问 讲 告诉 知道 以为 认为 希望 打算 准备 决定 继续 开始 需要 要 要求 可以 能 会 应该 必须 得 想要 愿意 通过 经过 根据 按照 由于 关于 至于 除了 包括 例如 比如 像 如 向 往 朝 向着 通知 安排 介绍 推荐 建议 帮 帮助 替 陪同 联系 咨询 求助 投诉 举报 起诉 告 申请 签 签约 签的 面试 笔试 跨考 二战 一战 本科 硕士 博士 研究生 大专 中专 高职 "
    "倒闭 关闭 开办 创办 经营 成立 合并 搬迁 装修 建 建成 盖 租 买 卖 付 交 花 收 收到 拿 拿到 得到 获得 提供 支持 面对 遇到 碰到 发生 出现 存在 成为 变成 当作 作为 以及 并且 而且 但是 所以 然后 于是 虽然 即使 如果 因此 每天 每次 经常 一直 已经 正在 将要 马上 立刻 终于 突然 忽然 可能 也许 大概 差不多 几乎 非常 特别 十分 更 更加 比较 相当 太 真 真的 好好 赶紧 赶快 尽快 慢慢 渐渐 分别 一起 共同 互相 亲自 单独 独自 免费 送外卖 护士 医生 会计 主治 值班 急诊 初中部 校医院 退伍 转业 下岗 内退 转岗 复读 休学 辍学 借读 陪 家 单位 出 哪家 这家 那家 一家 一所 这所 那所 某家 某所".split()
)
_STOP_TAGS: Final = frozenset({"r", "p", "u", "ul", "uj", "uz", "ud", "uv", "ug", "d", "c", "y", "e", "o", "t", "x", "eng", "ad"})
_BEFORE_NAME: Final = frozenset("公司 单位 学校 医院 工厂 整个 谢谢 现在 目前 后来 当时 原来 以前 之前 前 现 原 曾 今年 老板 东家 上家 高中 初中 小学 本科 硕士 回来 出来 母校 高校 附近 门口 隔壁 家门口 当地 本地 老家".split())
_LOOSE: Final = "职入个家所间座些各旧好坏本该某每别两几前现原后和或"
_NAME_TAGS: Final = ("ns", "nz", "nt", "nr")
_TIERS: Final = ("省", "市", "县", "区", "州", "镇", "乡")
_LONGEST: Final = 18
_HAN: Final = re.compile(r"[\u4e00-\u9fa5]+")
_GRAMMAR: Final = re.compile(
    r".*(?:[咱塞我你他她它们这那的了是在从不要会去就也都还把被让给对想能说看找很刚到过跟和与问考报逼送转进于念读至个]|前公司)(?=[\u4e00-\u9fa5]*$)"
)
_GRAMMAR_LEAD: Final = re.compile(r"(?:就读|任教|[咱塞我你他她它这那的了是在从去就也都还把被让给对很到过跟和与考报逼送转进于念读至])+(?=[\u4e00-\u9fa5]{2})")
_ENDINGS: Final = frozenset(word_list("places.txt", "employer endings")) | frozenset(word_list("places.txt", "school endings"))
_CUED_BRAND: Final = re.compile(r"(?:在|入职|从|给|前公司)([\u4e00-\u9fa5]{2,4})$")
_WORKS_AT: Final = re.compile(r"(?:在|于|入职了?|从|辞掉)$")
_END: Final = re.compile(r"的?[，。！？、；）)”\n]|$")
_LOCAL: Final = frozenset("公司 分公司 工厂 厂 学校 分校 医院 店 分店 酒店 超市 银行 宾馆 饭店 机构 商场 邮局 火车站 汽车站 海关 餐厅 食堂 咖啡厅 医院 法院 国际 移动 地铁 公交 高中 初中 幼儿园".split())
_WORLD: Final = frozenset("哈佛 斯坦福 牛津 剑桥 耶鲁 麻省理工 麻省 伦敦 东京 纽约 哥伦比亚 多伦多 香港 加州 芝加哥 宾夕法尼亚 康奈尔 普林斯顿 早稻田 首尔 墨尔本 悉尼 美国斯坦福 美国哈佛 英国剑桥 英国牛津".split())
_PLACE_IN: Final = re.compile(r"[\u4e00-\u9fa5]{2}[省市县区镇乡村州旗路街湾桥]|第[一二三四五六七八九十].")
_MAIN: Final = re.compile(r"(?:医院|厂|公司|大学|学院|学校|中学|小学|集团|酒店)")
_INNER: Final = frozenset("车间 药房 食堂 图书馆 实验室 门诊 门诊部 医务室 体育馆 健身房 超市 团委 工会 学会 大队 营业部 店 分店 保安 中心 研究所 附中 附小".split()) - {"店", "分店", "营业部"}
_ABOUT: Final = re.compile(r"的?[\u4e00-\u9fa5]{0,6}?(?:教授|研究|学者|科学家|心理学家|神经科|实验发现|调查|课程《|公开课)")
_LED: Final = re.compile(r"(?:在|于|去了?|到|从|进|入职了?|读|考[上入进]|给|被|辞掉|跳到|跳槽到|路过|转[到去进]|送[到进去]|前公司|单位|学校|由|离开|报了?|念|投给|退的是|签的是|和|、|跨考|升[入到])$")
_FREE: Final = re.compile(r"(?:^|[（(，。！？、：:“”\n\s]|的|是|上|我们?|可|他|她|[哥弟姐妹儿女孩娃爸妈])$")
_YEAR_AFTER: Final = re.compile(r"初[一二三]|高[一二三]|大[一二三四]|研[一二三]|博[一二三]|[一二三四五六]年级|[小中大]班|毕业|就读|[念读上][初高大小一二三四五六研]")
_JOB_AFTER: Final = re.compile(
    r"上[着了]?[夜早晚白]?班|工作|实习|任职|就职|打工|[做当干跑](?!为|成|作)|前台|站[务夜岗]|倒[大小]?班|端|收[费银]|催收|裁|倒闭|欠|辞|离职|入职|加班|出来|的(?:同事|老板|经理|中介|活|宣传|店长|工资|销售|客服|顾问|员工|领导|主管)|卖|骗|跳到|留下|送[货餐外快]|学徒|兼职|洗碗|三年|两年|后厨|打杂|帮[工厨忙]|学手艺|下[井矿]|打下手|[值坐]班|[一二三四五六七八九十]个?[年月]"
)
_MEMBER_AFTER: Final = re.compile(
    r"[，。！？、；）)”\n]|$|的|上班|工作|实习|任职|打工|做|当|读|念|上[学大中小初高一二三四五六]|就读|毕业|里|门口|对面|附近|住院|看病|门诊|急诊|老板|员工|辞|裁|倒闭|欠|通知|退休|初[一二三]|高[一二三]|大[一二三四]|研[一二三]|[一二三四五六]年级|[小中大]班|开|说|对|要|干|跑|洗|端|卖|送|收|学|打|待|呆|拆|去年|今年|来|有|走|退|复|培训|招|离|前台|种|是|又|包|食|车|扫|值|到|跳"
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
    return length > 2 or not is_word(cut.words[i]) and (length > 1 or cut.starts[i] == end - 1)


def _begin(text: str, cut: Words, before: int, end: int, kind: str) -> int | None:
    """Where the name begins whose ending stands at ``before:end``; nothing if only kinds stand before the ending."""
    pieces = _pieces(cut, before, end)
    edge = before - sum(len(part) for part, _ in pieces)
    core, ending = text[edge:before], text[before:end]
    if kind == _BRAND and not core and (cued := _CUED_BRAND.search(text[max(0, before - 6) : before])):
        return before - len(cued[1]) if _JOB_AFTER.match(text, end) and not _ONLY_KINDS.fullmatch(cued[1]) else None
    if not core or core in _WORLD or _ABOUT.match(text, end) or ending == "中学" and text[end : end + 1] in tuple("到会习"):
        return None
    if _ONLY_KINDS.fullmatch(core):
        return edge if core in _TIERS and _NUMBERED.fullmatch(ending) else None
    if ending in _INNER and _MAIN.search(core):
        return None
    lead_in = text[max(0, edge - 4) : edge]
    own = [(part, tag) for part, tag in pieces if not _ONLY_KINDS.fullmatch(part)]
    strong = any(tag[:2] in _NAME_TAGS or not is_word(part) for part, tag in own) or _PLACE_IN.search(core) is not None
    verb = any(tag[0] == "v" and is_word(part) for part, tag in own)
    led, job = _LED.search(lead_in) is not None, _JOB_AFTER.match(text, end) is not None
    member = _MEMBER_AFTER.match(text, end) is not None
    free = _FREE.search(lead_in) is not None
    if kind == _BRAND:
        invented = any(not is_word(part) for part, _ in own)
        return edge if led and (job or strong and member) or free and invented and (job or _END.match(text, end)) else None
    if len(pieces) == 1 and ending in _LOCAL and pieces[0][1] == "ns" and is_word(core):
        return None
    if strong and not verb:
        return edge
    if ending in _BARE or verb:
        return edge if job and _WORKS_AT.search(lead_in) else None
    return edge if _YEAR_AFTER.match(text, end) or (led and _WORKS_AT.search(lead_in) or (led or free) and member) else None


def _pieces(cut: Words, before: int, end: int) -> list[tuple[str, str]]:
    """The words that may belong to the name, with their tags, from the ending at ``before`` leftwards."""
    pieces: list[tuple[str, str]] = []
    edge, i = before, cut.at(before - 1) if before else -1
    while i >= 0 and end - cut.starts[i] <= _LONGEST:
        word, tag = cut.words[i], cut.tags[i]
        part = word[: edge - cut.starts[i]]
        if not _HAN.fullmatch(part) or part in _STOP_WORDS or pieces and part in _BEFORE_NAME:
            break
        if tag == "m" and part[0] != "第":
            break
        if len(part) == 2 and part[1] in "进到去回入出完掉" and tag[:1] == "v":
            break
        if is_word(part) and part not in _ENDINGS:
            if tag in _STOP_TAGS or tag == "v" and pieces and not all(_ONLY_KINDS.fullmatch(one) for one, _ in pieces):
                break
        elif grammar := (_GRAMMAR_LEAD if tag[:2] in _NAME_TAGS else _GRAMMAR).match(part):
            # The segmenter took words of grammar along: 考进安和, 是从大学.
            if len(part) - grammar.end() > 1:
                pieces.append((part[grammar.end() :], tag))
            break
        pieces.append((part, tag))
        edge = cut.starts[i]
        i -= 1
    while pieces and (pieces[-1][0] in _BEFORE_NAME or len(pieces[-1][0]) == 1 and pieces[-1][0] in _LOOSE):
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
