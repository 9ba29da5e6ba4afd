"""What of a held-out set stands, or nearly stands, in another set: posts and responses by wording, questions by how
they begin.

It is looked for twice: before anything is selected, so that it can be taken out of training, and in what is about to be
written, where nothing may be left.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data_prep.duplicates import Leak, Part, Texts, find_leaks, jaccard
from data_prep.grouping import Grouped
from data_prep.openings import Beginning, same_pairs

Sets = Mapping[str, Grouped]


@dataclass(frozen=True, slots=True)
class LeakSearch:
    """How leaks are looked for, the same in every look of a run.

    Attributes:
        question_threshold: Jaccard index of character 5-grams from which two posts are alike.
        response_threshold: the same for responses.
        common: beginnings that many posts bear and that tell nothing, see `data_prep.openings`.
    """

    question_threshold: float
    response_threshold: float
    common: frozenset[Beginning] = frozenset()

    def between(self, held_out: Sets, others: Sets) -> list[Leak]:
        """Every pair of a held-out question and one of another set, a set of the same name left out."""
        found = find_leaks(_posts(held_out), _posts(others), "post", self.question_threshold)
        known = {(leak.held_out_set, leak.held_out, leak.other_set, leak.other) for leak in found}
        # A pair that is alike as a whole is told as such.
        found += [
            leak
            for leak in self._beginnings(held_out, others)
            if (leak.held_out_set, leak.held_out, leak.other_set, leak.other) not in known
        ]
        return found + find_leaks(_responses(held_out), _responses(others), "response", self.response_threshold)

    def check(self, held_out: Sets, trained_on: Sets) -> dict[str, int]:
        """How many pairs are alike, by pair of sets, in what is about to be written.

        Raises:
            RuntimeError: there is one, a bug of this package.
        """
        counts = Counter({f"{held} / {other}": 0 for held in held_out for other in trained_on})
        counts.update(f"{leak.held_out_set} / {leak.other_set}" for leak in self.between(held_out, trained_on))
        if counts.total():
            raise RuntimeError(
                f"held-out questions are alike to ones trained on, by pair of sets {dict(counts)}: report this bug."
            )
        return dict(counts)

    def _beginnings(self, held_out: Sets, others: Sets) -> list[Leak]:
        leaks: dict[tuple[str, str, str, str], Leak] = {}
        for held_name, held in held_out.items():
            for other_name, other in others.items():
                if other_name == held_name:
                    continue
                size = len(held.questions)
                pairs, kinds = same_pairs([*held.questions, *other.questions], self.common)
                across = (pairs[:, 0] < size) & (pairs[:, 1] >= size)
                rows = np.concatenate([held.posts, other.posts])
                parts: list[Part] = [kind for kind, is_across in zip(kinds, across, strict=True) if is_across]
                for (one, two), part, similarity in zip(
                    pairs[across].tolist(), parts, jaccard(rows, pairs[across]).tolist(), strict=True
                ):
                    key = (held_name, held.questions[one].id, other_name, other.questions[two - size].id)
                    leaks.setdefault(key, Leak(*key, part, round(similarity, 3)))
        return [leaks[key] for key in sorted(leaks)]


def _posts(sets: Sets) -> dict[str, Texts]:
    return {name: Texts([question.id for question in part.questions], part.posts) for name, part in sets.items()}


def _responses(sets: Sets) -> dict[str, Texts]:
    return {
        name: Texts([question.id for question in part.questions for _ in question.responses], part.responses)
        for name, part in sets.items()
    }
