"""All models of a run asked for their replies, each under the watchdog in a process of its own."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import pandas as pd

from common.code import REPO, code_identity
from common.hashing import Hashes, model_files
from common.records.models import GeneratedModel, ReplyKind, file_stem, write_models
from common.watchdog import Limits, Progress, run_watched
from eval.generation.entries import ModelEntry
from eval.generation.request import GenerationRequest

RUNNERS: Final = {"vllm": "eval.generation.offline", "ray": "eval.generation.on_ray"}
_SERVER: Final = "eval.generation.endpoint"


@dataclass(frozen=True)
class Settings:
    """How replies are generated.

    Attributes:
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


@dataclass(frozen=True)
class Generation:
    """One run's generation.

    Attributes:
        entries: models by name, each with the text of its system prompt.
        own: names of those that ``max_model_len`` is for.
        test: ``test.parquet``.
        settings: how.
        seed: of sampling.
    """

    entries: Mapping[str, ModelEntry]
    own: tuple[str, ...]
    test: Path
    settings: Settings
    seed: int

    def run(self, folder: Path, keep: bool, anew: bool) -> None:
        """Generate with every model, then write ``models.json``.

        Args:
            folder: for replies, requests and logs.
            keep: what is there is of this very run.
            anew: what is there is removed.

        Raises:
            StageError: a model's process failed; the message holds the end of its log.
        """
        models = [
            GeneratedModel(name, f"{file_stem(name)}.replies.jsonl", cast(ReplyKind, entry.kind), entry.seen)
            for name, entry in self.entries.items()
        ]
        for model in models:
            self._generate(model, folder, keep, anew)
        write_models(folder, models)

    def request(self, name: str, replies: Path) -> GenerationRequest:
        """What one model is asked."""
        entry, settings = self.entries[name], self.settings
        lengths = {"max_model_len": settings.max_model_len} if name in self.own else {}
        return GenerationRequest(
            model=entry.model,
            test=str(self.test),
            replies=str(replies),
            samples=settings.samples,
            sampling={"temperature": settings.temperature, "max_tokens": settings.max_tokens, **entry.sampling},
            seed=self.seed,
            system=entry.system,
            text_prompt=entry.text_prompt,
            template_kwargs=entry.template_kwargs,
            engine={"dtype": settings.dtype, **lengths, **settings.engine},
            replicas=settings.replicas,
            bundle=settings.bundle,
            base_url=entry.base_url,
            api_key_env=entry.api_key_env,
            concurrency=settings.concurrency,
        )

    def _generate(self, model: GeneratedModel, folder: Path, keep: bool, anew: bool) -> None:
        replies, file = folder / model.file, folder / f"{model.stem}.request.json"
        request = self.request(model.name, replies)
        module = _SERVER if request.base_url else RUNNERS[self.settings.engine_runner]
        # Replies of another model, test set, request or code are not gone on with.
        hashes = Hashes(folder.parent)
        decisive = {
            "model_id": "" if request.base_url else hashes.of(model_files(Path(request.model))),
            "test_id": hashes.of(self.test),
            "code": code_identity(REPO.joinpath(*module.split(".")).with_suffix(".py")),
        }
        request.write(file, decisive, keep, anew)
        total = len(pd.read_parquet(self.test, columns=["id"])) * request.samples
        run_watched(
            f"generate {model.name}",
            [sys.executable, "-m", module, str(file)],
            folder / f"{model.stem}.log",
            Limits(self.settings.limits["total_s"], self.settings.limits["idle_s"]),
            env=self.settings.env,
            progress=lambda: _progress(replies, total),
        )


def _progress(replies: Path, total: int) -> Progress | None:
    if not replies.is_file():
        return None
    with replies.open("rb") as file:
        return Progress(sum(1 for _ in file), total)
