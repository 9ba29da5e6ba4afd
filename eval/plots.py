"""Pictures of a run: the rewards over GRPO's steps, and the rewards of the models side by side."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # no display
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from eval.statistics import Interval

REWARD_KEY = "critic/score/mean"
# The parts of the reward, which verl averages on the validation prompts only, for each data source.
_PART_KEY = re.compile(r"val-(?:core|aux)/.+/(format|answer)/mean@\d+")
_BLUE, _GREY, _ORANGE, _GREEN = "#1f6fb2", "#b8c4ce", "#d9822b", "#3a8f5c"


def read_rewards(metrics: Path) -> pd.DataFrame:
    """The rewards of each GRPO step, from verl's file logger.

    Returns:
        indexed by step, NaN where a step has none: reward, the mean total reward of the sampled outputs; format and
        answer, its two parts on the validation prompts, the mean over data sources.

    Raises:
        ValueError: a malformed line, or no step with a reward in the file.
    """
    rows: dict[int, dict[str, float]] = {}
    for number, line in enumerate(metrics.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            rows[int(record["step"])] = _rewards(record["data"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{metrics}:{number}: {error!r}, expected step and data of verl's file logger") from error
    rewards = pd.DataFrame.from_dict(rows, orient="index", columns=["reward", "format", "answer"]).sort_index()
    if rewards["reward"].isna().all():
        raise ValueError(f"{metrics}: no step has {REWARD_KEY}, expected verl's file logger. Run `make grpo` again.")
    return rewards.dropna(how="all")


def _rewards(data: Mapping[str, float]) -> dict[str, float]:
    parts: dict[str, list[float]] = defaultdict(list)
    for key, value in data.items():
        if match := _PART_KEY.fullmatch(key):
            parts[match[1]].append(float(value))
    return {"reward": data.get(REWARD_KEY, float("nan"))} | {name: sum(x) / len(x) for name, x in parts.items()}


def plot_rewards(rewards: pd.DataFrame, out: Path) -> None:
    """The reward of each step, its moving average over five steps, and its parts where verl validated.

    Args:
        rewards: of `read_rewards`.
    """
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    total = rewards["reward"].dropna()
    axes.plot(total.index, total, color=_GREY, marker="o", markersize=3, linewidth=1, label="total, step")
    smooth = total.rolling(5, min_periods=1, center=True).mean()
    axes.plot(total.index, smooth, color=_BLUE, linewidth=2, label="total, mean of 5 steps")
    for part, color in (("format", _GREEN), ("answer", _ORANGE)):
        values = rewards[part].dropna()
        if not values.empty:
            axes.plot(values.index, values, color=color, marker="s", markersize=4, label=f"{part}, validation")
    axes.set(xlabel="GRPO step", ylabel="mean reward", ylim=(0, 2), title="Reward during GRPO (total: 0 to 2)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(figure, axes, out)


def plot_models(bars: Mapping[str, Mapping[str, Interval]], out: Path) -> None:
    """Format rate and answer reward of each model on the test questions, with their intervals.

    Args:
        bars: model → component ("format", "answer") → interval.
    """
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    width = 0.35
    for shift, component, color in ((-0.5, "format", _BLUE), (0.5, "answer", _ORANGE)):
        for position, intervals in enumerate(bars.values()):
            interval = intervals[component]
            x = position + shift * width
            axes.bar(x, interval.mean, width, color=color, label=component if position == 0 else None)
            axes.vlines(x, interval.low, interval.high, color="black", linewidth=1)
    axes.set(ylabel="mean reward (0 to 1)", ylim=(0, 1), title="Test questions, 95 % intervals over questions")
    axes.set_xticks(range(len(bars)), list(bars))
    _finish(figure, axes, out)


def _finish(figure: Figure, axes: Axes, out: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False)
    partial = out.with_name(f".{out.name}.partial")
    figure.savefig(partial, dpi=150, format="png")
    partial.replace(out)
    plt.close(figure)
