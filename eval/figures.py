"""Every figure of evaluation, once: what it is called and means, which way is better, and where it appears.

A new metric takes its function in `eval.metrics.overlap`, its line in `eval.metrics.protocols.PROTOCOLS`, and its line
here; tables, gains, slices and the HTML report follow.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

# Beside the tables of results, in which all figures stand that a result has: gains compared by pairs of models, the
# sentences that open the HTML report and its part on posts at risk, means by topic, the cards of single replies,
# rankings by people or by a judge.
Place = Literal["gains", "headline", "slices", "reply", "ranking"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        key: in results and tables of scores.
        label: for readers.
        digits: after the point.
        direction: which way is better; "" for neither.
        meaning: in a line; protocol zh takes characters as tokens.
        where: the places in which it appears.
        bounds: the smallest and the largest value that it can have for a question; intervals end there.
        share: it is a share of replies, or a sum of such shares.
        of_text: it is a figure of the text that a reader is shown, so it has a second reading, over the replies that
            show something; in the first one the others count 0.
        shown_alone: it says nothing of replies that show nothing, so tables give its second reading alone.
    """

    key: str
    label: str
    digits: int
    direction: Literal["higher", "lower", ""]
    meaning: str
    where: tuple[Place, ...] = ()
    of_text: bool = True
    shown_alone: bool = False
    bounds: tuple[float, float] = (0.0, 1.0)
    share: bool = False

    @property
    def heading(self) -> str:
        """The label with an arrow that says which way is better."""
        return self.label + {"higher": " ↑", "lower": " ↓", "": ""}[self.direction]


# In the order in which tables show them.
FIGURES: Final = (
    Figure(
        "reward",
        "Reward",
        2,
        "higher",
        "format and answer together, 0 to 2 (Eq. 3): what GRPO maximises",
        ("gains", "headline", "slices", "reply"),
        of_text=False,
        bounds=(0.0, 2.0),
        share=True,
    ),
    Figure(
        "format",
        "Format",
        2,
        "higher",
        "share of whole outputs that are exactly one valid Chain-of-Empathy output (Eq. 4)",
        ("gains", "headline"),
        of_text=False,
        share=True,
    ),
    Figure(
        "visible",
        "Shown",
        2,
        "higher",
        "share of replies that show a reader something; in rows of all replies the others count 0 in figures of text",
        ("gains",),
        of_text=False,
        share=True,
    ),
    Figure(
        "answer",
        "Answer",
        2,
        "higher",
        "share of replies whose cosine with the post is above T (Eq. 6)",
        ("gains", "slices"),
        share=True,
    ),
    Figure(
        "cosine",
        "Cosine",
        3,
        "higher",
        "cosine of post and reply by the reward model; over all replies one that shows nothing counts 0",
        ("reply",),
        bounds=(-1.0, 1.0),
    ),
    Figure(
        "heldout_answer",
        "Held-out answer",
        2,
        "higher",
        "share of replies that a second reward model lets pass, which GRPO never saw: another split, seed and kind of "
        "model, with a T of its own, so not on the scale of Answer",
        ("gains", "headline", "reply"),
        share=True,
    ),
    Figure(
        "bleu_1",
        "BLEU-1",
        3,
        "higher",
        "share of the reply's characters that a reference has too, less for replies that are too short",
        ("gains",),
    ),
    Figure(
        "distinct_1",
        "Distinct-1",
        3,
        "",
        "share of a reply's characters that differ from each other; a shorter reply has more",
        ("gains",),
    ),
    Figure(
        "rouge_l",
        "ROUGE-L",
        3,
        "higher",
        "longest common subsequence with a reference, precision and recall together",
        ("gains",),
    ),
    Figure(
        "meteor",
        "METEOR",
        3,
        "higher",
        "characters in common with a reference, less where their order differs",
        ("gains",),
    ),
    Figure(
        "navg",
        "NAvg",
        3,
        "higher",
        "mean of BLEU-1, ROUGE-L, METEOR and Distinct-1; one character has 0.25 of it, see the baselines",
        ("gains", "headline", "slices"),
    ),
    Figure(
        "tfidf",
        "TF-IDF",
        3,
        "higher",
        "words shared with a reference that do not stand in the post, rarer ones counting more; of one test set",
        ("gains",),
    ),
    Figure("rouge_l_words", "ROUGE-L (words)", 3, "higher", "ROUGE-L with words as tokens"),
    Figure("meteor_words", "METEOR (words)", 3, "higher", "METEOR with words as tokens"),
    Figure(
        "bertscore",
        "BERTScore",
        3,
        "higher",
        "likeness to a reference by an encoder's token embeddings",
        bounds=(-1.0, 1.0),
    ),
    Figure(
        "distinct_1_corpus",
        "Distinct-1 (corpus)",
        3,
        "",
        "share of all replies' characters together that differ from each other; it falls with more text",
    ),
    Figure(
        "navg_seeds",
        "NAvg, SD of seeds",
        3,
        "lower",
        "standard deviation of NAvg between runs that differ in their seed",
    ),
    Figure(
        "reward_steps",
        "Reward, SD of steps",
        2,
        "lower",
        "how much the mean reward of a GRPO step differs from the next one's, as a standard deviation; mean over seeds",
    ),
    Figure("copy_overlap", "Copied", 3, "", "how much of the reply is copied from the post", shown_alone=True),
    Figure("cut", "Cut", 2, "lower", "share of outputs that ended at the length limit", of_text=False, share=True),
    Figure("chars", "Characters", 0, "", "length of what a reader is shown", shown_alone=True, bounds=(0.0, math.inf)),
    Figure(
        "win_1",
        "Win@1",
        1,
        "higher",
        "per cent of questions on which the model is ranked first",
        ("ranking",),
        bounds=(0.0, 100.0),
    ),
    Figure(
        "win_2",
        "Win@2",
        1,
        "higher",
        "per cent of questions on which it is among the first two",
        ("ranking",),
        bounds=(0.0, 100.0),
    ),
    Figure(
        "mean_rank",
        "Mean rank",
        3,
        "lower",
        "its mean place in the rankings, from 1",
        ("ranking",),
        bounds=(1.0, math.inf),
    ),
)


def figure(key: str) -> Figure:
    """The figure of a key.

    Raises:
        ValueError: none is defined.
    """
    for one in FIGURES:
        if one.key == key:
            return one
    raise ValueError(
        f"figure {key!r}: FIGURES in eval/figures.py has no such entry, so no table would show it. Add one, or "
        f"name one of {', '.join(one.key for one in FIGURES)}."
    )


def figures_of(place: Place) -> list[str]:
    """Keys of the figures that appear in a place, in order."""
    return [one.key for one in FIGURES if place in one.where]
