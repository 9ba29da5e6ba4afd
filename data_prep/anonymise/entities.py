"""Names, schools, employers and addresses in many texts at once: the tagger finds them over LAC's words, lists pick."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from data_prep.anonymise.lac import lac
from data_prep.anonymise.plausible import Finds
from data_prep.anonymise.sentences import may_tell, sentences
from data_prep.anonymise.tagger.labels import TYPES as LABELS
from data_prep.anonymise.tagger.network import Tagger
from data_prep.anonymise.titled import with_titled

# What is found here.
TYPES: Final = frozenset(LABELS)
# LAC reads a placeholder's mark as a pronoun, which is at home anywhere.
_MARK: Final = ("\ue000", "他")


class Entity(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text, and what they are."""

    start: int
    end: int
    type: str


class EntityFinder:
    """Finds them; remembers the sentences it has seen until `forget`, so that a second look costs nothing."""

    def __init__(self, titled: bool = True, given: bool = True, bias: float = 1.0) -> None:
        """Set up.

        Args:
            titled: whether the surname before a title is a name (李 of 李老师).
            given: whether a given name or nickname alone is one (朵朵 of 我女儿朵朵).
            bias: see `Tagger`; added to each find's lead as well. The more, the more is found.
        """
        self._finds, self._bias = Finds(titled, given, bias), bias
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
        self._seen |= dict.fromkeys(new, ())
        self._look([key for key in new if may_tell(key[0])])
        return [
            [
                Entity(start + found.start, start + found.end, found.type)
                for start, key in text
                for found in self._seen[key]
            ]
            for text in cut
        ]

    def _look(self, keys: Sequence[tuple[str, bool]]) -> None:
        if not keys:
            return
        texts = [sentence.replace(*_MARK) for sentence, _ in keys]
        words = lac().tags(texts)
        finds = tagger()(texts, [last for _, last in keys], words, self._bias)
        for key, text, tags, found in zip(keys, texts, words, finds, strict=True):
            kept = (self._finds(text, tags, each) for each in with_titled(text, found))
            self._seen[key] = _apart(
                Entity(*each) for each in kept if each and _MARK[0] not in key[0][each[0] : each[1]]
            )


def _apart(found: Iterable[Entity]) -> tuple[Entity, ...]:
    """The entities in order; of two that overlap, since a boundary was moved, the one that begins first.

    Addresses without anything between them are one: 江岸区塔子湖东路|奥林花园3栋.
    """
    kept: list[Entity] = []
    for each in sorted(found):
        if kept and kept[-1].end == each.start and kept[-1].type == each.type == "地址":
            kept[-1] = kept[-1]._replace(end=each.end)
        elif each.start < each.end and (not kept or kept[-1].end <= each.start):
            kept.append(each)
    return tuple(kept)


@cache
def tagger() -> Tagger:
    """The process's one tagger."""
    return Tagger()
