"""Reads the rule files and the pattern language in them: YAML in, checked rules out, each fault told by file and line.

Patterns are words, alternatives, named lists, and gaps between words:

- ``(真的|好|)想死``: one of the alternatives, of which one may be empty; groups may hold groups;
- ``要?``, ``(真的)?``: the character, list or group before the mark may be absent;
- ``<身体>``: any word of the list of that name;
- ``…``: up to 6 characters within the clause, so no comma, full stop or line end;
- ``……``: up to 20 characters within the sentence, commas allowed.

So a pattern is a row of slots, each a set of words, with a bounded gap before it. That is less than a regular
expression and cannot backtrack: matching (``data_prep.risk.tags``) is linear in the text by construction.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final, Literal, get_args

import yaml

from common.records.risk import KINDS, Kind

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
    # Of such a | nobody can tell whether it parts the pattern or the slot.
    depths = accumulate((char == "(") - (char == ")") for char in pattern)
    if len(parts) > 1 and any(char == "|" and depth == 0 for char, depth in zip(pattern, depths, strict=True)):
        raise PatternError(f"| outside brackets beside a gap in {pattern!r}. Bracket it or make two patterns")
    return [Slot(GAPS[gap], parse_words(part, lists)) for gap, part in zip(["", *parts[1::2]], parts[::2], strict=True)]


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


# The rules that come with the project: ``common.yaml`` and one file a kind.
RULES: Final = Path(__file__).with_name("rules")

# How much one match says: ``hint`` is too weak alone, see `data_prep.risk.tags`.
Weight = Literal["hint", "concern", "acute"]
WEIGHTS: Final[tuple[Weight, ...]] = get_args(Weight)

_COMMON_KEYS = (
    "lists",
    "ignore",
    "negators",
    "no_negator_after",
    "between",
    "fiction_before",
    "fiction_after",
    "jest",
    "past",
    "present",
)
_KIND_KEYS = ("definition", "sources", "lists", "ignore", "rules")
_RULE_KEYS = ("name", "weight", "reason", "patterns", "examples")
_RULE_MAY_HAVE = ("named",)


class RiskRulesError(ValueError):
    """A rule file is missing or not as it should be."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Patterns that stand for the same thing, each a row of slots.

    Attributes:
        named: whether they speak of an acute risk itself; others infer one from what stands around it.
        examples: texts that have to match.
    """

    kind: Kind
    name: str
    weight: Weight
    named: bool
    patterns: tuple[tuple[Slot, ...], ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules, and what they pass over.

    Attributes:
        rules: of all kinds.
        ignore: by kind, phrases whose characters count for none of its rules (笑死, 打电话).
        negators: words that negate what follows them (没有) …
        no_negator_after: … unless one of these characters stands before (有没有).
        between: words that may stand between a negator and what it negates (任何, 过).
        fiction_before: words that, up to 40 characters before a match in the sentence, make it someone's story.
        fiction_after: the same, at once after a match (的电影).
        jest: words that, up to 36 characters around a match of some kinds, pass it over (吐槽).
        past: words that, in the sentence before a match, put it into the past (小时候) …
        present: … unless one of these stands in that sentence (现在).
    """

    rules: tuple[Rule, ...]
    ignore: dict[Kind, frozenset[str]]
    negators: frozenset[str]
    no_negator_after: frozenset[str]
    between: frozenset[str]
    fiction_before: frozenset[str]
    fiction_after: frozenset[str]
    jest: frozenset[str]
    past: frozenset[str]
    present: frozenset[str]


def read_rules(folder: Path) -> RuleSet:
    """The rules of a folder with ``common.yaml`` and a file for each of ``KINDS``.

    Raises:
        RiskRulesError: a file is missing, is no YAML, or has an unknown key, kind, weight, list or a bad pattern.
    """
    if unknown := sorted(path for path in folder.glob("*.yaml") if path.stem not in ("common", *KINDS)):
        raise RiskRulesError(
            f"{unknown[0]}: unknown kind {unknown[0].stem!r}, expected one of {KINDS}. Rename or remove it."
        )
    common = _File(folder / "common.yaml", _COMMON_KEYS)
    lists = common.lists({})
    everywhere = common.words("ignore", lists)
    rules: list[Rule] = []
    ignore = {}
    for kind in KINDS:
        file = _File(folder / f"{kind}.yaml", _KIND_KEYS)
        own = file.lists(lists)
        ignore[kind] = everywhere | file.words("ignore", own)
        rules += file.rules(kind, own)
    return RuleSet(tuple(rules), ignore, *(common.words(key, lists) for key in _COMMON_KEYS[2:]))


class _File:
    """One rule file as YAML nodes, which know their lines."""

    def __init__(self, path: Path, keys: tuple[str, ...]) -> None:
        self._path = path
        try:
            root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        except FileNotFoundError as error:
            raise RiskRulesError(
                f"{path}: missing, expected a rule file. Put it back or name the right folder."
            ) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise RiskRulesError(f"{path}: no YAML in UTF-8: {error}. Correct it.") from error
        if root is None:
            raise RiskRulesError(f"{path}: empty, expected the keys {list(keys)}. Put the file back.")
        self._entries = self._mapping(root, keys)

    def lists(self, inherited: dict[str, str]) -> dict[str, str]:
        """The file's named lists on top of those inherited, each checked."""
        lists = dict(inherited)
        for key, node in self._pairs(self._entries["lists"]):
            lists[key] = self._text(node)
            self._parsed(node, lists, words_only=True)
        return lists

    def words(self, key: str, lists: dict[str, str]) -> frozenset[str]:
        """All words of a list of patterns without gaps."""
        slots = [self._parsed(node, lists, words_only=True)[0] for node in self._items(self._entries[key])]
        return frozenset().union(*(slot.words for slot in slots))

    def rules(self, kind: Kind, lists: dict[str, str]) -> list[Rule]:
        """The kind's rules."""
        return [
            Rule(
                kind,
                self._text(entries["name"]),
                self._weight(entries["weight"]),
                "named" in entries and self._named(entries),
                tuple(tuple(self._parsed(item, lists)) for item in self._items(entries["patterns"])),
                tuple(map(self._text, self._items(entries["examples"]))),
            )
            for entries in (
                self._mapping(node, _RULE_KEYS, _RULE_MAY_HAVE) for node in self._items(self._entries["rules"])
            )
        ]

    def _weight(self, node: yaml.Node) -> Weight:
        found = self._text(node)
        if found not in WEIGHTS:
            raise self._error(node, f"weight {found!r}, expected one of {WEIGHTS}. Correct it.")
        return WEIGHTS[WEIGHTS.index(found)]

    def _parsed(self, node: yaml.Node, lists: dict[str, str], words_only: bool = False) -> list[Slot]:
        text = self._text(node)
        try:
            if words_only:
                parse_words(text, lists)
            return parse_pattern(text, lists)
        except PatternError as error:
            raise self._error(node, f"{error}.") from error

    def _named(self, entries: Mapping[str, yaml.Node]) -> bool:
        found, weight = self._text(entries["named"]), self._text(entries["weight"])
        if found != "yes" or weight != "acute":
            raise self._error(
                entries["named"],
                f"named: {found!r} of weight {weight!r}, expected yes, of acute. Correct it or leave it out.",
            )
        return True

    def _mapping(self, node: yaml.Node, keys: tuple[str, ...], may_have: tuple[str, ...] = ()) -> dict[str, yaml.Node]:
        found = dict(self._pairs(node))
        if set(found) - set(may_have) != set(keys):
            also = f" and perhaps {', '.join(may_have)}" if may_have else ""
            raise self._error(node, f"keys {sorted(found)}, expected {sorted(keys)}{also}. Correct them.")
        return found

    def _pairs(self, node: yaml.Node) -> list[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"a YAML {_kind(node)}, expected keys and values. Correct it.")
        return [(self._text(key), value) for key, value in node.value]

    def _items(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, f"a YAML {_kind(node)}, expected a list. Correct it.")
        return list(node.value)

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self._error(node, f"an empty value or a YAML {_kind(node)}, expected text. Correct it.")
        return str(node.value)

    def _error(self, node: yaml.Node, message: str) -> RiskRulesError:
        return RiskRulesError(f"{self._path}, line {node.start_mark.line + 1}: {message}")


def _kind(node: yaml.Node) -> str:
    """``map``, ``seq``, ``str`` and so on."""
    return str(node.tag).rpartition(":")[2]
