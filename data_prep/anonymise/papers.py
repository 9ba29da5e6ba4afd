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
    r"(?!\s?(?:[年级届位个元人分块多余以到之月天次路楼~～%％]|开头|结尾|号(?:线|楼|床|房|考场|教室)))"
)
_NO_DATE: Final = r"(?!(?:19|20)[0-9]{2}[-.]?(?:0[1-9]|1[0-2])[-.]?(?:0[1-9]|[12][0-9]|3[01])(?![0-9a-z]))"
_OWNER: Final = r"[，,\s”\"]{0,2}(?:就?是|这是|为)(?:我|他|她|ta|本人|孩子|我们?家?孩子|儿子|女儿)?(?:自己)?的?"
_IS: Final = r"(?:还|就|好像|应该|大概|原来|现在)?[是为填写叫:：“\"「（(\s]"
_LINK: Final = rf"(?:{_IS}{{1,3}})?"

_NUMBER_CUES: Final = (
    r"(?:学籍?|考生?|准考证|报名|工|警|员工|职工|教职?工|教师|社保(?:卡|账户)?|社会保障(?:卡)?|社会保险|"
    r"医保(?:卡|账户|电脑)?|参保(?:人)?|保险?单|公积金(?:账户?)?|住院|门诊|病历|病案|就诊卡?|诊疗卡?|挂号|登记|检查|"
    r"(?<!证)档案|学生证|学生卡|工作证|工牌|病人|患者|就诊人|来访者?|咨询者)"
    r"(?:编?[号號]码?|编码|id)"
)
_ITS_NUMBER: Final = r"(?=(?:[a-z-]*[0-9]){3})(?=[a-z0-9-]{4})[a-z]{0,4}-?[0-9][0-9a-z-]{1,22}(?<!-)"

_PAPER_CUES: Final = (
    r"(?:护照|護照|(?:往来)?(?:港澳台?|台湾|两岸)?(?:居民)?(?:来往|往来)?(?:内地|大陆|台湾)?通行证|回乡证|台胞证|入台证|"
    r"驾(?:驶|照)?证|驾照|行驶证|军官证|士官证|士兵证|文职证|警官证|居住证|居留证|永居卡|绿卡|签证|残疾人?证|[结离]婚证|"
    r"出生(?:医学)?证明?|户口[本簿]|房产证|学位证书?|毕业证书?|教师资格证书?|(?:资格|执业|从业|咨询师|律师|护士|医师)证书?)"
)
_PAPER: Final = (
    rf"(?:{_NO_DATE}(?=(?:[a-z-]*[0-9]){{6}})[a-z]{{0,3}}-?[0-9][0-9a-z-]{{5,19}}(?<!-)|"
    r"[\u4e00-\u9fff]{1,2}字第?[0-9]{5,8}号?)"
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
        rf"(?<![0-9a-z@._-]){_ITS_NUMBER}(?![0-9a-z])(?={_OWNER}(?:新)?{_NUMBER_CUES})",
        score=0.95,
    )


def paper() -> Patterned:
    """Numbers of passports, permits, licences and certificates, with six digits or more, or like 南字第0123456号."""
    return Patterned(
        "证件",
        "number of a paper",
        r"[0-9][0-9-]{4}",
        rf"{_PAPER_CUES}(?:证书|档案)?(?:编?[号號]码?|编码|字号)?{_LINK}\K(?<![0-9a-z]){_PAPER}{_NO_QUANTITY}",
        rf"(?<![0-9a-z@._-]){_PAPER}(?![0-9a-z])(?={_OWNER}(?:新)?{_PAPER_CUES}(?:编?[号號]码?))",
        score=0.95,
    )
