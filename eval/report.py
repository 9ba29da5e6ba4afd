"""The report of an evaluation in Markdown: the table, gains with intervals, slices, sample replies, pictures.

What GRPO did, step by step, is read from verl's log and from the rollouts that it dumped.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from common.files import FileError, read_json_lines, replacing, write_json, write_text
from common.human_help import human_help
from common.markdown import escape, table
from common.records import METRICS_FILE, ROLLOUTS
from eval.compare import Gain, by_risk, by_topic, families, slices
from eval.figures import figure, figures_of
from eval.results import Result
from eval.statistics import Interval, PValue
from eval.tables import result_table
from reward_fns.coe_format import ANSWER, FORMAT_REWARDS, LAYER_TITLES, LAYERS, CoEFormatError, format_reward, parse

_LOGGED: Final = {"reward": "critic/score/mean", "kl": "actor/kl_loss", "length": "response_length/mean"}
_VALIDATED: Final = re.compile(r"val-(?:core|aux)/.+/(reward|format|answer)/mean@\d+")

_BLUE, _GREY, _ORANGE = "#1f6fb2", "#b8c4ce", "#d9822b"

NOTE: Final = (
    "Protocol `zh`: characters as tokens (words where it says so), each reply against every human reference, then the "
    "mean; not comparable with the paper's tables, for which each model's `*.paper.json` is. A reply without a single "
    f"`<{ANSWER}>` shows a reader nothing and scores 0. Format and answer "
    "are the two parts of the reward, so they say how well GRPO did what it was asked. Held-out answer is the share "
    "of replies that a held-out reward model, of another split and seed, lets pass: where the answer part rises and it "
    "does not, GRPO has found a weakness of its reward rather than better answers. Nothing here says that a reply "
    "helps anybody, and no figure claims clinical validity."
)
GAINS_NOTE: Final = (
    "Mean gains, paired over questions, with 95 % intervals, in two readings: over all replies, where one "
    "that shows nothing counts 0; and, for figures of the text, over the questions to which both models show "
    "something, and those replies alone. At equal length: the second reading without what the difference in length "
    "brings."
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
    parts: Sequence["Sliced"],
    pictures: Sequence[str],
    caveats: Sequence[str] = (),
) -> None:
    """``report.md`` and ``gains.json``.

    Args:
        results: of protocol zh, in order.
        gains: of `eval.compare.compare`.
        parts: of `sliced`.
        pictures: names of files in the folder to show.
        caveats: of `eval.caveats.caveats`.
    """
    several = ["Test set"] if len({result.test_set for result in results}) > 1 else []
    lines = [
        "# Evaluation",
        "",
        result_table(results).markdown(),
        *(["Before a gain is taken for better answers:", "", *(f"- {one}" for one in caveats), ""] if caveats else []),
        f"{GAINS_NOTE} {families(gains)}",
        "",
        *table(
            ["Figure", "Models", *several, "Gain", "p", "Shown by both", "p", "at equal length"],
            (
                [
                    figure(gain.figure).label,
                    f"{gain.ours} − {gain.theirs}",
                    *([escape(gain.test_set)] if several else []),
                    signed(gain.gain),
                    _bare(gain.p),
                    f"{signed(gain.shown)}, {gain.questions} questions" if gain.shown else "–",
                    _bare(gain.p_shown),
                    signed(gain.at_equal_length) if gain.at_equal_length else "–",
                ]
                for gain in gains
            ),
            left=2 + len(several),
        ),
        "",
        *(line for part in parts for line in _slices(part, bool(several))),
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


def _bare(p: PValue | None) -> str:
    """A p under a heading that says so."""
    return "–" if p is None else p.named().removeprefix("p ").removeprefix("= ")


@dataclass(frozen=True, slots=True)
class Sliced:
    """One figure in parts of a test set.

    Attributes:
        test_set: its name.
        figure: its key.
        shown: over the replies that show something alone.
        groups: group → model → mean and interval, of `eval.compare.slices`.
    """

    test_set: str
    figure: str
    shown: bool
    groups: Mapping[str, Mapping[str, Interval]]


def sliced(results: Sequence[Result], test: pd.DataFrame, seed: int) -> list[Sliced]:
    """Figures by risk and by topic, of each test set; those of the text in both readings.

    Args:
        results: of protocol zh.
        test: the questions, with id, test_set, topic, crisis and risks.
        seed: of the bootstrap.
    """
    found = []
    for name, own in test.groupby("test_set", sort=False):
        groups = {f"{part} ({len(ids)})": ids for part, ids in (by_risk(own) | by_topic(own, 3)).items()}
        mine = [result for result in results if result.test_set == name]
        for key in figures_of("slices"):
            for shown in (False, True) if figure(key).of_text else (False,):
                found.append(Sliced(str(name), key, shown, slices(mine, groups, key, seed, shown)))
    return [part for part in found if part.groups]


def _slices(part: Sliced, several: bool) -> list[str]:
    form = f".{figure(part.figure).digits}f"
    models = list(dict.fromkeys(model for means in part.groups.values() for model in means))
    rows = (
        [escape(name), *(means[model].text(form) if model in means else "–" for model in models)]
        for name, means in part.groups.items()
    )
    where = f" {escape(part.test_set)}" if several else ""
    reading = ", replies that show something" if part.shown else ""
    return [
        f"{figure(part.figure).label} by part of the test set{where}{reading}:",
        "",
        *table(["Part", *models], rows),
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
        lines += [
            *("", f"## {escape(question['title'])}", "", f"*{escape(question['topic']) or '—'}*", ""),
            *([CRISIS_NOTE, ""] if question["crisis"] or len(question["risks"]) else []),
            *(f"> {escape(line)}" for line in str(question["description"]).splitlines()),
        ]
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
        fence, shown = "`" * (3 + text.count("`")), text if len(text) <= 600 else text[:600] + " …"
        return [
            f"Not a valid output: {escape(str(error))}.",
            "",
            f"{fence}text",
            shown,
            fence,
        ]
    layers = [
        f"- **{name} {LAYER_TITLES[name]}**：{escape(layer)}" for name, layer in zip(LAYERS, output.layers, strict=True)
    ]
    return [*layers, "", *(f"> {escape(line)}" for line in output.answer.splitlines())]


def read_curves(grpo: Path, format_mode: str = "exact") -> pd.DataFrame | None:
    """What GRPO did, step by step, from verl's file logger and, where they were dumped, its rollouts.

    verl's log names the parts of the reward at validation only; in training they follow from the dumped outputs.

    Args:
        grpo: the stage's folder: METRICS_FILE has a step and its data a line, ROLLOUTS ``<step>.jsonl`` with an output
            and its score a line.
        format_mode: of the reward, by which format is told from answer; a mode that only a reward of one's own knows is
            read as "exact".

    Returns:
        indexed by step: reward, kl, length, format, answer, val_reward, val_format and val_answer, NaN where a step
        tells nothing; None without a log.

    Raises:
        FileError: a line that is not such an object, or no step with a reward.
    """
    metrics = grpo / METRICS_FILE
    if not metrics.is_file():
        return None
    steps: dict[int, dict[str, float]] = {}
    for record in _records(metrics, ("step", "data")):
        data: dict[str, Any] = record["data"]
        told = {name: float(data[key]) for name, key in _LOGGED.items() if key in data}
        found: dict[str, list[float]] = {}
        for key, value in data.items():
            if match := _VALIDATED.fullmatch(key):
                found.setdefault(f"val_{match[1]}", []).append(float(value))
        steps[int(record["step"])] = told | {name: sum(values) / len(values) for name, values in found.items()}
    score_format = FORMAT_REWARDS.get(format_mode, format_reward)
    for file in sorted((grpo / ROLLOUTS).glob("*.jsonl")):
        rows = _records(file, ("step", "output", "score"))
        if rows and (step := int(rows[0]["step"])) in steps:
            formats = sum(score_format(row["output"]) for row in rows)
            answers = sum(float(row["score"]) for row in rows) - formats
            # Without a format in the reward there is no curve of it.
            told = {} if format_mode == "none" else {"format": formats / len(rows)}
            steps[step] |= told | {"answer": answers / len(rows)}
    names = *_LOGGED, "format", "answer", "val_reward", "val_format", "val_answer"
    curves = pd.DataFrame.from_dict(steps, orient="index").reindex(columns=names).sort_index()
    if curves["reward"].isna().all():
        raise FileError(f"{metrics}: no step has {_LOGGED['reward']}, expected verl's log. Run `make grpo` again.")
    return curves


def _records(path: Path, keys: Sequence[str]) -> list[dict[str, Any]]:
    rows = dict(read_json_lines(path))
    if lacking := [number for number, row in rows.items() if not all(key in row for key in keys)]:
        raise FileError(f"{path}:{lacking[0]}: expected an object with {', '.join(keys)}. Run `make grpo` again.")
    return list(rows.values())


def plot_rewards(rewards: pd.Series, out: Path) -> None:
    """The reward of each step and its moving average over five steps."""
    with picture(out, 3.6) as axes:
        axes.plot(rewards.index, rewards, color=_GREY, marker="o", markersize=3, linewidth=1, label="step")
        smooth = rewards.rolling(5, min_periods=1, center=True).mean()
        axes.plot(rewards.index, smooth, color=_BLUE, linewidth=2, label="mean of 5 steps")
        axes.set(xlabel="GRPO step", ylabel="mean total reward (0 to 2)", ylim=(0, 2), title="Reward during GRPO")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)


def plot_steps(runs: Mapping[str, Sequence[Sequence[float]]], out: Path) -> None:
    """Mean reward of every GRPO step: a thin line a seed, and the mean of the seeds, model by model."""
    with picture(out, 3.6) as axes:
        for place, (model, seeds) in enumerate(runs.items()):
            colour = f"C{place}"
            for rewards in seeds:
                axes.plot(range(1, len(rewards) + 1), rewards, color=colour, linewidth=0.7, alpha=0.5)
            shortest = min(map(len, seeds))
            mean = pd.DataFrame([rewards[:shortest] for rewards in seeds]).mean()
            axes.plot(mean.index + 1, mean, color=colour, linewidth=2, label=f"{model} ({len(seeds)})")
        axes.set(
            xlabel="GRPO step", ylabel="mean reward of a step", title="Reward during GRPO, by seed", ylim=(0, None)
        )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False, title="model (seeds)")


def plot_models(results: Sequence[Result], out: Path) -> None:
    """Format rate and answer reward of each model on the test questions, with their intervals."""
    several = len({result.test_set for result in results}) > 1
    with picture(out, 3.6) as axes:
        for shift, component, color in ((-0.175, "format", _BLUE), (0.175, "answer", _ORANGE)):
            for position, result in enumerate(results):
                # Models that were never asked for a format have none.
                if interval := result.figures.get(component):
                    label = component if position == 0 else None
                    axes.bar(position + shift, interval.mean, 0.35, color=color, label=label)
                    if interval.ends:
                        axes.vlines(position + shift, *interval.ends, color="black", linewidth=1)
        axes.set(ylabel="mean reward (0 to 1)", ylim=(0, 1), title="Test questions, 95 % intervals over questions")
        names = [f"{one.model}\n{one.test_set}" if several else one.model for one in results]
        axes.set_xticks(range(len(results)), names)
        axes.legend(frameon=False)


def plot_mean_ranks(ranks: Mapping[str, Interval], out: Path) -> None:
    """Each model's mean rank with its interval, the first at the top."""
    with picture(out, 1.2 + 0.45 * len(ranks), grid="x") as axes:
        for place, interval in enumerate(reversed(list(ranks.values()))):
            if interval.ends:
                axes.plot(interval.ends, [place, place], color=_BLUE, linewidth=2)
            axes.plot(interval.mean, place, "o", color=_BLUE)
        axes.set_yticks(range(len(ranks)), list(ranks)[::-1])
        axes.set(xlabel="mean rank (1 is best), 95 % interval over questions and raters", xlim=(1, len(ranks)))


@contextmanager
def picture(out: Path, height: float, grid: Literal["x", "y"] = "y") -> Iterator[Axes]:
    """Axes to draw on, saved as PNG when the block ends."""
    drawing = Figure(figsize=(7, height), layout="constrained")
    axes = drawing.subplots()
    yield axes
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, alpha=0.3)
    with replacing(out) as temporary:
        drawing.savefig(temporary, dpi=150, format="png")
