"""Seconds of a GRPO step by phase, by operations, bytes, and what others' runs gave (``constants.yaml``)."""

from typing import Final

import numpy as np

from recipes.planning.constants import Constants
from recipes.planning.memory import kept_by_layer, states
from recipes.planning.setup import GIB, Setup

_HALF: Final = 2
# Points of a reply's length at which decoding is reckoned.
_POINTS: Final = 400
PHASES: Final = ("rollout", "old log-probabilities", "reference", "update", "moving weights")


def forward_operations(setup: Setup) -> float:
    """Operations of a forward pass a token, attention (causal) at the mean length with it."""
    shape, context = setup.shape, setup.lengths.mean
    return 2.0 * shape.computing + 2.0 * shape.layers * shape.queries * context


def estimate(setup: Setup, constants: Constants) -> dict[str, float]:
    """Seconds by phase, `PHASES`."""
    scored = setup.pieces(setup.scored, setup.scored_tokens)
    scoring = forward(setup, constants) + scored * (_gather(setup) + constants.piece_s)
    return {
        "rollout": rollout(setup, constants),
        "old log-probabilities": scoring,
        "reference": scoring if setup.reference or setup.lora else 0.0,
        "update": update(setup, constants),
        "moving weights": _moving(setup, constants),
    }


def forward(setup: Setup, constants: Constants) -> float:
    """Seconds of a forward pass over all tokens of a step, without what each micro-batch adds.

    A pass computes, and moves what its layers keep through the card's memory several times.
    """
    peak, bandwidth = setup.card.tflops * 1e12, setup.card.bandwidth * 1e9
    moved = constants.traffic * setup.shape.layers * kept_by_layer(setup.shape)
    return setup.tokens * (forward_operations(setup) / (peak * constants.compute) + moved / bandwidth)


def update(setup: Setup, constants: Constants) -> float:
    """Seconds of all forward and backward passes of a step that trains."""
    # Backward: operations for inputs and for weights; a frozen weight needs the first alone.
    passes = 1 + (1 if setup.lora else 2) + setup.checkpointing
    trained = setup.pieces(setup.micro, setup.micro_tokens)
    # Weights are gathered twice, gradients go back in float32.
    moved = _gather(setup) * (2 if setup.lora else 4)
    return passes * forward(setup, constants) + trained * (moved + 2 * constants.piece_s)


def _gather(setup: Setup) -> float:
    return _HALF * setup.shape.parameters / (setup.card.link * 1e9) if setup.cards > 1 else 0.0


def rollout(setup: Setup, constants: Constants) -> float:
    """Seconds until the longest reply is done.

    A decoding step costs a fixed time, some for each reply that goes on, and reading the weights and the replies' keys
    and values.
    """
    shape, card, lengths = setup.shape, setup.card, setup.lengths
    replies = setup.rows * setup.split
    bandwidth = card.bandwidth * 1e9 * constants.bandwidth * setup.split
    share = setup.utilization * card.memory_gib - constants.vllm_work_gib
    room = share * GIB * setup.split - _HALF * shape.parameters
    # What goes on is at half its length, and long replies go on longer.
    age = (lengths.response**2 + lengths.spread**2) / (2 * lengths.response)
    at_once = max(1.0, room / (shape.kv_bytes() * (lengths.prompt + age)))
    ages = np.linspace(0, lengths.longest, _POINTS, endpoint=False)
    going = replies * (1 - ages / lengths.longest) ** lengths.power
    running = np.minimum(going, at_once)
    # Those that wait make the same steps later.
    times = going / np.maximum(running, 1e-9)
    fixed = constants.eager_step_s if setup.eager else constants.graph_step_s
    computed = running * 2 * shape.computing / (card.tflops * 1e12 * constants.compute * setup.split)
    read = (_HALF * shape.parameters + running * shape.kv_bytes() * (lengths.prompt + ages)) / bandwidth
    decoding = float(
        np.sum(times * (fixed + constants.reply_s * running + np.maximum(read, computed))) * lengths.longest / _POINTS
    )
    prompts = setup.prompts / setup.cards * lengths.prompt * 2 * shape.computing
    return decoding + prompts / (card.tflops * 1e12 * constants.compute)


def _moving(setup: Setup, constants: Constants) -> float:
    """Weights to vLLM, and what is offloaded to the host and back."""
    own = states(setup)
    host = own["weights"] * setup.offload_weights + own["Adam"] * setup.offload_optimizer
    whole = _HALF * setup.shape.parameters
    return 2 * host / (constants.host_gb_s * 1e9) + (
        whole / (setup.card.link * 1e9) if setup.cards > 1 else whole / (setup.card.bandwidth * 1e9)
    )
