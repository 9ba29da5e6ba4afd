"""What the reward model says of an answer; apart from both its sides, so that training reaches no reward."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the reward model says of one answer.

    Attributes:
        cosine: cos(E(q), E(a)).
        threshold: r_answer of Eq. 6, 1 above T and 0 else.
        dense: how likely the pair is a good one, 0 to 1; it tells apart answers that `threshold` ties.
        margin: Eq. 5 turned into a reward: by how much of the margin the answer is closer to the question than the
            closest generic reply, 0 to 1.
    """

    cosine: float
    threshold: float
    dense: float
    margin: float
