"""What several modules share: clauses of a text, whether a string is a word, and lists of words in files."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import rjieba

# Words that the segmenter's dictionary lacks.
_WORDS: Final = "words.txt"
_MARK: Final = re.compile(r"[，。！？、；：\n ]")


def clause(text: str, position: int) -> tuple[int, int]:
    """Start and end of what stands between two marks around ``position``: no word reaches over them."""
    before = _MARK.search(text[:position][::-1])
    after = _MARK.search(text, position)
    return position - before.start() if before else 0, after.start() if after else len(text)


def is_word(text: str) -> bool:
    """Whether a dictionary has it: words of the language, but also places, writers and the famous."""
    return bool(_segmenter().has_word(text))


def part_of_speech(text: str) -> str | None:
    """That of a word by jieba's marks, "" for one of `_WORDS`; None if no dictionary has it, or cuts it."""
    tagged = _segmenter().tag(text) if is_word(text) else []
    return str(tagged[0][1]) if len(tagged) == 1 else None


def words_in(text: str) -> list[str]:
    """The words that a text is made of."""
    words: list[str] = _segmenter().cut(text)
    return words


@cache
def _segmenter() -> Any:
    """jieba's own dictionary and `_WORDS`; an own one, so that what others count in words stays the same."""
    segmenter = rjieba.Jieba()
    for section in ("medicines", "medicine", "everyday"):
        for word in word_list(_WORDS, section):
            segmenter.add_word(word, None, None)
    return segmenter


def word_list(file_name: str, section: str) -> tuple[str, ...]:
    """The words under ``[section]`` in a file beside this module, in the file's order.

    Lines that begin with ``#`` are comments.

    Raises:
        KeyError: the file has no such section.
    """
    sections: dict[str, list[str]] = {}
    words: list[str] = []
    for line in (Path(__file__).parent / file_name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            words = sections.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            words.extend(line.split())
    if section not in sections:
        raise KeyError(f"{file_name}: no section [{section}]; it has {', '.join(sections)}: add it or mend the name")
    return tuple(sections[section])


def alternatives(file_name: str, section: str) -> str:
    """The entries of a section as one regular expression; they may be regular expressions themselves.

    Raises:
        KeyError: the file has no such section.
    """
    return "|".join(word_list(file_name, section))


@cache
def words_of(file_name: str, section: str) -> frozenset[str]:
    """The words of a section as a set, read once."""
    return frozenset(word_list(file_name, section))


@cache
def characters(file_name: str, section: str) -> frozenset[str]:
    """All characters of a section's entries, read once."""
    return frozenset("".join(word_list(file_name, section)))
