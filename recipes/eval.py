"""Stage 5: replies of base, SFT and SFT+GRPO to the test questions, their scores, and the report.

    make eval PROFILE=tiny
    make eval PROFILE=tiny ARGS="samples=16 temperature=0.7"

Each model generates under the watchdog in a process of its own (`eval.generate`, vLLM). Afterwards
``outputs/<profile>/eval/`` holds ``report.md``, ``replies.md``, ``metrics.json``, the plots and every reply.
"""

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from data_prep.config import DataConfig
from eval.generate import GenerationRequest
from eval.plots import plot_models, plot_rewards, read_rewards
from eval.report import (
    component_intervals,
    gains,
    print_report,
    summarise,
    summarise_slices,
    write_replies,
    write_report,
)
from eval.score import Scorer, read_replies, score_replies
from recipes.grpo import METRICS_FILE
from recipes.stage import Common, fingerprint, load_profile, main, require_stage, run_stage, write_text
from recipes.watchdog import Limits, Progress, run_watched
from reward_fns.reward_model import RewardModel


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
        return _report(files, test, reward_model, second, common, config, folder)

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


def _scorer(folder: Path, device: str) -> Scorer:
    model = RewardModel(folder, device)
    return Scorer(model.cosines, model.threshold.value)


def _report(
    files: dict[str, Path],
    test_file: Path,
    reward_model: Path,
    second_scorer: Path,
    common: Common,
    config: EvalConfig,
    folder: Path,
) -> dict[str, Any]:
    test = pd.read_parquet(test_file)
    reward, second = (_scorer(path, config.device) for path in (reward_model, second_scorer))
    scores = {}
    for name, file in files.items():
        scores[name] = score_replies(read_replies(file, test), test, reward, second)
        scores[name].to_parquet(file.with_name(file.name.replace(".replies.jsonl", ".scores.parquet")))
    summary, differences = summarise(scores), gains(scores, common.seed)
    plot_rewards(read_rewards(common.root / "grpo" / METRICS_FILE), folder / "reward.png")
    plot_models(component_intervals(scores, common.seed), folder / "models.png")
    slices = summarise_slices(scores, test)
    second_gains = gains(scores, common.seed, "second")
    write_report(
        folder, summary, differences, second_gains, slices, len(test), config.samples, ["reward.png", "models.png"]
    )
    write_replies(folder, scores, test)
    print_report(summary, differences, Console(width=150))
    return {"models": summary.to_dict("index")}


if __name__ == "__main__":
    main(run)
