"""Stage 6: the replies of `make generate` scored, compared and reported.

    make eval                     # generates first where that has not been done, or a model has changed since

``outputs/<profile>/eval/`` holds ``report.md``, ``replies.md``, ``<model>.zh.json`` and ``<model>.paper.json``
(`eval.results`), every reply's scores and the plots.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import pandas as pd
from rich.console import Console

from data_prep.config import DataConfig
from eval.compare import by_risk, by_topic, compare, slices
from eval.metrics.protocols import Protocol
from eval.plots import plot_models, plot_rewards, read_rewards
from eval.replies import ReplyKind, check_match, read_references, read_replies
from eval.report import signed, write_replies, write_report
from eval.results import Result
from eval.score import RewardScorer, add_rewards, score_replies
from eval.tables import SEEN, print_results
from recipes.generate import MODELS_FILE, generate_as_before, stem
from recipes.grpo import METRICS_FILE
from recipes.stage import Common, load_profile, main, require_stage, run_stage
from reward_fns.reward_model import RewardModel

COMPARED = ("reward", "format", "answer", "second", "bleu_1", "rouge_l", "meteor", "distinct_1", "navg")
"""Figures of which gains are worked out, with a correction for testing all of them."""


@dataclass(frozen=True)
class EvalConfig:
    """Where replies are scored.

    Attributes:
        device: of the reward models.
    """

    device: str = "cpu"


def run(arguments: list[str]) -> None:
    """Score and report, or say that nothing has changed; print the table either way."""
    common, config = load_profile(arguments, "eval", EvalConfig)
    _, data = load_profile([f"profile={common.profile}"], "data", DataConfig)
    test = require_stage(common.root / "data", "data") / "test.parquet"
    reward_model = require_stage(common.root / "reward-model", "reward-model")
    second = require_stage(common.root / "second-scorer", "second-scorer")
    replies = generate_as_before(common)
    inputs = {"data": common.root / "data", "generate": replies, "reward_model": reward_model, "second_scorer": second}

    def work(folder: Path) -> dict[str, Any]:
        scorers = _scorer(reward_model, config.device), _scorer(second, config.device)
        return _report(replies, test, data.data_source, *scorers, common, folder)

    folder = run_stage("eval", common, asdict(config), inputs, work)
    print(f"eval: {folder / 'report.md'}, {folder / 'replies.md'}")


def _scorer(folder: Path, device: str) -> RewardScorer:
    model = RewardModel(folder, device)
    return RewardScorer(model.cosines, model.threshold.value)


def _report(
    source: Path,
    test_file: Path,
    test_set: str,
    reward: RewardScorer,
    second: RewardScorer,
    common: Common,
    folder: Path,
) -> dict[str, Any]:
    test = read_references(test_file)
    posts = test.set_index("id")["question"]
    scores: dict[str, pd.DataFrame] = {}
    results = []
    for model in json.loads((source / MODELS_FILE).read_text(encoding="utf-8")):
        name, kind = model["name"], cast(ReplyKind, model["kind"])
        note = SEEN if test_set in model["seen"] else ""
        replies = read_replies(source / model["file"])
        check_match(replies, test, source / model["file"])
        for protocol in (Protocol("paper"), Protocol("zh")):
            frame = score_replies(replies, test, protocol, kind, f"{name} ({protocol.name})")
            if protocol.name == "zh":
                frame = add_rewards(frame, posts, reward, second)
                frame.to_parquet(folder / f"{stem(name)}.scores.parquet")
            result = Result.of(name, test_set, protocol.signature, frame, common.seed, note)
            result.write(folder / f"{stem(name)}.{protocol.name}.json")
        scores[name] = frame
        results.append(result)
    shared = [figure for figure in COMPARED if all(figure in result.figures for result in results)]
    gains = compare(results, shared, common.seed)
    pictures = ["models.png"]
    plot_models(results, folder / "models.png")
    if (metrics := common.root / "grpo" / METRICS_FILE).is_file():
        plot_rewards(read_rewards(metrics), folder / "reward.png")
        pictures.insert(0, "reward.png")
    parts = {f"{name} ({len(ids)})": ids for name, ids in (by_risk(test) | by_topic(test, 3)).items()}
    sliced = {figure: slices(results, parts, figure, common.seed) for figure in ("answer", "navg")}
    write_report(folder, results, gains, sliced, pictures)
    write_replies(folder, scores, test)
    print_results(results, Console(width=200))
    for gain in gains:
        if gain.figure == "reward":
            print(f"reward {gain.ours} − {gain.theirs}: {signed(gain.gain)}, p {gain.p:.4f}")
    return {result.model: {name: interval.mean for name, interval in result.figures.items()} for result in results}


if __name__ == "__main__":
    main(run)
