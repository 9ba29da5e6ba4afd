"""Pictures of a run: the reward over GRPO's steps, and the rewards of the models side by side."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # no display
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from common.files import replacing
from eval.results import Result

_BLUE, _GREY, _ORANGE = "#1f6fb2", "#b8c4ce", "#d9822b"


def plot_rewards(rewards: pd.Series, out: Path) -> None:
    """The reward of each step and its moving average over five steps."""
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    axes.plot(rewards.index, rewards, color=_GREY, marker="o", markersize=3, linewidth=1, label="step")
    smooth = rewards.rolling(5, min_periods=1, center=True).mean()
    axes.plot(rewards.index, smooth, color=_BLUE, linewidth=2, label="mean of 5 steps")
    axes.set(xlabel="GRPO step", ylabel="mean total reward (0 to 2)", ylim=(0, 2), title="Reward during GRPO")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(figure, axes, out)


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
    _finish(figure, axes, out)


def _finish(figure: Figure, axes: Axes, out: Path) -> None:
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False)
    save(figure, axes, out)


def save(figure: Figure, axes: Axes, out: Path) -> None:
    """Write a picture as PNG, whole or not at all, and close it."""
    axes.spines[["top", "right"]].set_visible(False)
    with replacing(out) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
    plt.close(figure)
