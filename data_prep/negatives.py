"""Triplets for the reward model: a post, a response to it, and a text that does not answer it (Eq. 5)."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ahocorasick_rs import AhoCorasick
from tqdm import tqdm

from common.records.question import Question
from common.records.triplets import Kind, Side, Triplet
from data_prep.generic import mine_generic
from data_prep.neighbours import Neighbourhood, find_neighbours
from data_prep.rejected import Rejected
from data_prep.split import seeded_order, take_groups

# What ties a generic sentence to a post's words; parted like the sentences, so that no side learns the other's.
_LEADS: Final[dict[Side, tuple[str, ...]]] = {
    "train": ("说到{0}，", "关于{0}和{1}，", "你写到的{0}、{1}，", "面对{0}，"),
    "heldout": ("提起{0}，", "看到你说的{0}和{1}，", "在{0}这件事上，", "{0}也好，{1}也好，"),
}


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
        self._seed = seed
        self._topic_negatives = topic_negatives
        self._pools: dict[Side, list[str]] = {"train": [], "heldout": []}
        for rank, sentence in enumerate(mine_generic(train[:generic_questions])):
            # By turns, so that both sides get sentences as generic, and enough of them to fill a reply.
            self._pools["heldout" if heldout and rank % 2 else "train"].append(sentence.text)
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
        self._topic_negatives = topic_negatives
        by_question = [
            [
                _Response(question.group, text, emotion)
                for text, emotion in zip(question.responses, question.response_emotions, strict=True)
            ]
            for question in questions
        ]
        self._responses = [response for responses in by_question for response in responses]
        labels = {response.emotion for response in self._responses}
        # A response without a label mismatches nothing.
        self._mismatched = {
            label: [other for other in self._responses if other.emotion not in ("", label)] for label in labels
        }
        self._around = dict(zip((question.id for question in questions), find_neighbours(questions), strict=True))
        self._by_place = by_question
        self._generic = generic
        self._finder = AhoCorasick(generic)
        self._seed = seed

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
            for negative in self._near(near, rng):
                yield "topic", positive, negative
            for negative in self._near(mismatched, rng):
                yield "topic_emotion", positive, negative
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
        if len(around.words) < 2:
            return []
        return [lead.format(*rng.sample(around.words, 2)) for lead in _LEADS[self._side] for _ in range(2)]


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
    if not candidates:
        return None
    start = rng.randrange(len(candidates))
    for offset in range(len(candidates)):
        candidate = candidates[(start + offset) % len(candidates)]
        if candidate.group != question.group and candidate.text not in question.responses:
            return candidate.text
    return None
