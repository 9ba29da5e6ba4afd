"""The report of an evaluation in Markdown: the table, the gains with intervals, slices, sample replies."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pandas as pd

from common.files import write_text
from eval.compare import Gain
from eval.results import Result
from eval.statistics import Interval
from eval.tables import COLUMNS, result_table
from reward_fns.coe_format import LAYER_TITLES, LAYERS, CoEFormatError, parse

NOTE: Final = (
    "Protocol `zh`: characters as tokens (words where it says so), each reply against every human reference, then the "
    "mean; not comparable with the paper's tables, for which each model's `*.paper.json` is. A reply without a single "
    "`<answer>` shows a reader nothing and scores 0. Format and answer "
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


def write_report(
    folder: Path,
    results: Sequence[Result],
    gains: Sequence[Gain],
    slices: Mapping[str, Mapping[str, Mapping[str, Interval]]],
    pictures: Sequence[str],
) -> None:
    """``report.md`` and ``gains.json``.

    Args:
        results: of protocol zh, in order.
        gains: of `eval.compare.compare`.
        slices: figure → group → model → mean and interval, of `eval.compare.slices`.
        pictures: names of files in the folder to show.
    """
    lines = [
        "# Evaluation",
        "",
        result_table(results).markdown(),
        "Mean gains, paired over questions: 95 % bootstrap interval, p by permutation and corrected for all of these "
        "comparisons (Holm), and the gain between replies of one length:",
        "",
        "| Figure | Models | Gain | p | at equal length |",
        "|---|---|---:|---:|---:|",
        *(
            f"| {COLUMNS[gain.figure][0]} | {gain.ours} − {gain.theirs} | {signed(gain.gain)} | {gain.p:.4f} | "
            f"{signed(gain.at_equal_length) if gain.at_equal_length else '–'} |"
            for gain in gains
        ),
        "",
        *(line for figure, groups in slices.items() for line in _slices(figure, groups)),
        SLICE_NOTE,
        "",
        *(f"![{Path(picture).stem}]({picture})\n" for picture in pictures),
        NOTE,
        "",
        "Ten replies with their layers: [replies.md](replies.md). All replies and scores: `*.replies.jsonl`, "
        "`*.scores.parquet`; each model's figures by question: `*.zh.json`, `*.paper.json`; the gains: `gains.json`.",
    ]
    write_text(folder / "report.md", "\n".join(lines) + "\n")
    content = [asdict(gain) for gain in gains]
    write_text(folder / "gains.json", json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def signed(interval: Interval) -> str:
    """A difference with its interval: "+0.344 (+0.260 to +0.424)"."""
    return f"{interval.mean:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def _slices(figure: str, groups: Mapping[str, Mapping[str, Interval]]) -> list[str]:
    models = list(next(iter(groups.values())))
    heading, decimals = COLUMNS[figure]
    return [
        f"{heading} by part of the test set:",
        "",
        "| Part | " + " | ".join(models) + " |",
        "|---|" + "---:|" * len(models),
        *(
            f"| {_escape(name)} | "
            + " | ".join(f"{i.mean:.{decimals}f} ({i.low:.{decimals}f} to {i.high:.{decimals}f})" for i in row.values())
            + " |"
            for name, row in groups.items()
        ),
        "",
    ]


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
    write_text(folder / "replies.md", "\n".join(lines) + "\n")


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


def _escape(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|" else char for char in text)
