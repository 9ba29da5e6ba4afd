"""Seconds of the stages beside GRPO that need a GPU, by the formulas of its step (`recipes.planning.seconds`).

A text costs what a rollout costs GRPO's update: 4 passes over its tokens, 3 without gradient checkpointing, one less
with LoRA. A batch is padded to its longest row and adds its fixed time. N' parameters multiply a token:

=============== ========================================================================================================
SFT             epochs x samples, N' of the policy, on as many GPUs as its file asks for
reward models   epochs x share of the triplets x 3 texts, N' of the encoder's layers, on one GPU; then held-out triplets
                are ranked by the trained and by the untrained encoder, and those set aside four times while it trains:
                each distinct text is one pass in float32
generation      each block of questions is one rollout of GRPO's formula, by vLLM alone on the card; models follow one
                another, an engine's blocks too
=============== ========================================================================================================

Left out: loading, compiling, saving, the optimizer's step, SFT's and encoders' memory, and whatever runs on a CPU.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

from recipes.planning import seconds
from recipes.planning.constants import Constants
from recipes.planning.setup import Card, Lengths, Setup
from recipes.planning.shapes import Shape

# Question, response and negative.
_TEXTS: Final = 3
# sentence-transformers encodes as many at once, sorted by length.
_ENCODED: Final = 32
# The trained and the untrained one rank the held-out triplets.
_ENCODERS: Final = 2
# `reward_fns.training.trainer` ranks the triplets set aside so often while it trains.
_RANKINGS: Final = 4


@dataclass(frozen=True)
class Stage:
    """One line of the table.

    Attributes:
        name: of the make target.
        counted: what the time is of.
        seconds: None where it is not reckoned.
    """

    name: str
    counted: str
    seconds: float | None


@dataclass(frozen=True)
class Training:
    """How a model is trained, beside its texts.

    Attributes:
        shape: of the model.
        card, cards: what trains it, and how many of them.
        batch: rows of a micro-batch on a GPU.
        checkpointing: whether a layer's inside is computed again in the backward pass.
        lora: rank; 0 trains all parameters.
    """

    shape: Shape
    card: Card
    cards: int = 1
    batch: int = 8
    checkpointing: bool = False
    lora: int = 0

    def setup(self, lengths: Lengths, rows: int) -> Setup:
        """As GRPO's update would train on rows of these lengths."""
        return Setup(
            shape=self.shape,
            card=self.card,
            cards=self.cards,
            lengths=lengths,
            prompts=rows,
            rollouts=1,
            mini=rows,
            micro=self.batch,
            scored=_ENCODED,
            lora=self.lora,
            checkpointing=self.checkpointing,
        )


@dataclass(frozen=True)
class Triplets:
    """What a reward model is trained and measured on.

    Attributes:
        drawn: triplets that it is trained on, all epochs together.
        aside: by which its best state is chosen.
        heldout: by which T is chosen.
        cut: tokens at which a text is cut; None for no limit.
    """

    drawn: int
    aside: int
    heldout: int
    cut: int | None


def sft(training: Training, lengths: Lengths, samples: int, epochs: float, constants: Constants) -> float:
    """Seconds of SFT."""
    padded = replace(lengths, response=lengths.longest_of(training.batch))
    return epochs * seconds.update(training.setup(padded, samples), constants)


def reward_model(training: Training, texts: Lengths, triplets: Triplets, constants: Constants) -> float:
    """Seconds of a reward model's training and ranking.

    Args:
        training: of its encoder.
        texts: tokens of questions and responses alike, as responses without prompts.
        triplets: that it sees.
        constants: the plan's.
    """
    padded = replace(texts, response=texts.longest_of(training.batch, triplets.cut))
    trained = seconds.update(training.setup(padded, _TEXTS * triplets.drawn), constants) if triplets.drawn else 0.0
    ranked = constants.texts_per_triplet * (_ENCODERS * triplets.heldout + _RANKINGS * triplets.aside)
    read = training.setup(replace(texts, response=texts.longest_of(1, triplets.cut)), math.ceil(ranked))
    batches = read.pieces(read.scored, 0) * constants.piece_s
    return trained + constants.full_precision * seconds.forward(read, constants) + batches


def generation(engine: Setup, questions: int, engines: int, constants: Constants) -> float:
    """Seconds of one model's replies.

    Args:
        engine: one of vLLM, with a block of questions as a step's prompts and their replies as its rollouts.
        questions: of all test sets.
        engines: that share the blocks.
        constants: the plan's.
    """
    block = min(engine.prompts, questions)
    one = replace(engine, prompts=block, mini=block)
    rounds = math.ceil(math.ceil(questions / block) / engines)
    return rounds * seconds.rollout(one, constants)


def total(stages: list[Stage]) -> float:
    """Seconds of those that are reckoned, one after another."""
    return sum(stage.seconds or 0.0 for stage in stages)
