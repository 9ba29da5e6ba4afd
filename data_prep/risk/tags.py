"""Finds the rules' patterns in a text, all of them in one pass over it.

An Aho-Corasick automaton finds every word of every slot; a pattern matches where words of its slots follow one another
within their gaps. Then negation (没有自杀的念头) and fiction (小说里女主角跳崖) are looked for around each match, and
words that put it into the past (小时候).

One match of weight ``acute`` makes the post acute; in the past it makes it a concern, as one of weight ``concern``
does. Hints are too weak alone: two of one kind by different patterns, some characters apart, make a concern. Words of
jest (吐槽) near a match pass it over. What it leaves out: synonyms and grammar.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ahocorasick_rs import AhoCorasick, Implementation

from common.records.risk import KINDS, Kind, Risk
from data_prep.risk.reading import RULES, Gap, Rule, RuleSet, Weight, read_rules

# How far before a match negation is looked for, in characters.
CONTEXT_CHARS: Final = 12
# The same for fiction, within the sentence.
STORY_CHARS: Final = 40
# How far around a match jest is looked for, across sentences.
JEST_CHARS: Final = 36
# The same for words of the past.
PAST_CHARS: Final = 24
# Two different hints make a concern, with at least so many characters between them.
APART_CHARS: Final = 1

_SENTENCE_END = re.compile("[。！？!?；;\n]")
_MARKS: Final = (("\n", "。"), (",", "，"), ("!", "！"), ("?", "？"), ("…", "。"), ("~", "。"), (" ", "，"))
_LOWER = {ord(char): char.lower() for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
# Whose cues people use in jest; those who beat or touch others call it a joke as well.
_JESTED: Final[frozenset[Kind]] = frozenset({"suicide", "self_harm", "harm_to_others"})
# Kinds whose hints add up.
_DESPAIR: Final[frozenset[Kind]] = frozenset({"other", "suicide", "self_harm"})
_Spans = tuple[tuple[int, int], ...]
# For each character that is part of phrases to ignore, their spans.
_Covered = dict[int, list[tuple[int, int]]]
# A word's number, and where it starts and ends.
_Hit = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Match:
    """A place that a rule matches: ``text[start:end]``, in characters.

    Attributes:
        weight: the rule's; that of the past is lowered to concern.
        pattern: which of the rule's patterns it is.
        named: see `Rule`.
    """

    kind: Kind
    rule: str
    weight: Weight
    start: int
    end: int
    pattern: int
    named: bool


@dataclass(frozen=True, slots=True)
class _State:
    """A slot of a pattern: the one before it (-1: none), the gap to it, and the rule if this slot is the last.

    Attributes:
        pattern: which of the rule's patterns it is.
    """

    before: int
    gap: Gap
    kind: Kind
    rule: Rule | None
    pattern: int


class RiskRules:
    """The rules, ready to use; one object a process, which no call changes."""

    def __init__(self, rules: RuleSet) -> None:
        """Build the automaton, which takes one to three seconds for the rules of the project: once a process."""
        self.rules = rules.rules
        self._states: list[_State] = []
        self._slots: dict[int, tuple[int, ...]] = {}
        words: dict[str, tuple[list[int], list[Kind]]] = {}
        for rule in rules.rules:
            for number in range(len(rule.patterns)):
                self._add(rule, number, words)
        for kind, phrases in rules.ignore.items():
            for phrase in phrases:
                words.setdefault(phrase, ([], []))[1].append(kind)
        self._last = frozenset(self._slots)
        # Of each word by its number: the slots it may fill, the kinds it is ignored by.
        self._fills = [frozenset(states) for states, _ in words.values()]
        self._ignoring = {number: ignoring for number, (_, ignoring) in enumerate(words.values()) if ignoring}
        # As quick here as the other kinds, in a thirtieth of the memory: 8 MB for 100,000 words.
        self._automaton = AhoCorasick(words, implementation=Implementation.ContiguousNFA, store_patterns=False)
        after = "".join(map(re.escape, sorted(rules.no_negator_after)))
        self._negated = re.compile(f"(?<![{after}])(?:{_either(rules.negators)})(?:{_either(rules.between)})*$")
        self._story_before = re.compile(f"(?:{_either(rules.fiction_before)})[^。！？!?；;\n]*$")
        self._story_after = re.compile(_either(rules.fiction_after))
        self._jest = re.compile(_either(rules.jest))
        self._past = re.compile(_either(rules.past))
        self._present = re.compile(_either(rules.present))

    @classmethod
    def load(cls, path: Path = RULES) -> "RiskRules":
        """The rules of a folder.

        Raises:
            RiskRulesError: a rule file is missing or not as it should be; says file, line and remedy.
        """
        return cls(read_rules(path))

    def __call__(self, text: str) -> Risk:
        """The post's risk."""
        matches = self.explain(text)
        telling = [match for match in matches if match.weight != "hint"]
        if not telling:
            if not _agree(matches):
                return Risk()
            telling = matches
        found = {match.kind for match in telling}
        acute = any(match.weight == "acute" for match in telling)
        return Risk("acute" if acute else "concern", tuple(kind for kind in KINDS if kind in found))

    def explain(self, text: str) -> list[Match]:
        """Every match, in the order in which they end: why the text has its tags."""
        length = len(text)
        text = _normal(text)
        hits = self._automaton.find_matches_as_indexes(text, overlapping=True)
        words = {word for word, _, _ in hits}
        complete = self._complete(words)
        if not complete:
            return []
        ignored: dict[Kind, _Covered] = {self._states[number].kind: {} for number in complete}
        ignoring = words & self._ignoring.keys()
        for word, start, end in [hit for hit in hits if hit[0] in ignoring]:
            for kind in self._ignoring[word]:
                if kind in ignored:
                    for at in range(start, end):
                        ignored[kind].setdefault(at, []).append((start, end))
        # Posts repeat their words, so what a word may fill is looked up once a text.
        fills = {word: sorted(slots) for word in words if (slots := complete & self._fills[word])}
        return [
            Match(
                rule.kind,
                rule.name,
                self._weight(text, rule, spans),
                spans[0][0],
                min(spans[-1][1], length),
                pattern,
                rule.named,
            )
            for rule, pattern, spans in self._rows(text, hits, fills, ignored)
            if not (self._is_negated(text, spans) or self._is_story(text, spans) or self._is_jest(text, rule, spans))
        ]

    def _add(self, rule: Rule, number: int, words: dict[str, tuple[list[int], list[Kind]]]) -> None:
        before = -1
        pattern = rule.patterns[number]
        first = len(self._states)
        for index, slot in enumerate(pattern):
            last = index == len(pattern) - 1
            self._states.append(_State(before, slot.gap, rule.kind, rule if last else None, number))
            before = len(self._states) - 1
            for word in slot.words:
                words.setdefault(word, ([], []))[0].append(before)
        self._slots[before] = tuple(range(first, before + 1))

    def _complete(self, words: set[int]) -> set[int]:
        """The slots of the patterns of which every slot has a word in the text: few, which saves most of the work."""
        present: set[int] = set().union(*(self._fills[word] for word in words))
        return {
            slot for last in present & self._last if present.issuperset(self._slots[last]) for slot in self._slots[last]
        }

    def _rows(
        self, text: str, hits: list[_Hit], fills: dict[int, list[int]], ignored: dict[Kind, _Covered]
    ) -> Iterable[tuple[Rule, int, _Spans]]:
        """Rows of words, as their spans, that fill all slots of a pattern, which is told by rule and number."""
        reached: dict[int, list[_Spans]] = {}
        for word, start, end in hits:
            if word not in fills:
                continue
            span = start, end
            for number in fills[word]:
                state = self._states[number]
                if state.before < 0:
                    row: _Spans | None = (span,)
                elif state.before in reached:
                    row = _joined(text, reached[state.before], span, state.gap)
                else:
                    continue
                if row is None or _is_ignored(span, ignored[state.kind]):
                    continue
                if state.rule is None:
                    reached.setdefault(number, []).append(row)
                else:
                    yield state.rule, state.pattern, row

    def _is_negated(self, text: str, spans: _Spans) -> bool:
        """Whether a negator stands before the match or in a gap; one inside its words belongs to it (没有…活下去)."""
        before = (max(0, spans[0][0] - CONTEXT_CHARS), *(end for _, end in spans[:-1]))
        return any(self._negated.search(text, at, start) for at, (start, _) in zip(before, spans, strict=True))

    def _weight(self, text: str, rule: Rule, spans: _Spans) -> Weight:
        start, end = spans[0][0], spans[-1][1]
        if rule.weight != "acute":
            return rule.weight
        sentence = _SENTENCE_END.split(text[max(0, start - PAST_CHARS) : start])[-1] + text[start:end]
        return "concern" if self._past.search(sentence) and not self._present.search(sentence) else "acute"

    def _is_story(self, text: str, spans: _Spans) -> bool:
        """Whether words of fiction stand before the match, in a gap, or at once after it."""
        before = text[max(0, spans[0][0] - STORY_CHARS) : spans[-1][0]]
        return bool(self._story_before.search(before) or self._story_after.match(text, spans[-1][1]))

    def _is_jest(self, text: str, rule: Rule, spans: _Spans) -> bool:
        """Whether words of jest stand near a match of a kind that people jest about."""
        if rule.kind not in _JESTED:
            return False
        start, end = spans[0][0], spans[-1][1]
        before = self._jest.search(text, max(0, start - JEST_CHARS), start)
        return bool(before or self._jest.search(text, end, end + JEST_CHARS))


def _agree(hints: list[Match]) -> bool:
    """Whether two different hints stand apart: one wording that two patterns know is one hint.

    Hints of two kinds say nothing together, but despair (``other``) goes with those of suicide and self-harm. Patterns
    of a rule of despair are one hint, as they say the same.
    """
    kinds = {hint.kind for hint in hints}
    groups = [kinds & _DESPAIR, *({kind} for kind in kinds - _DESPAIR)]
    return any(_stand_apart([hint for hint in hints if hint.kind in group]) for group in groups)


def _stand_apart(hints: list[Match]) -> bool:
    first_ends: dict[tuple[Kind, str, int], int] = {}
    for hint in sorted(hints, key=lambda hint: hint.start):
        which = hint.kind, hint.rule, -1 if hint.kind == "other" else hint.pattern
        if any(end + APART_CHARS <= hint.start for other, end in first_ends.items() if other != which):
            return True
        first_ends[which] = min(hint.end, first_ends.get(which, hint.end))
    return False


def _normal(text: str) -> str:
    """The text in small letters, its lines and itself ended by a full stop, its marks full-width; offsets stay."""
    # str.lower() is faster, but moves the offsets where a letter becomes two (İ).
    lower = text.lower()
    text = lower if len(lower) == len(text) else text.translate(_LOWER)
    for mark, full in _MARKS:
        text = text.replace(mark, full)
    return f"{text}。"


def _joined(text: str, rows: list[_Spans], span: tuple[int, int], gap: Gap) -> _Spans | None:
    """The latest row that ends before the span and within its gap, with the span; rows end in ascending order."""
    for row in reversed(rows):
        end = row[-1][1]
        if span[0] - end > gap.limit:
            return None
        if end <= span[0] and gap.stops.isdisjoint(text[end : span[0]]):
            return (*row, span)
    return None


def _is_ignored(span: tuple[int, int], covered: _Covered) -> bool:
    """Whether the span shares a character with a phrase to ignore, unless it holds more than the whole phrase.

    A rule's word that holds the phrase was written with it in view: 死的计划 stands although 计划 (plan) is ignored for
    the sake of its 划 (cut).
    """
    start, end = span
    return any(
        from_ < start or to > end or to - from_ == end - start
        for at in range(start, end)
        for from_, to in covered.get(at, ())
    )


def _either(words: frozenset[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word))))
