"""Recognisers of the numbers of papers (证件) and of those that an institution gives a person (编号).

Both are told by the word beside them alone: 学号是2021034567, 护照E12345678. Papers are passports, permits, driving and
service licences, certificates; numbers are those of students, candidates, staff, insured persons and patients. The
number of an order or of a parcel is no person's and stays. A resident ID, a card or a phone keeps its own type.
"""

from typing import Final

from data_prep.anonymise.patterned import LETTERS, Patterned

# No year, rank, count, or part of a number: 学号2019级的, 工号1001开头.
_NO_QUANTITY: Final = (
    r"(?![0-9a-z])(?!-[0-9])"
    r"(?!\s?(?:(?:到|至|-)[0-9]|[年级届位个元人分块多余以之月天次路楼~～%％]|开头|结尾|号(?:线|楼|床|房|考场|教室)))"
)
_NO_DATE: Final = r"(?!(?:19|20)[0-9]{2}[-.]?(?:0[1-9]|1[0-2])[-.]?(?:0[1-9]|[12][0-9]|3[01])(?![0-9a-z]))"
_WHOSE: Final = (
    r"(?:我|他|她|ta|本人|对方|我?们?家?孩子|我?(?:儿子|女儿|老公|老婆|妈妈?|爸爸?|妹妹|弟弟|哥哥?|姐姐?))?(?:自己)?的?"
)
_OWNER: Final = rf"[，,\s”\"）)]{{0,2}}(?:(?:就?是|这是|为){_WHOSE}|[（(]|(?:这|那)[个串本张]{_WHOSE})(?:新|旧)?"
_IS: Final = r"(?:还|就|好像|应该|大概|原来|现在|依然|仍然|一直|又)?[是为填写叫:：“\"「（(\s=]"
_LINK: Final = rf"(?:{_IS}{{1,3}})?"
# What may stand between besides: 学号我到现在都背得出，2021034567. None of it names another number.
_FAR: Final = (
    r"(?:(?!电话|手机|微信|扣扣|密码|单号|订单|尾号|前[一二三四五六两几]|后[一二三四五六两几]|分数|名次|金额|欠|赔|罚|付|交了|收了|给了|共|约|第|打|拨|余额|花了|转了|考了|涨|工资)"
    r"[^0-9a-z。！？!?\n]){1,12}?"
)

_NUMBER_CUES: Final = (
    r"(?:(?:学籍?(?:辅)?|学员|考生?|准考证?|报名|考试|工|警|员工|职工|职员|教职?工|教师|坐席|骑手|司机|志愿者|义工|社保(?:卡|账户)?|"
    r"社会保障(?:卡)?|社会保险|医保(?:卡|账户|电脑)?|健保(?:卡)?|居民?健康卡|低保(?:证)?|参保(?:人)?|投保|保险?单|理赔|"
    r"公积金(?:账户?)?|住院|门诊|体检|病[历歷]|病案|就[诊診](?:卡)?|诊疗卡?|诊断|挂号|预约|登记|检查|检验|影像|超声|病理|样本|标本|"
    r"(?<!证)档案|(?:学生|研究生|借书|阅览|工作|出入|上岗|考试|听课|实习|校友)证|学生卡|校园卡|一卡通|饭卡|图书卡|工牌|胸牌|厂牌|"
    r"病人|患者|就诊人|来访者?|咨询者?|个案|案件|报案|立案|受案|接警|(?<!档)案|兵籍|党员|会籍|参赛)"
    r"(?:编?[号號]码?|编码|序号|(?<![a-z])id)|(?:[我他她]的|报|会见|个人|服刑|在押|犯人|罪犯|囚犯?|学员|对应的?)编号)"
)
# A card of an institution, also without 号: 学生证20210345.
_CARDS: Final = (
    r"(?:学生证|研究生证|准考证|借书证|工作证|工牌|一卡通|校园卡|就诊卡|诊疗卡|医保卡|社保卡|健保卡|病历本?|住院单)"
)
_ITS_NUMBER: Final = (
    r"(?:(?:[0-9]{3,8}|[0-9]{2}(?= [0-9]{3}))(?: [0-9]{2,8}){1,5}(?![0-9a-z-])|"
    r"(?=(?:[a-z-]*[0-9]){3})(?=[a-z0-9-]{4})[a-z]{0,4}-?[0-9][0-9a-z-]{1,22}(?<!-)|[a-z]{1,4} [0-9]{4,12})"
)
_LONG_NUMBER: Final = rf"(?=(?:[a-z -]*[0-9]){{6}})(?!qq|vx|wx|v[0-9]|tel){_NO_DATE}{_ITS_NUMBER}"

_PAPER_CUES: Final = (
    r"(?:护照|護照|(?:往来)?(?:港澳台?|台湾|两岸)?(?:居民)?(?:来往|往来)?(?:内地|大陆|台湾|台灣|港澳)?通行[证證]|回[乡鄉][证證]|台胞[证證]|"
    r"入台[证證]|入境[证證]|双程证|单程证|旅行证|海员证|驾(?:驶|照)?[证證]|驾照|駕照|行[驶车]证|军官证|军人证|士官证|士兵证|义务兵证|退[伍役]"
    r"(?:军人)?证|文职证|学员证|警官证|警察证|执法证|居住[证證]|居留(?:[证證]件?|许可)|永居卡|永久居留(?:证|身份证)|绿卡|签证|残疾(?:军人)?人?证|"
    r"[结離离]婚证|出生(?:医学)?证明?|儿童身份证明|户口[本簿]|房产证|不动产证|独生子女证|老年证|优待证|健康证|学[位历]证书?|毕业证书?|"
    r"教师资格证书?|(?:资格|执业|从业|上岗|咨询师|律师|护士|医师|记者|导游|会计|社工)证书?)"
)
_IDENTITY: Final = r"(?:身[份分][证證]|(?<![a-z])hkid|居留[证證]|[证證]件)"
_ITS: Final = r"(?:证书|档案|卡|件)?(?:编?[号號]码?|编码|字[号號])?"
_BETWEEN: Final = (
    r"(?:上|里|的?复印件|原件|背面|正面|首页|的|还|我|他|她|写|填|抄|印|记|那个|这个|一直|是|为|着|了|叫|，|、|号码?|編?编?[号號]码?|证件|证号|字[号號]|"
    r"现在|好像|应该|自己|[:：“\"「（(\s])"
)
_ISSUED: Final = r"[\u4e00-\u9fff]{1,3}字第?\s?[0-9]{5,10}\s?号?"
_HONG_KONG: Final = r"[a-z]{1,2} ?[0-9]{6} ?[(（][0-9a][)）]"
_PAPER: Final = (
    rf"(?:{_NO_DATE}(?=(?:[a-z -]*[0-9]){{6}})(?:[a-z]{{0,3}}[ -]?[0-9][0-9a-z-]{{5,19}}(?<!-)|"
    rf"[a-z]{{0,3}} ?[0-9]{{2,5}}(?:[ -][0-9]{{2,5}}){{1,4}}|[a-z]{{4}}[0-9]{{6,14}})|"
    rf"{_ISSUED}|{_HONG_KONG}|[0-9]{{7}}[(（][0-9][)）])"
)


def personal_number() -> Patterned:
    """Numbers of students, candidates, staff, insured persons and patients, of four characters and more.

    The cue stands before them (学号是…) or after (…是我的学号).
    """
    return Patterned(
        "编号",
        "number beside its cue",
        rf"[0-9](?:[{LETTERS}0-9-]{{2}}|(?<=[{LETTERS}-][0-9])[0-9])",
        rf"{_NUMBER_CUES}{_LINK}\K(?<![0-9a-z]){_ITS_NUMBER}{_NO_QUANTITY}",
        rf"{_NUMBER_CUES}{_FAR}\K(?<![0-9a-z]){_LONG_NUMBER}{_NO_QUANTITY}",
        rf"{_CARDS}[^0-9a-z。！？!?\n]{{0,12}}?(?:编?[号號]码?|编码){_LINK}\K(?<![0-9a-z]){_ITS_NUMBER}{_NO_QUANTITY}",
        rf"{_CARDS}(?:上|里)?(?:的|写的?|印的?|是|为|[:：\s（(]){{0,3}}\K(?<![0-9a-z]){_LONG_NUMBER}{_NO_QUANTITY}",
        rf"(?<![0-9a-z@._-]){_ITS_NUMBER}(?![0-9a-z])(?={_OWNER}{_NUMBER_CUES})",
        beside="[号號证證卡牌]|编码|id|病[历歷]|住院单",
        score=0.95,
    )


def paper() -> Patterned:
    """Numbers of passports, permits, licences and certificates, with six digits or more, or like 南字第0123456号."""
    return Patterned(
        "证件",
        "number of a paper",
        rf"[0-9](?:[{LETTERS}0-9-]{{4}}|[0-9]{{1,4}}[ -][0-9])",
        rf"{_PAPER_CUES}{_ITS}{_BETWEEN}{{0,6}}\K(?<![0-9a-z]){_PAPER}{_NO_QUANTITY}",
        rf"{_PAPER_CUES}[^0-9a-z。！？!?\n]{{0,16}}?(?<![单订会])(?:编?[号號]码?|编码)(?:{_IS}{{1,3}})?\K(?<![0-9a-z]){_PAPER}{_NO_QUANTITY}",
        rf"{_PAPER_CUES}[^0-9a-z。！？!?\n]{{1,20}}?\K(?<![0-9a-z])(?-i:[A-Z]{{1,2}})[0-9]{{7,9}}(?![0-9a-z])",
        rf"(?<!单)(?:(?<!身份)(?<!身分)[证證]件?(?:编?[号號]码?|编码|字[号號]))(?<!准考证号)(?<!学生证号)(?<!研究生证号){_BETWEEN}{{0,4}}\K(?<![0-9a-z])"
        rf"(?:(?=[a-z]){_PAPER}|{_ISSUED}|[0-9]{{7,9}}(?![0-9])){_NO_QUANTITY}",
        rf"{_IDENTITY}[^0-9a-z。！？!?\n]{{0,12}}\K(?<![0-9a-z])(?:{_HONG_KONG}|[a-z][1289][0-9]{{8}}|[0-9]{{7}}[(（][0-9][)）])(?![0-9a-z])",
        rf"(?<![0-9a-z@._-]){_PAPER}(?![0-9a-z])(?={_OWNER}(?:{_PAPER_CUES}|{_IDENTITY})(?:编?[号號]码?|字[号號]))",
        rf"(?<![0-9a-z@._-])(?=[a-z]{{1,3}}[0-9]){_PAPER}(?![0-9a-z])(?={_OWNER}{_PAPER_CUES})",
        beside="[证證照卡本簿书書]|许可|证明|hkid",
        score=0.95,
    )
