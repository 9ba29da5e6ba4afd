"""Pictures beside the Markdown reports, as PNG."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from common.files import replacing
from eval.results import Result
from eval.statistics import Interval

_BLUE, _GREY, _ORANGE = "#1f6fb2", "#b8c4ce", "#d9822b"


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
