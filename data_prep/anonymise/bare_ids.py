"""Recognisers of ids by their form alone: xhs_94207715k, qwxz1130, MZ20230918442, 23370181550926.

People bring in an id in more ways than cues can list, and nothing else in a post looks like one: in the 43 million
characters of SMILECHAT and CPsyCounD these find nothing. A word of letters with digits or "_" is a user name; a long number, and capitals with digits, is one that an institution gives. Both yield to whatever a cue or a
pattern says. The number of an order, a parcel, a flight, a model or a room is no person's and stays.
"""

import re
from typing import Final

from data_prep.anonymise.patterned import LETTERS, NO_HOTLINE_BEFORE, Patterned, is_hotline

# What has such numbers and belongs to nobody.
_NOBODY_S: Final = (
    r"(?<!(?:单号|订单|运单|快递|包裹|取件|物流|航班|车次|型号|版本|条形?码|批号|货号|款号|股票|基金|代码|邮编|座位|房间?|批准文|文号|标准|票号|"
    r"密码|验证|口令|公式|流水|商品|产品|手机|电脑|相机|显卡|药品|国药|会议|公众(?:号|平台)|状态|备注|文件|视频|邮箱)[^0-9a-z，。！？!?\n]{0,6}|定位[^0-9a-z。]{0,4})"
)
# Behind a placeholder the word that would say so may be gone.
_START: Final = rf"(?<![a-z0-9_.@/:=&?%#+\\\-\ue000]){_NOBODY_S}{NO_HOTLINE_BEFORE}"
_END: Final = r"(?![a-z0-9_@])(?![.:/-][a-z0-9])(?!\s?[元块万亿千百个人名粉条次遍年月日天岁级倍份米克升度分秒％%])"
_IN_NAME: Final = rf"[{LETTERS}0-9_.-]"

# Names of devices, programs, illnesses and scales, and an author with the year.
_TERM: Final = re.compile(
    r"(?:iphone|ipad|ipod|airpods?|macbook|imac|huawei|xiaomi|redmi|oppo|vivo|honor|galaxy|kindle|surface|windows|office|android|chatgpt|gpt|rtx|gtx|"
    r"covid|h[0-9]n[0-9]|omega|vitamin|phq|gad|scl|sds|sas|hamd|hama|mmpi|dsm|icd|ccmd|mbti|gb[a-z]?|iso|mp[34]|ps[345]|usb|type|level|part|step|"
    r"season|chapter|section|version|top|no|vol|img|dsc|screenshot|bv1)[-_.a-z0-9]*|[a-z]+[0-9]+(?:mg|ml|kg|cm|km|g)|[0-9.-]+(?:mg|ml|kg|cm|km)",
    re.IGNORECASE,
)
_SITE: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z]{2,4}){1,2}", re.IGNORECASE)
# Lines of firms and of those who help.
_SERVICE: Final = re.compile("[48]00[0-9]{7}")
_AUTHOR: Final = re.compile(r"(?:[A-Z][a-z]+[.-]?){1,4}(?:19|20)[0-9]{2}")


def bare_user_name() -> Patterned:
    """Latin words of 7 to 28 characters with an underscore, or with two digits and three letters."""
    return Patterned(
        "账号",
        "user name by its form",
        rf"[{LETTERS}0-9]{_IN_NAME}{{5}}[{LETTERS}0-9_]",
        rf"{_START}(?=[a-z0-9_.-]*[a-z])[a-z0-9][a-z0-9_.-]{{5,26}}[a-z0-9_]{_END}",
        beside="[a-z][a-z.-]*[0-9_]|[0-9_][0-9_.-]*[a-z]",
        check=_is_user_name,
        score=0.3,
    )


def bare_number() -> Patterned:
    """Numbers of nine digits and more; one to four capitals with four digits and more, in groups or not."""
    return Patterned(
        "编号",
        "number by its form",
        "[0-9A-Z](?:(?<=[0-9])[0-9]{8}|(?<=[A-Z])[A-Za-z0-9-]{0,9}[0-9]{4})",
        rf"{_START}(?-i:[A-Z]{{1,4}})(?:-?[a-z0-9]{{1,4}})?-?[0-9]{{4,16}}(?:-[0-9]{{1,6}}){{0,2}}{_END}",
        rf"{_START}[0-9]{{9,20}}{_END}",
        check=_is_number,
        score=0.3,
    )


def _is_user_name(word: str) -> bool | None:
    """See `Patterned`: None keeps the score."""
    letters, digits = (len(re.findall(of, word)) for of in ("[A-Za-z]", "[0-9]"))
    joined = re.search("[A-Za-z0-9]_[A-Za-z0-9]", word) is not None and letters > 1
    if not ((joined or (letters > 2 and digits > 1)) and re.search("[a-z]", word)):
        return False
    return False if any(known.fullmatch(word) for known in (_TERM, _AUTHOR, _SITE)) else None


def _is_number(word: str) -> bool | None:
    digits = re.sub("[^0-9]", "", word)
    # A flight, a road, a train: G1234, CA1234.
    short = len(digits) < 5 and "-" not in word
    if (
        is_hotline(word)
        or _SERVICE.fullmatch(word)
        or short
        or len(set(digits)) < 3
        or digits in "01234567890123456789"
        or _TERM.fullmatch(word)
    ):
        return False
    return None
