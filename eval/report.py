"""The report of an evaluation: the table in Markdown and on the terminal, the gains with intervals, sample replies."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import pandas as pd
from rich.console import Console
from rich.table import Table

from eval.score import question_means
from eval.statistics import Interval, bootstrap_mean, paired_bootstrap
from reward_fns.coe_format import LAYER_TITLES, LAYERS, CoEFormatError, parse

# Column of the scores → heading, and decimals shown.
COLUMNS: Final = {
    "format": ("Format", 2),
    "answer": ("Answer", 2),
    "reward": ("Reward", 2),
    "cosine": ("Cosine", 2),
    "second": ("Second scorer", 2),
    "bleu_1": ("BLEU-1", 3),
    "rouge_l": ("ROUGE-L", 3),
    "meteor": ("METEOR", 3),
    "distinct_1": ("Distinct-1", 3),
    "navg": ("NAvg", 3),
    "answer_chars": ("Characters", 0),
}
NOTE: Final = (
    "Protocol `zh`: characters as tokens, each reply against every human reference, then the mean; not comparable with "
    "the paper's tables. A reply without a single `<answer>` shows a reader nothing and scores 0. Format and answer "
    "are the two parts of the reward, so they say how well GRPO did what it was asked. The second scorer is the share "
    "of replies that a reward model of another split and seed lets pass: where the answer part rises and it "
    "does not, GRPO has found a weakness of its reward rather than better answers. Nothing here says that a reply "
    "helps anybody, and no figure claims clinical validity."
)
SLICE_NOTE: Final = (
    "At risk are posts that the corpus marks so or that a rule of `data_prep/risk` matches. They are kept out of "
    "GRPO's prompts; the rules miss some and are no screening instrument."
)
CRISIS_NOTE: Final = (
    "> **危机信号**：这样的来信必须立即转给真人处理，不能交给模型回复。"
    "全国统一心理援助热线 12356，紧急情况 120 / 110。\n"
    "> A post with signs of acute risk: it must go to a person at once and is never left to a model."
)


def summarise(scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The mean over questions of each question's mean over replies, a row a model."""
    return pd.DataFrame({name: question_means(frame)[list(COLUMNS)].mean() for name, frame in scores.items()}).T


def at_risk(test: pd.DataFrame) -> pd.Series:
    """Which test questions the corpus marks as at acute risk, or a risk rule matches (`data_prep.risk`)."""
    return test["crisis"] | (test["risks"].str.len() > 0)


def summarise_slices(scores: Mapping[str, pd.DataFrame], test: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """`summarise` for the questions at risk and for the others, by a heading that says how many; none that is empty."""
    risky = at_risk(test)
    slices = {"Posts at risk": test.loc[risky, "id"], "Other posts": test.loc[~risky, "id"]}
    return {
        f"{name} ({len(ids)})": summarise(
            {model: frame[frame["question_id"].isin(ids)] for model, frame in scores.items()}
        )
        for name, ids in slices.items()
        if len(ids)
    }


def gains(scores: Mapping[str, pd.DataFrame], seed: int, column: str = "reward") -> dict[str, Interval]:
    """The paired difference of a column's mean, of the total reward's if not told, of each model and the one before."""
    names = list(scores)
    means = {name: question_means(frame)[column] for name, frame in scores.items()}
    return {
        f"{after} − {before}": paired_bootstrap(means[after].tolist(), means[before].tolist(), seed)
        for before, after in pairwise(names)
    }


def component_intervals(scores: Mapping[str, pd.DataFrame], seed: int) -> dict[str, dict[str, Interval]]:
    """Format rate and answer reward of each model with their intervals over questions."""
    return {
        name: {part: bootstrap_mean(question_means(frame)[part].tolist(), seed) for part in ("format", "answer")}
        for name, frame in scores.items()
    }


def print_report(summary: pd.DataFrame, differences: Mapping[str, Interval], console: Console) -> None:
    """The table and the gains on the terminal."""
    table = Table(title="Evaluation (protocol zh)")
    table.add_column("Model")
    for heading, _ in COLUMNS.values():
        table.add_column(heading, justify="right")
    for name, row in summary.iterrows():
        table.add_row(str(name), *_cells(row))
    console.print(table)
    for pair, interval in differences.items():
        console.print(f"reward {pair}: {_interval(interval)}")


def write_report(
    folder: Path,
    summary: pd.DataFrame,
    differences: Mapping[str, Interval],
    second: Mapping[str, Interval],
    slices: Mapping[str, pd.DataFrame],
    questions: int,
    samples: int,
    pictures: Sequence[str],
) -> None:
    """``report.md`` and ``metrics.json``.

    Args:
        differences: of the reward, and `second`: of the second scorer, of `gains`.
        slices: of `summarise_slices`.
        pictures: names of files in `folder` to show.
    """
    lines = [
        "# Evaluation",
        "",
        f"{questions} test questions, {samples} sampled replies to each.",
        "",
        *_table(summary),
        "",
        "Mean total reward, paired bootstrap over questions:",
        "",
        *(f"- {pair}: {_interval(interval)}" for pair, interval in differences.items()),
        "",
        "Share of replies that the second scorer lets pass, likewise:",
        "",
        *(f"- {pair}: {_interval(interval)}" for pair, interval in second.items()),
        "",
        *(line for heading, part in slices.items() for line in (f"## {heading}", "", *_table(part), "")),
        SLICE_NOTE,
        "",
        *(f"![{Path(picture).stem}]({picture})\n" for picture in pictures),
        NOTE,
        "",
        "Ten replies with their layers: [replies.md](replies.md). All replies and scores: `*.replies.jsonl`, "
        "`*.scores.parquet`.",
    ]
    _write(folder / "report.md", "\n".join(lines) + "\n")
    metrics = {
        "protocol": "zh",
        "questions": questions,
        "samples": samples,
        "models": {str(name): row.to_dict() for name, row in summary.iterrows()},
        "slices": {
            heading: {str(name): row.to_dict() for name, row in part.iterrows()} for heading, part in slices.items()
        },
        "reward_gains": _numbers(differences),
        "second_scorer_gains": _numbers(second),
    }
    _write(folder / "metrics.json", json.dumps(metrics, ensure_ascii=False, indent=2) + "\n")


def write_replies(folder: Path, scores: Mapping[str, pd.DataFrame], test: pd.DataFrame, count: int = 10) -> None:
    """``replies.md``: the first sample of every model for `count` questions, spread over the topics.

    Valid outputs are shown with their layers, invalid ones raw with their violation.
    """
    by_topic = test.assign(turn=test.groupby("topic").cumcount()).sort_values(["turn", "id"], kind="stable")
    lines = [
        "# Sample replies",
        "",
        "The first sampled reply of each model, chosen by topic and not by quality. Outputs of a research model, not "
        "advice: nobody should be counselled by them.",
    ]
    for question in by_topic.head(count).to_dict("records"):
        lines += ["", f"## {_escape(question['title'])}", "", f"*{_escape(question['topic']) or '—'}*", ""]
        if question["crisis"] or len(question["risks"]):
            lines += [CRISIS_NOTE, ""]
        lines += [f"> {_escape(line)}" for line in str(question["description"]).splitlines()]
        for name, frame in scores.items():
            mine = frame[frame["question_id"] == question["id"]].sort_values("sample").iloc[0]
            lines += ["", f"### {name}: reward {mine['reward']:.0f}, cosine {mine['cosine']:.2f}", ""]
            lines += _reply(str(mine["text"]))
    _write(folder / "replies.md", "\n".join(lines) + "\n")


def _reply(text: str) -> list[str]:
    try:
        output = parse(text)
    except CoEFormatError as error:
        fence = "`" * (3 + text.count("`"))
        shown = text if len(text) <= 600 else text[:600] + " …"
        return [f"Not a valid output: {_escape(str(error))}.", "", f"{fence}text", shown, fence]
    layers = [
        f"- **{name} {LAYER_TITLES[name]}**：{_escape(layer)}"
        for name, layer in zip(LAYERS, output.layers, strict=True)
    ]
    return [*layers, "", *(f"> {_escape(line)}" for line in output.answer.splitlines())]


def _table(summary: pd.DataFrame) -> list[str]:
    head = "| Model | " + " | ".join(heading for heading, _ in COLUMNS.values()) + " |"
    rule = "|---|" + "---:|" * len(COLUMNS)
    return [head, rule, *(f"| {name} | " + " | ".join(_cells(row)) + " |" for name, row in summary.iterrows())]


def _cells(row: pd.Series) -> list[str]:
    return [f"{row[column]:.{decimals}f}" for column, (_, decimals) in COLUMNS.items()]


def _numbers(intervals: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {pair: {"mean": i.mean, "low": i.low, "high": i.high, "level": 0.95} for pair, i in intervals.items()}


def _interval(interval: Interval) -> str:
    verdict = "excludes 0" if interval.excludes_zero else "includes 0"
    return f"{interval.mean:+.3f}, 95 % interval {interval.low:+.3f} to {interval.high:+.3f} ({verdict})"


def _escape(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|" else char for char in text)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
