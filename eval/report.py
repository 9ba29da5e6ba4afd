"""The report of an evaluation in Markdown: the table, the gains with intervals, slices, sample replies."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pandas as pd

from common.files import write_json, write_text
from common.human_help import human_help
from eval.compare import Gain
from eval.figures import figure, figures_of
from eval.markdown import escape, table
from eval.results import Result
from eval.statistics import Interval
from eval.tables import result_table
from reward_fns.coe_format import LAYER_TITLES, LAYERS, CoEFormatError, parse

NOTE: Final = (
    "Protocol `zh`: characters as tokens (words where it says so), each reply against every human reference, then the "
    "mean; not comparable with the paper's tables, for which each model's `*.paper.json` is. A reply without a single "
    "`<answer>` shows a reader nothing and scores 0. Format and answer "
    "are the two parts of the reward, so they say how well GRPO did what it was asked. Held-out answer is the share "
    "of replies that a held-out reward model, of another split and seed, lets pass: where the answer part rises and it "
    "does not, GRPO has found a weakness of its reward rather than better answers. Nothing here says that a reply "
    "helps anybody, and no figure claims clinical validity."
)
CHAINS_NOTE: Final = "SFT learnt from chains that were written for this project, not reviewed."
SLICE_NOTE: Final = (
    "At risk are posts that the corpus marks so or that a rule of `data_prep/risk` matches. They are kept out of "
    "GRPO's prompts; the rules miss some and are no screening instrument."
)
CRISIS_NOTE: Final = (
    "> **危机信号**：这样的来信必须立即转给真人处理，不能交给模型回复。"
    f"{human_help().hotlines_zh()}，紧急情况 {human_help().emergency_zh(between=' / ')}。\n"
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
        *table(
            ["Figure", "Models", "Gain", "p", "at equal length"],
            (
                [
                    figure(gain.figure).label,
                    f"{gain.ours} − {gain.theirs}",
                    signed(gain.gain),
                    f"{gain.p:.4f}",
                    signed(gain.at_equal_length) if gain.at_equal_length else "–",
                ]
                for gain in gains
            ),
            left=2,
        ),
        "",
        *(line for key, groups in slices.items() for line in _slices(key, groups)),
        SLICE_NOTE,
        "",
        *(f"![{Path(picture).stem}]({picture})\n" for picture in pictures),
        NOTE,
        "",
        CHAINS_NOTE,
        "",
        "Ten replies with their layers: [replies.md](replies.md). All replies and scores: `*.replies.jsonl`, "
        "`*.scores.parquet`; each model's figures by question: `*.zh.json`, `*.paper.json`; the gains: `gains.json`.",
    ]
    write_text(folder / "report.md", "\n".join(lines) + "\n")
    write_json(folder / "gains.json", [asdict(gain) for gain in gains])


def signed(interval: Interval) -> str:
    """A difference with its interval: "+0.344 (+0.260 to +0.424)"."""
    return interval.text("+.3f")


def _slices(key: str, groups: Mapping[str, Mapping[str, Interval]]) -> list[str]:
    shown = figure(key)
    rows = ([escape(name), *(i.text(f".{shown.digits}f") for i in row.values())] for name, row in groups.items())
    return [
        f"{shown.label} by part of the test set:",
        "",
        *table(["Part", *next(iter(groups.values()))], rows),
        "",
    ]


def spread(test: pd.DataFrame, count: int) -> pd.DataFrame:
    """At most `count` questions, one of each topic, then a second of each, and so on."""
    return test.assign(turn=test.groupby("topic").cumcount()).sort_values(["turn", "id"], kind="stable").head(count)


def write_replies(folder: Path, scores: Mapping[str, pd.DataFrame], test: pd.DataFrame, count: int = 10) -> None:
    """``replies.md``: the first sample of every model for `count` questions, spread over the topics.

    Valid outputs are shown with their layers, invalid ones raw with their violation; of a model that was never asked
    for layers, what a reader is shown.
    """
    lines = [
        "# Sample replies",
        "",
        "The first sampled reply of each model, chosen by topic and not by quality. Outputs of a research model, not "
        "advice: nobody should be counselled by them.",
    ]
    for question in spread(test, count).to_dict("records"):
        lines += ["", f"## {escape(question['title'])}", "", f"*{escape(question['topic']) or '—'}*", ""]
        if question["crisis"] or len(question["risks"]):
            lines += [CRISIS_NOTE, ""]
        lines += [f"> {escape(line)}" for line in str(question["description"]).splitlines()]
        for name, frame in scores.items():
            mine = frame[frame["question_id"] == question["id"]].sort_values("sample").iloc[0]
            told = ", ".join(
                f"{figure(key).label.lower()} {mine[key]:.2f}" for key in figures_of("reply") if key in mine
            )
            lines += ["", f"### {name}: {told}", "", *_reply(mine)]
    write_text(folder / "replies.md", "\n".join(lines) + "\n")


def _reply(row: "pd.Series[Any]") -> list[str]:
    text = str(row["text"])
    if "violation" not in row and not row["fault"]:  # the model was never asked for the format
        return [f"> {escape(line)}" for line in str(row["shown"]).splitlines()]
    try:
        output = parse(text)
    except CoEFormatError as error:
        fence = "`" * (3 + text.count("`"))
        shown = text if len(text) <= 600 else text[:600] + " …"
        return [f"Not a valid output: {escape(str(error))}.", "", f"{fence}text", shown, fence]
    layers = [
        f"- **{name} {LAYER_TITLES[name]}**：{escape(layer)}" for name, layer in zip(LAYERS, output.layers, strict=True)
    ]
    return [*layers, "", *(f"> {escape(line)}" for line in output.answer.splitlines())]
