"""Texts as sequences of tokens, one code point a token: characters, words, or what rouge_score leaves of them.

A token of any tokenizer becomes one character, so that each metric is the same few lines for all tokenizers, and
rapidfuzz and numpy can work on plain strings.

Before characters and words are cut, what a reader cannot see is taken out and what is typed in two widths is folded
(`normalised`). A Latin letter or a digit is a token of its own among characters; case is kept.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from typing import Final

import numpy as np
import numpy.typing as npt
import rjieba

Tokenizer = Callable[[str], str]

# Words are numbered from the first code point past the surrogates, which leaves room for a million.
_FIRST_WORD: Final = 0x10000

_LATIN: Final = re.compile(r"[a-z0-9]+")

# How a signature names `normalised`.
NORMALISATION: Final = "no-invisible+half-width"

# From a full-width letter or digit (U+FF10 and on) to the half-width one.
_WIDTH: Final = 0xFEE0


class _Fold(dict[int, int | None]):
    """What `str.translate` makes of each code point, worked out when it is first met."""

    def __missing__(self, code: int) -> int | None:
        char = chr(code)
        invisible = unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f"
        wide = "０" <= char <= "９" or "Ａ" <= char <= "Ｚ" or "ａ" <= char <= "ｚ"
        self[code] = None if invisible else code - _WIDTH if wide else code
        return self[code]


_FOLD: Final = _Fold()


@dataclass(frozen=True, slots=True)
class Tokens:
    """One tokenized text, prepared for being compared with others.

    Attributes:
        text: one code point a token, n in all.
        keys: int64, (n,), ascending: token and how many equal ones follow it.
        places: int64, (n,): where in the text the token of each key stands.
    """

    text: str
    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]

    @classmethod
    def of(cls, text: str) -> "Tokens":
        """Prepare a text of one code point a token."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
        places = np.argsort(codes, kind="stable")
        ordered = codes[places]
        # Of each run of equal tokens: how many come after.
        ends = np.searchsorted(ordered, ordered, side="right")
        following = ends - 1 - np.arange(len(ordered))
        keys = (ordered << 32) | following
        order = np.argsort(keys)
        return cls(text, keys[order], places[order])


def normalised(text: str) -> str:
    """The text without invisible characters, and with full-width letters and digits as half-width ones.

    Invisible are Unicode's format characters (category Cf: zero-width spaces and joiners, the byte order mark, marks of
    direction) and variation selectors. An emoji joined of several becomes those several, in reply and reference alike.
    Marks keep their width: "，" and "," are two characters of Chinese writing.
    """
    return text.translate(_FOLD)


def characters(text: str) -> str:
    """Each character but white space is a token, of the `normalised` text."""
    return "".join(normalised(text).split())


def words(text: str) -> str:
    """Each word is a token, as rjieba cuts the `normalised` text with its own dictionary; white space is none."""
    return _coded(word for word in rjieba.cut(normalised(text)) if not word.isspace())


def content_words(text: str) -> list[str]:
    """The words of `words` that hold a letter or a Chinese character: no marks, no list numbers."""
    return [word for word in rjieba.cut(normalised(text)) if any(char.isalpha() for char in word)]


def latin(text: str) -> str:
    """Runs of a to z and 0 to 9, as google-research's rouge_score tokenizes: nothing is left of Chinese.

    The text is not `normalised`: this is rouge_score's own way, defects included.
    """
    return _coded(_LATIN.findall(text.lower()))


def distinct_1(tokens: str) -> float:
    """Distinct tokens among all (Li et al., 2015, https://arxiv.org/abs/1510.03055); 0 without any."""
    return len(set(tokens)) / len(tokens) if tokens else 0.0


TOKENIZERS: Final[dict[str, Tokenizer]] = {"char": characters, "word": words, "latin": latin}


def tokenizer_version(name: str) -> str:
    """The tokenizer as a signature names it: "char", "word-rjieba-0.2.2", "latin"."""
    return f"word-rjieba-{version('rjieba')}" if name == "word" else name


_numbers = count(_FIRST_WORD)
_CODES: Final[defaultdict[str, str]] = defaultdict(lambda: chr(next(_numbers)))


def _coded(tokens: Iterable[str]) -> str:
    return "".join(_CODES[token] for token in tokens)
