"""Full personal names of private persons, from surnames, word segmentation and what stands beside them; no model.

A bare surname with a title (李老师, 王阿姨) names nobody and stays. So do persons whom the segmenter's dictionary
knows: writers, historical and fictional persons, unless the text says that it is the writer's own name.
"""

import re
from collections.abc import Iterator

import rjieba
from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

_COMPOUND = frozenset("欧阳 上官 诸葛 司马 司徒 皇甫 令狐 慕容 尉迟 东方 夏侯 公孙 长孙 宇文 端木 申屠 澹台 轩辕 独孤 南宫 第五 呼延 百里".split())
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵周吴徐孙马胡朱郭何罗高林郑梁谢唐许冯宋韩邓彭曹曾田于萧潘袁董叶杜丁蒋程余吕魏蔡苏任卢沈"
    "姜姚崔钟谭陆范汪廖石金贾韦夏傅方邹熊白孟秦邱侯江尹薛闫雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔汤常温康施文"
    "牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛"
    "曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席"
    "卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁"
    "胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相"
    "初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利"
    "于居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由"
)
# Surnames that far more often are words; a name with one of them needs its owner to say so.
_WORDLIKE = frozenset("和全都来但由于那相位区初门应成时连明平强满信展干利居公国原支计索宣普帅权师班花海云古向何")
_NEVER_IN_GIVEN = frozenset(
    "的地得了着过是不没我你他她它们这那哪有在和跟与也都就才很太最被把给从对到去来说讲问想看听喝吃打骂哭笑要会能可"
    "出进上下里外前后左右老总每天今昨又再还却但因所而且或吧吗呢啊呀嘛哦么带让叫请找发买卖拿住睡走跑坐站等爱恨"
    "欠借查结婚离同个位些次岁年日号人做当像为以至已经常被向往几两三四五六七八九十什谁怎啦她某"
)
_OWN = re.compile(r"(?<!它)(?:叫做?|名叫|全名叫?|大名叫?|本名叫?|真名叫?|名字[是叫]|姓名|户主|联系人|患者|本人|来访者)[是为:：，,\s]{0,2}$")
_I_AM = re.compile(r"(?:^|[，。！？；、：\s“（(])(?:你好|您好|大家好)?我(?:就)?是$")
_KIN = (
    "老公|丈夫|先生|爱人|老婆|妻子|太太|媳妇|男友|女友|男朋友|女朋友|前任|前男友|前女友|前夫|前妻|未婚夫|未婚妻|对象|"
    "爸爸?|妈妈?|父亲|母亲|继父|继母|养父|养母|爷爷|奶奶|外公|外婆|姥姥|姥爷|哥哥?|姐姐?|弟弟?|妹妹?|弟媳|嫂子|姐夫|"
    "妹夫|表[哥姐弟妹]|堂[哥姐弟妹]|儿子|女儿|闺女|孩子|舅舅|舅妈|阿姨|小姨|姨妈|姑姑|姑妈|叔叔|伯伯|婶婶|婆婆|公公|"
    "岳父|岳母|侄子|侄女|外甥女?|孙子|孙女|闺蜜|兄弟|哥们|发小|恋人|初恋|情人|同桌|同学|学长|学姐|学弟|学妹|同事|室友|"
    "舍友|室长|寝室长|宿舍长|班长|班主任|老师|导师|校长|院长|园长|辅导员|主管|经理|领导|总监|老板|老板娘|上司|组长|队长|"
    "工友|病友|战友|朋友|网友|邻居|房东|老乡|咨询师|医生|大夫|主任|护士|律师|负责人|志愿者|委托人|当事人"
)
_ROLE = re.compile(rf"(?:{_KIN}|人叫)$")
_TITLE = re.compile(r"老师|同学|医生|大夫|主任|女士|先生|小姐|总监|经理|教授|护士|警官|律师|校长|师傅|阿姨|叔叔")
_TITLED_SURNAME = re.compile(r".(?:老师|医生|大夫|主任|女士|先生|小姐|总监?|经理|教授|护士|警官|律师|校长|院长|师傅|阿姨|叔叔?|伯伯?|姨|姐|哥|弟|妹|爷爷?|奶奶|婶|嫂|同学|某|博士|董|局|处|科长|队长|书记)")
_PRIVATE_TITLE = re.compile(r"老师|同学|医生|护士|女士")
_TOGETHER_BEFORE = re.compile(r"[和跟与请找被是][^\w]?$")
_TOGETHER_AFTER = re.compile(r"在一起|是|分手|结婚|谈恋爱|吵|同学|老师|的妈|的爸|的家长|的母亲|的父亲|一起")
_BOUNDARY = re.compile(r"$|[^\w]|\d|的(?:妈|爸|家长|母亲|父亲|姐|哥|老|同)|今年|男|女|来自|是")
_MINORITY = re.compile(r"(?:叫|名|是|姓名|[，。：\s]|^)\[?([\u4e00-\u9fa5]{2,5}·[\u4e00-\u9fa5]{2,6}?)(?=[，。！？；、：\s]|[是的在转今从就]|$)")


class PersonalName(EntityRecognizer):
    """Surname and given name, where something beside them says that a person is named."""

    def __init__(self) -> None:
        """Nothing to load."""
        super().__init__(supported_entities=["姓名"], supported_language="zh", name="surname and context")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Every name found, and every other place where the same name stands."""
        found = {text[start:end] for start, end in self._named(text)}
        spans = {(match.start(), match.end()) for name in found for match in re.finditer(re.escape(name), text)}
        return [RecognizerResult("姓名", start, end, 0.5) for start, end in sorted(spans)]

    def _named(self, text: str) -> Iterator[tuple[int, int]]:
        for match in _MINORITY.finditer(text):
            yield match.span(1)
        starts: dict[int, tuple[str, str, str]] = {}
        position = 0
        tagged_words = rjieba.tag(text)
        for (word, tag), (following, _) in zip(tagged_words, [*tagged_words[1:], ("", "")], strict=True):
            starts[position] = (word, tag, following)
            position += len(word)
        for start in range(len(text) - 1):
            compound = text[start : start + 2] in _COMPOUND
            if not compound and text[start] not in _SURNAMES:
                continue
            if not compound and _TITLED_SURNAME.match(text, start):
                continue
            before = text[max(0, start - 12) : start]
            own = _OWN.search(before) is not None
            role = _ROLE.search(before) is not None
            i_am = _I_AM.search(before) is not None
            word, tag, following = starts.get(start, ("", "", ""))
            tagged = tag == "nr"
            for end in _ends(text, start, compound):
                name, after = text[start:end], text[end : end + 4]
                if own and (_BOUNDARY.match(after) or not rjieba.has_word(name)):
                    yield start, end
                    break
                if text[start] in _WORDLIKE and not (role and tagged):
                    continue
                if i_am and _BOUNDARY.match(after) and not _known(name):
                    yield start, end
                    break
                titled = _TITLE.match(after) is not None
                paired = _TOGETHER_BEFORE.search(before) and _TOGETHER_AFTER.match(after)
                # 安平, 于洋: words that are also names; 鲁迅先生 is in the dictionary as well and nobody's 同学.
                private = tagged and word == name and (role or _PRIVATE_TITLE.match(after) is not None)
                if (role or paired or titled and start in starts) and (private or not _known(name)):
                    yield start, end
                    break
                whole = word == name or (word == text[start] and len(following) <= 2 and word + following == name)
                if tagged and whole and not titled and not _known(name):
                    yield start, end
                    break


def _ends(text: str, start: int, compound: bool) -> Iterator[int]:
    """Where a name that begins at `start` may end, the likeliest first."""
    surname = 2 if compound else 1
    for given in (2, 1):
        end = start + surname + given
        part = text[start + surname : end]
        if len(part) < given or not all("\u4e00" <= char <= "\u9fa5" for char in part):
            continue
        if any(char in _NEVER_IN_GIVEN for char in part) or part[-1:] == "一":
            continue
        # 程立一直, 简宁组织: the second character belongs to the next word.
        if given == 2 and rjieba.has_word(text[end - 1 : end + 1]) and not rjieba.has_word(part):
            after = text[end : end + 1]
            if "\u4e00" <= after <= "\u9fa5" and not _TITLE.match(text[end : end + 2]):
                continue
        yield end


def _known(name: str) -> bool:
    """A word, or a person so public that a dictionary has the name."""
    return bool(rjieba.has_word(name))
