"""The pattern language of the rule files: words, alternatives, named lists, and gaps between words.

- ``(真的|好|)想死``: one of the alternatives, of which one may be empty; groups may hold groups;
- ``要?``, ``(真的)?``: the character, list or group before the mark may be absent;
- ``<身体>``: any word of the list of that name;
- ``…``: up to 6 characters within the clause, so no comma, full stop or line end;
- ``……``: up to 20 characters within the sentence, commas allowed.

So a pattern is a row of slots, each a set of words, with a bounded gap before it. That is less than a regular
expression and cannot backtrack: matching is linear in the text by construction.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

# The most words that one slot may expand to.
MAX_WORDS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Gap:
    """How far apart two slots may lie: at most ``limit`` characters, none of them one of ``stops``."""

    limit: int
    stops: frozenset[str]


_SENTENCE_ENDS = frozenset("。！？!?；;\n")
# The gaps by how they are written; the first stands before a pattern's first slot.
GAPS: Final = {"": Gap(0, frozenset()), "…": Gap(6, _SENTENCE_ENDS | set("，,、：:")), "……": Gap(20, _SENTENCE_ENDS)}


@dataclass(frozen=True, slots=True)
class Slot:
    """The words that may stand here, and the gap to the slot before."""

    gap: Gap
    words: frozenset[str]


class PatternError(ValueError):
    """A pattern that is not of this language."""


def parse_pattern(pattern: str, lists: Mapping[str, str]) -> list[Slot]:
    """The pattern's slots.

    Args:
        pattern: as in the module's description.
        lists: for each list its alternatives, written ``甲|乙|(丙|)丁``.

    Raises:
        PatternError: unknown list, unbalanced brackets, ``|`` outside brackets beside a gap, a slot that may be empty
            or has too many words.
    """
    parts = re.split("(……|…)", pattern)
    if len(parts) > 1 and _bar_outside_brackets(pattern):
        raise PatternError(f"| outside brackets beside a gap in {pattern!r}. Bracket it or make two patterns")
    gaps = ["", *parts[1::2]]
    return [Slot(GAPS[gap], parse_words(part, lists)) for gap, part in zip(gaps, parts[::2], strict=True)]


def parse_words(part: str, lists: Mapping[str, str]) -> frozenset[str]:
    """All words that a part of a pattern without gaps stands for, in lower case.

    Raises:
        PatternError: as ``parse_pattern``, and for a gap.
    """
    if "…" in part:
        raise PatternError(f"a gap in {part!r}, expected words only. Write it as a rule's pattern")
    tokens = re.findall(r"<[^<>]*>|.", part)
    words, rest = _alternatives(tokens, 0, lists)
    if rest != len(tokens):
        raise PatternError(f"a ) without ( in {part!r}. Balance the brackets")
    if "" in words:
        raise PatternError(f"{part!r} may stand for nothing, expected words. Drop an empty alternative or a … too many")
    return frozenset(word.lower() for word in words)


def _bar_outside_brackets(pattern: str) -> bool:
    """Whether it has a ``|`` of which nobody can tell whether it parts the pattern or the slot."""
    depths = accumulate((char == "(") - (char == ")") for char in pattern)
    return any(char == "|" and depth == 0 for char, depth in zip(pattern, depths, strict=True))


def _alternatives(tokens: list[str], at: int, lists: Mapping[str, str]) -> tuple[set[str], int]:
    """The words of the alternatives from token ``at`` to the closing bracket or the end, and where that is."""
    words: set[str] = set()
    current = {""}
    while at < len(tokens) and tokens[at] != ")":
        token = tokens[at]
        if token == "|":
            words |= current
            current = {""}
        else:
            if token == "(":
                inner, at = _alternatives(tokens, at + 1, lists)
                if at == len(tokens):
                    raise PatternError("a ( without ). Balance the brackets")
            elif token[0] in "<>?":
                if token[1:-1] not in lists:
                    raise PatternError(f"{token!r} is no list, expected one of {sorted(lists)}. Add it under `lists`")
                inner = set(parse_words(lists[token[1:-1]], lists))
            else:
                inner = {token}
            if tokens[at + 1 : at + 2] == ["?"]:
                inner = inner | {""}
                at += 1
            current = {head + tail for head in current for tail in inner}
            if len(current) > MAX_WORDS:
                raise PatternError(f"over {MAX_WORDS} words in one slot. Put a … between its lists")
        at += 1
    return words | current, at
