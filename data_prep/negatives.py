"""Triplets for the reward model: a post, a response to it, and a text that does not answer it (Eq. 5).

Hard negatives are made of questions about the same matter, and of the words that say so. A corpus has no topics, or
coarse ones (one in nine PsyQA questions is "恋爱"), so likeness is by the posts' words, weighted by how rare they are
(TF-IDF, scikit-learn). Words that more than a fiftieth of the posts hold, or more than 400 of them, are left out: they
tell no matter apart, and they are what a comparison of all posts spends its time on.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import rjieba
from ahocorasick_rs import AhoCorasick
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer
from tqdm import tqdm

from common.records.question import Question
from common.records.triplets import Kind, Side, Triplet
from data_prep.generic import mine_generic
from data_prep.split import seeded_order, take_groups
from data_prep.tally import Rejected

# What ties a generic sentence to a post's words; parted like the sentences, so that no side learns the other's.
_LEADS: Final[dict[Side, tuple[str, ...]]] = {
    "train": ("说到{0}，", "关于{0}和{1}，", "你写到的{0}、{1}，", "面对{0}，"),
    "heldout": ("提起{0}，", "看到你说的{0}和{1}，", "在{0}这件事上，", "{0}也好，{1}也好，"),
}

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


@dataclass(frozen=True, slots=True)
class _Response:
    group: str
    text: str
    emotion: str


class TripletBuilder:
    """A triplet of each kind for each response, by draws that depend on the seed only.

    "in_batch" is for measuring and is made on the held-out side alone: in training the batch itself brings such pairs.
    The generic sentences are mined on the training side and parted between the sides, so that telling a held-out
    generic reply takes more than having seen its sentences. Groups of near-duplicates lie on one side.
    """

    def __init__(
        self,
        questions: list[Question],
        heldout_fraction: float,
        seed: int,
        generic_questions: int = 4000,
        topic_negatives: int = 1,
    ) -> None:
        """Part the questions and gather what negatives are drawn from.

        Args:
            questions: of the training split, with groups and emotions.
            heldout_fraction: share of the questions whose triplets are for evaluating the reward model, 0 to below 1.
            generic_questions: from how many questions the generic sentences are mined, at most.
            topic_negatives: of the kinds "topic" and "topic_emotion", how many triplets a response gets at most.

        Raises:
            ValueError: a fraction out of range, or a side with a single group, to which nothing is a negative.
        """
        if not 0 <= heldout_fraction < 1:
            raise ValueError(f"heldout_fraction {heldout_fraction}, expected 0 to below 1. Correct the config.")
        heldout, train = take_groups(seeded_order(questions, seed), round(heldout_fraction * len(questions)))
        self._sides: dict[Side, list[Question]] = {"train": train, "heldout": heldout}
        for side, members in self._sides.items():
            size = len({question.group for question in members})
            if size == 1 or (side == "train" and not members):
                raise ValueError(
                    f"{size} group of questions on the {side} side, of {len(questions)} questions with "
                    f"heldout_fraction {heldout_fraction}: negatives need two. Add questions or change the fraction."
                )
        self._seed, self._topic_negatives = seed, topic_negatives
        self._pools: dict[Side, list[str]] = {"train": [], "heldout": []}
        for rank, sentence in enumerate(mine_generic(train[:generic_questions])):
            # By turns, so that both sides get sentences as generic, and enough of them to fill a reply.
            self._pools["heldout" if heldout and rank % 2 else "train"].append(sentence)
        self.counts: Counter[str] = Counter()
        self.rejected: list[Rejected] = []

    def __iter__(self) -> Iterator[Triplet]:
        """Every triplet; those that cannot be made are noted in ``rejected``, the others in ``counts``."""
        self.counts.clear()
        self.rejected.clear()
        for side, members in self._sides.items():
            draws = _Draws(side, members, self._pools[side], self._seed, self._topic_negatives)
            for question in tqdm(members, desc=f"{side} triplets", unit="question", disable=None):
                for kind, positive, negative in draws.of(question):
                    if negative is None:
                        self.rejected.append(Rejected(question.id, "triplet", f"no {kind} negative for a response"))
                        continue
                    self.counts[f"{side}_{kind}"] += 1
                    yield Triplet(question.id, question.post, positive, negative, kind, side)


class _Draws:
    """The negatives of one side."""

    def __init__(
        self, side: Side, questions: list[Question], generic: list[str], seed: int, topic_negatives: int
    ) -> None:
        self._side: Side = side
        self._topic_negatives, self._generic, self._seed = topic_negatives, generic, seed
        self._by_place = [
            [
                _Response(question.group, text, emotion)
                for text, emotion in zip(question.responses, question.response_emotions, strict=True)
            ]
            for question in questions
        ]
        self._responses = [response for responses in self._by_place for response in responses]
        # A response without a label mismatches nothing.
        self._mismatched = {
            label: [other for other in self._responses if other.emotion not in ("", label)]
            for label in {response.emotion for response in self._responses}
        }
        self._around = dict(zip((question.id for question in questions), find_neighbours(questions), strict=True))
        self._finder = AhoCorasick(generic)

    def of(self, question: Question) -> Iterator[tuple[Kind, str, str | None]]:
        """Kind, positive and negative, None where there is none, for each kind of each response of a question."""
        rng = random.Random(f"{self._seed} {question.id}")
        usable = self._not_in(question)
        around = self._around[question.id]
        own = set(question.responses)
        leads = self._leads(around, rng)
        near = [other for place in around.nearest for other in self._by_place[place] if other.text not in own]
        for positive, emotion in zip(question.responses, question.response_emotions, strict=True):
            mismatched = [response for response in near if emotion and response.emotion not in ("", emotion)]
            yield "emotion", positive, _draw(self._mismatched[emotion], question, rng) if emotion else None
            yield "generic", positive, _generic_reply(usable, len(positive), rng)
            if self._side == "heldout":
                yield "in_batch", positive, _draw(self._responses, question, rng)
            yield from (("topic", positive, negative) for negative in self._near(near, rng))
            yield from (("topic_emotion", positive, negative) for negative in self._near(mismatched, rng))
            yield "dressed", positive, _generic_reply(usable, len(positive), rng, leads) if leads else None

    def _near(self, candidates: list[_Response], rng: random.Random) -> list[str] | list[None]:
        """As many different ones as are wanted and to be had; a None where there is none."""
        if not candidates:
            return [None]
        if self._topic_negatives == 1:
            return [candidates[int(rng.random() * len(candidates))].text]
        texts = list(dict.fromkeys(other.text for other in candidates))
        return rng.sample(texts, min(self._topic_negatives, len(texts)))

    def _not_in(self, question: Question) -> list[str]:
        """The generic sentences that none of the question's own responses holds."""
        own = {
            place
            for response in question.responses
            for place, _, _ in self._finder.find_matches_as_indexes(response, overlapping=True)
        }
        return [sentence for place, sentence in enumerate(self._generic) if place not in own]

    def _leads(self, around: Neighbourhood, rng: random.Random) -> list[str]:
        """What ties generic sentences to one post: each lead with two draws of the words it is about; none without."""
        usable = _LEADS[self._side] if len(around.words) >= 2 else ()
        return [lead.format(*rng.sample(around.words, 2)) for lead in usable for _ in range(2)]


def _generic_reply(usable: list[str], length: int, rng: random.Random, leads: Sequence[str] = ()) -> str | None:
    """Sentences joined until they are as long as the positive, so that length tells the two apart nowhere.

    Args:
        leads: the first sentence and every other one after it begin with one of them.
    """
    parts: list[str] = []
    written, left = 0, list(usable)
    while left:
        # To the end with the one drawn: as many draws as sentences used, which is a part of the pool.
        place = int(rng.random() * len(left))
        left[place], left[-1] = left[-1], left[place]
        sentence = left.pop()
        if leads and not len(parts) % 2:
            sentence = leads[int(rng.random() * len(leads))] + sentence
        if written + len(sentence) / 2 > length:
            break
        parts.append(sentence)
        written += len(sentence)
    return "".join(parts) or None


def _draw(candidates: list[_Response], question: Question, rng: random.Random) -> str | None:
    """A candidate of another group, whose text is none of this question's either; None without any."""
    start = rng.randrange(len(candidates)) if candidates else 0
    in_turn = (candidates[(start + offset) % len(candidates)] for offset in range(len(candidates)))
    others = (one.text for one in in_turn if one.group != question.group and one.text not in question.responses)
    return next(others, None)


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
