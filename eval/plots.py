"""Pictures of a run: the reward over GRPO's steps, and the rewards of the models side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import matplotlib as mpl

mpl.use("Agg")  # no display
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from common.files import replacing
from eval.results import Result
from eval.statistics import Interval

_BLUE, _GREY, _ORANGE = "#1f6fb2", "#b8c4ce", "#d9822b"


def plot_rewards(rewards: pd.Series, out: Path) -> None:
    """The reward of each step and its moving average over five steps."""
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    axes.plot(rewards.index, rewards, color=_GREY, marker="o", markersize=3, linewidth=1, label="step")
    smooth = rewards.rolling(5, min_periods=1, center=True).mean()
    axes.plot(rewards.index, smooth, color=_BLUE, linewidth=2, label="mean of 5 steps")
    axes.set(xlabel="GRPO step", ylabel="mean total reward (0 to 2)", ylim=(0, 2), title="Reward during GRPO")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    _save(figure, axes, "y", out)


def plot_models(results: Sequence[Result], out: Path) -> None:
    """Format rate and answer reward of each model on the test questions, with their intervals."""
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    width = 0.35
    for shift, component, color in ((-0.5, "format", _BLUE), (0.5, "answer", _ORANGE)):
        for position, result in enumerate(results):
            if component not in result.figures:  # the format of models that were never asked for one
                continue
            interval = result.figures[component]
            x = position + shift * width
            axes.bar(x, interval.mean, width, color=color, label=component if position == 0 else None)
            axes.vlines(x, interval.low, interval.high, color="black", linewidth=1)
    axes.set(ylabel="mean reward (0 to 1)", ylim=(0, 1), title="Test questions, 95 % intervals over questions")
    axes.set_xticks(range(len(results)), [result.model for result in results])
    axes.legend(frameon=False)
    _save(figure, axes, "y", out)


def plot_mean_ranks(ranks: Mapping[str, Interval], out: Path) -> None:
    """Each model's mean rank with its interval, the first at the top."""
    figure, axes = plt.subplots(figsize=(7, 1.2 + 0.45 * len(ranks)), layout="constrained")
    names = list(ranks)[::-1]
    for place, interval in enumerate(ranks[name] for name in names):
        axes.plot([interval.low, interval.high], [place, place], color=_BLUE, linewidth=2)
        axes.plot(interval.mean, place, "o", color=_BLUE)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="mean rank (1 is best), 95 % interval over questions and raters", xlim=(1, len(ranks)))
    _save(figure, axes, "x", out)


def _save(figure: Figure, axes: Axes, grid: Literal["x", "y"], out: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, alpha=0.3)
    with replacing(out) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
    plt.close(figure)
