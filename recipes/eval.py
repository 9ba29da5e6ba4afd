"""Stage 6: the replies of `make generate` scored, compared and reported.

    make eval

Generates nothing: where a model or the test set has changed since, `make generate` comes first.
``outputs/<profile>/eval/`` holds ``report.md``, ``replies.md``, ``<model>.zh.json`` and ``<model>.paper.json``
(`eval.results`; with several test sets ``<model>.<test set>.zh.json``), every reply's scores and the plots. Baselines
(`eval.baselines`) are results like the models', but for the comparisons.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from common.errors import StageError
from common.files import FileError
from common.hashing import Input, model_files
from common.manifest import require_stage
from common.records import METRICS_FILE
from common.records.references import read_references
from common.records.replies import file_stem, read_models, reply_files
from common.stage import Plan
from eval.baselines import baselines, check_names
from eval.caveats import caveats_by_set
from eval.compare import compare, stages
from eval.curves import read_curves
from eval.figures import figures_of
from eval.metrics.protocols import Protocol
from eval.plots import plot_models, plot_rewards
from eval.replies import read_matching
from eval.report import signed, sliced, write_replies, write_report
from eval.results import Result, RewardScorer, add_formats, add_rewards, score_replies
from eval.sources import require_current_replies
from eval.tables import ASKED, SEEN, print_results
from recipes.profile import Common, section
from recipes.stage import Recipe, main
from reward_fns.reward_model import GENERIC_FILE, THRESHOLD_FILE, RewardModel

RESULT_FILES = ("*.zh.json", "*.paper.json", "*.scores.parquet")
REWARD_MODELS = ("reward-model", "heldout-reward-model")


@dataclass(frozen=True)
class EvalConfig:
    """Where replies are scored.

    Attributes:
        device: of the reward models.
    """

    device: str = "cpu"


def plan(common: Common, config: EvalConfig) -> Plan:
    """Score and report what `make generate` left."""
    root = common.root
    inputs: dict[str, Input] = {
        "test": require_stage(root / "data", "data") / "test.parquet",
        "replies": reply_files(require_current_replies(root)),
    }
    for name in REWARD_MODELS:
        folder = require_stage(root / name, name)
        inputs |= {name: model_files(folder), f"{name} threshold": [folder / THRESHOLD_FILE, folder / GENERIC_FILE]}
    if (metrics := root / "grpo" / METRICS_FILE).is_file():
        inputs["grpo"] = metrics

    def work(folder: Path, _: bool) -> dict[str, Any]:
        # Of models and test sets that are no more: whoever reads the folder would take them for today's.
        for old in (file for pattern in RESULT_FILES for file in folder.glob(pattern)):
            old.unlink()
        models = [RewardModel(root / name, config.device) for name in REWARD_MODELS]
        scorers = [RewardScorer(model.cosines, model.threshold.value) for model in models]
        try:
            results, scores, test = _score(root, folder, scorers, common.seed)
            _report(root, folder, results, scores, test, common.seed)
        except FileError as error:
            raise StageError(f"eval: {error}") from error
        told: dict[str, Any] = {}
        for result in (result for result in results if not result.baseline):
            means = {name: interval.mean for name, interval in result.figures.items()}
            told.setdefault(result.test_set, {})[result.model] = means
        return told

    return Plan(asdict(config), inputs, work, shows=("report.md", "replies.md"))


def _score(
    root: Path, folder: Path, scorers: list[RewardScorer], seed: int
) -> tuple[list[Result], dict[str, pd.DataFrame], pd.DataFrame]:
    """Results of protocol zh, the tables they are made of, and the test questions; every result is written."""
    source, test = root / "generate", read_references(root / "data" / "test.parquet", ("id", "references", "test_set"))
    posts = test.set_index("id")["question"]
    scores: dict[str, pd.DataFrame] = {}
    results: dict[str, list[Result]] = {name: [] for name in test["test_set"].unique()}
    models = read_models(source)
    check_names(model.name for model in models)

    def keep(result: Result, protocol: Protocol) -> None:
        stem = [file_stem(result.model), *([file_stem(result.test_set)] if len(results) > 1 else []), protocol.name]
        result.write(folder / f"{'.'.join(stem)}.json")
        if protocol.name == "zh":
            results[result.test_set].append(result)

    for model in models:
        replies, formats = (
            read_matching(source / file, test) if file else None for file in (model.file, model.format_file)
        )
        for protocol in (Protocol("paper"), Protocol("zh")):
            frame = score_replies(replies, test, protocol, model.kind, f"{model.name} ({protocol.name})")
            if protocol.name == "zh":
                frame = add_rewards(frame, posts, *scorers)
                frame = frame if formats is None else add_formats(frame, formats)
                frame.to_parquet(folder / f"{file_stem(model.name)}.scores.parquet")
            for name, ids in test.groupby("test_set", sort=False)["id"]:
                mine = frame[frame["question_id"].isin(ids)]
                asked = formats is not None and protocol.name == "zh"
                note = ", ".join([SEEN] * (name in model.seen) + [ASKED] * asked)
                keep(Result.of(model.name, name, protocol.signature, mine, note), protocol)
        scores[model.name] = frame
    for name, own in test.groupby("test_set", sort=False):
        for baseline in baselines(own):
            for protocol in (Protocol("paper"), Protocol("zh")):
                frame = baseline.named(baseline.scores(own, protocol))
                if protocol.name == "zh":
                    frame = add_rewards(frame, posts, *scorers)
                keep(baseline.result(str(name), protocol.signature, frame), protocol)
    return [result for mine in results.values() for result in mine], scores, test


def _report(
    root: Path,
    folder: Path,
    results: list[Result],
    scores: Mapping[str, pd.DataFrame],
    test: pd.DataFrame,
    seed: int,
) -> None:
    models = [result for result in results if not result.baseline]
    gains = compare(models, figures_of("gains"), seed)
    plot_models(models, folder / "models.png")
    if (curves := read_curves(root / "grpo")) is not None:
        plot_rewards(curves["reward"].dropna(), folder / "reward.png")
    pictures = ["models.png"] if curves is None else ["reward.png", "models.png"]
    warned = caveats_by_set(scores, test, stages(models), seed)
    write_report(folder, results, gains, sliced(models, test), pictures, warned)
    write_replies(folder, scores, test)
    print_results(results, Console(width=200))
    for gain in gains:
        if gain.figure == "reward":
            print(f"{gain.test_set}: reward {gain.ours} − {gain.theirs}: {signed(gain.gain)}, {gain.p.text()}")


RECIPE = Recipe("eval", section("eval", EvalConfig), plan)

if __name__ == "__main__":
    main(RECIPE)
