"""What the recognisers of names and places share: a text cut into words, and the places where nothing is looked for.

It leaves out what a name or a place is; ``names`` and ``places`` say that.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import rjieba

_PLACEHOLDER = re.compile(
    r"[^。！？；\n]*\[(?:姓名|学校|单位|地址|电话|身份证|银行卡|邮箱|QQ|微信|网址|车牌)[0-9]*\][^。！？；\n]*"
)

_SENTENCE_ENDS = "。！？；\n"
_SENTENCE_END = re.compile(f"[{_SENTENCE_ENDS}]")

_MARK = re.compile(r"[，。！？、；：\n ]")


class Words(NamedTuple):
    """The words of one text in order, so that ``words[i]`` covers ``text[starts[i]:starts[i + 1]]``."""

    words: tuple[str, ...]
    # Parts of speech in the ICTCLAS letters: ``nr`` person, ``ns`` place, ``nt`` institution.
    tags: tuple[str, ...]
    # Where each word begins; one more entry than words, the last being the text's length.
    starts: tuple[int, ...]

    def at(self, position: int) -> int:
        """The number of the word that covers the character at ``position``."""
        return bisect_right(self.starts, position) - 1


@lru_cache(maxsize=256)
def segmented(text: str) -> Words:
    """Cut a text into words, by rjieba; kept for the next recogniser, which is given the same sentences."""
    pairs = rjieba.tag(text)
    words, tags = zip(*pairs, strict=True) if pairs else ((), ())
    return Words(words, tags, tuple(accumulate(map(len, words), initial=0)))


def clause(text: str, position: int) -> tuple[int, int]:
    """Start and end of what stands between two marks around ``position``: no word reaches over them."""
    before = _MARK.search(text[:position][::-1])
    after = _MARK.search(text, position)
    return position - before.start() if before else 0, after.start() if after else len(text)


def is_word(text: str) -> bool:
    """Whether the segmenter's dictionary has it: words of the language, but also places, writers and the famous."""
    return bool(rjieba.has_word(text))


def closed(text: str) -> list[tuple[int, int]]:
    """Sentences that hold a placeholder already: whatever was personal in them has been replaced.

    Without this a second pass would see the neighbours of a placeholder in a new light, and find more than the first.
    """
    return [match.span() for match in _PLACEHOLDER.finditer(text)] if "[" in text else []


def open_sentences(text: str, hints: Collection[int]) -> Iterator[tuple[int, str]]:
    """The sentences around these positions that are not `closed`, with where each begins.

    Few sentences hold anything, so only those few are looked at: the others cost nothing.
    """
    shut, end = closed(text), 0
    for position in sorted(hints):
        if position < end:
            continue
        start = max(text.rfind(mark, end, position) for mark in _SENTENCE_ENDS) + 1 or end
        following = _SENTENCE_END.search(text, position)
        end = following.start() if following else len(text)
        if open_to(shut, start, end):
            yield start, text[start:end]


def open_to(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether ``start:end`` touches none of the ``closed`` sentences."""
    return all(end <= left or start >= right for left, right in spans)


def word_list(file_name: str, section: str) -> tuple[str, ...]:
    """The words under ``[section]`` in a file beside this module, in the file's order.

    Lines that begin with ``#`` are comments.

    Raises:
        KeyError: the file has no such section.
    """
    sections: dict[str, list[str]] = {}
    words: list[str] = []
    for line in Path(__file__).with_name(file_name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            words = sections.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            words.extend(line.split())
    if section not in sections:
        raise KeyError(f"{file_name}: no section [{section}]; it has {', '.join(sections)}: add it or mend the name")
    return tuple(sections[section])
