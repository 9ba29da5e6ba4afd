"""The rules that mend a text: markup, links, invisible characters, traditional characters, long runs, white space.

Every function takes a text and gives it back, never longer, with the named thing gone or evened out. Each first looks
whether there is anything to do at all, since on most texts there is not. What a function removes may bring forth what
an earlier one looks for (``&amp;lt;br&amp;gt;``), so ``Cleaner`` applies them in turn until none finds anything.
Names, numbers and other personal data are left alone: they are anonymisation's.
"""

import html
import re
import unicodedata
from functools import cache
from typing import Final

from opencc import OpenCC

from reward_fns.coe_format import TAG_NAMES

# So many equal characters may stand in a row.
LONGEST_RUN: Final = 3

# From this share of kana among its characters a text counts as Japanese.
KANA_SHARE: Final = 0.1

_BREAK_TAGS = "br|p|div|li|ul|ol|tr|h[1-6]|hr|blockquote|section|article|table"
_OTHER_TAGS = (
    "a|abbr|b|big|body|button|center|cite|code|dd|del|dl|dt|em|figure|figcaption|font|footer|form|head|header|html|i|"
    "iframe|img|input|ins|label|link|main|meta|nav|object|option|param|pre|q|s|script|select|small|source|span|strike|"
    "strong|style|sub|sup|tbody|td|textarea|tfoot|th|thead|title|tt|u|var|video|audio|"
    f"think|{'|'.join(TAG_NAMES)}"
)
# Attributes have to look like attributes, so that "a<b 且 c>d" stays.
_ATTRIBUTES = r"""(?:\s+[a-z][\w:-]*(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))?)*\s*/?"""
_HIDDEN = re.compile(r"<!--(?:(?!-->|<!--).)*-->|<(script|style)\b[^<>]*>[^<]*</\1\s*>", re.IGNORECASE | re.DOTALL)
_BREAK_TAG = re.compile(rf"</?(?:{_BREAK_TAGS}){_ATTRIBUTES}>", re.IGNORECASE | re.ASCII)
_OTHER_TAG = re.compile(rf"</?(?:{_OTHER_TAGS}){_ATTRIBUTES}>|<\|[a-z_]+\|>", re.IGNORECASE | re.ASCII)
# An ampersand escaped over and over, undone at once: else each pass of the rules would undo one.
_AMPERSAND = re.compile(r"&(?:(?:amp|#38|#x26);)+", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.IGNORECASE | re.ASCII)

_URL_CHAR = r"[!#$%&'()*+,\-./:;=?@\[\]_~A-Za-z0-9]"
_URL_LAST = r"[#$%&*+\-/=_~A-Za-z0-9]"
_URL = re.compile(
    rf"(?:(?:https?|ftp)://|(?<![A-Za-z0-9@.-])www\.){_URL_CHAR}*{_URL_LAST}"
    r"|(?<![A-Za-z0-9@.-])(?:[a-z0-9-]+\.)+(?:com|cn|net|org|cc|me|io|co|top|tv|vip|xyz|link|info|edu|gov)(?::\d+)?/"
    rf"(?:{_URL_CHAR}*{_URL_LAST})?",
    re.IGNORECASE | re.ASCII,
)

_JOINER = "\u200d"
# The joiner binds emoji into one; between anything else it is as invisible as the rest.
_STRAY_JOINER = re.compile(
    "(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d|\u200d(?![\u2600-\u27bf\U0001f000-\U0001faff])"
)
# A variation selector whose emoji was lost.
_STRAY_SELECTOR = re.compile(
    "(?<![#*0-9\u00a9\u00ae\u203c-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f]"
)
_SELECTORS = ("\ufe0e", "\ufe0f")
_INVISIBLE = frozenset({"Cc", "Cf", "Co"})

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")

# Six times as fast as _RUN; emoji may carry a variation selector each.
_FOUR_EQUAL = re.compile("(.)" + r"\1" * LONGEST_RUN)
_RUN = re.compile(rf"(.\ufe0f?)\1{{{LONGEST_RUN},}}")
# Two of these words side by side are four equal characters: 理解婆婆婆婆也会高兴.
_DOUBLED_WORDS = frozenset("爸妈爷奶婆公姥哥姐弟妹叔姑舅伯宝")

_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_LINE_EDGES = re.compile(r" ?\n ?")
_BLANK_LINES = re.compile(r"\n{3,}")
_UNEVEN = ("  ", " \n", "\n ", "\n\n\n")


def html_markup(text: str) -> str:
    """Remove HTML: its tags and comments go, entities become their characters; a block's tag becomes a line end.

    The tags of the CoE format and of chat templates (``<answer>``, ``<|im_end|>``) go with them: in a human text they
    would break the format that the model is to learn. Left alone is every other ``<``: ``<3``, ``a<b``, ``<我们仨>``.
    """
    if "<" in text:
        text = _OTHER_TAG.sub("", _BREAK_TAG.sub("\n", _HIDDEN.sub("", text)))
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match.group()), _AMPERSAND.sub("&", text))
    return text


def urls(text: str) -> str:
    """Remove web addresses: nobody can follow them from a reply, and a model would learn to invent them.

    An address begins with its scheme or ``www.``, or is a domain with a path (``t.cn/abc``). Left alone are bare
    domains, which are names in a sentence (58.com), and e-mail addresses, which anonymisation masks.
    """
    return _URL.sub("", text) if "." in text else text


def control_characters(text: str) -> str:
    """Remove what no reader sees: control, format and private-use characters (Unicode categories Cc, Cf, Co).

    Joiners and variation selectors go where no emoji is, as they stay behind when one is lost. Left alone are those
    inside emoji, and white space, which is another rule's.
    """
    if not _is_printable(text):
        invisible = [
            char
            for char in set(text)
            if char != _JOINER and not char.isspace() and unicodedata.category(char) in _INVISIBLE
        ]
        text = _STRAY_JOINER.sub("", text.translate(dict.fromkeys(map(ord, invisible))))
    if any(selector in text for selector in _SELECTORS):
        text = _STRAY_SELECTOR.sub("", text)
    return text


def traditional(text: str) -> str:
    """Turn traditional Chinese into simplified with OpenCC (t2s: words first, then characters).

    Left alone are texts without a character that OpenCC would change, Japanese ones (``KANA_SHARE``), and the likes of
    慰藉 and 乾坤, which are written so in simplified Chinese too.
    """
    converter, changeable = _simplifier()
    if not changeable.search(text) or len(_KANA.findall(text)) >= KANA_SHARE * len(text):
        return text
    return converter.convert(text)


def repeated_characters(text: str) -> str:
    """Cut runs of one character down to three: 啊啊啊啊啊啊, 。。。。, ～～～～, ！！！！！, 😭😭😭😭.

    Left alone are digits, white space, and doubled words of family, of which two may follow each other (妈妈妈妈).
    """
    if "\ufe0f" not in text and not _FOUR_EQUAL.search(text):
        return text
    return _RUN.sub(_shortened, text)


def whitespace(text: str) -> str:
    """Even out white space.

    Every line end becomes ``\\n``, every other space (full-width, no-break, tab, runs of them) one plain space; none
    stands at a line's edge, at most one blank line in a row, and nothing blank at the beginning or the end. Left alone
    are the words: no space is put in or taken out between Chinese and Latin letters.
    """
    text = text.strip()
    if _is_printable(text) and not any(space in text for space in _UNEVEN):
        return text
    text = _SPACES.sub(" ", _LINE_ENDS.sub("\n", text))
    return _BLANK_LINES.sub("\n\n", _LINE_EDGES.sub("\n", text)).strip()


def _is_printable(text: str) -> bool:
    """Whether all is printable but for line ends: of white space there is then only the plain space."""
    return text.replace("\n", "").isprintable()


@cache
def _simplifier() -> tuple[OpenCC, re.Pattern[str]]:
    """OpenCC and the characters it changes, each taken by itself.

    Ideographs beyond U+FFFF are not looked for: they are too rare, and a set with them searches 300 times as slowly.
    """
    converter = OpenCC("t2s")
    ideographs = [chr(code) for first, end in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for code in range(first, end)]
    simplified = converter.convert("\n".join(ideographs)).split("\n")
    changed = "".join(char for char, other in zip(ideographs, simplified, strict=True) if char != other)
    return converter, re.compile(f"[{changed}]")


def _shortened(run: re.Match[str]) -> str:
    unit = run[1]
    return run[0] if unit.isdecimal() or unit.isspace() or unit in _DOUBLED_WORDS else unit * LONGEST_RUN
