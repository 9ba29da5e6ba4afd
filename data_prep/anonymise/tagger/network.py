"""The tagger: a small convolutional network over characters, LAC's tags, words and known names, in numpy.

Each character's vector is the sum of its own, its LAC tag's and those of what the dictionary (`words`) and lists of
places and firms (`known`) know of it. Six blocks add what stands up to 18 characters to either side (dilated
convolutions, van den Oord et al. 2016, https://arxiv.org/abs/1609.03499). A linear layer gives nine scores, BIO over
the four types. `train` writes the weights; here they are only read, without torch.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from data_prep.anonymise.lac import Tags
from data_prep.anonymise.tagger.known import known_kinds
from data_prep.anonymise.tagger.labels import END, code_points, numbers_of, places_of
from data_prep.anonymise.tagger.words import word_kinds

WEIGHTS: Final = Path(__file__).with_name("weights.safetensors")
# How far apart the three characters are that a block looks at.
DILATIONS: Final = (1, 2, 4, 8, 1, 2)
# Characters in one batch: more do not fit the processor's cache.
_RUN_CHARS: Final = 4096

# Whether a label may stand behind another: one that goes on only behind its own type.
_ALLOWED: Final = np.array(
    [[after % 2 == 1 or after == 0 or before in (after - 1, after) for after in range(9)] for before in range(9)]
)

_Vectors = npt.NDArray[np.float32]


class Find(NamedTuple):
    """A value: where it stands, its type, and the mean lead of its characters' scores over that of "nothing"."""

    start: int
    end: int
    type: str
    lead: float


class Tagger:
    """The network with its weights (2.7 MB)."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        """Read the weights."""
        with safe_open(path, framework="numpy") as file:
            self._weights = {key: file.get_tensor(key).astype(np.float32) for key in file.keys()}  # noqa: SIM118 (no dictionary)
            self._numbers = numbers_of(json.loads(file.metadata()["characters"]))

    def __call__(
        self, texts: Sequence[str], last: Sequence[bool], tags: Sequence[Tags], bias: float = 0.0
    ) -> list[list[Find]]:
        """What stands in each sentence.

        Args:
            texts: the sentences.
            last: whether each ends its text.
            tags: LAC's, a number a character.
            bias: taken off the score of "nothing": the more, the more is found.
        """
        result: list[list[Find]] = [[] for _ in texts]
        for numbers in _batches([len(text) + 1 for text in texts]):
            own = (
                [texts[each] for each in numbers],
                [last[each] for each in numbers],
                [tags[each] for each in numbers],
            )
            scores = self._scores(*own)
            nothing = scores[..., 0].copy()
            scores[..., 0] -= bias
            labels = best_labels(scores)
            lead = np.take_along_axis(scores, labels[..., None], axis=2)[..., 0] - nothing
            for row, number in enumerate(numbers):
                result[number] = [
                    Find(start, end, type, float(lead[row, start:end].mean()))
                    for start, end, type in places_of(labels[row, : len(texts[number])].tolist())
                ]
        return result

    def _scores(self, texts: Sequence[str], last: Sequence[bool], tags: Sequence[Tags]) -> _Vectors:
        """Scores of shape (sentences, characters, labels)."""
        shape = (len(texts), max(map(len, texts)) + 1)
        characters, kinds, words, known = (np.zeros(shape, dtype=np.int64) for _ in range(4))
        for row, (text, ends, own) in enumerate(zip(texts, last, tags, strict=True)):
            characters[row, : len(text)] = self._numbers[code_points(text)]
            kinds[row, : len(text)], words[row, : len(text)] = own, word_kinds(text)
            known[row, : len(text)] = known_kinds(text)
            characters[row, len(text)] = END if ends else 0
        mask = (characters > 0).astype(np.float32)[..., None]
        vectors = self._weights["characters"][characters] + self._weights["tags"][kinds]
        vectors = (vectors + self._weights["words"][words] + self._weights["known"][known]) * mask
        for number, dilation in enumerate(DILATIONS):
            left, middle, right = self._weights[f"block{number}.weight"]
            step = vectors @ middle + self._weights[f"block{number}.bias"]
            step[:, dilation:] += (vectors @ left)[:, :-dilation]
            step[:, :-dilation] += (vectors @ right)[:, dilation:]
            vectors = (vectors + np.maximum(step, 0)) * mask
        scores: _Vectors = vectors @ self._weights["out.weight"] + self._weights["out.bias"]
        return scores


def best_labels(scores: _Vectors) -> npt.NDArray[np.int64]:
    """The best labels for each sentence of which none goes on what has not begun, shape (sentences, characters)."""
    steps = np.where(_ALLOWED, 0, -np.inf).astype(np.float32)
    total, back = scores[:, 0] + np.where(_ALLOWED[0], 0, -np.inf).astype(np.float32), []
    for position in range(1, scores.shape[1]):
        reached = total[:, :, None] + steps
        before = reached.argmax(axis=1)
        total = np.take_along_axis(reached, before[:, None], axis=1)[:, 0] + scores[:, position]
        back.append(before)
    path = [total.argmax(axis=1)]
    for before in reversed(back):
        path.append(np.take_along_axis(before, path[-1][:, None], axis=1)[:, 0])
    return np.stack(path[::-1], axis=1)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The numbers of the sentences, those of like length together."""
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[number] * (len(batch) + 1) > _RUN_CHARS:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
