"""Cleaning one question: its texts mended, its responses and the question itself kept or left out, and all of it told.

Cleaning is local to a question, so that workers can share a corpus among them; questions that repeat each other are
deduplication's matter.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from common.records.question import Question
from data_prep.cleaning.rules import RULES, QuestionRule, ResponseRule, TextRule
from data_prep.tally import Rejected

# Responses have to be longer than this, in characters (section 2).
MIN_RESPONSE_CHARS: Final = 100

# How much of a text an excerpt shows on either side of a change, in characters.
EXCERPT_CHARS: Final = 30


@dataclass(frozen=True, slots=True)
class Change:
    """One text that a rule mended or left out, with an excerpt around the first place where it did.

    Attributes:
        rule: the rule's name.
        where: "title", "description", "topic", "subtopic", "response 3" or "layer 3" (counted from 1, as they came), or
            "post" for a question left out.
        before: the text there, and after: the same place mended, up to ``EXCERPT_CHARS`` on either side; of what was
            left out its beginning, and nothing. Both may hold personal data.
    """

    rule: str
    where: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CleanedQuestion:
    """What became of one question.

    Attributes:
        question: cleaned; None when it was left out.
        rejected: the responses left out, and the question where it was. Reasons are names of rules; responses that go
            with their question have "question left out: " before its rule's.
        changes: at most one for each rule and text; what was left out is among them.
    """

    question: Question | None
    rejected: tuple[Rejected, ...]
    changes: tuple[Change, ...]


class Cleaner:
    """Applies the rules to one question at a time; may be sent to another process.

    What comes out is a fixed point: cleaning it once more changes nothing.
    """

    def __init__(self, off: Collection[str] = (), min_response_chars: int = MIN_RESPONSE_CHARS) -> None:
        """Switch rules off.

        Args:
            off: names of ``RULES`` not to apply.
            min_response_chars: responses have to be longer than this, in characters.

        Raises:
            ValueError: a name that is no rule's.
        """
        if unknown := sorted(set(off) - set(RULES)):
            raise ValueError(f"cleaning rule {unknown[0]!r} is unknown, expected some of {list(RULES)}. Correct it.")
        rules = [rule for name, rule in RULES.items() if name not in off]
        texts = [rule for rule in rules if isinstance(rule, TextRule)]
        self._mending = [rule for rule in texts if rule.posts]
        self._mending_labels = [rule for rule in texts if rule.labels]
        self._judging: list[TextRule | ResponseRule] = [
            rule for rule in rules if isinstance(rule, ResponseRule) or (isinstance(rule, TextRule) and not rule.posts)
        ]
        self._judging_questions = [rule for rule in rules if isinstance(rule, QuestionRule)]
        self._min_response_chars = min_response_chars

    def __call__(self, question: Question) -> CleanedQuestion:
        """The question cleaned, or the rule by which it was left out; every response in one of the two."""
        changes: list[Change] = []
        rejected: list[Rejected] = []
        responses: list[str] = []
        for number, raw in enumerate(question.responses, 1):
            where = f"response {number}"
            response, rule, fault = self._response(raw, where, responses, changes)
            if rule:
                rejected.append(Rejected(question.id, "response", rule, f"{where}: {fault}"))
                changes.append(Change(rule, where, response[: 2 * EXCERPT_CHARS], ""))
            else:
                responses.append(response)
        cleaned = self._mended_question(question, tuple(responses), changes)
        rule = next((rule.name for rule in self._judging_questions if rule.finds(cleaned)), "")
        if rule:
            rejected += [Rejected(question.id, "response", f"question left out: {rule}") for _ in responses]
            rejected.append(Rejected(question.id, "question", rule))
            changes.append(Change(rule, "post", cleaned.post[: 2 * EXCERPT_CHARS], ""))
        return CleanedQuestion(None if rule else cleaned, tuple(rejected), tuple(changes))

    def mended(self, text: str) -> str:
        """One text after the rules that mend texts."""
        return _mended(text, "", self._mending, [])

    def _response(self, text: str, where: str, before: list[str], changes: list[Change]) -> tuple[str, str, str]:
        """The response mended, the rule that leaves it out ("" for none) and what that rule found."""
        text = _mended(text, where, self._mending, changes)
        for rule in self._judging:
            if isinstance(rule, TextRule):
                if rule.mend(text) != text:
                    text = _mended(text, where, [rule, *self._mending], changes)
            elif fault := rule.finds(text, before, self._min_response_chars):
                return text, rule.name, fault
        return text, "", ""

    def _mended_question(self, question: Question, responses: tuple[str, ...], changes: list[Change]) -> Question:
        def label(text: str, where: str) -> str:
            return _mended(text, where, self._mending_labels, changes)

        coe = tuple(label(layer, f"layer {number}") for number, layer in enumerate(question.coe or (), 1))
        return replace(
            question,
            title=_mended(question.title, "title", self._mending, changes),
            description=_mended(question.description, "description", self._mending, changes),
            topic=label(question.topic, "topic"),
            subtopic=label(question.subtopic, "subtopic"),
            responses=responses,
            coe=coe or None,
        )


def _mended(text: str, where: str, rules: Sequence[TextRule], changes: list[Change]) -> str:
    """The text after all rules, which are applied again as long as they find anything; every change noted once.

    It ends: a rule shortens the text or turns characters into such as no rule turns back.
    """
    noted: set[str] = set()
    start = None
    while start != text:
        start = text
        for rule in rules:
            mended = rule.mend(text)
            if mended != text and rule.name not in noted:
                noted.add(rule.name)
                changes.append(_change(rule.name, where, text, mended))
            text = mended
    return text


def _change(rule: str, where: str, before: str, after: str) -> Change:
    # How many characters the two begin with in common, by halving: comparing slices is quick, characters are not.
    low, high = 0, min(len(before), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if before[low:middle] == after[low:middle] else (low, middle - 1)
    around = slice(max(low - EXCERPT_CHARS, 0), low + EXCERPT_CHARS)
    return Change(rule, where, before[around], after[around])
