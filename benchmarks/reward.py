"""How many pairs a second the reward worker judges, beside the bare encoder in the same run.

    python -m benchmarks.reward                                   # a small transformer with random weights, on CPU
    python -m benchmarks.reward model=outputs/tiny/reward-model   # a reward model of yours
    python -m benchmarks.reward device=cuda hidden=1024 layers=28 characters=1024

Prints pairs a second of the encoder at each batch size, one call at a time, and through the Ray worker with 1, 8 and 64
callers that each wait for their answer before they ask again, with the median and the 99th percentile of a call. The
ratio is the median of rounds in which the bare encoder and the worker take turns, so that a machine which others
slow down for a while slows both.
"""

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import ray
from omegaconf import OmegaConf
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from common.settings import build
from reward_fns.coe_reward import ask_worker
from reward_fns.options import RewardOptions
from reward_fns.reward_model import RewardModel, Threshold, save_generic
from reward_fns.reward_worker import RewardWorkerConfig, start_reward_workers

# Questions, and as many answers.
Pairs = tuple[list[str], list[str]]

_CHARACTERS = [chr(code) for code in range(0x4E00, 0x4E00 + 2000)]


@dataclass
class Options:
    """What is measured.

    Attributes:
        model: a reward model's folder; None for a transformer with random weights of the size below.
        hidden, layers: of that transformer.
        device: where it computes.
        pairs: how many are judged in each measurement.
        characters: length of each text.
        batches: sizes for the bare encoder; the worker uses the best of them.
        callers: how many ask at once.
        rounds: how often bare encoder and worker are measured one after the other for the ratio.
    """

    model: str | None = None
    hidden: int = 256
    layers: int = 4
    device: str = "cpu"
    pairs: int = 512
    characters: int = 200
    batches: list[int] = field(default_factory=lambda: [8, 16, 32, 64, 128])
    callers: list[int] = field(default_factory=lambda: [1, 8, 64])
    rounds: int = 3


def main() -> None:
    """Measure and print; end with 1 where 64 callers get less than 90 % of the bare encoder."""
    options = build(Options, OmegaConf.from_dotlist(sys.argv[1:]), "benchmarks.reward")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.model) if options.model else untrained(Path(temporary), options)
        rng = random.Random(0)
        texts = ["".join(rng.choices(_CHARACTERS, k=options.characters)) for _ in range(2 * options.pairs)]
        pairs = texts[::2], texts[1::2]
        model = RewardModel(folder, options.device, cached=0)
        model.judge(pairs[0][:16], pairs[1][:16])
        print("bare encoder:")
        bare = {batch: _bare(model, pairs, batch) for batch in options.batches}
        for size, rate in bare.items():
            print(f"  {rate:10.1f} pairs/s  batches of {size}")
        best = max(bare, key=lambda batch: bare[batch])
        ratios = _through_worker(folder, options, pairs, best, lambda: _bare(model, pairs, best))
    ratio = statistics.median(ratios)
    told = ", ".join(f"{value:.2f}" for value in ratios)
    print(f"\nthrough the worker with {max(options.callers)} callers: {ratio:.2f} of the bare encoder, by turns {told}")
    sys.exit(ratio < 0.9)


def untrained(folder: Path, options: Options) -> Path:
    """A reward model with random weights: its speed is that of a trained one of its size."""
    vocabulary = {token: number for number, token in enumerate(["[PAD]", "[UNK]", *_CHARACTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")
    sizes: dict[str, Any] = {
        "vocab_size": len(vocabulary),
        "hidden_size": options.hidden,
        "num_hidden_layers": options.layers,
        "num_attention_heads": options.hidden // 64,
        "intermediate_size": 4 * options.hidden,
        "max_position_embeddings": max(512, options.characters + 2),
    }
    BertModel(BertConfig(**sizes)).save_pretrained(folder / "bert")
    fast.save_pretrained(folder / "bert")
    transformer = Transformer(str(folder / "bert"), max_seq_length=options.characters)
    encoder = SentenceTransformer(modules=[transformer, Pooling(options.hidden)], device="cpu")
    encoder.save(str(folder / "model"), create_model_card=False)
    Threshold(0.5, "none: random weights", 0, 0.5, {}, {}, 0.5, 1.0, 0.0, 0.3).save(folder / "model")
    save_generic(folder / "model", ["".join(_CHARACTERS[: options.characters])])
    return folder / "model"


def _bare(model: RewardModel, pairs: Pairs, batch: int) -> float:
    """Pairs a second."""
    started = time.perf_counter()
    for start in range(0, len(pairs[0]), batch):
        model.judge(*(side[start : start + batch] for side in pairs))
    return len(pairs[0]) / (time.perf_counter() - started)


def _through_worker(folder: Path, options: Options, pairs: Pairs, batch: int, bare: Callable[[], float]) -> list[float]:
    """What the most callers got of the bare encoder's rate, round by round."""
    cores = len(os.sched_getaffinity(0))
    ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False)
    config = RewardWorkerConfig(
        model=str(folder),
        device=options.device,
        num_gpus=float(options.device.startswith("cuda")),
        num_cpus=cores,  # Ray lets an actor compute with as many threads, and the bare encoder has them all
        max_batch=batch,
        cached_questions=0,
    )
    actors = start_reward_workers(config)
    print(f"through the Ray worker, at most {batch} pairs in a batch:")
    asyncio.run(_ask_all((pairs[0][:16], pairs[1][:16]), 4))
    for callers in options.callers:
        _ask(pairs, callers)
    rates = [(bare(), _ask(pairs, max(options.callers))) for _ in range(options.rounds)]
    del actors
    ray.shutdown()
    return [worker / alone for alone, worker in rates]


def _ask(pairs: Pairs, callers: int) -> float:
    """Pairs a second."""
    started = time.perf_counter()
    waited = asyncio.run(_ask_all(pairs, callers))
    rate = len(waited) / (time.perf_counter() - started)
    p50, p99 = (1000 * float(value) for value in np.percentile(waited, [50, 99]))
    print(f"  {rate:10.1f} pairs/s  {callers} callers; a call takes {p50:.1f} ms, the slowest 1 % {p99:.1f} ms")
    return rate


async def _ask_all(pairs: Pairs, callers: int) -> list[float]:
    """Seconds that each call took, `callers` of them under way at once."""
    left, waited, patient = zip(*pairs, strict=True), [], RewardOptions(timeout_s=600.0, attempts=1)

    async def caller() -> None:
        for question, answer in left:
            started = time.perf_counter()
            await ask_worker(question, answer, patient)
            waited.append(time.perf_counter() - started)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return waited


if __name__ == "__main__":
    main()
