"""A training step of the tiny base in float32 and under bfloat16, in turns on this machine's CPU.

    python -m benchmarks.precision
    python -m benchmarks.precision rows=4 tokens=700 rounds=3

Why profile `tiny` computes in float32: without AVX-512 (AMX, AVX10) oneDNN has no bfloat16 of its own. The ratio is the
median of rounds in which both take a step, so that others on the machine slow both.
"""

import statistics
import sys
import time
from dataclasses import dataclass

import torch
from omegaconf import OmegaConf
from tqdm import tqdm
from transformers import AutoModelForCausalLM, PreTrainedModel

from common.code import REPO
from common.settings import build, limited


@dataclass(frozen=True)
class PrecisionConfig:
    """What a step is.

    Attributes:
        rows: texts in it.
        tokens: of each.
        rounds: in which both types take one step.
    """

    rows: int = limited(2, 1)
    tokens: int = limited(256, 1)
    rounds: int = limited(5, 1)


def step_s(model: PreTrainedModel, ids: torch.Tensor, bfloat16: bool) -> float:
    """Seconds of one forward and backward pass.

    Args:
        ids: shape (rows, tokens).
        bfloat16: by autocast, as the Trainer's ``bf16`` has it.
    """
    started = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    model.zero_grad()
    return time.perf_counter() - started


def main(arguments: list[str]) -> None:
    """Print the median seconds of both, and of their ratios."""
    config = build(PrecisionConfig, OmegaConf.from_dotlist(arguments), "benchmarks.precision")
    model = AutoModelForCausalLM.from_pretrained(REPO / "recipes" / "tiny_base" / "model", dtype=torch.float32)
    ids = torch.randint(5, model.config.vocab_size, (config.rows, config.tokens))
    step_s(model, ids, False)
    taken = [
        (step_s(model, ids, False), step_s(model, ids, True)) for _ in tqdm(range(config.rounds), desc="precision")
    ]
    single, half = (statistics.median(side) for side in zip(*taken, strict=True))
    ratio = statistics.median(slow / fast for fast, slow in taken)
    print(f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads")
    print(f"float32 {single:.2f} s, bfloat16 {half:.2f} s a step of {config.rows} x {config.tokens} tokens")
    print(f"bfloat16 takes {ratio:.1f} times as long")


if __name__ == "__main__":
    main(sys.argv[1:])
