"""Schools, employers and fine addresses, by their endings and by what makes them particular; no model.

An institution counts when something beyond its kind names it: 临江市第三中学, but not 重点中学; 恒越电子厂, but not
电子厂. An address counts from the street, estate or village down to a number; a city or province alone stays.
"""

import re
from collections.abc import Iterator

import rjieba
from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

_NUMERAL = "一二三四五六七八九十百〇零"
_SCHOOL = re.compile(
    r"幼儿园|托儿所|(?:中心|实验|完全|希望)?小学|(?:实验|外国语|高级|初级|完全|职业|双语)*中学|(?:职业|技术|技工|师范|医|财经|艺术|理工|外国语|农林|体育)*"
    rf"(?:大学|学院)|(?:职业|技工|卫生|外国语|实验|双语|国际|艺术|体育|武术|聋哑|特殊教育)*学校|职高|职中|技校|卫校|师专|医专|高专|"
    rf"附[中小]|第?[{_NUMERAL}]{{1,3}}[中小](?![{_NUMERAL}个年午])|[省市县][{_NUMERAL}][中师]|理工(?=[研本大博硕读毕])"
)
_EMPLOYER = re.compile(
    r"(?:股份|科技|信息|技术|贸易|实业|建筑|工程|船务|物流|自来水|供电|保险|食品|服饰|网络|文化|装饰|房地产|有限|责任)*公司|集团|"
    r"(?:电子|纺织|钢铁|食品|服装|机械|汽修|化工|制药|水泥|玩具|家具|印刷|塑料|造纸|鞋|砖|汽车|五金)*厂|"
    r"(?:人民|中|妇幼|中心|第[一二三四五六七八九十]+|附属|精神卫生|口腔|儿童|肿瘤|专科|康复|精神病)*医院|卫生院|保健院|卫生服务中心|精神卫生中心|"
    r"银行(?!卡)|支行|分行|营业部|信用社|事务所|研究[所院]|设计院|传媒|科技|教育|物业|互娱|光电|超市|出版社|报社|杂志社|电视台|驾校|"
    r"物流园|养老院|敬老院|福利院|人民政府|街道办事处|公安局|派出所|教育局|税务局|法院|检察院|消防[队站]|面包房|药店|"
    r"(?:火锅|奶茶|服装|理发|便利|快餐|面|书|花|美容|化妆品|咖啡|烧烤|水果|宠物|蛋糕|手机)?店|酒店|饭店|宾馆|酒楼|餐厅|培训机构|咨询室|工作室"
)
_BRANCHED = re.compile(r"[店行部]$")
# What names a kind and no place: alone, or several together, they leave an institution anonymous.
_KIND = (
    "离|校|要|绑|我们|咱们|他们|她们|你们|我|你|他|她|自己|本|该|贵|这|那|哪|某|每|别|一|两|几|家|所|个|间|座|些|各|某|新|老|旧|好|坏|大|小|重点|普通|民办|公办|"
    "公立|私立|国有|国营|国家|民营|私营|外资|合资|外地|本地|当地|附近|隔壁|对面|楼下|楼上|门口|县城|县里|县|市里|市|省|省里|镇上|镇|乡|村里|村|全国|城里|"
    "外国语|实验|双语|国际|寄宿|寄宿制|全日制|职业|技术|技工|中等|高等|专科|医学|师范|理工|艺术|体育|财经|农业|医科|政法|综合|综合性|名牌|知名|著名|"
    "普高|三甲|三级|二级|甲等|人民|中心|妇幼|专科|精神|精神病|精神卫生|心理|口腔|儿童|附属|正规|大型|小型|中型|上市|外贸|互联网|网络|科技|电子|广告|"
    "保险|快递|房地产|装修|建筑|贸易|设计|软件|游戏|食品|服装|纺织|化工|机械|印刷|玩具|家具|私人|中国|美国|国外|国内|985|211|双一流|一本|二本|三本|"
    "便利|奶茶|火锅|快餐|书|花|面|服装|理发|美容|咖啡|药|水果|连锁|工商|建设|农业|招商|交通|邮政|商业|分|总|子|母|前|原|现|高级|初级|完全|第|年|同|母校|男|女|"
    "心理咨询|早教|在线|素质|应试|学校|家庭|公司|医院|义务|基础|学前|高中|初中|成人|继续|特殊|性|爱国|挫折|死亡|生命|工厂|单位|社区|基层|县级|市级|省级"
)
_ONLY_KINDS = re.compile(rf"(?:{_KIND})*")
_STOP_WORDS = frozenset(
    "在 读 上 去 从 到 考 考进 考上 考到 考入 进 转到 转 来到 来 是 了 的 于 送进 送到 送去 毕业 就读 任教 就职 供职 入职 刚 刚刚 入职 刚入职 前公司 公司 学校 住 叫 因为 以前 之前 "
    "曾 曾经 和 跟 与 或 被 把 给 让 为 对 就 都 也 还 又 才 很 最 现在 目前 今年 去年 明年 初三 初二 初一 高一 高二 高三 大一 大二 大三 大四 那年 "
    "老公 老婆 爸爸 妈妈 我爸 我妈 男友 女友 男朋友 女朋友 儿子 女儿 孩子 妹妹 弟弟 姐姐 哥哥 老家 家里 前 原 原来 后来 同事 本人 自己 学生 退学 "
    "保研 落榜 分配 实习 应聘 应届 升 升入 升到 选择 喜欢 想 想去 离开 看到 听说 觉得 毕业于 任教于 就职于 进入 加入 报 报考 录取 被录取 教 当 做 开 有 没有 没 不".split()
)
_STOP_TAGS = frozenset({"r", "p", "u", "ul", "uj", "uz", "ud", "d", "c", "y", "t", "x", "eng"})
_NUMBER = rf"(?:[0-9]+|[{_NUMERAL}]+|[A-Za-z])"
_UNIT = (
    rf"{_NUMBER}(?:号宿舍楼|号公寓|号楼|号院|号|栋|幢|弄|座|单元|楼|室|组|队|社|巷|排|门|区|期|层|里|村)"
)
_KIND_OF_PLACE = (
    r"(?:大道|大街|街道?|路|巷|胡同|弄|道|小区|花园|家园|新村|苑|湾|府|公馆|公寓|宿舍|里|城|庄|村|屯|寨|湾|园|坊|校区|广场|大厦|院)"
)
_ADDRESS = re.compile(
    rf"(?P<place>[\u4e00-\u9fa5]{{1,16}}?{_KIND_OF_PLACE})(?:[东西南北中][段路]?)?"
    rf"(?:{_UNIT})+(?:[0-9]{{2,5}}(?![0-9岁元块天年月个])室?)?|"
    rf"(?P<dorm>[{_NUMERAL}0-9]+号公寓|[东西南北]校区)(?:{_UNIT})*(?:[A-Z]座)?[0-9]{{3,4}}(?![0-9])"
)
_BEFORE_ADDRESS = re.compile(r".*(?:住在|住址|地址|住|写着?|搬到|寄到|嫁到|位于|挤在|定位在|[在到去来说是从把])")

class Institution(EntityRecognizer):
    """Named schools and employers."""

    def __init__(self) -> None:
        """Nothing to load."""
        super().__init__(supported_entities=["学校", "单位"], supported_language="zh", name="institution by its ending")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Every named institution; a school rather than an employer where it could be both."""
        words = _words(text)
        results = []
        for kind, pattern, score in (("学校", _SCHOOL, 0.7), ("单位", _EMPLOYER, 0.6)):
            for match in pattern.finditer(text):
                start = _left_edge(text, words, match.start())
                if start is None and match[0][0] in "省市县":
                    results.append(RecognizerResult(kind, match.start(), match.end(), score))
                elif start is not None and not _ONLY_KINDS.fullmatch(text[start : match.start()]):
                    results.append(RecognizerResult(kind, start, match.end(), score))
        return results


class Address(EntityRecognizer):
    """Addresses down to a number."""

    def __init__(self) -> None:
        """Nothing to load."""
        super().__init__(supported_entities=["地址"], supported_language="zh", name="place and number")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Every address, from its first place name to its last number."""
        words = _words(text)
        results = []
        for match in _ADDRESS.finditer(text):
            end_of_place = match.end("place") if match["place"] else match.end("dorm")
            edge = _left_edge(text, words, end_of_place)
            start = max(match.start(), match.start() if edge is None else edge)
            if lead := _BEFORE_ADDRESS.match(text[start : end_of_place - 1]):
                start += lead.end()
            if end_of_place - start >= 2:
                results.append(RecognizerResult("地址", start, match.end(), 0.75))
        return results


def _words(text: str) -> list[tuple[int, int, str, str]]:
    words, position = [], 0
    for word, tag in rjieba.tag(text):
        words.append((position, position + len(word), word, tag))
        position += len(word)
    return words


def _left_edge(
    text: str, words: list[tuple[int, int, str, str]], before: int
) -> int | None:
    """Where the name that ends at `before` begins: as far left as words go that may be part of a name."""
    edge: int | None = None
    for start, end, word, tag in reversed(words):
        if start >= before:
            continue
        part = word[: before - start]
        if not re.fullmatch(r"[\u4e00-\u9fa5]+", part) or (edge or before) - start > 14:
            break
        if word in _STOP_WORDS or (tag in _STOP_TAGS and len(word) < 3):
            break
        lead = re.match(r"(?:刚?入职|前公司|在|读|上|去|从|到|考进|考上|进|是|的|了|住在?|寄到|嫁到)(?=.)", part)
        if lead and not rjieba.has_word(part):
            edge = start + lead.end()
            break
        edge = start
    return edge
