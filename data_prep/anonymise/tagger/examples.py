"""Sentences with a label a character: real texts with made-up values in them, with values of writers, and without any.

Real posts were cleaned by their hosts, so a text as it is counts as one without personal data. Where a writer's value
stands a second time the characters have no label: the loss passes over them.
"""

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from zlib import crc32

from common.records.question import Question
from data_prep.anonymise.placeholders import MarkedText
from data_prep.anonymise.sentences import may_tell, sentences
from data_prep.anonymise.tagger.labels import Found, labels_of
from data_prep.anonymise.tagger.plant import plant
from data_prep.anonymise.tagger.values import Values

# The label of characters that the loss passes over (PyTorch's own number for it).
IGNORED: Final = -100
# Of a text, the first characters: long ones say nothing new.
_LONGEST: Final = 800
# How often values are put into a text.
_PLANTED: Final = 0.6
# How often a writer's value has another one in its place.
_EXCHANGED: Final = 0.5


class Example(NamedTuple):
    """A sentence, whether it ends its text, and its labels (`labels_of`)."""

    sentence: str
    last: bool
    labels: tuple[int, ...]


def held_out(question: Question) -> bool:
    """Whether a question is kept from training, a tenth of them by title: false alarms are counted there."""
    return crc32(question.title.encode()) % 10 == 1


def made_up(texts: Sequence[str], rng: random.Random, plants: Sequence[Mapping[str, Any]] = ()) -> Iterator[Example]:
    """Each text once, with values in it or as it is: made-up ones, and some of the writers' of `plants`."""
    values = Values(rng, _written(plants))
    for text in texts:
        text, places = MarkedText(text[:_LONGEST]).folded, list[Found]()
        if rng.random() < _PLANTED:
            text, places = plant(text, rng, values)
        yield from labelled(text, places)


def of_writers(
    posts: Mapping[str, str], plants: Sequence[Mapping[str, Any]], rng: random.Random | None = None
) -> Iterator[Example]:
    """Posts into which writers put values (see `planted`); other places of a value have no label.

    With a generator of random numbers, every other value has another one of its kind in its place: so the tagger
    learns what stands around values, apart from the values.
    """
    others = Values(rng, _written(plants)) if rng else None
    of_post: dict[str, list[Mapping[str, Any]]] = {}
    for each in plants:
        of_post.setdefault(str(each["post"]), []).append(each)
    for post, own in of_post.items():
        text, values = posts[post], []
        for each in own:
            value, written = each["value"], each["replace"]
            if rng and others and rng.random() < _EXCHANGED:
                value = _like(each, others)
                written = written.replace(each["value"], value)
            text = text.replace(each["find"], written, 1)
            values.append((written, written.find(value), value, each["type"]))
        text = MarkedText(text).folded
        places = []
        for written, inside, value, type in values:
            start = text.find(MarkedText(written).folded)
            if start >= 0:
                places.append((start + inside, start + inside + len(value), type))
        yield from labelled(text, places, {text[start:end] for start, end, _ in places if end - start > 1})


def _written(plants: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The writers' values by type."""
    written: dict[str, list[str]] = {}
    for each in plants:
        # One character is a surname before a title, which stands nowhere else.
        if len(each["value"]) > 1:
            written.setdefault(each["type"], []).append(each["value"])
    return written


def _like(plant: Mapping[str, Any], values: Values) -> str:
    """Another value that can stand in a plant's place."""
    if plant["type"] == "姓名":
        if len(plant["value"]) == 1:
            return values.surname()
        if plant.get("full"):
            return values.full_name()
    return values.of(plant["type"])


def labelled(text: str, places: Sequence[Found], unknown: Collection[str] = ()) -> Iterator[Example]:
    """The sentences of a text that hold a value or that the tagger will look at."""
    labels = labels_of(len(text), places)
    for value in unknown:
        start = text.find(value)
        while start >= 0:
            if not any(labels[start : start + len(value)]):
                labels[start : start + len(value)] = [IGNORED] * len(value)
            start = text.find(value, start + 1)
    for start, sentence in sentences(text):
        own = tuple(labels[start : start + len(sentence)])
        if any(own) or may_tell(sentence):
            yield Example(sentence, start + len(sentence) == len(text), own)
