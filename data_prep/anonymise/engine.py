"""All the texts of one question made anonymous together: recognisers on Presidio, placeholders, a record of each.

What a recogniser finds is replaced by a typed placeholder; the same value has the same one in all texts of the
question, and a value found once by its context is replaced wherever the same string stands. It is looked again at
what was changed until nothing more is found, so anonymising the result changes nothing.

No language model is loaded unless one is asked for (``model``), and nothing is fetched. Nothing here writes files.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from data_prep.anonymise.accounts import Account
from data_prep.anonymise.bare_ids import bare_number, bare_user_name
from data_prep.anonymise.employers import KnownEmployer
from data_prep.anonymise.entities import TYPES as ENTITY_TYPES
from data_prep.anonymise.entities import EntityFinder
from data_prep.anonymise.overseas import overseas_id, overseas_phone
from data_prep.anonymise.papers import paper, personal_number
from data_prep.anonymise.patterned import (
    bank_card,
    email,
    landline,
    licence_plate,
    mobile,
    plain_number,
    resident_id,
    url,
)
from data_prep.anonymise.placeholders import ALL_TYPES, MarkedText, Span
from data_prep.anonymise.presidio import EntityRecognizer, RecognizerResult
from data_prep.anonymise.screen_names import name_on_site, name_told, screen_name
from data_prep.anonymise.segments import is_word, words_in
from data_prep.anonymise.user_names import user_name

_NUMBER_TYPES = frozenset({"电话", "身份证", "银行卡", "QQ", "车牌", "证件", "编号"})


@dataclass(frozen=True, slots=True)
class Anonymised:
    """What became of the texts of one question.

    Attributes:
        texts: with their placeholders, in order.
        found: what was replaced, without the values, by text and position: in which of the texts, and which characters
            of it as it was. Equal values of a type have equal numbers within a question.
    """

    texts: tuple[str, ...]
    found: tuple[tuple[int, Span], ...]


def default_recognisers() -> list[EntityRecognizer]:
    """The recognisers that need no model, fresh ones."""
    return [
        mobile(),
        landline(),
        resident_id(),
        bank_card(),
        email(),
        url(),
        licence_plate(),
        overseas_phone(),
        overseas_id(),
        paper(),
        personal_number(),
        user_name(),
        screen_name(),
        name_on_site(),
        name_told(),
        bare_user_name(),
        bare_number(),
        Account(),
        KnownEmployer(),
    ]


class Anonymiser:
    """Finds and replaces personal data. Built once per process; holds nothing of the texts it has seen."""

    def __init__(
        self,
        types: Sequence[str] = ALL_TYPES,
        model: str | None = None,
        titled: bool = True,
        given: bool = True,
        bias: float = 1.0,
    ) -> None:
        """Set the recognisers up.

        Args:
            types: what to look for, from `ALL_TYPES`.
            model: name or folder of a Hugging Face token-classification model that looks as well.
            titled, given, bias: see `EntityFinder`.

        Raises:
            ValueError: no type, or an unknown one.
            OSError: the model cannot be loaded.
        """
        if not types or set(types) - set(ALL_TYPES):
            raise ValueError(f"types of personal data {list(types)}, expected some of {list(ALL_TYPES)}.")
        self._types = frozenset(types)
        recognisers = default_recognisers()
        if model is not None:
            # Imported where one is asked for: torch takes seconds and memory in every worker.
            from data_prep.anonymise.model import ModelRecognizer

            recognisers.append(ModelRecognizer(model))
        # Each with what of its types is wanted, and its condition, see `Recogniser`.
        self._recognisers: list[tuple[EntityRecognizer, list[str], Callable[[str], bool]]] = [
            (each, sorted(wanted), getattr(each, "may_match", bool))
            for each in recognisers
            if (wanted := self._types.intersection(each.supported_entities))
        ]
        self._entities = EntityFinder(titled, given, bias) if self._types & ENTITY_TYPES else None

    def __call__(self, texts: Sequence[str]) -> Anonymised:
        """Replace personal data in all the texts of one question."""
        return self.many([texts])[0]

    def many(self, questions: Sequence[Sequence[str]]) -> list[Anonymised]:
        """Replace personal data in the texts of each question: many at once are quicker than one by one."""
        marked = [[MarkedText(text) for text in texts] for texts in questions]
        numbers = [_Numbers(texts) for texts in marked]
        pending = {number: list(range(len(texts))) for number, texts in enumerate(marked)}
        while pending:
            places = [(number, index) for number, indices in pending.items() for index in indices]
            found = dict(zip(places, self._find([marked[number][index] for number, index in places]), strict=True))
            changed = {}
            for number, indices in pending.items():
                texts = marked[number]
                new = [(index, *span) for index in indices for span in found[number, index]]
                new += _elsewhere(texts, new)
                for index, start, end, type in sorted(new):
                    value = texts[index].folded[start:end]
                    texts[index].replace(Span(start, end, type, numbers[number].of(type, value)))
                if new:
                    changed[number] = sorted({index for index, *_ in new})
            pending = changed
        if self._entities is not None:
            self._entities.forget()
        return [
            Anonymised(
                tuple(text.result() for text in texts),
                tuple((index, span) for index, text in enumerate(texts) for span in text.found),
            )
            for texts in marked
        ]

    def _find(self, texts: Sequence[MarkedText]) -> list[list[tuple[int, int, str]]]:
        """What stands in each text and is not replaced yet; of two that overlap, only one."""
        views = [text.view() for text in texts]
        entities = self._entities(views) if self._entities is not None else [[] for _ in views]
        return [
            self._placed(
                text,
                [*self._patterned(view), *(RecognizerResult(found.type, found.start, found.end, 0.5) for found in own)],
            )
            for text, view, own in zip(texts, views, entities, strict=True)
        ]

    def _patterned(self, view: str) -> list[RecognizerResult]:
        """What Presidio's recognisers find. Its engine would run all of a type where one of them may find something."""
        found = [
            result
            for each, types, may_match in self._recognisers
            if may_match(view)
            # None of them reads what a language model says of the text.
            for result in each.analyze(view, types, None)  # type: ignore[arg-type]
        ]
        return EntityRecognizer.remove_duplicates(found) if len(found) > 1 else found

    def _placed(self, text: MarkedText, results: Sequence[RecognizerResult]) -> list[tuple[int, int, str]]:
        placed: list[tuple[int, int, str]] = []
        for result in sorted(results, key=_precedence):
            place = text.locate(result.start, result.end)
            if (
                place is not None
                and result.entity_type in self._types
                and all(place[1] <= start or end <= place[0] for start, end, _ in placed)
            ):
                placed.append((*place, result.entity_type))
        return placed


class _Numbers:
    """Which number a value has: its own from its first appearance on, after those that stand in the texts."""

    def __init__(self, texts: Sequence[MarkedText]) -> None:
        self._last: dict[str, int] = {}
        for span in (span for text in texts for span in text.standing):
            self._last[span.type] = max(self._last.get(span.type, 0), span.number)
        self._of: dict[tuple[str, str], int] = {}

    def of(self, type: str, value: str) -> int:
        key = (type, plain_number(value) if type in _NUMBER_TYPES else value.lower())
        if key not in self._of:
            self._last[type] = self._of[key] = self._last.get(type, 0) + 1
        return self._of[key]


def _precedence(result: RecognizerResult) -> tuple[float, int, int, str]:
    """Who comes first where two overlap: the surer, then the longer, then the earlier, then by the type's name."""
    return -result.score, result.start - result.end, result.start, result.entity_type


def _elsewhere(
    texts: Sequence[MarkedText], found: Sequence[tuple[int, int, int, str]]
) -> Iterator[tuple[int, int, int, str]]:
    """The other places where a found value stands, without a context that shows what it is."""
    taken = {index: [(start, end) for at, start, end, _ in found if at == index] for index in range(len(texts))}
    values = {(texts[index].folded[start:end], type) for index, start, end, type in found}
    for value, type in sorted(values, key=lambda each: (-len(each[0]), each)):
        if not _distinctive(value):
            continue
        for index, text in enumerate(texts):
            for start, end in _occurrences(value, text.folded):
                if text.free(start, end) and all(end <= other or last <= start for other, last in taken[index]):
                    taken[index].append((start, end))
                    yield index, start, end, type


def _distinctive(value: str) -> bool:
    """Whether a string means this value wherever it stands: no word (宁静, 高兴), no short number."""
    return len(value) >= 6 if value.isascii() else len(value) >= 2 and not is_word(value)


def _occurrences(value: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a value stands as a whole: no part of a longer number or Latin word, nor, if short, across words."""
    if value not in text:
        return
    left = r"(?<![0-9A-Za-z_])" if re.match(r"[0-9A-Za-z_]", value) else ""
    right = r"(?![0-9A-Za-z_])" if re.search(r"[0-9A-Za-z_]$", value) else ""
    edges = {0, *accumulate(map(len, words_in(text)))} if len(value) == 2 else None
    for match in re.finditer(left + re.escape(value) + right, text):
        if edges is None or edges.issuperset(match.span()):
            yield match.span()
