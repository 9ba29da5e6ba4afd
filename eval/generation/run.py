"""How models are asked for replies, and one of them asked, under the watchdog in a process of its own.

``models.yaml`` has entries for the paper's baselines; users add their own.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

import pandas as pd
import yaml

from common.code import REPO, code_identity
from common.errors import StageError
from common.hashing import Hashes, model_files
from common.loopback import remote_host
from common.records.replies import KINDS, GeneratedModel, ReplyKind, file_stem, unfinished_replies
from common.settings import build, check, limited, one_of
from common.watchdog import Limits, Progress, run_watched
from eval.generation.request import GenerationRequest

RUNNERS: Final = {"vllm": "eval.generation.offline", "ray": "eval.generation.on_ray"}
_SERVER: Final = "eval.generation.endpoint"


@dataclass(frozen=True)
class ModelEntry:
    """One model.

    Attributes:
        model: a Hugging Face folder or id, or its name on a server.
        kind: which part of an output is the reply, see `common.records.replies.ReplyKind`.
        system: "plain" for the counsellor's general instruction, "coe" for the prompt of the Chain of Empathy, "" for
            none, or a text.
        text_prompt: a whole prompt with ``{post}`` in it, for a model without a chat template.
        template_kwargs: for its chat template.
        sampling: what differs from the stage's; null leaves a key out of a server's request.
        engine: arguments of vLLM's engine that differ from the stage's.
        base_url: of an OpenAI-compatible server; "" for vLLM on this machine or Ray cluster.
        api_key_env: environment variable that holds the server's key.
        stream: have the server send replies piece by piece, for proxies that cut silent connections.
        seen: test sets that it may have been trained on.
        format_prompt: a system prompt that asks for the Chain of Empathy, as `system`; how often the model then writes
            the format becomes a figure beside those of its replies. "" for no such figure.
    """

    model: str
    kind: str = field(default="plain", metadata=one_of(KINDS))
    system: str = "plain"
    text_prompt: str = ""
    template_kwargs: dict[str, Any] = field(default_factory=dict)
    sampling: dict[str, Any] = field(default_factory=dict)
    engine: dict[str, Any] = field(default_factory=dict)
    base_url: str = ""
    api_key_env: str = ""
    stream: bool = False
    seen: list[str] = field(default_factory=list)
    format_prompt: str = ""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one that can't be; the message names the key.
        """
        check(self)
        if self.text_prompt and "{post}" not in self.text_prompt:
            raise ValueError(f"text_prompt {self.text_prompt!r} lacks {{post}}")
        if self.text_prompt and self.base_url:
            raise ValueError("text_prompt is for vLLM; a server at base_url applies its own template")
        if self.text_prompt and self.format_prompt:
            raise ValueError(
                "format_prompt is a system prompt; text_prompt is whole, so it can't be asked for the format"
            )
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url {self.base_url!r}, expected http://… or https://…")


def load_entries(changes: Mapping[str, Mapping[str, Any]]) -> dict[str, ModelEntry]:
    """The baselines by name, with changes to them and entries of the user's own.

    Args:
        changes: by model name, keys of `ModelEntry` that differ from ``models.yaml``, or those of a new model.

    Raises:
        StageError: an unknown key, a wrong value, or an entry without a model.
    """
    shipped: dict[str, dict[str, Any]] = yaml.safe_load(
        files("eval.generation").joinpath("models.yaml").read_text("utf-8")
    )
    entries = {name: {**shipped.get(name, {}), **changes.get(name, {})} for name in {**shipped, **changes}}
    if nameless := [name for name, values in entries.items() if "model" not in values]:
        raise StageError(f"entries.{nameless[0]}: model is missing, expected a folder, an id or a name on a server")
    return {name: build(ModelEntry, values, f"entries.{name}") for name, values in entries.items()}


@dataclass(frozen=True)
class GenerateConfig:
    """Whose replies, and how they are generated.

    Attributes:
        models: names: base, "base thinking" and the rows of ``profiles/variants.yaml`` are this run's; others are
            entries of ``eval/generation/models.yaml`` or of `entries`. None for base, SFT, SFT+GRPO, and each variant
            that has been trained.
        entries: changes to those entries, or more of them, by name.
        samples: replies to each question.
        temperature: of sampling, 0 for greedy; an entry's own comes first.
        max_tokens: longest reply, in tokens; an entry's own comes first. None for the longest response of `make data`.
        max_model_len: longest prompt and reply together, in tokens, of this run's models. None for `make data`'s.
        thinking_tokens: longest output of "base thinking", whose reasoning counts.
        dtype: of vLLM.
        engine_runner: "vllm" on this machine, or "ray" on the cluster that ``RAY_ADDRESS`` names.
        replicas: engines, each with GPUs of its own. None for one a GPU, or for as many as ``tensor_parallel_size`` of
            the engine leaves; for one without a GPU or with engine_runner=ray. Decides no reply.
        block: questions that an engine has together. It decides what is drawn, see `eval.generation.engine`.
        bundle: what Ray reserves for each of an engine's workers.
        concurrency: calls under way at once on a server.
        timeout_s: longest time of such a call, in seconds.
        retries: how often a call that met an outage is made again.
        backoff_s: pause before the first of them, doubled with each, in seconds.
        longest_pause_s: longest of these pauses, and of those that a server asks for.
        engine: further arguments of vLLM's engine.
        env: environment of the generating process.
        limits: how long a model may take to generate, how long it may be silent, in seconds.
    """

    models: list[str] | None = None
    entries: dict[str, Any] = field(default_factory=dict)
    samples: int = limited(1, 1)
    temperature: float = limited(1.0, 0)
    max_tokens: int | None = limited(None, 1)
    max_model_len: int | None = limited(None, 1)
    thinking_tokens: int = limited(4096, 1)
    dtype: str = "bfloat16"
    engine_runner: str = field(default="vllm", metadata=one_of(RUNNERS))
    replicas: int | None = limited(None, 1)
    block: int = limited(64, 1)
    bundle: dict[str, float] = field(default_factory=lambda: {"CPU": 1.0, "GPU": 1.0})
    concurrency: int = limited(8, 1)
    timeout_s: float = limited(600.0, 0)
    retries: int = limited(6, 0)
    backoff_s: float = limited(1.0, 0)
    longest_pause_s: float = limited(60.0, 0)
    engine: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=lambda: {"total_s": 3600.0, "idle_s": 600.0})

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one out of its range or an unknown limit; the message names the key.
        """
        check(self)
        if self.models is not None and not 0 < len({file_stem(name) for name in self.models}) == len(self.models):
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
    stem = file_stem(name)
    model = GeneratedModel(name, f"{stem}.replies.jsonl", cast(ReplyKind, entry.kind), entry.seen)
    _ask(name, entry, test, config, seed, folder / model.file, keep=keep, anew=anew)
    if not entry.format_prompt:
        return model
    model = replace(model, format_file=f"{stem}.format.replies.jsonl")
    asked = replace(entry, system=entry.format_prompt)
    _ask(f"{name}, format", asked, test, config, seed, folder / model.format_file, keep=keep, anew=anew)
    return model


def _ask(
    label: str,
    entry: ModelEntry,
    test: Path,
    config: GenerateConfig,
    seed: int,
    replies: Path,
    *,
    keep: bool,
    anew: bool,
) -> None:
    """Have one file of replies written, with its request and log beside it."""
    folder, stem = replies.parent, replies.name.removesuffix(".replies.jsonl")
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
        engine={"dtype": config.dtype, **config.engine, **entry.engine},
        block=config.block,
        replicas=config.replicas,
        bundle=config.bundle,
        base_url=entry.base_url,
        api_key_env=entry.api_key_env,
        concurrency=config.concurrency,
        timeout_s=config.timeout_s,
        retries=config.retries,
        backoff_s=config.backoff_s,
        longest_pause_s=config.longest_pause_s,
        stream=entry.stream,
    )
    module, hashes = _SERVER if request.base_url else RUNNERS[config.engine_runner], Hashes(folder.parent)
    # Replies of another model, test set, request or code are not gone on with; a server's do not depend on our code.
    decisive: dict[str, Any] = {"test_id": hashes.of(test)}
    if not request.base_url:
        decisive |= {
            "model_id": hashes.of(model_files(Path(request.model))),
            "code": code_identity(REPO.joinpath(*module.split(".")).with_suffix(".py")),
        }
    request.write(folder / f"{stem}.request.json", decisive, keep, anew)
    if host := request.base_url and remote_host(request.base_url):
        print(f"generate {label}: help-seekers' posts are sent to {host}.", flush=True)
    total = len(pd.read_parquet(test, columns=["id"])) * request.samples
    run_watched(
        f"generate {label}",
        [sys.executable, "-m", module, str(folder / f"{stem}.request.json")],
        folder / f"{stem}.log",
        Limits(config.limits["total_s"], config.limits["idle_s"]),
        env=config.env,
        progress=lambda: _progress(replies, total),
    )
    refused = [reply.refusal for reply in unfinished_replies(replies) if reply.refusal]
    if refused:
        print(f"generate {label}: {len(refused)} of {total} prompts were refused, the first: {refused[0]}", flush=True)


def _progress(replies: Path, total: int) -> Progress | None:
    if not replies.is_file():
        return None
    with replies.open("rb") as file:
        return Progress(sum(1 for _ in file), total)
