"""The tagger's labels: BIO over four types, and the numbers that characters have for it."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

TYPES: Final = ("姓名", "学校", "单位", "地址")
# Of characters that are not in the vocabulary, and of the end of a text; 0 is where a batch has no character.
UNKNOWN: Final = 1
END: Final = 2

Found = tuple[int, int, str]


def labels_of(length: int, places: Sequence[Found]) -> list[int]:
    """A label a character: 0 for none, 1 + 2·type where a value begins, 2 + 2·type where it goes on."""
    labels = [0] * length
    for start, end, type in places:
        kind = 1 + 2 * TYPES.index(type)
        labels[start:end] = [kind] + [kind + 1] * (end - start - 1)
    return labels


def places_of(labels: Sequence[int]) -> Iterator[Found]:
    """The values that labels stand for (start, end, type). One that goes on without a beginning begins there."""
    start = kind = 0
    for position, label in enumerate([*labels, 0]):
        type = (label + 1) // 2
        if kind and (type != kind or label % 2 == 1):
            yield start, position, TYPES[kind - 1]
            kind = 0
        if type and not kind:
            start, kind = position, type


def numbers_of(characters: str) -> npt.NDArray[np.int64]:
    """The number of each code point, from the vocabulary's characters in their order."""
    numbers = np.full(0x110000, UNKNOWN, dtype=np.int64)
    for number, character in enumerate(characters, start=END + 1):
        numbers[ord(character)] = number
    return numbers


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """The code point of each character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
