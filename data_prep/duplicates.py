"""Near-duplicates by MinHash: signatures of texts, pairs of texts that are alike, groups of them, leaks between sets.

Two texts are alike when their sets of character 5-grams overlap: by the Jaccard index, estimated from 128 permutations
(rensa), which is off by 0.04 at most in two of three cases near 0.7. Letters and digits count, case, white space and
punctuation do not. What it does not find are free rewordings, and a short text inside a long one: SMILECHAT's
dialogues were rewritten from PsyQA's by a model, and few of them share enough 5-grams with their source.

Leaks are questions and responses of one set that stand, or nearly stand, in another: posts are compared with posts and
responses with responses.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from rensa import RMinHash
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

PERMUTATIONS: Final = 128
GRAM: Final = 5

# One row of ``PERMUTATIONS`` values a text.
Signatures = npt.NDArray[np.uint32]

_NOT_LETTERS = re.compile(r"[\W_]+")
_SEED: Final = 42
# Rows a band: with 32 bands of 4 a pair of 0.5 is met with 87 %, one of 0.6 with 99 %, one of 0.2 with 5 %.
_BAND_ROWS: Final = 4
_ALL_PAIRS: Final = 32
_PIECE: Final = 65_536
# Odd 64-bit constants, any will do: they spread five code points of 21 bits over 64.
_FACTORS: Final = np.array(
    [0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F],
    dtype=np.uint64,
)


def letters_of(text: str) -> str:
    """The letters and digits of a text, which are what two texts are compared by."""
    return _NOT_LETTERS.sub("", text).lower()


def signatures(texts: Sequence[str]) -> Signatures:
    """The texts' MinHash signatures, shape ``(len(texts), PERMUTATIONS)``.

    A text of fewer than ``GRAM`` letters is one gram of its own, filled up with blanks.
    """
    if not texts:
        return np.empty((0, PERMUTATIONS), dtype=np.uint32)
    letters = [letters_of(text).ljust(GRAM) for text in texts]
    lengths = np.array([len(text) for text in letters], dtype=np.int64)
    points = np.frombuffer("".join(letters).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    hashes = np.zeros(len(points) - GRAM + 1, dtype=np.uint64)
    for place, factor in enumerate(_FACTORS):
        hashes += (points[place : place + len(hashes)] + np.uint64(1)) * factor
    hashes = (hashes ^ (hashes >> np.uint64(31))) * _FACTORS[1]
    # A gram that runs from one text into the next is none.
    inside = np.ones(len(points), dtype=bool)
    ends = np.cumsum(lengths)
    for back in range(1, GRAM):
        inside[ends - back] = False
    offsets = np.concatenate([[0], np.cumsum(lengths - GRAM + 1)]).astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        hashes[inside[: len(hashes)]], offsets, num_perm=PERMUTATIONS, seed=_SEED
    )
    return np.array(matrix.to_rows(), dtype=np.uint32)


def alike_pairs(rows: Signatures, threshold: float) -> npt.NDArray[np.int64]:
    """Pairs ``(earlier, later)`` of rows whose estimated Jaccard index is at least ``threshold``, shape ``(n, 2)``.

    Candidates share a band of their signatures. Where more than ``_ALL_PAIRS`` share one (a form letter sent a thousand
    times) each is compared with the first and with its neighbours, not with all: enough to group them.

    Args:
        threshold: 0.4 to 1; below, the bands find too few of the pairs.

    Raises:
        ValueError: a threshold out of this range.
    """
    if not 0.4 <= threshold <= 1:
        raise ValueError(f"near-duplicate threshold {threshold}, expected 0.4 to 1. Correct the config.")
    found = (candidates[jaccard(rows, candidates) >= threshold] for candidates in _candidates(rows))
    return np.unique(np.concatenate([np.empty((0, 2), dtype=np.int64), *found]), axis=0)


def jaccard(rows: Signatures, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The estimated Jaccard index of each pair of rows, shape ``(len(pairs),)``."""
    # By pieces: each pair takes a kilobyte while it is compared.
    cuts = (pairs[start : start + _PIECE] for start in range(0, len(pairs), _PIECE))
    pieces = [(rows[piece[:, 0]] == rows[piece[:, 1]]).mean(axis=1) for piece in cuts]
    return np.concatenate([np.empty(0), *pieces])


def groups(size: int, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each of ``size`` rows the first row of its group: whatever is linked by pairs, also over several."""
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    first = np.full(labels.max(initial=-1) + 1, size, dtype=np.int64)
    np.minimum.at(first, labels, np.arange(size))
    return first[labels]


def _candidates(rows: Signatures) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, PERMUTATIONS, _BAND_ROWS):
        band = np.ascontiguousarray(rows[:, start : start + _BAND_ROWS]).astype(np.uint64)
        keys = (band * _FACTORS[:_BAND_ROWS]).sum(axis=1, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        firsts = np.repeat(starts, np.diff(np.append(starts, len(ordered))))
        found = [np.stack([order[firsts], order], axis=1)[firsts != np.arange(len(ordered))]]
        for distance in range(1, _ALL_PAIRS):
            same = np.flatnonzero(ordered[distance:] == ordered[:-distance])
            if not len(same):
                break
            found.append(np.stack([order[same], order[same + distance]], axis=1))
        yield np.unique(np.concatenate(found), axis=0)


# What of two questions is alike; a title and an opening are equal (`data_prep.openings`).
Part = Literal["title", "opening", "post", "response"]


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a set, with whose they are.

    Attributes:
        ids: the question's id of each row.
        rows: signatures, one row a text.
    """

    ids: list[str]
    rows: Signatures


@dataclass(frozen=True, slots=True)
class Leak:
    """A text of a held-out set and one that is alike elsewhere.

    Attributes:
        held_out: the question's id in the held-out set, ``held_out_set`` its name.
        other: the question's id in the other set, ``other_set`` its name.
        part: what is alike.
        similarity: estimated Jaccard index of the character 5-grams of the posts or responses, 0 to 1.
    """

    held_out_set: str
    held_out: str
    other_set: str
    other: str
    part: Part
    similarity: float


_SAME: Final[dict[Part, str]] = {
    "title": "equal to",
    "opening": "equal to",
    "post": "nearly the same as",
    "response": "nearly the same as",
}


def reasons_by_id(leaks: Sequence[Leak]) -> dict[str, tuple[str, str]]:
    """Why the questions of the other sets must not be trained on, by id: a reason to count by, and the detail."""
    # The first that was found counts: of several, a like post says more than like responses.
    return {
        leak.other: (
            f"{leak.part} {_SAME[leak.part]} one of {leak.held_out_set}",
            f"of question {leak.held_out}, similarity {leak.similarity}",
        )
        for leak in reversed(leaks)
    }


def find_leaks(held_out: Mapping[str, Texts], others: Mapping[str, Texts], part: Part, threshold: float) -> list[Leak]:
    """Every text of the held-out sets that is alike to one of another set, the best pair of each two questions.

    Args:
        held_out: sets by name, such as ``test``.
        others: sets by name that must not hold them. A set of the same name is not compared with itself.
        threshold: Jaccard index from which two texts are alike, 0.4 to 1.

    Raises:
        ValueError: a threshold out of range.
    """
    best: dict[tuple[str, str, str, str], float] = {}
    for held_name, held in held_out.items():
        for other_name, other in others.items():
            if other_name == held_name:
                continue
            rows = np.concatenate([held.rows, other.rows])
            size = len(held.ids)
            pairs = alike_pairs(rows, threshold)
            across = pairs[(pairs[:, 0] < size) & (pairs[:, 1] >= size)]
            for (one, two), similarity in zip(across.tolist(), jaccard(rows, across).tolist(), strict=True):
                key = (held_name, held.ids[one], other_name, other.ids[two - size])
                best[key] = max(similarity, best.get(key, 0.0))
    return [Leak(*key, part, round(similarity, 3)) for key, similarity in sorted(best.items())]
