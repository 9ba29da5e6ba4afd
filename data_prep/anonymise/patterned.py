"""Recognisers of what has a pattern of its own: phones, IDs, cards, e-mail, URLs, licence plates.

Each is a Presidio ``PatternRecognizer`` over folded text (``placeholders.fold``). What only a cue beside it tells apart
from any other number is in ``accounts`` (QQ, WeChat), ``user_names`` and ``papers``; Taiwan, Hong Kong and Macau are in
``overseas``. Short codes (such as 110), 400 and 800 numbers, the lines in
``hotlines.txt`` and those of `common.human_help` are nobody's own and stay, and so does a landline that the text calls
a hotline.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import phonenumbers
import tldextract

from common.human_help import human_help
from data_prep.anonymise.presidio import Pattern, PatternRecognizer

# What ``[a-z]`` matches where case is ignored: these two are an s and a k.
LETTERS: Final = "A-Za-z\u017f\u212a"

# Numbers that have to survive, one a line: whoever reads the text may need them.
HOTLINES: Final = Path(__file__).with_name("hotlines.txt")

_NUMERALS: Final = "〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_TO_DIGIT: Final = str.maketrans(_NUMERALS + "oO", "00123456789" + "1123456789" + "00")
_D: Final = f"[0-9{_NUMERALS}]"
# Marks between digits; the last two make a digit a keycap emoji.
_GAP: Final = r"[ \-–—.·_/，,\ufe0f\u20e3]{0,3}"
# Numbers of parcels, orders and papers look like phones and cards.
NOT_A_SERIAL: Final = r"(?<!(?:单号|订单|运单|编号|流水|批号|条码|票号|学号|考号|工号|准考证|考生号)[^0-9，。]{0,4})"
_HOTLINE: Final = "(?:热线|专线|心理援助|危机干预|自杀干预|援助电话|求助电话)"
# A number that the text calls a hotline is nobody's own.
NO_HOTLINE_BEFORE: Final = rf"(?<!{_HOTLINE}(?:[^0-9。！？!?；;，,\n]{{0,12}}|[^0-9\n]{{0,2}}))"
NO_HOTLINE_AFTER: Final = rf"(?![^0-9。！？!?；;，,\n]{{0,12}}{_HOTLINE})"
_MOBILE_SHAPES: Final = frozenset(
    {
        (11,),
        (3, 4, 4),
        (3, 8),
        (7, 4),
        (4, 3, 4),
        (4, 4, 3),
        (3, 3, 5),
        (5, 6),
        (6, 5),
        (3, 2, 2, 2, 2),
        (3, 4, 2, 2),
        (1, 3, 3, 4),
        (1,) * 11,
    }
)
_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤川青藏琼宁"
_PATH: Final = r"(?:(?::[0-9]+)?[/?#](?:[a-z0-9_\-./?%&=#~+:@!$,;*]*[a-z0-9_\-/%&=#~+*])?)?"

# Of resident IDs' check characters (GB 11643-1999).
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"

# Endings of file names, and words that follow a full stop without a space; as a site's they need more to go by.
_FILE_ENDINGS: Final = re.compile("py|md|sh|zip|mov|rs|pl|ps|ai|pm")
_WORD_ENDINGS: Final = re.compile(
    "am|as|at|be|by|do|eg|id|in|is|it|la|me|my|no|or|so|to|us|app|day|fit|fun|help|here|how|life|live|love|moe|new|now|"
    "one|run|top|today|win|work|wow|you"
)
_TITLES: Final = re.compile("mr|mrs|ms|dr|prof|st|vs|asp", re.IGNORECASE)


class Patterned(PatternRecognizer):
    """Patterns of one type, and a cheaper one without which none of them matches."""

    def __init__(
        self,
        entity: str,
        name: str,
        trigger: str,
        *patterns: str,
        beside: str | None = None,
        check: Callable[[str], bool | None] | None = None,
        score: float = 1.0,
    ) -> None:
        """Take the patterns; Presidio compiles them at their first use, ignoring case.

        The trigger does not ignore it and begins with one set of characters: so written it is searched for quickly.

        Args:
            beside: what else, case ignored, stands in every text with a match; looked for where the trigger is.
            check: whether what a pattern found is one, which makes its score 1; None where the pattern says it all.
            score: of what is found without a check: of two that overlap, the surer one stays.
        """
        super().__init__(
            supported_entity=entity,
            supported_language="zh",
            name=name,
            patterns=[Pattern(f"{name} {i}", regex, score) for i, regex in enumerate(patterns)],
        )
        self._trigger, self._check = re.compile(trigger), check
        self._beside = re.compile(beside, re.IGNORECASE) if beside else None

    def may_match(self, text: str) -> bool:
        """See `Recogniser`."""
        return self._trigger.search(text) is not None and (
            self._beside is None or self._beside.search(text) is not None
        )

    def validate_result(self, pattern_text: str) -> bool | None:
        """What ``check`` says."""
        return self._check(pattern_text) if self._check else None


def mobile() -> Patterned:
    """Mobile numbers of mainland China: together, in the usual groups, in Chinese numerals; +86 belongs to them.

    Eleven digits, the first two of which are 13 to 19.
    """
    eleven = rf"[1一幺壹]{_GAP}[3-9三四五六七八九叁肆伍陆柒捌玖](?:{_GAP}(?:{_D}|[oO])){{8}}{_GAP}{_D}"
    return Patterned(
        "电话",
        "mobile",
        eleven,
        r"(?<![0-9])(?<![0-9][.])(?:(?<![a-z])|(?<=(?<![a-z])(?:tel|phone|wechat|weixin|wx|vx|v|qq|q)))"
        rf"{NOT_A_SERIAL}(?:[(（]?(?:\+|00)?86[)）]?[- ]?)?{eleven}(?![0-9])(?![.][0-9])",
        check=_is_mobile,
    )


def landline() -> Patterned:
    """Landlines with their area code, local ones that the text calls a phone, and numbers abroad with +."""
    start = rf"(?<![0-9a-z+.\-]){NO_HOTLINE_BEFORE}"
    end = rf"(?![0-9]){NO_HOTLINE_AFTER}"
    local = r"(?:[2-8][0-9]{2,3}[- ]?[0-9]{4}|[2-8][0-9]{3}[- ][0-9]{3})"
    extension = r"(?:(?:[-–—]|\s?转\s?|\s?分机\s?)[0-9]{1,5})?"
    return Patterned(
        "电话",
        "landline",
        r"[0-9](?:[()（）\- –—]{0,4}[0-9]){6}",
        rf"{start}(?:(?:\+|00)86[- ]?)?(?:[(（]0[1-9][0-9]{{1,2}}[)）][- ]?|0[1-9][0-9]{{1,2}}[-–— ]{{0,2}})"
        rf"{local}{extension}{end}",
        rf"{start}(?:\+|00)86[- ]?[1-9][0-9]{{1,2}}[- ]{local}{extension}{end}",
        rf"{start}(?:\+|00)(?!86)[1-9][0-9]{{0,2}}[- ]?(?:[(]?[0-9]{{1,4}}[)]?[- ]?){{1,4}}[0-9]{{2,4}}{end}",
        rf"{NO_HOTLINE_BEFORE}(?:座机|固话|固定电话|电话|宅电|传真|总机)[号码]{{0,2}}"
        rf"(?:(?:还|就|一直|原来|以前|都)?[是为叫])?[:：，,（(\s]{{0,3}}\K{local}{end}",
        check=_is_landline,
    )


def resident_id() -> Patterned:
    """Resident IDs of 18 characters whose check character is right, and old ones of 15 that the text calls so.

    The first two digits are a province's (GB/T 2260).
    """
    province = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
    return Patterned(
        "身份证",
        "resident ID",
        r"[1-8][0-9]{5}[- ]?[0-9]{4}",
        rf"(?<![0-9a-z]){province}[0-9]{{4}}[- ]?(?:18|19|20)[0-9]{{2}}[- ]?[0-9]{{4}}[- ]?[0-9]{{3}}[0-9x]"
        r"(?![0-9a-z])",
        rf"(?:身份证|证件)[^0-9。！？\n]{{0,8}}\K{province}[0-9]{{13}}(?![0-9a-z])",
        check=_is_resident_id,
    )


def bank_card() -> Patterned:
    """Card numbers of 16, 17 or 19 digits that pass the Luhn check, together or in groups.

    No 18 digits: these are resident IDs, right or mistyped.
    """
    digits = r"(?:[3-9][0-9]{15,18}|[3-9][0-9]{2,7}(?:[- ][0-9]{3,13}){1,5})"
    return Patterned(
        "银行卡",
        "bank card",
        r"[0-9](?:[- ]?[0-9]){15}",
        rf"(?<![0-9a-z])(?<![0-9][.-]){NOT_A_SERIAL}{digits}(?![0-9a-z])",
        check=_is_bank_card,
    )


def email() -> Patterned:
    """E-mail addresses, also with spaces, 艾特 or (at) for the sign, and 点 for the dot before a common ending.

    Addresses in ASCII only.
    """
    local = r"(?<![a-z0-9_.+-])[a-z0-9][a-z0-9_.+-]*"
    return Patterned(
        "邮箱",
        "e-mail",
        r"[@#艾(（\[ ](?:(?<=[@#])|(?<=艾)特|(?<=[(（\[])[aA][tT][)）\]]|(?<= )[aA][tT] )",
        rf"{local}@(?:[a-z0-9-]+\.)+[a-z]{{2,}}(?![a-z0-9])",
        rf"{local} ?(?:@|艾特|[(（\[]at[)）\]]|#|(?<= )at(?= )) ?"
        r"(?:[a-z0-9-]+ ?(?:[.。点]|(?<= )dot(?= )) ?)+(?:com|cn|net|org)(?![a-z0-9])",
    )


def url() -> Patterned:
    """Addresses on the net: with a scheme or www, or a bare domain under a real ending.

    The endings are the Public Suffix List's as tldextract brings it; nothing is fetched.
    """
    dot = r"(?:[.点。]|\[\.\])"
    return Patterned(
        "网址",
        "URL",
        rf"[:：.点。\]](?:(?<=[:：])//|(?:(?<=[{LETTERS}0-9-][.点。])|(?<=[{LETTERS}0-9-]\[\.\]))[{LETTERS}]{{2}})",
        rf"(?:https?|(?<![a-z])(?![a-z]{{1,6}}https?:)[a-z]{{2,8}})[:：]//[a-z0-9_\-.]*[a-z0-9]{_PATH}",
        rf"(?<![@a-z0-9_.\-])(?:[a-z0-9][a-z0-9-]*\.)+[a-z]{{2,}}(?![a-z0-9@]){_PATH}(?!\s?邮箱)",
        r"(?<![@a-z0-9_.\-点])(?=[a-z0-9.-]*[点。\[])"
        rf"(?:[a-z0-9][a-z0-9-]*{dot})+(?:com|cn|net|org)(?![a-z0-9]){_PATH}",
        check=_is_url,
    )


def licence_plate() -> Patterned:
    """Plates of GA 36-2018: province, letter, five characters, or six of a new-energy car; 挂, 学, 警 and 港澳 too.

    At least three digits, so that no abbreviation looks like a plate.
    """
    char = "[A-HJ-NP-Z0-9]"
    return Patterned(
        "车牌",
        "licence plate",
        rf"[{_PROVINCES}]\s?[{LETTERS}]",
        rf"[{_PROVINCES}]\s?[A-HJ-NP-Z]\s?[·•.・\- ]?\s?(?=[A-Z]*[0-9][A-Z]*[0-9][A-Z]*[0-9])"
        rf"(?:{char}{{4}}[挂学警港澳]|(?:[A-HJK][A-HJ-NP-Z0-9][0-9]{{4}}|[0-9]{{5}}[A-HJK]|{char}{{5}})(?![A-Z0-9]))",
    )


def plain_number(text: str) -> str:
    """The letters and digits of a number, however it is written: +86 138-7462-0591 and 一三八… are 13874620591."""
    plain = re.sub(r"[^0-9A-Z\u4e00-\u9fff]", "", text.translate(_TO_DIGIT).upper())
    return re.sub(r"^(?:00)?86(?=1[3-9][0-9]{9}$)", "", plain)


def _is_mobile(text: str) -> bool:
    """Whether the digits stand in groups as people write them; scores in a row do not."""
    # In 1983026471一直 the last numeral is the next word's.
    if text.endswith("一") and text[:-1].isascii():
        return False
    shape = _mobile_shape(text)
    # With commas between, (2, 3, 3, 3) is an amount.
    return shape in _MOBILE_SHAPES or (shape == (2, 3, 3, 3) and not re.search("[,，]", text))


def _is_landline(text: str) -> bool:
    """Whether it is no hotline, and can exist under the numbering plan; with its area code apart it need not."""
    bare = re.split(r"转|分机", text)[0].strip()
    if is_hotline(bare):
        return False
    if re.match(r"[(（]?0[1-9][0-9]+[^0-9]|[2-8]", bare):
        return True
    try:
        number = phonenumbers.parse(re.sub(r"([0-9]{7,8})[-–—][0-9]{1,5}$", r"\1", bare), "CN")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number)


def _is_resident_id(text: str) -> bool:
    """See `resident_id_valid` and `old_resident_id_valid`."""
    number = re.sub("[- ]", "", text)
    return resident_id_valid(number) if len(number) == 18 else old_resident_id_valid(number)


def _is_bank_card(text: str) -> bool:
    """See `luhn_valid`."""
    digits = _digits(text)
    return len(digits) in (16, 17, 19) and luhn_valid(digits)


def _is_url(text: str) -> bool | None:
    """Whether a bare domain is one rather than a file's name or two sentences without a space between."""
    if re.match(r"[a-z]+[:：]//", text, re.IGNORECASE):
        return None
    host, *path = re.split("[/?#:]", re.sub(r"[点。]|\[\.\]", ".", text), maxsplit=1)
    labels = host.split(".")
    ending = labels[-1].lower()
    # 2.HR is the second item of a list.
    if labels[0].isdecimal() and len(labels) == 2 and not path and len(labels[0]) <= 2:
        return False
    if ending not in _endings() or labels[-1].istitle() or _TITLES.fullmatch(labels[0]):
        return False
    if len(labels) > 2 or path:
        return True
    if _WORD_ENDINGS.fullmatch(ending):
        return re.search(r"[a-z].*[0-9-]|[0-9-].*[a-z]", labels[0], re.IGNORECASE) is not None
    return _FILE_ENDINGS.fullmatch(ending) is None


def is_hotline(text: str) -> bool:
    """Whether the digits of a number are those of a line that helps, with or without its area code."""
    digits = _digits(text)
    return any(line.endswith(digits) or digits.startswith(line) for line in _hotlines())


def is_whole_hotline(text: str) -> bool:
    """Whether a number is a line that helps, whole; `is_hotline` takes one for it that only begins so (110…)."""
    return text.isdigit() and any(line == text or (line.endswith(text) and len(text) > 6) for line in _hotlines())


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _mobile_shape(text: str) -> tuple[int, ...]:
    """The lengths of the groups of digits, without the country's code."""
    number = re.sub(r"^[(（]?(?:\+|00)?86[)）]?(?=.{11})[- ]?", "", text.translate(_TO_DIGIT))
    return tuple(len(group) for group in re.findall("[0-9]+", number))


@cache
def _hotlines() -> frozenset[str]:
    lines = (line.partition("#")[0] for line in HOTLINES.read_text(encoding="utf-8").splitlines())
    return frozenset(_digits(line) for line in (*lines, *human_help().numbers) if line.strip())


@cache
def _endings() -> frozenset[str]:
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)
    return frozenset(suffix for suffix in extract.tlds if "." not in suffix)


def luhn_valid(number: str) -> bool:
    """Whether the digits pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def resident_id_valid(number: str) -> bool:
    """Whether 18 characters are a resident ID: a real birth date and the check character of GB 11643-1999."""
    if not _is_date(number[6:14]):
        return False
    rest = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number[:17], strict=True)) % 11
    return _ID_CHECKS[rest] == number[17].upper()


def old_resident_id_valid(number: str) -> bool:
    """Whether 15 digits can be a resident ID of before 1999, which has a birth date of the 1900s and no check."""
    return _is_date("19" + number[6:12])


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
