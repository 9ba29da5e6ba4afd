"""Stage 5: replies of several models to the test questions, each by vLLM or from a server.

    make generate                                                       # base, SFT and SFT+GRPO
    make generate ARGS="models=[SFT+GRPO,DeepSeek-R1] samples=1"        # baselines of eval/generation/models.yaml too
    make generate ARGS="temperature=0 engine_runner=ray replicas=4"     # greedy, on a Ray cluster

Each model generates under the watchdog in a process of its own. ``outputs/<profile>/generate/`` holds
``<model>.replies.jsonl`` and ``models.json``, which says which file is whose and what its outputs look like.
"""

import json
import re
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from common.files import write_text
from common.watchdog import Limits, Progress, run_watched
from data_prep.config import DataConfig
from data_prep.prompts import SYSTEM_PROMPTS
from eval.generation.entries import ModelEntry, ModelEntryError, load_entries
from eval.generation.request import GenerationRequest
from recipes.stage import MANIFEST, Common, StageError, build, fingerprint, load_profile, main, require_stage, run_stage

MODELS_FILE = "models.json"
RUNNERS = {"vllm": "eval.generation.offline", "ray": "eval.generation.on_ray"}
STAGES = {"SFT": "sft", "SFT+GRPO": "grpo"}


@dataclass(frozen=True)
class GenerateConfig:
    """Whose replies, and how they are generated.

    Attributes:
        models: names: base, SFT and SFT+GRPO are this run's; others are entries of ``eval/generation/models.yaml`` or
            of `entries`.
        entries: changes to those entries, or more of them, by name.
        samples: replies to each question.
        temperature: of sampling, 0 for greedy; an entry's own comes first.
        max_tokens: longest reply, in tokens; an entry's own comes first.
        max_model_len: longest prompt and reply together, in tokens, of this run's models.
        dtype: of vLLM.
        engine_runner: "vllm" on this machine, or "ray" on the cluster that ``RAY_ADDRESS`` names.
        replicas: engines, with engine_runner=ray.
        bundle: what Ray reserves for each of an engine's workers.
        concurrency: calls under way at once on a server.
        engine: further arguments of vLLM's engine.
        env: environment of the generating process.
        limits: how long a model may take to generate, how long it may be silent, in seconds.
    """

    models: list[str] = field(default_factory=lambda: ["base", "SFT", "SFT+GRPO"])
    entries: dict[str, Any] = field(default_factory=dict)
    samples: int = 1
    temperature: float = 1.0
    max_tokens: int = 1024
    max_model_len: int = 2048
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
            if getattr(self, key) < 1:
                raise ValueError(f"{key}={getattr(self, key)}: expected 1 or more")
        if self.temperature < 0:
            raise ValueError(f"temperature={self.temperature}: expected 0 or more")
        if self.engine_runner not in RUNNERS:
            raise ValueError(f"engine_runner={self.engine_runner}: expected one of {sorted(RUNNERS)}")
        if not self.models or len({stem(name) for name in self.models}) < len(self.models):
            raise ValueError(f"models={self.models}: expected one or more names that differ")
        if unknown := sorted(set(self.limits) - {"total_s", "idle_s"}):
            raise ValueError(f"limits.{unknown[0]}: no such limit, expected total_s or idle_s")


def stem(name: str) -> str:
    """How a model's files are called: "SFT+GRPO" → "sft_grpo"."""
    return re.sub(r"[^\w.-]+", "_", name.lower()).strip("_")


def run(arguments: list[str]) -> None:
    """Generate, or say that nothing has changed."""
    folder = generate(*load_profile(arguments, "generate", GenerateConfig))
    print(f"generate: {folder / MODELS_FILE} and the replies beside it")


def generate_as_before(common: Common) -> Path:
    """Make sure that the replies are of today's models, with the settings of the last `make generate` if there was one.

    Returns:
        the stage's folder.
    """
    _, config = load_profile([f"profile={common.profile}"], "generate", GenerateConfig)
    manifest = common.root / "generate" / MANIFEST
    if manifest.is_file():
        config = build(GenerateConfig, json.loads(manifest.read_text(encoding="utf-8"))["config"], str(manifest))
    return generate(common, config)


def generate(common: Common, config: GenerateConfig) -> Path:
    """The stage; returns its folder."""
    _, data = load_profile([f"profile={common.profile}"], "data", DataConfig)
    test = require_stage(common.root / "data", "data") / "test.parquet"
    entries = {name: _entry(name, common, config, data) for name in config.models}
    folders = {
        name: Path(entry.model) for name, entry in entries.items() if not entry.base_url and Path(entry.model).is_dir()
    }

    def work(folder: Path) -> dict[str, Any]:
        for name, entry in entries.items():
            _generate(name, entry, test, common, config, folder)
        listed = [
            {"name": n, "file": f"{stem(n)}.replies.jsonl", "kind": e.kind, "seen": e.seen} for n, e in entries.items()
        ]
        write_text(folder / MODELS_FILE, json.dumps(listed, ensure_ascii=False, indent=1) + "\n")
        return {"models": {name: asdict(entry) for name, entry in entries.items()}}

    return run_stage("generate", common, asdict(config), {"data": common.root / "data", **folders}, work)


def _entry(name: str, common: Common, config: GenerateConfig, data: DataConfig) -> ModelEntry:
    """This run's own models are asked as they were trained, the others by their entry."""
    own = {
        "kind": "coe" if data.prompt == "coe" else "plain",
        "system": data.prompt,
        "template_kwargs": data.template_kwargs,
    }
    if name == "base":
        return ModelEntry(common.model, **own)  # type: ignore[arg-type]
    if name in STAGES:
        return ModelEntry(str(require_stage(common.root / STAGES[name], STAGES[name])), **own)  # type: ignore[arg-type]
    try:
        entries = load_entries(config.entries)
    except ModelEntryError as error:
        raise StageError(f"stage generate: {error}") from error
    if name not in entries:
        raise StageError(
            f"stage generate: models holds {name!r}, expected base, SFT, SFT+GRPO or one of {sorted(entries)}. "
            f"Describe another one with entries.{name}.model=…"
        )
    return entries[name]


def _generate(name: str, entry: ModelEntry, test: Path, common: Common, config: GenerateConfig, folder: Path) -> None:
    replies = folder / f"{stem(name)}.replies.jsonl"
    own = name == "base" or name in STAGES
    lengths = {"max_model_len": config.max_model_len} if own else {}
    request = GenerationRequest(
        model=entry.model,
        test=str(test),
        replies=str(replies),
        samples=config.samples,
        sampling={"temperature": config.temperature, "max_tokens": config.max_tokens, **entry.sampling},
        seed=common.seed,
        system=SYSTEM_PROMPTS.get(entry.system, entry.system),
        text_prompt=entry.text_prompt,
        template_kwargs=entry.template_kwargs,
        engine={"dtype": config.dtype, **lengths, **config.engine},
        replicas=config.replicas,
        bundle=config.bundle,
        base_url=entry.base_url,
        api_key_env=entry.api_key_env,
        concurrency=config.concurrency,
    )
    # Replies of another model or request are not gone on with.
    file = folder / f"{stem(name)}.request.json"
    model_id = "" if entry.base_url else fingerprint(Path(entry.model))
    request.write(file, {"model_id": model_id, "test_id": fingerprint(test)}, common.force)
    total = len(pd.read_parquet(test, columns=["id"])) * config.samples
    module = "eval.generation.endpoint" if entry.base_url else RUNNERS[config.engine_runner]
    run_watched(
        f"generate {name}",
        [sys.executable, "-m", module, str(file)],
        folder / f"{stem(name)}.log",
        Limits(config.limits["total_s"], config.limits["idle_s"]),
        env=config.env,
        progress=lambda: _progress(replies, total),
    )


def _progress(replies: Path, total: int) -> Progress | None:
    if not replies.is_file():
        return None
    with replies.open("rb") as file:
        return Progress(sum(1 for _ in file), total)


if __name__ == "__main__":
    main(run)
