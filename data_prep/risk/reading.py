"""Reads the rule files: YAML in, checked rules out, every fault told by file and line.

What it leaves out: matching (``data_prep.risk.tags``) and what a pattern means (``data_prep.risk.pattern``).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from data_prep.risk.pattern import PatternError, Slot, parse_pattern, parse_words

# The categories, in the order in which tags are given.
RISKS: Final = ("suicidal_ideation", "self_harm", "violence", "abuse", "eating_disorder", "substance")

# The rules that come with the project: ``common.yaml`` and one file a category.
RULES: Final = Path(__file__).with_name("rules")

_COMMON_KEYS = ("lists", "ignore", "negators", "no_negator_after", "between", "fiction_before", "fiction_after")
_CATEGORY_KEYS = ("definition", "sources", "lists", "ignore", "rules")
_RULE_KEYS = ("name", "reason", "patterns", "examples")


class RiskRulesError(ValueError):
    """A rule file is missing or not as it should be."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Patterns that stand for the same thing, each a row of slots; ``examples`` are texts that have to match."""

    category: str
    name: str
    patterns: tuple[tuple[Slot, ...], ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules, and what they pass over.

    Attributes:
        rules: of all categories.
        ignore: by category, phrases whose characters count for none of its rules (笑死, 打电话).
        negators: words that negate what follows them (没有) …
        no_negator_after: … unless one of these characters stands before (有没有).
        between: words that may stand between a negator and what it negates (任何, 过).
        fiction_before: words that, up to 12 characters before a match in the sentence, make it someone's story.
        fiction_after: the same, at once after a match (的电影).
    """

    rules: tuple[Rule, ...]
    ignore: dict[str, frozenset[str]]
    negators: frozenset[str]
    no_negator_after: frozenset[str]
    between: frozenset[str]
    fiction_before: frozenset[str]
    fiction_after: frozenset[str]


def read_rules(folder: Path) -> RuleSet:
    """The rules of a folder with ``common.yaml`` and a file for each of ``RISKS``.

    Raises:
        RiskRulesError: a file is missing, is no YAML, or has an unknown key, category, list or a bad pattern.
    """
    known = {"common", *RISKS}
    for path in sorted(folder.glob("*.yaml")):
        if path.stem not in known:
            raise RiskRulesError(
                f"{path}: unknown category {path.stem!r}, expected one of {RISKS}. Rename or remove it."
            )
    common = _File(folder / "common.yaml", _COMMON_KEYS)
    lists = common.lists({})
    everywhere = common.words("ignore", lists)
    rules: list[Rule] = []
    ignore = {}
    for category in RISKS:
        file = _File(folder / f"{category}.yaml", _CATEGORY_KEYS)
        own = file.lists(lists)
        ignore[category] = everywhere | file.words("ignore", own)
        rules += file.rules(category, own)
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

    def rules(self, category: str, lists: dict[str, str]) -> list[Rule]:
        """The category's rules."""
        rules = []
        for node in self._items(self._entries["rules"]):
            entries = self._mapping(node, _RULE_KEYS)
            patterns = tuple(tuple(self._parsed(item, lists)) for item in self._items(entries["patterns"]))
            examples = tuple(self._text(item) for item in self._items(entries["examples"]))
            rules.append(Rule(category, self._text(entries["name"]), patterns, examples))
        return rules

    def _parsed(self, node: yaml.Node, lists: dict[str, str], words_only: bool = False) -> list[Slot]:
        text = self._text(node)
        try:
            if words_only:
                parse_words(text, lists)
            return parse_pattern(text, lists)
        except PatternError as error:
            raise self._error(node, f"{error}.") from error

    def _mapping(self, node: yaml.Node, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
        found = dict(self._pairs(node))
        if set(found) != set(keys):
            raise self._error(node, f"keys {sorted(found)}, expected {sorted(keys)}. Correct them.")
        return found

    def _pairs(self, node: yaml.Node) -> list[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"a YAML {_kind(node)}, expected keys and values. Correct it.")
        return [(self._text(key), value) for key, value in node.value]

    def _items(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, f"a YAML {_kind(node)}, expected a list. Correct it.")
        items: list[yaml.Node] = node.value
        return items

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self._error(node, f"an empty value or a YAML {_kind(node)}, expected text. Correct it.")
        text: str = node.value
        return text

    def _error(self, node: yaml.Node, message: str) -> RiskRulesError:
        return RiskRulesError(f"{self._path}, line {node.start_mark.line + 1}: {message}")


def _kind(node: yaml.Node) -> str:
    """``map``, ``seq``, ``str`` and so on."""
    return str(node.tag).rpartition(":")[2]
