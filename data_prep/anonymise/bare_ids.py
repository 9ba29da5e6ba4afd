"""Recognisers of ids by their form alone: xhs_94207715k, qwxz1130, MZ20230918442, 23370181550926.

People bring in an id in more ways than cues can list, and hardly anything else in a post looks like one: in the 43
million characters of SMILECHAT and CPsyCounD these find a user name and a signature with its year. A word of letters
with digits or "_" is a user name; a long number, and capitals with digits, is one that an institution gives. Both yield
to whatever a cue or a pattern says. The number of an order, a parcel, a flight, a model or a room is no person's and
stays.
"""

import re
from typing import Final

from data_prep.anonymise.patterned import LETTERS, NO_HOTLINE_BEFORE, Patterned, is_whole_hotline

# What has such numbers and belongs to nobody.
_NOBODY_S: Final = (
    r"(?<!(?:单号|订单|运单|快递|包裹|取件|物流|航班|车次|型号|版本|条形?码|批号|货号|款号|股票|基金|代码|邮编|座位|房间号?|房号|批准文|文号|标准|"
    r"票号|密码|验证|口令|公式|流水|商品|产品|显卡|药品|国药|会议|群名|公众(?:号|平台)|状态|备注|文件|邮箱)[^0-9a-z，。！？!?\n]{0,6}"
    r"|(?:手机|电脑|相机|视频)(?:型号|编号|号)?[是为:：“\"\s]{0,2}|定位[^0-9a-z。]{0,4})"
)
# Behind a placeholder the word that would say so may be gone; behind a letter and @ stands the rest of an address.
_START: Final = rf"(?<![a-z0-9_./=&?%#+\\\-\ue000])(?<![a-z0-9]@)(?<!(?:https?|mailto):){_NOBODY_S}{NO_HOTLINE_BEFORE}"
_END: Final = r"(?![a-z0-9_@])(?![.:/-][a-z0-9])"
_COUNTED: Final = (
    r"(?!\s?(?:[元块万亿千百粉条次遍月日岁级倍份米克升度秒％%]|个(?!人)|人(?!家)|名(?!字)|年(?!底)|天(?!天)|分(?!手)))"
)
_IN_NAME: Final = rf"[{LETTERS}0-9_.-]"

# Names of devices, programs, illnesses and scales with their number, doses, video ids, and two authors with the year.
_TERM: Final = re.compile(
    r"(?:iphone|ipad|ipod|airpods?|macbook|imac|huawei|xiaomi|redmi|oppo|vivo|honor|galaxy|kindle|surface|windows|office|"
    r"android|chatgpt|gpt|rtx|gtx|covid|sars|omega|vitamin|phq|gad|scl|sds|sas|hamd|hama|mmpi|dsm|icd|ccmd|gb[a-z]?|iso|mp|"
    r"ps|usb|type|level|part|step|season|chapter|section|version|top|vol|exchange|server|img|dsc|hsk|cet)(?:[-_.]?[0-9][-_.a-z0-9]{0,14})?|"
    r"bv1[a-z0-9]+|[a-z]+[0-9]+(?:mg|ml|kg|cm|km|g)|[0-9.-]+(?:mg|ml|kg|cm|km)",
    re.IGNORECASE,
)
_AUTHORS: Final = re.compile(r"(?:[A-Z][a-z]+[.-]?){2,4}(?:19|20)[0-9]{2}")
_SITE: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z]{2,4}){1,2}", re.IGNORECASE)
# Lines of firms and of those who help.
_SERVICE: Final = re.compile("[48]00[0-9]{7}")
# HSK-2023: a year is no number.
_YEAR: Final = re.compile("[A-Z]+-(?:19|20)[0-9]{2}")
# A flight, a road or a train has fewer digits: G1234, CA1234.
_LEAST_DIGITS: Final = 5
_LEAST_DIFFERENT: Final = 3


def bare_user_name() -> Patterned:
    """Latin words of 7 to 28 characters with two digits and three letters, or with "_" and a digit or another "_"."""
    return Patterned(
        "账号",
        "user name by its form",
        rf"[{LETTERS}0-9]{_IN_NAME}{{5}}[{LETTERS}0-9_]",
        rf"{_START}(?=[a-z0-9_.-]*[a-z])[a-z0-9][a-z0-9_.-]{{5,26}}[a-z0-9_]{_END}",
        beside=r"(?<![a-z.-])[a-z][a-z.-]*+[0-9_]|(?<![0-9_.-])[0-9_][0-9_.-]*+[a-z]",
        check=_is_user_name,
        score=0.3,
    )


def bare_number() -> Patterned:
    """Numbers of 9 to 20 digits; one to four capitals with 4 to 16 digits and more behind a hyphen."""
    return Patterned(
        "编号",
        "number by its form",
        "[0-9A-Z](?:(?<=[0-9])[0-9]{8}|(?<=[A-Z])[A-Za-z0-9-]{0,9}[0-9]{4})",
        rf"{_START}(?-i:[A-Z]{{1,4}})(?:-?[a-z0-9]{{1,4}})?-?[0-9]{{4,16}}(?:-[0-9]{{1,6}}){{0,2}}{_END}",
        rf"{_START}[0-9]{{9,20}}{_END}{_COUNTED}",
        check=_is_number,
        score=0.3,
    )


def _is_user_name(word: str) -> bool | None:
    """See `Patterned`: None keeps the score."""
    letters, digits, joints = (len(re.findall(of, word)) for of in ("[A-Za-z]", "[0-9]", "[A-Za-z0-9]_(?=[A-Za-z0-9])"))
    joined = joints > 0 and letters > 1 and digits + joints > 1
    if not ((joined or (letters > 2 and digits > 1)) and re.search("[a-z]", word)):
        return False
    return False if any(known.fullmatch(word) for known in (_TERM, _AUTHORS, _SITE)) else None


def _is_number(word: str) -> bool | None:
    digits = re.sub("[^0-9]", "", word)
    short = len(digits) < _LEAST_DIGITS and "-" not in word
    plain = len(set(digits)) < _LEAST_DIFFERENT or digits in "01234567890123456789"
    known = any(one.fullmatch(word) for one in (_SERVICE, _YEAR, _TERM))
    return False if short or plain or known or is_whole_hotline(word) else None
