"""Stage 5: replies of base, SFT and SFT+GRPO to the test questions, their scores, and the report.

    make eval PROFILE=tiny
    make eval PROFILE=tiny ARGS="samples=16 temperature=0.7"

Each model generates under the watchdog in a process of its own (`eval.generate`, vLLM). Afterwards
``outputs/<profile>/eval/`` holds ``report.md``, ``replies.md``, ``*.zh.json`` and ``*.paper.json``
(`eval.results`), the plots and every reply.
"""

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from data_prep.config import DataConfig
from eval.compare import by_risk, by_topic, compare, slices
from eval.generate import GenerationRequest
from eval.plots import plot_models, plot_rewards, read_rewards
from eval.protocols import Protocol
from eval.replies import check_match, read_references, read_replies
from eval.report import signed, write_replies, write_report
from eval.results import Result
from eval.score import RewardScorer, add_rewards, score_replies
from eval.tables import print_results
from recipes.grpo import METRICS_FILE
from recipes.stage import Common, fingerprint, load_profile, main, require_stage, run_stage, write_text
from recipes.watchdog import Limits, Progress, run_watched
from reward_fns.reward_model import RewardModel

COMPARED = ("reward", "format", "answer", "second", "bleu_1", "rouge_l", "meteor", "distinct_1", "navg")
"""Figures of which gains are worked out, with a correction for testing all of them."""


@dataclass(frozen=True)
class EvalConfig:
    """How replies are generated and where they are scored.

    Attributes:
        samples: replies to each question.
        temperature: of sampling.
        max_tokens: longest reply, in tokens.
        max_model_len: longest prompt and reply together, in tokens.
        dtype: of vLLM.
        device: of the reward model.
        engine: further arguments of vLLM's engine.
        env: environment of the generating process.
        limits: how long a model may take to generate, how long it may be silent, in seconds.
    """

    samples: int = 1
    temperature: float = 1.0
    max_tokens: int = 1024
    max_model_len: int = 2048
    dtype: str = "bfloat16"
    device: str = "cpu"
    engine: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=lambda: {"total_s": 3600.0, "idle_s": 600.0})

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one out of its range or an unknown limit; the message names the key.
        """
        for key in ("samples", "max_tokens", "max_model_len"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key}={getattr(self, key)}: expected 1 or more")
        if self.temperature < 0:
            raise ValueError(f"temperature={self.temperature}: expected 0 or more")
        if unknown := sorted(set(self.limits) - {"total_s", "idle_s"}):
            raise ValueError(f"limits.{unknown[0]}: no such limit, expected total_s or idle_s")


def run(arguments: list[str]) -> None:
    """Evaluate the three models, or say that nothing has changed; print the table either way."""
    common, config = load_profile(arguments, "eval", EvalConfig)
    _, data = load_profile([f"profile={common.profile}"], "data", DataConfig)
    test = require_stage(common.root / "data", "data") / "test.parquet"
    models = {
        "base": Path(common.model),
        "SFT": require_stage(common.root / "sft", "sft"),
        "SFT+GRPO": require_stage(common.root / "grpo", "grpo"),
    }
    reward_model = require_stage(common.root / "reward-model", "reward-model")
    second = require_stage(common.root / "second-scorer", "second-scorer")
    inputs = {"data": common.root / "data", "reward_model": reward_model, "second_scorer": second, **models}

    def work(folder: Path) -> dict[str, Any]:
        files = {name: _generate(name, model, test, common, config, data, folder) for name, model in models.items()}
        return _report(files, test, data.data_source, reward_model, second, common, config, folder)

    folder = run_stage("eval", common, asdict(config), inputs, work)
    print(f"eval: {folder / 'report.md'}, {folder / 'replies.md'}")


def _generate(
    name: str, model: Path, test: Path, common: Common, config: EvalConfig, data: DataConfig, folder: Path
) -> Path:
    stem = name.lower().replace("+", "_")
    replies = folder / f"{stem}.replies.jsonl"
    request = GenerationRequest(
        model=str(model),
        test=str(test),
        replies=str(replies),
        samples=config.samples,
        temperature=config.temperature,
        max_tokens=config.max_tokens,
        seed=common.seed,
        chat_template_kwargs=data.template_kwargs,
        engine={"dtype": config.dtype, "max_model_len": config.max_model_len, **config.engine},
    )
    # Replies of another model or request are not gone on with.
    file = folder / f"{stem}.request.json"
    content = {**asdict(request), "model_id": fingerprint(model), "test_id": fingerprint(test)}
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    if common.force or not file.is_file() or file.read_text(encoding="utf-8") != text:
        replies.unlink(missing_ok=True)
        write_text(file, text)
    total = len(pd.read_parquet(test, columns=["id"])) * config.samples
    run_watched(
        f"eval {name}",
        [sys.executable, "-m", "eval.generate", str(file)],
        folder / f"{stem}.log",
        Limits(config.limits["total_s"], config.limits["idle_s"]),
        env=config.env,
        progress=lambda: _progress(replies, total),
    )
    return replies


def _progress(replies: Path, total: int) -> Progress | None:
    if not replies.is_file():
        return None
    with replies.open("rb") as file:
        return Progress(sum(1 for _ in file), total)


def _scorer(folder: Path, device: str) -> RewardScorer:
    model = RewardModel(folder, device)
    return RewardScorer(model.cosines, model.threshold.value)


def _report(
    files: dict[str, Path],
    test_file: Path,
    test_set: str,
    reward_model: Path,
    second_scorer: Path,
    common: Common,
    config: EvalConfig,
    folder: Path,
) -> dict[str, Any]:
    test = read_references(test_file)
    reward, second = (_scorer(path, config.device) for path in (reward_model, second_scorer))
    scores: dict[str, pd.DataFrame] = {}
    results = []
    for name, file in files.items():
        stem = file.name.removesuffix(".replies.jsonl")
        replies = read_replies(file)
        check_match(replies, test, file)
        for protocol in (Protocol("paper"), Protocol("zh")):
            frame = score_replies(replies, test, protocol, "coe", f"{name} ({protocol.name})")
            if protocol.name == "zh":
                frame = add_rewards(frame, test.set_index("id")["question"], reward, second)
                frame.to_parquet(folder / f"{stem}.scores.parquet")
            result = Result.of(name, test_set, f"{protocol.signature}|kind:coe", frame, common.seed)
            result.write(folder / f"{stem}.{protocol.name}.json")
        scores[name] = frame
        results.append(result)
    gains = compare(results, COMPARED, common.seed)
    plot_rewards(read_rewards(common.root / "grpo" / METRICS_FILE), folder / "reward.png")
    plot_models(results, folder / "models.png")
    parts = {f"{name} ({len(ids)})": ids for name, ids in (by_risk(test) | by_topic(test)).items()}
    sliced = {figure: slices(results, parts, figure, common.seed) for figure in ("reward", "navg")}
    write_report(folder, results, gains, sliced, ["reward.png", "models.png"])
    write_replies(folder, scores, test)
    print_results(results, Console(width=200))
    for gain in gains:
        if gain.figure == "reward":
            print(f"reward {gain.ours} − {gain.theirs}: {signed(gain.gain)}, p {gain.p:.4f}")
    return {result.model: {name: interval.mean for name, interval in result.figures.items()} for result in results}


if __name__ == "__main__":
    main(run)
