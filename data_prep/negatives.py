"""Triplets for the reward model: a post, a response to it, and a text that does not answer it (Eq. 5)."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from tqdm import tqdm

from data_prep.emotion import Emotion, EmotionLexicon
from data_prep.generic import GenericSentence, mine_generic
from data_prep.record import Question, Rejected
from data_prep.split import seeded_order

Kind = Literal["emotion", "generic", "in_batch"]
Side = Literal["train", "heldout"]

KINDS: Final[tuple[Kind, ...]] = ("emotion", "generic", "in_batch")


@dataclass(frozen=True, slots=True)
class Triplet:
    """One row of the reward model's data.

    Attributes:
        question_id: whose post and response these are.
        question: the post.
        positive: a response to it.
        negative: a text that never comes from the same question.
        kind: Eq. 5's negatives: "emotion", a response to another question, of another emotion; "generic", frequent
            sentences of the corpus put together; "in_batch", any response to another question, as a batch holds.
        split: which side the question is on; a negative comes from the same side.
    """

    question_id: str
    question: str
    positive: str
    negative: str
    kind: Kind
    split: Side


@dataclass(frozen=True, slots=True)
class Triplets:
    """The rows, and those of the three per response that could not be made."""

    rows: list[Triplet]
    rejected: list[Rejected]


@dataclass(frozen=True, slots=True)
class _Response:
    question_id: str
    text: str
    emotion: Emotion | None


def build_triplets(
    questions: list[Question], heldout_fraction: float, seed: int, lexicon: EmotionLexicon | None = None
) -> Triplets:
    """Three triplets for each response, one of each kind, in an order and with draws that depend on the seed only.

    Emotions are labelled relative to the training side's responses. The generic sentences are mined there too and
    parted between the sides, so that telling a held-out generic reply takes more than having seen its sentences.

    Args:
        questions: of the training split, cleaned.
        heldout_fraction: share of the questions whose triplets are for evaluating the reward model, 0 to below 1.
        lexicon: the emotion lexicon; None for the installed one.

    Raises:
        ValueError: a fraction out of range, or a side with a single question, to which nothing is a negative.
    """
    if not 0 <= heldout_fraction < 1:
        raise ValueError(f"heldout_fraction {heldout_fraction}, expected 0 to below 1. Correct the config.")
    ordered = seeded_order(questions, seed)
    heldout_size = round(heldout_fraction * len(ordered))
    sides: dict[Side, list[Question]] = {"train": ordered[heldout_size:], "heldout": ordered[:heldout_size]}
    for side, members in sides.items():
        if len(members) == 1 or (side == "train" and not members):
            raise ValueError(
                f"{len(members)} question on the {side} side, of {len(ordered)} with heldout_fraction "
                f"{heldout_fraction}: negatives need two. Add questions or change heldout_fraction."
            )
    texts = [response for question in sides["train"] for response in question.responses]
    labelled = (lexicon or EmotionLexicon.load()).relative_to(texts)
    pools: dict[Side, list[GenericSentence]] = {"train": [], "heldout": []}
    for rank, sentence in enumerate(mine_generic(sides["train"])):
        # By turns, so that both sides get sentences as generic, and enough of them to fill a reply.
        pools["heldout" if heldout_size and rank % 2 else "train"].append(sentence)
    rows: list[Triplet] = []
    rejected: list[Rejected] = []
    for side, members in sides.items():
        draws = _Draws(members, pools[side], labelled, seed)
        for question in tqdm(members, desc=f"{side} triplets", unit="question", disable=None):
            for kind, positive, negative in draws.of(question):
                if negative is None:
                    rejected.append(Rejected(question.id, "triplet", f"no {kind} negative for a response"))
                else:
                    rows.append(Triplet(question.id, question.post, positive, negative, kind, side))
    return Triplets(rows, rejected)


class _Draws:
    """The negatives of one side."""

    def __init__(
        self, questions: list[Question], generic: list[GenericSentence], lexicon: EmotionLexicon, seed: int
    ) -> None:
        self._responses = [_Response(q.id, text, lexicon.label(text)) for q in questions for text in q.responses]
        self._emotions = {(response.question_id, response.text): response.emotion for response in self._responses}
        # A response without a label mismatches nothing.
        self._mismatched = {
            emotion: [other for other in self._responses if other.emotion not in (None, emotion)] for emotion in Emotion
        }
        self._generic = generic
        self._seed = seed

    def of(self, question: Question) -> Iterator[tuple[Kind, str, str | None]]:
        """Kind, positive and negative, None where there is none, for each kind of each response of a question."""
        makers: dict[Kind, Callable[[Question, str, random.Random], str | None]] = {
            "emotion": self._other_emotion,
            "generic": self._generic_reply,
            "in_batch": self._other_response,
        }
        for index, positive in enumerate(question.responses):
            for kind in KINDS:
                rng = random.Random(f"{self._seed} {question.id} {index} {kind}")
                yield kind, positive, makers[kind](question, positive, rng)

    def _other_emotion(self, question: Question, positive: str, rng: random.Random) -> str | None:
        emotion = self._emotions[question.id, positive]
        return None if emotion is None else _draw(self._mismatched[emotion], question, rng)

    def _other_response(self, question: Question, _positive: str, rng: random.Random) -> str | None:
        return _draw(self._responses, question, rng)

    def _generic_reply(self, question: Question, positive: str, rng: random.Random) -> str | None:
        """Sentences joined until they are as long as the positive, so that length tells the two apart nowhere."""
        own = "\n".join(question.responses)
        usable = [sentence.text for sentence in self._generic if sentence.text not in own]
        rng.shuffle(usable)
        reply = ""
        for sentence in usable:
            if len(reply) + len(sentence) / 2 > len(positive):
                break
            reply += sentence
        return reply or None


def _draw(candidates: list[_Response], question: Question, rng: random.Random) -> str | None:
    """A candidate from another question, whose text is none of this question's either; None without any."""
    if not candidates:
        return None
    start = rng.randrange(len(candidates))
    for offset in range(len(candidates)):
        candidate = candidates[(start + offset) % len(candidates)]
        if candidate.question_id != question.id and candidate.text not in question.responses:
            return candidate.text
    return None


def count_rows(rows: list[Triplet]) -> dict[str, int]:
    """How many rows of each side and kind, by keys such as ``train_emotion``."""
    return dict(sorted(Counter(f"{row.split}_{row.kind}" for row in rows).items()))
