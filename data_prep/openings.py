"""Questions that begin alike: an equal title, or an equal opening of the post or of its description.

MinHash finds texts that are alike as a whole. It misses a post that was put in again with another ending, and dialogues
that were written anew from one question: these keep its title or its first words. Letters and digits are compared;
case, white space and punctuation are not.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from common.records.question import Question
from data_prep.duplicates import letters_of

# The shortest title, in letters, that says which question it is: 怎么办 says nothing.
TITLE_LETTERS: Final = 8

# How long an equal opening has to be, in letters.
OPENING_LETTERS: Final = 40

# A beginning that more posts than this share bear is a phrase (我该怎么办才好呢) or a form, and tells nothing.
COMMON_SHARE: Final = 0.001

# In a small corpus so many may bear it in any case.
AT_LEAST: Final = 20

Beginning = tuple[Literal["title", "opening"], str]


def beginnings(question: Question) -> frozenset[Beginning]:
    """The title and the openings by which a question may be known again."""
    found: set[Beginning] = set()
    title = letters_of(question.title)
    if len(title) >= TITLE_LETTERS:
        found.add(("title", title))
    for text in (question.post, question.description):
        # A few characters more than are needed: marks and blanks are among them.
        letters = letters_of(text[: 4 * OPENING_LETTERS])
        if len(letters) >= OPENING_LETTERS:
            found.add(("opening", letters[:OPENING_LETTERS]))
    return frozenset(found)


def common_beginnings(corpora: Iterable[Sequence[Question]]) -> frozenset[Beginning]:
    """The beginnings that too many posts of a corpus bear to tell a question by.

    Found once for all corpora of a run, so that what groups questions is what the last look looks for.
    """
    common: set[Beginning] = set()
    for questions in corpora:
        counts = Counter(beginning for question in questions for beginning in beginnings(question))
        most = max(AT_LEAST, int(COMMON_SHARE * len(questions)))
        common.update(beginning for beginning, count in counts.items() if count > most)
    return frozenset(common)


def same_pairs(
    questions: Sequence[Question], common: frozenset[Beginning] = frozenset()
) -> tuple[npt.NDArray[np.int64], list[Literal["title", "opening"]]]:
    """Pairs ``(earlier, later)`` of questions with an equal beginning, shape ``(n, 2)``, and by what each is.

    Each is paired with the first that bears the beginning: enough to group them.

    Args:
        common: beginnings that tell nothing.
    """
    first: dict[Beginning, int] = {}
    pairs: list[tuple[int, int]] = []
    kinds: list[Literal["title", "opening"]] = []
    for place, question in enumerate(questions):
        for beginning in sorted(beginnings(question) - common):
            if (other := first.setdefault(beginning, place)) != place:
                pairs.append((other, place))
                kinds.append(beginning[0])
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), kinds
