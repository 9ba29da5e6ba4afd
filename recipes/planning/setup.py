"""What decides a run's memory and time, apart from the model's shape."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import yaml

from common.errors import StageError
from recipes.planning.shapes import Shape

GIB: Final = 2**30
_FILE: Final = Path(__file__).with_name("cards.yaml")
# Lengths at which a mean over them is reckoned.
_POINTS: Final = 1000


@dataclass(frozen=True)
class Card:
    """A GPU.

    Attributes:
        name: in ``cards.yaml``.
        memory_gib: as torch reports it.
        tflops: dense bfloat16, at its peak.
        bandwidth: of its memory, GB/s.
        link: that an all-gather within a node reaches, GB/s.
    """

    name: str
    memory_gib: float
    tflops: float
    bandwidth: float
    link: float


@cache
def cards() -> dict[str, Card]:
    """The known ones by name."""
    read = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {name: Card(name, **values) for name, values in read.items()}


def find_card(name: str) -> Card:
    """The card of a name.

    Raises:
        StageError: it is not known.
    """
    if name not in cards():
        raise StageError(f"card={name}: not known. Known: {', '.join(cards())}. Others go into {_FILE.name}.")
    return cards()[name]


@dataclass(frozen=True)
class Lengths:
    """Tokens of prompts and responses.

    Responses spread between nothing and the longest as the mean asks for: the share that is longer than t tokens is
    taken to be (1 - t / longest) ** k.
    """

    prompt: float
    response: float
    longest: float

    @property
    def mean(self) -> float:
        """Of prompt and response together."""
        return self.prompt + self.response

    @property
    def power(self) -> float:
        """The k above; 0 where all are as long as the longest."""
        return max(0.0, self.longest / self.response - 1)

    @property
    def spread(self) -> float:
        """Standard deviation of the responses."""
        k = self.power
        return self.longest * math.sqrt(k / (k + 2)) / (k + 1)

    def longest_of(self, rows: int, cut: float | None = None) -> float:
        """Mean of the longest of so many responses, as long as a batch of them is padded; of one row the mean itself.

        Args:
            rows: that are padded together.
            cut: longer responses are cut there.
        """
        end = min(self.longest, cut or self.longest)
        ages = (np.arange(_POINTS) + 0.5) * end / _POINTS
        # That none of them is longer than t.
        none = (1 - (1 - ages / self.longest) ** self.power) ** rows
        return float(np.mean(1 - none)) * end


@dataclass(frozen=True)
class Setup:
    """A run.

    Attributes:
        shape: of the policy.
        card, cards: what trains and generates, and how many of them.
        lengths: of prompts and responses.
        prompts, rollouts: of a step; rollouts a prompt.
        mini: prompts of an update.
        micro: rows of a micro-batch of the actor on a GPU; 0 where `micro_tokens` decides.
        micro_tokens: tokens of one, where they are packed by tokens.
        scored: rows of a micro-batch without gradients (old and reference probabilities); 0 where `scored_tokens` does.
        scored_tokens: tokens of one.
        padded: whether rows are computed as long as the longest.
        lora: rank; 0 trains all parameters.
        master: bytes of a parameter that is trained: 4, or 2 in pure bfloat16.
        checkpointing: whether a layer's inside is computed again in the backward pass.
        offload_weights, offload_optimizer: to the host while others have the card.
        reference: bytes of a parameter of the reference; 0 where there is none, or LoRA without its adapters is it.
        offload_reference: it waits on the host.
        split: rollout's tensor parallelism.
        utilization: share of the card that is vLLM's.
        eager: vLLM runs without CUDA graphs.
        deferred: gradients stay whole on each GPU until an update's last micro-batch.
        beside: bytes that others hold on the same card: a reward model.
        entropy_chunk: rows of logits whose entropy is computed at once; 0 for all of them.
    """

    shape: Shape
    card: Card
    cards: int
    lengths: Lengths
    prompts: int
    rollouts: int
    mini: int
    micro: int = 0
    micro_tokens: int = 0
    scored: int = 0
    scored_tokens: int = 0
    padded: bool = False
    lora: int = 0
    master: int = 4
    checkpointing: bool = True
    offload_weights: bool = False
    offload_optimizer: bool = False
    reference: int = 4
    offload_reference: bool = False
    split: int = 1
    utilization: float = 0.5
    eager: bool = False
    deferred: bool = False
    beside: float = 0.0
    entropy_chunk: int = 2048

    @property
    def trained(self) -> int:
        """Parameters with a gradient."""
        return self.lora * self.shape.adapter_widths if self.lora else self.shape.parameters

    @property
    def rows(self) -> float:
        """Rollouts of a step on a GPU."""
        return self.prompts * self.rollouts / self.cards

    @property
    def tokens(self) -> float:
        """Tokens of a step on a GPU, as they are computed."""
        lengths = self.lengths
        return self.rows * (lengths.prompt + lengths.longest if self.padded else lengths.mean)

    def largest(self, rows: int, tokens: int) -> float:
        """Tokens of the largest micro-batch: two standard deviations above its mean, no more than the longest rows."""
        own = self.rows * self.mini / self.prompts
        if not rows:
            return min(float(tokens), own * self.lengths.mean)
        rows = min(rows, math.ceil(own))
        most = rows * (self.lengths.prompt + self.lengths.longest)
        if self.padded:
            return most
        return min(most, rows * self.lengths.mean + 2 * math.sqrt(rows) * self.lengths.spread)

    @property
    def accumulates(self) -> bool:
        """Whether an update has more than one micro-batch."""
        own = self.rows * self.mini / self.prompts
        return own > self.micro if self.micro else own * self.lengths.mean > self.micro_tokens

    def pieces(self, rows: int, tokens: int) -> float:
        """Micro-batches of a step on a GPU."""
        return math.ceil(self.rows / rows) if rows else math.ceil(self.tokens / tokens)
