"""One model asked for its replies, under the watchdog in a process of its own, and the settings of that."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import pandas as pd

from common.code import REPO, code_identity
from common.hashing import Hashes, model_files
from common.records.models import GeneratedModel, ReplyKind, file_stem
from common.watchdog import Limits, Progress, run_watched
from eval.generation.entries import ModelEntry
from eval.generation.request import GenerationRequest
from eval.sources import OWN

RUNNERS: Final = {"vllm": "eval.generation.offline", "ray": "eval.generation.on_ray"}
_SERVER: Final = "eval.generation.endpoint"


@dataclass(frozen=True)
class GenerateConfig:
    """Whose replies, and how they are generated.

    Attributes:
        models: names: base, SFT and SFT+GRPO are this run's; others are entries of ``eval/generation/models.yaml`` or
            of `entries`.
        entries: changes to those entries, or more of them, by name.
        samples: replies to each question.
        temperature: of sampling, 0 for greedy; an entry's own comes first.
        max_tokens: longest reply, in tokens; an entry's own comes first. None for the longest response of `make data`.
        max_model_len: longest prompt and reply together, in tokens, of this run's models. None for `make data`'s.
        dtype: of vLLM.
        engine_runner: "vllm" on this machine, or "ray" on the cluster that ``RAY_ADDRESS`` names.
        replicas: engines, with engine_runner=ray.
        bundle: what Ray reserves for each of an engine's workers.
        concurrency: calls under way at once on a server.
        engine: further arguments of vLLM's engine.
        env: environment of the generating process.
        limits: how long a model may take to generate, how long it may be silent, in seconds.
    """

    models: list[str] = field(default_factory=lambda: list(OWN))
    entries: dict[str, Any] = field(default_factory=dict)
    samples: int = 1
    temperature: float = 1.0
    max_tokens: int | None = None
    max_model_len: int | None = None
    dtype: str = "bfloat16"
    engine_runner: str = "vllm"
    replicas: int = 1
    bundle: dict[str, float] = field(default_factory=lambda: {"CPU": 1.0, "GPU": 1.0})
    concurrency: int = 8
    engine: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=lambda: {"total_s": 3600.0, "idle_s": 600.0})

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one out of its range or an unknown limit; the message names the key.
        """
        for key in ("samples", "max_tokens", "max_model_len", "replicas", "concurrency"):
            if (value := getattr(self, key)) is not None and value < 1:
                raise ValueError(f"{key}={value}: expected 1 or more")
        if self.temperature < 0:
            raise ValueError(f"temperature={self.temperature}: expected 0 or more")
        if self.engine_runner not in RUNNERS:
            raise ValueError(f"engine_runner={self.engine_runner}: expected one of {sorted(RUNNERS)}")
        if not self.models or len({file_stem(name) for name in self.models}) < len(self.models):
            raise ValueError(f"models={self.models}: expected one or more names that differ")
        if unknown := sorted(set(self.limits) - {"total_s", "idle_s"}):
            raise ValueError(f"limits.{unknown[0]}: no such limit, expected total_s or idle_s")


def generate(
    name: str, entry: ModelEntry, test: Path, config: GenerateConfig, seed: int, folder: Path, *, keep: bool, anew: bool
) -> GeneratedModel:
    """The replies of one model.

    Args:
        name: in tables.
        entry: how it is asked; its system prompt as a text.
        test: ``test.parquet``.
        config: the settings.
        seed: of sampling.
        folder: for replies, request and log.
        keep: what is there is of this very run.
        anew: what is there is removed.

    Raises:
        StageError: the model's process failed; the message holds the end of its log.
    """
    model = GeneratedModel(name, f"{file_stem(name)}.replies.jsonl", cast(ReplyKind, entry.kind), entry.seen)
    replies, file = folder / model.file, folder / f"{file_stem(name)}.request.json"
    lengths = {"max_model_len": config.max_model_len} if name in OWN else {}
    request = GenerationRequest(
        model=entry.model,
        test=str(test),
        replies=str(replies),
        samples=config.samples,
        sampling={"temperature": config.temperature, "max_tokens": config.max_tokens, **entry.sampling},
        seed=seed,
        system=entry.system,
        text_prompt=entry.text_prompt,
        template_kwargs=entry.template_kwargs,
        engine={"dtype": config.dtype, **lengths, **config.engine},
        replicas=config.replicas,
        bundle=config.bundle,
        base_url=entry.base_url,
        api_key_env=entry.api_key_env,
        concurrency=config.concurrency,
    )
    module, hashes = _SERVER if request.base_url else RUNNERS[config.engine_runner], Hashes(folder.parent)
    # Replies of another model, test set, request or code are not gone on with.
    decisive = {
        "model_id": "" if request.base_url else hashes.of(model_files(Path(request.model))),
        "test_id": hashes.of(test),
        "code": code_identity(REPO.joinpath(*module.split(".")).with_suffix(".py")),
    }
    request.write(file, decisive, keep, anew)
    total = len(pd.read_parquet(test, columns=["id"])) * request.samples
    run_watched(
        f"generate {name}",
        [sys.executable, "-m", module, str(file)],
        folder / f"{file_stem(name)}.log",
        Limits(config.limits["total_s"], config.limits["idle_s"]),
        env=config.env,
        progress=lambda: _progress(replies, total),
    )
    return model


def _progress(replies: Path, total: int) -> Progress | None:
    if not replies.is_file():
        return None
    with replies.open("rb") as file:
        return Progress(sum(1 for _ in file), total)
