"""Puts made-up values into real texts where these speak of such a person or place: what the tagger learns from.

我男朋友 becomes 我男朋友张子昂, 在公司上班 becomes 在星屿传媒上班, each place in several ways. Where nothing is put the
text stays what it is: so the tagger learns from the same texts what is left alone.
"""

import random
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from data_prep.anonymise.tagger.values import Values

Place = tuple[int, int, str]


class _Slot(NamedTuple):
    """Where a value fits: the place, and the ways of writing it (``{v}`` the value, ``{r}`` the words found)."""

    type: str
    place: re.Pattern[str]
    ways: tuple[str, ...]
    weight: float = 1.0
    value: str = ""


_BEARER: Final = (
    "前?[男女]朋友|前?[男女]友|前任|老公|老婆|丈夫|妻子|对象|未婚夫|未婚妻|儿子|女儿|孩子|宝宝|大宝|二宝|闺蜜|室友|舍友|男?女?同学|同桌|"
    "同事|好?朋友|好友|领导|上司|主管|经理|老板|组长|班长|班主任|老师|辅导员|导师|医生|咨询师|邻居|学长|学姐|学弟|学妹|师兄|师姐|发小|"
    "网友|男生|女生|男孩子?|女孩子?|婆婆|公公|妈妈|爸爸|母亲|父亲|爷爷|奶奶|外婆|外公|舅舅|舅妈|姑姑|叔叔|阿姨|姨妈|嫂子|姐夫|弟弟|妹妹|哥哥|"
    "姐姐|[表堂][哥姐弟妹]|侄子|侄女|外甥|前夫|前妻|情敌|小三|喜欢的人|客户|来访者|亲戚|媳妇|儿媳妇"
)
_TITLE: Final = (
    "老师|医生|大夫|主任|经理|教授|校长|院长|园长|阿姨|叔叔|先生|女士|师傅|教练|护士|律师|警官|科长|处长|局长|班长|队长|"
    "老板|咨询师|同学|学长|学姐|大哥|大姐"
)
_KIN: Final = (
    "姐姐|哥哥|嫂子|阿姨|叔叔|[表堂][哥姐弟妹]|舅妈|舅舅|婶婶|姑姑|姨妈|奶奶|爷爷|老师|医生|同学|学长|学姐|师兄|师姐|"
    "教练|妹妹|弟弟"
)
_ONE: Final = "(?:(?:我|他|她|你)的?|一个|那个|这个|一位|有个)?"
_NOT_MANY: Final = "(?!们|关系|之间|家长|圈)"
_ONE_OF: Final = "(?:一所|一家|一个|我们|这所|这家|那家|我的?|某|自己的?|现在的|他们?|她)?"

_SLOTS: Final = (
    _Slot(
        "姓名",
        re.compile(f"(?P<r>{_BEARER}){_NOT_MANY}"),
        ("{r}{v}",) * 6
        + ("{r}叫{v}", "{r}（{v}）", "叫{v}的{r}", "{r}，{v}，", "{r}和{v}", "{v}他们", "{r}是{v}", "{r}“{v}”"),
        3,
    ),
    _Slot("姓名", re.compile(f"{_ONE}(?P<r>{_BEARER}){_NOT_MANY}"), ("{v}",), 3),
    _Slot("姓名", re.compile(r"(?<![其吉])(?P<r>[他她])(?![们的人自])"), ("{v}",), 3),
    _Slot("姓名", re.compile(rf"(?P<r>{_KIN}){_NOT_MANY}"), ("{v}{r}",), 1, "given"),
    _Slot(
        "姓名", re.compile(rf"(?P<r>{_TITLE}){_NOT_MANY}"), ("{v}{r}",) * 4 + ("姓{v}的{r}", "{r}姓{v}"), 3, "surname"
    ),
    _Slot(
        "姓名",
        re.compile(f"{_ONE}(?P<r>{_BEARER}){_NOT_MANY}"),
        tuple(
            f"{{v}}{title}"
            for title in ("姐", "哥", "总", "叔", "阿姨", "老师", "医生", "主任", "同学", "工", "嫂", "伯", "姨")
        ),
        1,
        "surname",
    ),
    _Slot("姓名", re.compile(f"(?P<r>{_TITLE}){_NOT_MANY}"), ("{v}{r}",), 1, "full"),
    _Slot(
        "姓名",
        re.compile(r"^(?P<r>)"),
        (
            "我叫{v}，",
            "我是{v}，",
            "我叫{v}。",
            "大家好，我是{v}，",
            "叫我{v}就好，",
            "本人{v}，",
            "您好，我是{v}。",
            "{v}，",
            "{v}你好，",
            "亲爱的{v}，",
            "@{v} ",
            "你好{v}，",
            "{v}，抱抱你，",
            "我的名字叫{v}，",
            "嗨，{v}，",
        ),
        1.5,
    ),
    _Slot(
        "姓名",
        re.compile(r"(?P<r>[。！？!?~～]?)\s*$"),
        (
            "{r}——{v}",
            "{r}{v}",
            "{r} {v}",
            "{r}—{v}",
            "{r}{v}敬上",
            "{r}署名{v}",
            "{r}祝好，{v}",
            "{r}（{v}）",
            "{r}\n{v}",
            "{r}\n——{v}",
            "{r}——{v}。",
            "{r}我是{v}。",
            "{r}{v}上",
        ),
        1.5,
    ),
    _Slot(
        "姓名",
        re.compile("(?P<r>网友|网络上|网上|网恋|朋友|粉丝)"),
        ("{r}{v}", "网名{v}的{r}", "网名叫{v}的{r}", "昵称“{v}”的{r}", "{r}，网名{v}，", "{v}"),
        0.6,
        "net",
    ),
    _Slot(
        "姓名",
        re.compile(r"(?P<r>和|跟|对|怕|问|找|给|陪|与|是|被|觉得|喜欢|告诉)(?=我|他|她|同学|朋友|老师)"),
        ("{r}{v}和", "{r}{v}、"),
        1,
    ),
    _Slot(
        "学校",
        re.compile(
            f"{_ONE_OF}(?:重点|普通|民办|寄宿|省|市|县)?(?P<r>学校|大学|高中|初中|小学|幼儿园|中学|学院|技校|职高|中专|大专)(?!生|时|期|毕业|城)"
        ),
        ("{v}",) * 5 + ("我们{v}", "{r}（{v}）", "{r}{v}", "{v}这所{r}", "我读的{v}"),
        2,
    ),
    _Slot(
        "学校",
        re.compile("(?P<r>[大研高初][一二三四]|准?大[一二三四]|小学|初中|高中|大学|[一二三四五六]年级|毕业|班)"),
        ("{v}{r}",) * 3 + ("在{v}{r}", "{v}读{r}", "{v}的{r}"),
        1.5,
    ),
    _Slot(
        "学校",
        re.compile(r"(?P<r>\d{2}岁|女生|男生|学生|本科生|研究生|本人[男女]?|高三党|考研党)"),
        ("{v}{r}", "{v}的{r}", "{r}，{v}", "在{v}读书的{r}", "{r}，{v}的学生", "{r}就读于{v}"),
        1,
    ),
    _Slot(
        "学校", re.compile("(?P<r>考上了?|考[进取研]|录取|保送)"), ("{r}{v}，", "{r}了{v}，", "被{v}{r}", "{r}{v}"), 1
    ),
    _Slot(
        "学校",
        re.compile("(?P<r>毕业|复读|读书|上学|上课|转学|高考|中考|学习|住校|开学|军训|同学会|考试|教书|当老师)"),
        ("在{v}{r}", "从{v}{r}", "{v}{r}", "去{v}{r}"),
        1.5,
    ),
    _Slot("学校", re.compile("(?P<r>老师|同学|室友|教室|校友|舍友|食堂|图书馆|班主任)"), ("{v}的{r}", "{v}{r}"), 0.7),
    _Slot(
        "单位",
        re.compile(
            f"{_ONE_OF}(?P<r>公司|单位|医院|工厂|厂里|厂|店里|店|银行|企业|机构|部队|律所|诊所|咨询室|超市|酒店|工作室|国企|私企|外企)"
        ),
        ("{v}",) * 5 + ("{v}这家{r}", "{r}{v}", "{r}（{v}）", "我们{v}", "{v}这种{r}", "一家叫{v}的{r}"),
        3,
    ),
    _Slot(
        "单位",
        re.compile(
            "(?P<r>上班|工作|实习|打工|做销售|加班|面试|入职|任职|培训|住院|看病|检查|咨询|治疗|复诊|值班|学习|开会|就诊|确诊)"
        ),
        ("在{v}{r}",) * 3 + ("去{v}{r}", "{v}{r}", "到{v}{r}", "{v}的{r}"),
        3,
    ),
    _Slot("单位", re.compile("(?P<r>辞职|离职|裸辞|跳槽|被裁|拒绝|offer)"), ("从{v}{r}", "被{v}{r}", "{v}的{r}"), 1),
    _Slot(
        "单位",
        re.compile("(?P<r>同事|老板|领导|上司|主管|经理|员工|HR|护士|会计|程序员|销售|客服|司机|医生|保安|一名|一个)"),
        ("{v}的{r}", "{v}{r}", "是{v}的{r}"),
        2,
    ),
    _Slot(
        "单位",
        re.compile("(?P<r>客户|项目|业务|压力|机会|工资|生活|顾客|咨询师|那边|两班倒|生意|老师)"),
        ("{v}的{r}", "{v}那边的{r}", "{v}{r}", "在{v}的{r}"),
        1.5,
    ),
    _Slot(
        "单位",
        re.compile(
            "(?P<r>老公|老婆|丈夫|男朋友|女朋友|男友|妈妈|爸爸|我妈|我爸|父亲|母亲|儿子|女儿|他|她|我)(?=在|想|会|去)"
        ),
        (
            "{r}在{v}，",
            "在{v}{r}",
            "{r}从{v}出来后",
            "{r}被{v}裁了，",
            "{r}进了{v}，",
            "{r}是{v}的，",
            "{r}去了{v}以后",
        ),
        1.5,
    ),
    _Slot("单位", re.compile("(?<=我是)(?P<r>一[名个位])"), ("{v}的{r}", "{v}{r}"), 1),
    _Slot(
        "地址",
        re.compile(
            f"{_ONE_OF}(?P<r>家里|家|小区|老家|村里|村子|镇上|县城|农村|乡下|宿舍|出租屋|房子|楼下|街上|路上|外面|公园|附近|娘家|婆家)(?!庭|人|长|务|暴|属|教|伙|乡)"
        ),
        ("{v}",) * 3
        + ("{v}的{r}",) * 3
        + ("{r}（{v}）", "{r}{v}", "住在{v}", "{r}在{v}", "{v}{r}", "{r}（就在{v}）", "{v}那边"),
        3,
    ),
    _Slot(
        "地址",
        re.compile("(?P<r>长大|生活|散步|逛街|自学|打麻将|买房|租房|住|吃饭|睡觉|带孩子|做饭|摆摊|拾荒|上班|跑步)"),
        ("在{v}{r}",) * 3 + ("搬到{v}{r}", "住{v}，{r}", "{v}{r}"),
        2,
    ),
    _Slot(
        "地址",
        re.compile("(?P<r>回家|送我|去找|搬走|过来|出门|见面)"),
        ("{r}到{v}", "去{v}{r}", "{r}，{v}，", "从{v}{r}", "回{v}"),
        1,
    ),
    _Slot(
        "地址",
        re.compile("^(?P<r>)|(?<=[。！？\n])(?P<s>)"),
        (
            "我家住{v}，",
            "我在{v}，",
            "家住{v}，",
            "我住在{v}，",
            "搬到{v}以后",
            "我是{v}的，",
            "老家{v}，",
            "我们都是{v}人，",
        ),
        0.5,
    ),
    _Slot(
        "地址",
        re.compile("(?P<r>邻居|亲戚|房东|业主|我妈|我爸|奶奶|爷爷|外婆|婆婆)"),
        ("{v}的{r}", "{r}在{v}", "{v}{r}"),
        1,
    ),
)


def plant(text: str, rng: random.Random, values: Values, most: int = 4) -> tuple[str, list[Place]]:
    """A text with up to ``most`` values in it, and where each stands (start, end, type)."""
    by_type: dict[str, list[tuple[re.Match[str], _Slot]]] = {}
    for slot in _SLOTS:
        matches = list(slot.place.finditer(text))
        if matches:
            chosen = rng.sample(matches, min(len(matches), 2))
            by_type.setdefault(slot.type, []).extend((match, slot) for match in chosen)
    picked: list[tuple[int, int, _Slot, str]] = []
    for _ in range(rng.randint(1, most)):
        if not by_type:
            break
        type = rng.choice(sorted(by_type))
        match, slot = rng.choices(by_type[type], [slot.weight for _, slot in by_type[type]])[0]
        if all(match.end() < start or end < match.start() for start, end, *_ in picked):
            picked.append((*match.span(), slot, match.groupdict().get("r") or ""))
    result, places, done = [], [], 0
    length = 0
    for start, end, slot, found in sorted(picked, key=lambda each: each[:2]):
        value = _MAKERS[slot.value or slot.type](values)
        before, after = rng.choice(slot.ways).replace("{r}", found).split("{v}")
        result += [text[done:start], before, value, after]
        length += start - done + len(before)
        places.append((length, length + len(value), slot.type))
        length += len(value) + len(after)
        done = end
    return "".join([*result, text[done:]]), places


_MAKERS: Final[dict[str, Callable[[Values], str]]] = {
    "姓名": Values.name,
    "学校": Values.school,
    "单位": Values.employer,
    "地址": Values.address,
    "surname": Values.surname,
    "full": Values.full_name,
    "net": Values.net_name,
    "given": Values.given_name,
}
