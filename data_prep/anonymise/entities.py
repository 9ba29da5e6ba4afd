"""Names, schools, employers and addresses in many texts at once, by LAC's tags and the rules over them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from data_prep.anonymise.addresses import addresses
from data_prep.anonymise.in_use import in_use
from data_prep.anonymise.organisations import organisations
from data_prep.anonymise.persons import persons
from data_prep.anonymise.tagged import Sentence, may_tell, sentences, tagged

# What is found here.
TYPES: Final = frozenset({"姓名", "学校", "单位", "地址"})


class Entity(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text, and what they are."""

    start: int
    end: int
    type: str


class EntityFinder:
    """Finds them; remembers the sentences it has seen until `forget`, so that a second look costs nothing."""

    def __init__(self, titled: bool = True, given: bool = True) -> None:
        """Set up.

        Args:
            titled: whether the surname before a title is a name (李 of 李老师).
            given: whether a given name or nickname alone is one (朵朵 of 我女儿朵朵).
        """
        self._titled, self._given = titled, given
        self._seen: dict[tuple[str, bool], tuple[Entity, ...]] = {}

    def forget(self) -> None:
        """Let go of the sentences seen."""
        self._seen = {}

    def __call__(self, texts: Sequence[str]) -> list[list[Entity]]:
        """What stands in each of the (folded) texts, in order."""
        cut = [
            [(start, (sentence, start + len(sentence) == len(text))) for start, sentence in sentences(text)]
            for text in texts
        ]
        new = {key: None for text in cut for _, key in text if key not in self._seen}
        told = [key for key in new if may_tell(key[0])]
        self._seen |= dict.fromkeys(new, ())
        for (sentence, last), words in zip(told, tagged([sentence for sentence, _ in told]), strict=True):
            self._seen[sentence, last] = self._entities(Sentence(sentence, words, last))
        return [
            [
                Entity(start + found.start, start + found.end, found.type)
                for start, key in text
                for found in self._seen[key]
            ]
            for text in cut
        ]

    def _entities(self, sentence: Sentence) -> tuple[Entity, ...]:
        """Of two that overlap the first rule's: an address with a school's name in it is an address."""
        found: list[Entity] = []
        for entity in (
            *(Entity(start, end, "地址") for start, end in addresses(sentence)),
            *(Entity(*each) for each in organisations(sentence)),
            *(Entity(*each) for each in in_use(sentence)),
            *(Entity(start, end, "姓名") for start, end in persons(sentence, self._titled, self._given)),
        ):
            if "\ue000" in sentence.text[entity.start : entity.end]:
                continue
            if all(entity.end <= other.start or other.end <= entity.start for other in found):
                found.append(entity)
        return tuple(sorted(found))
