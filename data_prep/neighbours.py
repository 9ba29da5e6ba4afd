"""Which questions are about the same matter, and the words that say so: what hard negatives are made of.

A corpus has no topics, or coarse ones (one in nine PsyQA questions is "恋爱"), so likeness is by the posts' words,
weighted by how rare they are (TF-IDF, scikit-learn). Words that more than a fiftieth of the posts hold, or more than
400 of them, are left out: they tell no matter apart, and they are what a comparison of all posts spends its time on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import rjieba
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer

from common.records.question import Question

# How many neighbours a question has at most.
NEAREST: Final = 20

# How many words stand for what a post is about, at most.
TELLING_WORDS: Final = 6

# Share of the posts that a word may stand in.
_COMMON: Final = 0.02
# In so many posts a word may stand however small the corpus is.
_FEWEST: Final = 10
# In more posts none may stand however large it is, or the time to compare them would grow with its square.
_MOST: Final = 400
_BLOCK: Final = 1024


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """One question's surroundings.

    Attributes:
        nearest: places of the questions of other groups most like it, the most alike first; only those of its own
            topic where the corpus has labelled both.
        words: the words of its post that tell most, the most telling first.
    """

    nearest: list[int]
    words: list[str]


def find_neighbours(questions: list[Question], size: int = NEAREST) -> list[Neighbourhood]:
    """The neighbourhood of each question, among the questions given.

    Posts that share no telling word are no neighbours, so a question may have fewer than ``size``, or none.
    """
    most = max(_FEWEST, min(_MOST, int(_COMMON * len(questions))))
    vectorizer = TfidfVectorizer(analyzer=_words, max_df=most, sublinear_tf=True, dtype=np.float32)
    try:
        matrix = csr_array(vectorizer.fit_transform(question.post for question in questions))
    except ValueError:  # no word at all is left, in a corpus of a few posts that are all alike
        return [Neighbourhood([], []) for _ in questions]
    vocabulary = vectorizer.get_feature_names_out()
    groups = _codes([question.group for question in questions])
    topics = _codes([question.topic for question in questions])
    unlabelled = np.array([not question.topic for question in questions])
    found = []
    for row, (places, values) in enumerate(_products(matrix)):
        same_topic = (topics[places] == topics[row]) | unlabelled[places] | unlabelled[row]
        usable = (groups[places] != groups[row]) & same_topic
        places, values = places[usable], values[usable]
        if len(places) > size:
            best = np.argpartition(-values, size)[:size]
            places, values = places[best], values[best]
        # By place among equals, so that the order does not hang on the sort.
        nearest = places[np.lexsort((places, -values))]
        own = slice(matrix.indptr[row], matrix.indptr[row + 1])
        telling = matrix.indices[own][np.lexsort((matrix.indices[own], -matrix.data[own]))][:TELLING_WORDS]
        found.append(Neighbourhood(nearest.tolist(), vocabulary[telling].tolist()))
    return found


def _words(post: str) -> list[str]:
    return [word for word in rjieba.cut(post) if len(word) > 1 and word.isalpha()]


def _codes(labels: list[str]) -> npt.NDArray[np.int64]:
    return np.unique(np.array(labels), return_inverse=True)[1]


def _products(matrix: csr_array) -> Iterator[tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]]:
    """Each row's places and values in ``matrix @ matrix.T``, by blocks: the whole would be gigabytes."""
    transposed = csr_array(matrix.T)
    for start in range(0, matrix.shape[0], _BLOCK):
        block = matrix[start : start + _BLOCK] @ transposed
        for first, last in zip(block.indptr[:-1], block.indptr[1:], strict=True):
            yield block.indices[first:last], block.data[first:last]
