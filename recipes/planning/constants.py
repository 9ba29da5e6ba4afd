"""The few numbers that no source of ours gives exactly: fitted on others' runs, or assumed."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

FILE: Final = Path(__file__).with_name("constants.yaml")


@dataclass(frozen=True)
class Constants:
    """See ``constants.yaml`` for where each comes from.

    Attributes:
        logit_bytes: of a token and a word of the vocabulary, in the backward pass.
        reserve: share that the allocator holds beyond what is in use.
        context_gib: CUDA contexts and NCCL of the processes on a card.
        graphs_gib: CUDA graphs, which vLLM keeps while it sleeps.
        compute: share of the card's peak that matrices reach.
        traffic: how often what a layer keeps is moved through the card's memory in a pass.
        piece_s: fixed seconds of a micro-batch's pass.
        bandwidth: share of the card's memory bandwidth that decoding reaches.
        reply_s: seconds of a decoding step for each reply that goes on: scheduling, sampling.
        graph_step_s, eager_step_s: fixed seconds of a decoding step with and without CUDA graphs.
        host_gb_s: between card and host.
        encoder_work_gib: that a reward model computes in beside its weights.
        vllm_work_gib: of vLLM's share of a card, what is neither weights nor cache.
        vllm_share: of a card, that vLLM takes where no share is given: in `make generate`.
        triplets: of the training side, where neither data nor ``triplets=`` tell.
        texts_per_triplet: distinct texts that a held-out triplet adds; each text is read once.
        full_precision: how much longer a pass in float32 takes than one in bfloat16.
    """

    logit_bytes: float
    reserve: float
    context_gib: float
    graphs_gib: float
    compute: float
    traffic: float
    piece_s: float
    bandwidth: float
    reply_s: float
    graph_step_s: float
    eager_step_s: float
    host_gb_s: float
    encoder_work_gib: float
    vllm_work_gib: float
    vllm_share: float
    triplets: float
    texts_per_triplet: float
    full_precision: float


@cache
def constants() -> Constants:
    """Those of ``constants.yaml``."""
    read = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return Constants(**{name: float(entry["value"]) for name, entry in read.items()})
