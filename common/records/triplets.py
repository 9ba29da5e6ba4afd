"""The reward model's training data: a post, a response to it, and a text that does not answer it (Eq. 5)."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["emotion", "generic", "in_batch", "topic", "topic_emotion", "dressed"]
Side = Literal["train", "heldout"]

# Eq. 5's three kinds as the paper words them; nearly always the post's topic tells them from a response.
EASY: Final[tuple[Kind, ...]] = ("emotion", "generic", "in_batch")

# Kinds whose topic is the post's own, so that a reward which goes by topic words alone lets them pass.
HARD: Final[tuple[Kind, ...]] = ("topic", "topic_emotion", "dressed")

KINDS: Final[tuple[Kind, ...]] = (*EASY, *HARD)

# A post and its own response, where pairs of both sorts stand together by kind.
GOOD: Final = "good"


@dataclass(frozen=True, slots=True)
class Triplet:
    """One row of the reward model's data.

    Attributes:
        question_id: whose post and response these are.
        question: the post.
        positive: a response to it.
        negative: a text that never comes from the same question, nor from a near-duplicate of it.
        kind: Eq. 5's negatives: "emotion", a response to another question, of another emotion; "generic", frequent
            sentences of the corpus put together; "in_batch", any response to another question, as a batch holds; and
            harder ones: "topic", a response to another question about the same matter; "topic_emotion", the same of
            another emotion; "dressed", generic sentences with words of the post worked in.
        split: which side the question is on; a negative comes from the same side.
    """

    question_id: str
    question: str
    positive: str
    negative: str
    kind: Kind
    split: Side
