"""Schools and employers: an ending that says so, and before it something that is no mere kind.

From the ending it is read to the left as long as the words can belong to a name. 民办幼儿园, 一家公司 and 省重点高中 are
kinds and stay; so do platforms, lists of hotlines, and schools abroad unless somebody studies there. Without an ending
a name counts where somebody studies or works: 考上北师大, 在星屿上班.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

import rjieba

from data_prep.anonymise.segments import is_word, word_list
from data_prep.anonymise.tagged import Sentence

_NUMERAL: Final = "[一二三四五六七八九十]"
_SCHOOL: Final = re.compile(
    r"大学(?!生|毕业|期间|城|时)|学院(?!派|风)|中学(?!生|时|毕业|会|到|习|得|着)|小学(?!生|时|毕业|到|[一二三四五六]年级)|高中(?!生|时|毕业|[一二三])|"
    r"初中(?!生|时|毕业|[一二三])|幼儿园|托育园|教学点|美院|学校|附[中小幼属]|[职技卫警艺体]校|职高|中专(?!生)|职专|师专|幼师|幼专|职院|"
    rf"第?{_NUMERAL}{{1,3}}[中小高](?!国|间|心|午|年|等|途|考|秋|学|部|断|介|意|奖|央|层|兴|姐|哥|妹|弟|孩)|实验(?:[小中]学|幼儿园)|(?<![现其事真])实[小中](?:[小中]学)?|"
    r"[师科理工农财医林交外海民矿电职]大(?![家多部约概小学妈爷叔姐])|师院|工院|医专|理工(?!科|男|类|生|专|具|作)|国际部|中心校|职教中心|书院|外国语|政法|双语"
)
_SCHOOL_TAIL: Final = re.compile(r"(?:附[中小幼]|附属[中小]学?|(?:[东西南北新老]|第?[一二三四五])?校区|分校|国际部)")
_WEAK_SCHOOL: Final = re.compile("外国语|政法|双语|书院|国际部|理工|实中|.大|职院")
_EMPLOYER: Final = re.compile(
    r"公司|集团|事务所|律所|[总支分]行|银行|农商行|信用社|农信社|医院|第?[一二三四五六七八九十]院|卫生院|卫生所|诊所|门诊部?|保健院|疗养院|康养院|疾控中心|卫生中心|月子中心|体检中心|服务中心|培训中心|"
    r"[^的个家大小工药茶进这那]厂|[一二三四五六七八九十]矿|煤矿|矿业|电视台|报社|杂志社|旅行社|研究所|研究院|设计院|派出所|.{2}局|法院|检察院|监狱|看守所|"
    r"福利院|养老院|敬老院|街道办|居委会|村委会|管委会|加油站|收费站|物业|酒店|宾馆|饭店|酒楼|超市|商场|商城|百货|药房|药店|书店|花店|美容院|养生馆|健身房|驾校|工作室|俱乐部|机构|训练营|"
    r"社工站|救助站|分局|支队|大队|餐厅|面馆|火锅店|奶茶店|咖啡馆|咖啡厅|蛋糕店|店|小卖[铺部]|烘焙坊|琴行|画室|早教中心|托育中心|托管中心|客运站|汽修厂?|洗车行|油田|农场|林场|项目部"
)
# Endings that are words of everyday speech as well: an employer where LAC sees a firm before them, or somebody works.
_BRANCH: Final = re.compile(
    r"科技|传媒|网络|教育|软件|互动|互娱|娱乐|文化|信息|电子|电气|电器|光电|重工|重机|机械|精密|轴承|实业|置业|地产|房产|证券|基金|保险|人寿|财险|金融|资本|投资|控股|贸易|外贸|国际|制药|药业|医药|生物|医疗|医美|口腔|齿科|眼科|航空|石化|化工|新?能源|电力|燃气|水务|环保|园林|建筑|建设|建工|"
    r"装饰|家居|家具|纺织|服饰|服装|鞋业|珠宝|食品|乳业|粮油|酒业|饮料|餐饮|火锅|烧烤|烧腊|摄影|影业|影视|动漫|设计|广告|策划|英语|美术|舞蹈|体育|人力|劳务|家政|电商|智能|数码|通信|通讯|半导体|汽车|汽贸|汽配|五金|模具|塑胶|包装|印务|印刷|建材|商贸|零售|物流|快递|速运|农业|养殖|"
    r"美容|美发|造型|美业|母婴|烘焙|健身|文旅|康养|托育|联创|云图|智造|铝业|鞋业|灯饰|城投|建投|出版|出国|美甲|监理|光伏|保险代理|钢铁|陶瓷|玻璃|供电|自来水"
)
# Endings of any place of work: only where somebody works.
_WORKPLACE: Final = re.compile("[馆站店铺坊社厂]|(?<![住出入开进转])院|(?:税务|供电|环卫)所|中心|之家|食堂")
_STUDIES: Final = re.compile(
    r"(?:考[上进取入到了]{0,2}|(?:毕业|就读|任教|求学)[于在]?|[在上读念去进到转是教回]了?|读的是|念的是|上的是|考研到?|保[送研]到?|录取[到了]{0,2}|被|转学?[到去]|申请[到了]?|报[考了的]?|来[到自]|毕业的?|从|目标|冲刺|拼|离开|[女男，,（]|儿子|女儿|孩子|哥哥|姐姐|弟弟|妹妹|老大|老二|面试|二战|跨考|梦想是)$"
)
_STUDY_AFTER: Final = re.compile(
    r"(?:读|念|上[学大初高]|就读|毕业|任教|教书|的?(?:一[个名位])?(?:女生|男生|学生|大学生|高中生|本科|研究生|硕士|博士|老师|教室|高[一二三]|大[一二三四]|研[一二三]|新生|同学|宿舍|初[一二三])|[大高初研][一二三四]|研[一二三]|专业|复读|上课|当老师|校区|录取|借读|[一二三四五六]年级|[大中小]班|当|的时候)"
)
_PAUSE: Final = re.compile(r"[，。,！!；;、）)\s]|$|了|的|那|以?后|之[前后]|时|被|却|但")
_WORKS: Final = re.compile(
    r"(?:(?:入职|就职|任职|供职|工作|受雇|实习|跳槽|跳|离职|辞职|加入|应聘|面试|调|分配|分|派|考)[了在于到去进]{0,2}|(?:在|去|进|进了|到|来|来到|从|是|开了?|开着|经营|拿到|收到|签了?|被|送到?|离开|他们|我们|，|（)(?:一家叫)?|一家叫|叫)$"
)
_WORK_AFTER: Final = re.compile(
    r"[^，。！？,\s]{0,6}?(?:值班|帮厨|做饭|学了|扫|端|剪|洗|种|开车|上班|上夜班|下班|下夜班|上了|工作|实习|任职|打工|打螺丝|入职|就职|供职|当|做|干|负责|兼职|开晨会|开会|的?(?:offer|员工|客服|会计|销售|前台|司机|程序员|工程师|经理|主管|老板|护士|医生|同事|工资|人事|HR|hr|面试)|辞职|离职|裁员|裁|总部|分部|分公司|门店|加班|跑|送|站|带|住院|看病|就诊|就医|复诊|检查|确诊|治疗|看了|尝试|挂|待)"
)
_AT_ONCE: Final = re.compile("上班|工作|实习|打工|上夜班|兼职")
# A short form before a year of study, or before a word for its students: 桂电大四, 绵中女生.
_SHORT: Final = re.compile(
    r"(?:^|(?<=[，,。：:、 岁\n（(在是读念上进去我于到])|(?<=考上)|(?<=考进))(?=(?P<name>[\u4e00-\u9fff]{2,5}?)(?:大[一二三四](?!点|些|个|样)|高[一二三]|"
    r"研[一二三究]|读研|念高|读高|读大[一二三四学]|(?:的?(?:一[个名位])?)(?:女生|男生|学生|大学生|高中生|研究生)))"
    r"|(?:(?<=考上)|(?<=考上了)|(?<=考进)|(?<=刚上)|(?<=就读于)|(?<=毕业于)|(?<=保研到)|(?<=转到))(?=(?P<aim>[\u4e00-\u9fff]{2,5}?)(?:[，。,！!；;的了]|$))"
)
_STOP: Final = frozenset(
    "的了在是和跟与从去到上读念进来被把给让对就都也还又才很最我你他她它们这那哪某每个所家叫有没说想考转教开做当，。、；：:,.!?！？ “”\"'《》（）()\n\ue000"
)
_NAMING: Final = frozenset(("LOC", "ORG", "PER", "nz", "nw"))
# Endings that tell one from another even after a city alone: 株洲市七院.
_DISTINCT: Final = re.compile("第?[一二三四五六七八九十]院|[一二三四五六七八九十]矿|[水供电税交民财教司农林]{1,2}.?局")
_HELP: Final = re.compile("热线|援助中心|危机干预")


def organisations(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    """Start, end and type, 学校 or 单位, of what has a name."""
    if _HELP.search(sentence.text):
        return
    ends = {word.end for word in sentence.words}
    yield from _schools(sentence, ends)
    yield from _employers(sentence, ends)
    yield from _without_ending(sentence)
    yield from _short_forms(sentence)


def _short_forms(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    """Short forms that only the words beside them tell: 桂电大四, 省实的一个高中生, 刚上浙工商."""
    for match in _SHORT.finditer(sentence.text):
        group = "name" if match["name"] else "aim"
        name, (start, end) = match[group], match.span(group)
        words = [word for word in sentence.words if word.start < end and start < word.end]
        if (
            re.search("[外实师财电商法工大院附职交航邮]$|^[^其之家途]中$", name)
            and all(word.tag in _NAMING or word.tag in ("n", "a", "m", "f", "b") for word in words)
            and words[0].start == start
            and not is_word(name)
            and not _STOP.intersection(name)
            and _rest(name)
            and not re.search("[男女生班刚级某]", name)
        ):
            yield start, end, "学校"


def _schools(sentence: Sentence, ends: set[int]) -> Iterator[tuple[int, int, str]]:
    text = sentence.text
    for match in _SCHOOL.finditer(text):
        end, ending = match.end(), match[0]
        if end not in ends:
            continue
        while (tail := _SCHOOL_TAIL.match(text, end)) is not None:
            end = tail.end()
        start = _reached(sentence, match.start())
        before, after = text[:start], text[end:]
        if _quoted(text[start:end], before, after):
            continue
        if start < match.start() and (
            (match.start() - start == 1 and text[start] not in "省市县区镇")
            or (
                re.match(rf"{_NUMERAL}+中", ending)
                and is_word(text[start : match.start()])
                and not {word.tag for word in sentence.words[sentence.at(start) : sentence.at(end - 1) + 1]}
                & {"LOC", "ORG"}
            )
        ):
            continue
        studies = _STUDIES.search(before) is not None and (_STUDY_AFTER.match(after) or _PAUSE.match(after)) is not None
        if _particular(sentence, start, match.start(), studies):
            if _town(text[start : match.start()]) and re.fullmatch(
                "高中|初中|中学|小学|学校|幼儿园|学院|中专|职高|[职技卫警艺体]校", ending
            ):
                continue
            tags = {word.tag for word in sentence.words[sentence.at(start) : sentence.at(end - 1) + 1]}
            if not _WEAK_SCHOOL.fullmatch(ending) or studies or tags & {"ORG", "LOC"}:
                yield start, end, "学校"
        elif (
            studies
            and re.fullmatch(rf"第?{_NUMERAL}{{1,3}}[中小高]|附[中小]|实[小中]", ending)
            and (start == match.start() or text[start : match.start()] in "省市县区镇")
        ):
            # 一中 alone names a school where somebody studies there.
            yield start, end, "学校"


def _employers(sentence: Sentence, ends: set[int]) -> Iterator[tuple[int, int, str]]:
    text = sentence.text
    for pattern in (_EMPLOYER, _BRANCH, _WORKPLACE):
        for match in pattern.finditer(text):
            end = match.end()
            if end not in ends:
                continue
            start = _reached(sentence, match.start())
            before, after = text[:start], text[end:]
            if (
                start == match.start()
                and sentence.words[sentence.at(start)].start == start
                and sentence.words[sentence.at(start)].tag != "ORG"
            ):
                continue
            works = _WORKS.search(before) is not None and _WORK_AFTER.match(after) is not None
            if (
                {text[start:end], text[start : match.start()]} & _platforms()
                or (_town(text[start : match.start()]) and not _DISTINCT.match(match[0]))
                or _quoted(text[start:end], before, after)
            ):
                continue
            firm = any(word.tag == "ORG" for word in sentence.words[sentence.at(start) : sentence.at(end - 1) + 1])
            if not _particular(sentence, start, match.start(), works):
                continue
            named = (
                {word.tag for word in sentence.words[sentence.at(start) : sentence.at(match.start() - 1) + 1]} & _NAMING
                if start < match.start()
                else set()
            )
            joined = re.search(r"(?:入职了?|加入了?|进了|就职于|任职于|供职于)$", before) is not None
            at_work = works and (named or not is_word(text[start : match.start()]) or _AT_ONCE.match(after) is not None)
            if pattern is _WORKPLACE and not (
                works and len(_rest(text[start:end])) > 2 and (named or not is_word(text[start : match.start()]))
            ):
                continue
            if not named and not _AT_ONCE.match(after) and _compound(_rest(text[start : match.start()])):
                continue
            if pattern is _BRANCH and not (
                at_work
                or (firm and (_WORKS.search(before) or _WORK_AFTER.match(after)))
                or ((named or not is_word(text[start : match.start()])) and joined)
            ):
                continue
            yield start, end, "单位"


def _without_ending(sentence: Sentence) -> Iterator[tuple[int, int, str]]:
    """Names that have no ending of their kind, where somebody studies or works there."""
    text = sentence.text
    for word in sentence.words:
        value, before, after = text[word.start : word.end], text[: word.start], text[word.end :]
        studies = _STUDIES.search(before) is not None
        if value in _known_schools():
            if studies and (_STUDY_AFTER.match(after) or _PAUSE.match(after)):
                yield word.start, word.end, "学校"
        elif value in _known_employers():
            if _WORKS.search(before) and not before.endswith(("，", "们", "是")) and _WORK_AFTER.match(after):
                yield word.start, word.end, "单位"
        elif (
            word.tag in ("ORG", "nz", "PER", "LOC")
            and len(value) >= 2
            and not is_word(value)
            and value not in _platforms()
            and _rest(value)
            and not _town(value)
        ):
            if (word.tag == "ORG" and re.search(r"(?:考上了?|毕业于|就读于|考进了?|考取了?|保研到?)$", before)) or (
                studies
                and _STUDY_AFTER.match(after)
                and re.search("[中外实师财电商法工大院附]$", value)
                and word.tag != "LOC"
            ):
                yield word.start, word.end, "学校"
            elif (
                word.tag in ("ORG", "nz")
                and re.search(r"(?:在|入职了?|就职于|任职于|去|进了?)$", before)
                and re.match(r"(?:上班|工作|实习|任职|打工|做|当)", after)
            ):
                yield word.start, word.end, "单位"


def _reached(sentence: Sentence, position: int) -> int:
    """Where a name begins of which the ending begins here: as far to the left as words may belong to a name."""
    text = sentence.text
    number = sentence.at(position)
    start = sentence.words[number].start
    limit = position - 12
    while number > 0 and start > limit:
        word = sentence.words[number - 1]
        value = text[word.start : word.end]
        ahead = sentence.words[number - 2].tag if number > 1 else ""
        if word.tag == "v" and len(value) == 1 and ahead in _NAMING and value not in _STOP:
            number, start = number - 1, word.start
            continue
        if word.tag not in _NAMING and (
            any(char in _STOP for char in value)
            or word.tag not in ("n", "m", "a", "an", "vn", "f", "s")
            or value in _before_names()
        ):
            break
        if any(char in '，。、；,!?！？ “”"\ue000' for char in value):
            break
        number, start = number - 1, word.start
    if match := re.match(r"[一两几这那][个名份所家批位下]|[0-9]{2,4}[级岁]|.*[读升念岁]", text[start:position]):
        start += match.end()
    # LAC cuts 上海 after 去.
    if start and text[start - 1] == "上" and text[start] in "海饶虞":
        start -= 1
    while start < position and text[start] in _STOP | frozenset("完升学考初如该找看要"):
        start += 1
    return start


def _rest(name: str) -> str:
    """A name without the words of kinds."""
    rest = _kinds_pattern().sub("", name)
    return "" if _SMALL_KINDS.fullmatch(rest) else rest


_SMALL_KINDS: Final = re.compile(
    "[一二三四五六七八九十两几半各新老旧好坏差破大小中高的了和与同首本该贵省市县区镇乡村校院所家个间座分总子母前原现上下公私国外男女幼附专商网年第队部0-9]*"
)


def _particular(sentence: Sentence, start: int, end: int, cued: bool) -> bool:
    """Whether these characters tell one institution from others of its kind."""
    if start >= end:
        word = sentence.words[sentence.at(start)]
        return False if word.start == start else False
    text = sentence.text
    rest = _rest(text[start:end])
    if not re.search(r"[\u4e00-\u9fffA-Za-z]", rest):
        return False
    tags = {word.tag for word in sentence.words[sentence.at(start) : sentence.at(end - 1) + 1]}
    if "ORG" in tags or "LOC" in tags:
        return True
    if is_word(rest) and "nz" not in tags and not cued:
        return False
    return bool(tags & _NAMING) or cued


def _compound(name: str) -> bool:
    """Whether a name is made of words of the language alone: 地理信息 of 地理信息公司."""
    return all(len(word) > 1 and is_word(word) for word in rjieba.cut(name))


def _town(name: str) -> bool:
    """Whether this is a city or province alone: 北京 of 北京医院 tells nothing."""
    return towns_pattern().fullmatch(name) is not None


def _quoted(name: str, before: str, after: str) -> bool:
    if re.match(
        r"的?(?:教授|心理学(?:家|教授|研究)|研究(?!生)|一项|一位|科学家|实验|公开课|幸福课|学者|曾|出版社)", after
    ) or before.count("《") > before.count("》"):
        return True
    return any(part in name for part in _quoted_names()) and not (_STUDIES.search(before) and _STUDY_AFTER.match(after))


@cache
def _kinds_pattern() -> re.Pattern[str]:
    kinds = sorted({word for word in word_list("entities.txt", "kinds") if len(word) > 1}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, kinds)))


@cache
def _before_names() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "before names"))


@cache
def towns_pattern() -> re.Pattern[str]:
    """Cities and provinces, one or several."""
    towns = "|".join(word_list("entities.txt", "towns"))
    return re.compile(rf"(?:(?:{towns})(?:市|省|县)?|[省市县区镇乡]|本[市省县区])+")


@cache
def _quoted_names() -> tuple[str, ...]:
    return word_list("entities.txt", "quoted")


@cache
def _known_schools() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "known schools"))


@cache
def _known_employers() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "known employers"))


@cache
def _platforms() -> frozenset[str]:
    return frozenset(word_list("entities.txt", "platforms"))
