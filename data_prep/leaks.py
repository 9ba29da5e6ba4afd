"""Leaks: questions and responses of one set that stand, or nearly stand, in another.

Two sets are compared by MinHash (`data_prep.duplicates`), posts with posts and responses with responses. What has no
near-duplicate here can still be a free rewording: SMILECHAT's dialogues were rewritten from PsyQA's by a model, and few
of them share enough 5-grams with their source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from data_prep.duplicates import Signatures, alike_pairs, jaccard

Part = Literal["post", "response"]


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
        similarity: estimated Jaccard index of the character 5-grams, 0 to 1.
    """

    held_out_set: str
    held_out: str
    other_set: str
    other: str
    part: Part
    similarity: float


def reasons_by_id(leaks: Sequence[Leak]) -> dict[str, tuple[str, str]]:
    """Why the questions of the other sets must not be trained on, by id: a reason to count by, and the detail."""
    reasons: dict[str, tuple[str, str]] = {}
    for leak in leaks:
        # The first that was found: of several, a like post says more than like responses.
        reasons.setdefault(
            leak.other,
            (
                f"{leak.part} nearly the same as one of {leak.held_out_set}",
                f"of question {leak.held_out}, similarity {leak.similarity}",
            ),
        )
    return reasons


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
