"""Memory of a GPU in GRPO with verl's FSDP2 engine and vLLM on the same card, by part and phase. Bytes.

Parameters, gradients and Adam's state are counted exactly. What a layer keeps for its backward pass was counted by
PyTorch's memory tracker on tensors without contents (``tests/recipes/planning/test_memory.py`` does it again). What no
formula gives stands in ``constants.yaml``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from recipes.planning.constants import Constants
from recipes.planning.setup import GIB, Setup
from recipes.planning.shapes import Shape

_HALF: Final = 2  # bytes of bfloat16
_FULL: Final = 4


@dataclass(frozen=True)
class Memory:
    """Bytes of one GPU.

    Attributes:
        phases: by phase, the parts of it by name.
        total: of the fullest phase.
        fullest: its name.
    """

    phases: Mapping[str, Mapping[str, float]]

    @property
    def fullest(self) -> str:
        """The phase that needs most."""
        return max(self.phases, key=lambda phase: sum(self.phases[phase].values()))

    @property
    def total(self) -> float:
        """Bytes of the fullest phase."""
        return sum(self.phases[self.fullest].values())


def kept_by_layer(shape: Shape) -> float:
    """Bytes a token that a layer of a Llama or Qwen keeps for its backward pass, in bfloat16, with SDPA."""
    return 16 * shape.hidden + 8 * shape.intermediate + 14 * shape.queries + 6 * shape.keys


def worked_by_layer(shape: Shape) -> float:
    """Bytes a token of a layer that is computed again and goes through its backward pass."""
    return kept_by_layer(shape) + 4 * shape.hidden + 2 * shape.intermediate


def activations(setup: Setup, tokens: float) -> float:
    """Bytes of the layers' activations in the backward pass of a micro-batch."""
    shape = setup.shape
    if setup.checkpointing:
        return tokens * (_HALF * shape.layers * shape.hidden + worked_by_layer(shape))
    # All layers' insides, and the last norm, which computes in float32.
    return tokens * (shape.layers * kept_by_layer(shape) + 27 * shape.hidden)


def states(setup: Setup) -> dict[str, float]:
    """Bytes of weights, gradients and Adam's two moments on a GPU.

    Gradients that are deferred are summed whole, in the float32 that FSDP2 would send them in.
    """
    weights = setup.shape.parameters + (setup.trained if setup.lora else 0)
    whole = setup.deferred and setup.accumulates
    return {
        "weights": setup.master * weights / setup.cards,
        "gradients": _FULL * setup.trained if whole else setup.master * setup.trained / setup.cards,
        "Adam": 2 * setup.master * setup.trained / setup.cards,
    }


def gathered(shape: Shape, gradients: bool) -> float:
    """Bytes of what FSDP2 makes whole: what is outside the layers, two layers, and gradients on their way."""
    whole = _HALF * (shape.root + 2 * shape.layer)
    return whole + (_HALF + _FULL) * max(shape.root, shape.layer) if gradients else whole


def estimate(setup: Setup, constants: Constants) -> Memory:
    """Memory by phase."""
    shape, own = setup.shape, states(setup)
    always = {
        "reference": 0.0 if setup.offload_reference else setup.reference * shape.parameters / setup.cards,
        "reward models": setup.beside,
        "CUDA contexts": constants.context_gib * GIB,
    }
    weights = {} if setup.offload_weights else {"weights": own["weights"]}
    adam = {} if setup.offload_optimizer else {"Adam": own["Adam"]}
    graphs = {"CUDA graphs": 0.0 if setup.eager else constants.graphs_gib * GIB}
    phases = {
        "rollout": weights | adam | {"vLLM": setup.utilization * setup.card.memory_gib * GIB},
        "weights to vLLM": {"weights": own["weights"], "vLLM's weights": _HALF * shape.parameters / setup.split}
        | adam
        | graphs,
        "log-probabilities": _scoring(setup, own, constants) | adam | graphs,
        "update": _training(setup, own, constants) | graphs,
    }
    return Memory({phase: {**parts, **always} for phase, parts in phases.items()})


def _scoring(setup: Setup, own: Mapping[str, float], constants: Constants) -> dict[str, float]:
    shape, tokens = setup.shape, setup.largest(setup.scored, setup.scored_tokens)
    chunk = min(tokens, setup.entropy_chunk or tokens)
    parts = {
        "gathered": gathered(shape, gradients=False),
        "activations": tokens * kept_by_layer(shape),
        # The entropy makes three copies in float32 of the rows it looks at.
        "logits": shape.vocabulary * (constants.logit_bytes / 2 * tokens + 3 * _FULL * chunk),
    }
    return {"weights": own["weights"]} | {part: size * (1 + constants.reserve) for part, size in parts.items()}


def _training(setup: Setup, own: Mapping[str, float], constants: Constants) -> dict[str, float]:
    shape, tokens = setup.shape, setup.largest(setup.micro, setup.micro_tokens)
    parts = {
        "gathered": gathered(shape, gradients=not setup.lora),
        "activations": activations(setup, tokens),
        "logits": shape.vocabulary * constants.logit_bytes * tokens,
    }
    return dict(own) | {part: size * (1 + constants.reserve) for part, size in parts.items()}
