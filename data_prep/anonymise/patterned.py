"""Recognisers of what has a pattern: numbers, addresses on the net, licence plates. No model, no word segmentation.

Each is a Presidio ``PatternRecognizer``; a checksum decides where there is one. Patterns see text whose full-width
letters and digits have been folded to ASCII, character by character, so offsets are those of the text itself.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from presidio_analyzer import Pattern, PatternRecognizer

HOTLINES: Final = Path(__file__).with_name("hotlines.txt")
"""Landlines that have to survive: whoever reads the text may need them."""

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤川青藏琼宁"
_TOP_LEVEL = "com|cn|net|org|edu|gov|cc|top|me|info|vip|xyz|club|site|online|shop|io|tv|live|app|wang|ltd|fun"
_PATH = r"(?:[/?#][\w\-./?%&=#~+:@!$,;*]*)?"
_QQ = r"(?:(?<![a-z])q\s?q|[扣抠秋口]{2}|(?<=[加我的号])[扣抠]|企鹅|🐧|(?<![a-z])q(?![a-z]))"
_WECHAT = (
    r"(?:[微威薇维]信|微芯|薇芯|围信|卫星号|绿泡泡|微号|wechat|weixin|(?<![a-z])(?:v信|vx|wx)|"
    r"(?<=[加我的是\s+➕，。])[薇微徽]|(?:[加➕+]|我的?|^|[，。\s])v(?=\s*[:：]|[\u4e00-\u9fa5\s]|[a-z]+[0-9_-]|[a-z]{8})|💚)"
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def luhn_valid(number: str) -> bool:
    """Whether the digits pass the Luhn check (ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def resident_id_valid(number: str) -> bool:
    """Whether 18 characters are a resident ID: a real birth date and the check character of GB 11643-1999."""
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    rest = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number[:17], strict=True)) % 11
    return "10X98765432"[rest] == number[17].upper()


class Patterned(PatternRecognizer):
    """Patterns of one type, all of them sure where they match."""

    def __init__(self, entity: str, *patterns: str) -> None:
        """Compile nothing yet: Presidio compiles a pattern at its first use."""
        super().__init__(
            supported_entity=entity,
            supported_language="zh",
            name=f"{entity} pattern",
            patterns=[Pattern(f"{entity} {i}", regex, 1.0) for i, regex in enumerate(patterns)],
        )


class Phone(Patterned):
    """Mobile and landline numbers of China, short codes and hotlines excepted."""

    def __init__(self) -> None:
        """Read the hotlines."""
        super().__init__(
            "电话",
            r"(?<![\dA-Za-z])(?:\+?86[- ]?)?1[3-9]\d([- ]?)\d{4}\1\d{4}(?!\d)",
            r"(?<!\+86)(?<!\+86[- ])(?<![\dA-Za-z+])(?:[(（]0\d{2,3}[)）][- ]?|0\d{2,3}[- ])[2-9]\d{6,7}(?:-\d{1,4})?(?!\d)",
        )
        lines = (line.partition("#")[0] for line in HOTLINES.read_text(encoding="utf-8").splitlines())
        self._hotlines = {_digits(line) for line in lines if line.strip()}

    def invalidate_result(self, pattern_text: str) -> bool:
        """A hotline is nobody's own number."""
        return _digits(pattern_text) in self._hotlines


class ResidentID(Patterned):
    """Resident IDs whose check character is right."""

    def __init__(self) -> None:
        """18 characters, not part of a longer number."""
        super().__init__("身份证", r"(?<![\dA-Za-z])[1-8]\d{5}(?:18|19|20)\d{9}[\dXx](?![\dA-Za-z])")

    def validate_result(self, pattern_text: str) -> bool:
        """See `resident_id_valid`."""
        return resident_id_valid(pattern_text)


class BankCard(Patterned):
    """Card numbers of 16, 17 or 19 digits that pass the Luhn check, also in groups of four."""

    def __init__(self) -> None:
        """No 18 digits: these are resident IDs, right or mistyped."""
        super().__init__(
            "银行卡", r"(?<![\dA-Za-z])[3-9]\d{3}([- ]?)\d{4}\1\d{4}\1\d{4}(?:\1\d{3}|\d)?(?![\dA-Za-z])"
        )

    def validate_result(self, pattern_text: str) -> bool:
        """See `luhn_valid`."""
        return luhn_valid(_digits(pattern_text))


def patterned_recognisers() -> Sequence[Patterned]:
    """One recogniser a type, none of them shared."""
    return [
        ResidentID(),
        BankCard(),
        Patterned("邮箱", r"(?<![\w.+-])[\w.+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,}(?![a-z0-9])".replace(r"\w", "a-z0-9_")),
        Patterned(
            "网址",
            rf"(?:https?://|www\.)[\w\-.]+(?::\d+)?{_PATH}".replace(r"\w", "a-z0-9_"),
            rf"(?<![@\w.-])(?:[a-z0-9-]+\.)+(?:{_TOP_LEVEL})(?![a-z0-9.]){_PATH}".replace(r"\w", "a-z0-9_"),
        ),
        Phone(),
        Patterned(
            "QQ",
            rf"{_QQ}[^\d。.!！?？;；@\[\]\n]{{0,8}}\K[1-9]\d{{4,10}}(?![\d.@]|\s?[元块万人粉步字天级年分])",
        ),
        Patterned(
            "微信",
            rf"{_WECHAT}[^a-z0-9。!！?？;；\[\]\n]{{0,8}}\K(?=[a-z_-]*[0-9_-])[a-z_][a-z0-9_-]{{5,19}}(?![a-z0-9_@.-])",
            rf"{_WECHAT}[^a-z0-9，,。!！?？;；\[\]\n]{{0,3}}\K[a-z_][a-z0-9_-]{{5,19}}(?![a-z0-9_@.-])",
            rf"{_WECHAT}[^a-z0-9，,。!！?？;；\[\]\n]{{0,4}}\K(?!1[3-9]\d{{9}})[1-9]\d{{5,10}}(?![\d.@]|\s?[元块万人粉步字天级年分])",
        ),
        Patterned(
            "车牌",
            rf"[{_PROVINCES}][A-HJ-NP-Z][·•. ]?"
            r"(?=[A-Z0-9]*\d[A-Z0-9]*\d)(?:[A-HJ-NP-Z0-9]{4}[挂学警港澳]|[A-HJ-NP-Z0-9]{5,6}(?![A-Z0-9]))",
        ),
    ]


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())
