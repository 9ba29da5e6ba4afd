"""Recognisers of phones and identity cards of Taiwan, Hong Kong and Macau.

Phones with + and the country's code are `patterned.landline`'s; here are those written as people there write them.
Whether a phone can exist is the numbering plan's to say (phonenumbers). Identity cards have to pass their check digit;
Macau's, which has no public rule for it, has to be called one. Hotlines stay, as on the mainland.
"""

import re
from typing import Final

import phonenumbers

from data_prep.anonymise.patterned import NO_HOTLINE_AFTER, NO_HOTLINE_BEFORE, NOT_A_SERIAL, Patterned, is_hotline

_REGIONS: Final = {"886": "TW", "852": "HK", "853": "MO"}
_START: Final = rf"(?<![0-9a-z+.\-/]){NO_HOTLINE_BEFORE}"
_END: Final = rf"(?![0-9])(?![.\-/][0-9]){NO_HOTLINE_AFTER}"
_PHONE_CUE: Final = "电话|電話|手机|手機|tel|phone|mobile|whatsapp"
_TAIWAN_CUE: Final = f"{_PHONE_CUE}|号码|號碼|台湾|台灣|臺灣|门号|門號|联系|聯絡|联络|打给|line"
_HONG_KONG_CUE: Final = f"{_PHONE_CUE}|香港|澳门|澳門|港"
_LINK: Final = r"[^0-9a-z。！？!?；;，,\n]{0,8}"

# A letter of a Taiwanese card counts as two digits, in the order of the alphabet.
_TAIWAN_LETTERS: Final = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33),
        strict=True,
    )
)
# An account of that name (微信A123456789) is none.
_NO_ACCOUNT: Final = r"(?<!(?:微信|v信|wx|vx|qq|(?<![a-z])v|[账帐]号|用户名|抖音|微博|小红书)[号是:：\s]{0,4})"


def overseas_phone() -> Patterned:
    """Phones of Taiwan (0912-345-678, 02-2345-6789), of Hong Kong and Macau, and those with 886, 852 or 853.

    Eight digits alone, and a mobile number of Taiwan without separators, need a cue.
    """
    eight = r"[2-9][0-9]{3}[- ]?[0-9]{4}"
    return Patterned(
        "电话",
        "phone of Taiwan, Hong Kong or Macau",
        r"[0-9](?:[()（）\- ]{0,2}[0-9]){7}",
        rf"{_START}09[0-9]{{2}}[- ][0-9]{{3}}[- ]?[0-9]{{3}}{_END}",
        rf"(?:{_TAIWAN_CUE}){_LINK}\K{_START}09[0-9]{{8}}{_END}",
        rf"{_START}(?:[(（]0[2-8][)）][- ]?|0[2-8][- ])[2-9][0-9]{{2,3}}[- ]?[0-9]{{4}}{_END}",
        rf"{_START}[(（](?:\+|00)?(?:886|85[23])[)）][- ]?[0-9](?:[- ]?[0-9]){{7,8}}{_END}",
        rf"{_START}(?:00)?886[- ]9[0-9]{{2}}[- ]?[0-9]{{3}}[- ]?[0-9]{{3}}{_END}",
        rf"{_START}(?:00)?85[23][- ]{eight}{_END}",
        rf"(?:{_HONG_KONG_CUE}){_LINK}\K{NOT_A_SERIAL}{_START}{eight}(?!\s?[元块万亿千百个人名次粉港]){_END}",
        check=_is_overseas_phone,
    )


def overseas_id() -> Patterned:
    """Identity cards of Taiwan (A123456789) and Hong Kong (A123456(3)), which need no cue, and of Macau, which do."""
    return Patterned(
        "证件",
        "identity card of Taiwan, Hong Kong or Macau",
        r"[A-Za-z0-9][0-9]{5}",
        rf"(?<![0-9a-z]){_NO_ACCOUNT}(?-i:[A-Z][1289A-D])[0-9]{{8}}(?![0-9a-z])",
        r"(?<![0-9a-z])[a-z]{1,2}[0-9]{6}[(（][0-9a][)）]",
        r"(?:身份证|身分證|身分证|身份證|hkid|证件|證件)[^0-9a-z。！？\n]{0,8}\K[a-z]{1,2}[0-9]{6}[0-9a](?![0-9a-z])",
        r"(?:澳门|澳門|身份证|身份證|证件)[^0-9a-z。！？\n]{0,10}\K[1578][0-9]{6}[(（/][0-9][)）]?(?![0-9])",
        check=_is_overseas_id,
    )


def taiwan_id_valid(number: str) -> bool:
    """Whether ten characters are an identity or residence number of Taiwan: weights 1, 9, 8 … 1, 1, sum by ten.

    A residence number before 2021 has a letter in the second place, of which the last digit counts. The rule is
    https://zh.wikipedia.org/wiki/中華民國國民身分證, section 編號.
    """
    first, second, *rest = tuple(number.upper())
    letter = _TAIWAN_LETTERS[first]
    after = _TAIWAN_LETTERS[second] % 10 if second.isalpha() else int(second)
    digits = [letter // 10, letter % 10, after, *map(int, rest)]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return sum(weight * digit for weight, digit in zip(weights, digits, strict=True)) % 10 == 0


def hong_kong_id_valid(number: str) -> bool:
    """Whether one or two letters, six digits and a check character (A is ten) are an identity number of Hong Kong.

    Letters count 10 to 35, a missing first one 36; weights 9 to 1, sum by eleven. The rule is
    https://zh.wikipedia.org/wiki/香港身份證, section 號碼.
    """
    *body, check = tuple(number.upper().rjust(9))
    values = [36 if char == " " else ord(char) - 55 if char.isalpha() else int(char) for char in body]
    total = sum(weight * value for weight, value in zip(range(9, 1, -1), values, strict=True))
    return (total + (10 if check == "A" else int(check))) % 11 == 0


def _is_overseas_phone(text: str) -> bool:
    digits = "".join(char for char in text if char.isdigit()).removeprefix("00")
    if is_hotline(digits):
        return False
    region = _REGIONS.get(digits[:3]) if len(digits) > 10 else None
    local = digits[3:] if region else digits
    regions = [region] if region else ["TW"] if digits.startswith("0") else ["HK", "MO"]
    return any(phonenumbers.is_valid_number(phonenumbers.parse(local, each)) for each in regions)


def _is_overseas_id(text: str) -> bool:
    number = re.sub(r"[^0-9A-Za-z]", "", text)
    if number.isdecimal():
        return True
    return taiwan_id_valid(number) if len(number) == 10 else hong_kong_id_valid(number)
