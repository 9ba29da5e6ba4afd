"""Pictures of the HTML report: SVG that takes its colours and its font from the page, light or dark.

Names of models and kinds stand in the page around the pictures and never inside them: what a user typed would need a
font that has its signs, and matplotlib takes a dollar sign for mathematics.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.special import expit

from common.records.triplets import GOOD
from reward_fns.reward_model import Threshold

# Colours of the page for models; further models repeat them with another dash.
MODEL_COLOURS: Final = 8

_INK, _FAINT, _GOOD, _BAD = "#010101", "#010102", "#010103", "#010104"
_DASHES: Final = ("-", "--", ":", "-.")
# Colours as matplotlib draws them, and the variable of the style sheet that each becomes.
_VARIABLES: Final = {
    _INK: "var(--ink-soft)",
    _FAINT: "var(--line)",
    _GOOD: "var(--good)",
    _BAD: "var(--bad)",
    **{f"#0102{number:02x}": f"var(--m{number})" for number in range(MODEL_COLOURS)},
}

_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "font.size": 10.5,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _FAINT,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": _FAINT,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
}
_SIZE: Final = (4.7, 2.9)
_BINS: Final = 30
_CHANCES: Final = 10
_SMOOTH: Final = 5  # steps at least; of a longer run a 25th


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture.

    Attributes:
        title: above it.
        svg: the drawing.
        caption: below it; what a reader needs who can't see it stands here too.
    """

    title: str
    svg: Markup
    caption: str


def curve_panels(curves: pd.DataFrame) -> list[Panel]:
    """What GRPO's log tells of its steps; a curve without a single value has no picture."""
    wanted = (
        ("reward", "Reward", "mean total reward (0 to 2)"),
        ("format", "Format", "share of valid outputs"),
        ("answer", "Answer", "mean answer reward"),
        ("kl", "KL to the SFT model", "actor/kl_loss, nats a token"),
        ("length", "Length of outputs", "tokens"),
    )
    panels = []
    for name, title, unit in wanted:
        train, validated = curves[name].dropna(), curves.get(f"val_{name}", pd.Series(dtype=float)).dropna()
        if train.empty and validated.empty:
            continue
        said = []
        with _drawing(f"curve-{name}") as (figure, axes):
            if len(train):
                window = max(_SMOOTH, len(train) // 25)
                axes.plot(train.index, train, color=_FAINT, marker="o", markersize=2.5, linewidth=0.8)
                smooth = train.rolling(window, min_periods=1, center=True).mean()
                axes.plot(smooth.index, smooth, color=_colour(1), linewidth=2.2)
                said.append(f"training, from {_brief(train)}; line: mean of {window} steps")
            if len(validated):
                axes.plot(validated.index, validated, color=_colour(2), marker="s", markersize=5, linestyle="--")
                said.append(f"validation (dashed), from {_brief(validated)}")
            if name == "answer" and len(heldout := curves["heldout_answer"].dropna()):
                axes.plot(heldout.index, heldout, color=_colour(3), marker="^", markersize=5, linestyle=":")
                said.append(f"validation by the held-out reward model (dotted), from {_brief(heldout)}")
            axes.set(xlabel="GRPO step", ylabel=unit)
            axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            panels.append(Panel(title, _svg(figure), f"{'; '.join(said).capitalize()}."))
    return panels


def distribution_panels(scores: Mapping[str, pd.DataFrame], threshold: float) -> list[Panel]:
    """Length, cosine and reward of the replies; those that show nothing have no length and no cosine to draw."""
    shown = {name: frame[frame["fault"] == ""] for name, frame in scores.items()}
    panels = []
    for column, title, unit in (("chars", "Length", "characters shown"), ("cosine", "Cosine", "cos(E(q), E(a))")):
        values = [frame[column].to_numpy(dtype=float) for frame in shown.values()]
        if not sum(map(len, values)):
            continue
        with _drawing(f"distribution-{column}") as (figure, axes):
            edges = np.histogram_bin_edges(np.concatenate(values), _BINS)
            for place, mine in enumerate(values):
                _steps(axes, mine, edges, _colour(place), _DASHES[place // MODEL_COLOURS % len(_DASHES)])
            if column == "cosine":
                _mark_threshold(axes, threshold)
            axes.set(xlabel=unit, ylabel="% of replies shown")
            digits, line = (2, f" The line is T = {threshold:.3f}.") if column == "cosine" else (0, "")
            medians = ", ".join(
                f"{name} {np.median(mine):.{digits}f}" for name, mine in zip(shown, values, strict=True) if len(mine)
            )
            panels.append(Panel(title, _svg(figure), f"Medians: {medians}.{line}"))
    paid = {place: frame["reward"] for place, frame in enumerate(scores.values()) if "reward" in frame}
    return [*panels, _rewards(paid, list(scores))] if paid else panels


def _rewards(paid: Mapping[int, pd.Series], names: Sequence[str]) -> Panel:
    levels = sorted({round(float(value), 2) for series in paid.values() for value in series})
    width = 0.8 / len(paid)
    with _drawing("distribution-reward") as (figure, axes):
        for turn, (place, series) in enumerate(paid.items()):
            shares = [100 * float((series.round(2) == level).mean()) for level in levels]
            at = [position + (turn - (len(paid) - 1) / 2) * width for position in range(len(levels))]
            axes.bar(at, shares, width, color=_colour(place))
        axes.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
        axes.set(xlabel="total reward", ylabel="% of all replies")
        means = ", ".join(f"{names[place]} {series.mean():.2f}" for place, series in paid.items())
        return Panel("Reward", _svg(figure), f"Means: {means}.")


def reliability_panel(heldout: pd.DataFrame, threshold: Threshold) -> Panel:
    """How often a held-out pair is a good one where mode ``dense`` says how likely it is.

    Good and bad pairs weigh equally in all, as they did when the curve was fitted, on these very pairs.

    Args:
        heldout: kind ("good" or a kind of negative) and cosine.
    """
    good = (heldout["kind"] == GOOD).to_numpy()
    chance = expit(threshold.slope * heldout["cosine"].to_numpy(dtype=float) + threshold.intercept)
    weight = np.where(good, 0.5 / max(good.sum(), 1), 0.5 / max((~good).sum(), 1))
    place = np.minimum((chance * _CHANCES).astype(int), _CHANCES - 1)
    mass, said, seen = (
        np.bincount(place, weights, _CHANCES) for weights in (weight, weight * chance, weight * good.astype(float))
    )
    there = (pairs := np.bincount(place, minlength=_CHANCES)) > 0
    error = float(np.abs(said - seen).sum() / mass.sum())
    parts = {"nrows": 2, "sharex": True, "height_ratios": [3, 1]}
    with _drawing("reliability", (_SIZE[0], 3.9), **parts) as (figure, (upper, lower)):
        upper.plot([0, 1], [0, 1], color=_INK, linewidth=1, linestyle=":")
        upper.plot(said[there] / mass[there], seen[there] / mass[there], "o-", color=_colour(1), linewidth=1.5)
        upper.set(ylabel="share of good pairs", ylim=(-0.03, 1.03), xlim=(-0.02, 1.02))
        lower.bar((np.arange(_CHANCES) + 0.5) / _CHANCES, pairs, 0.9 / _CHANCES, color=_colour(0))
        lower.set(xlabel="chance told by mode dense", ylabel="pairs")
        lower.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
        caption = (
            f"Dotted: said and seen agree. Expected calibration error {error:.3f} over {_CHANCES} bins, "
            f"{len(heldout):,} pairs; good and bad weighted equally."
        )
        return Panel("Reliability of mode dense", _svg(figure), caption)


def kind_panels(heldout: pd.DataFrame, threshold: Threshold) -> list[Panel]:
    """The scores of a post's own responses and of each kind of negative."""
    edges = np.histogram_bin_edges(heldout["cosine"].to_numpy(dtype=float), _BINS)
    good = heldout.loc[heldout["kind"] == GOOD, "cosine"].to_numpy(dtype=float)
    panels = []
    for kind in sorted(set(heldout["kind"]) - {GOOD}):
        bad = heldout.loc[heldout["kind"] == kind, "cosine"].to_numpy(dtype=float)
        with _drawing(f"kind-{kind}", (3.9, 2.3)) as (figure, axes):
            _steps(axes, good, edges, _GOOD, "-")
            _steps(axes, bad, edges, _BAD, "--")
            _mark_threshold(axes, threshold.value)
            axes.set(xlabel="cosine", ylabel="% of pairs")
            caption = (
                f"{len(good)} responses, {len(bad)} negatives, of which {np.mean(bad > threshold.value):.1%} pass T."
            )
            panels.append(Panel(str(kind).replace("_", " "), _svg(figure), caption))
    return panels


@contextmanager
def _drawing(salt: str, size: tuple[float, float] = _SIZE, **parts: Any) -> Iterator[tuple[Figure, Any]]:
    """A figure and its axes in the page's style; the salt keeps the ids of one drawing apart from another's."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": salt}):
        figure = Figure(figsize=size, layout="constrained")
        yield figure, figure.subplots(**parts)


def _colour(place: int) -> str:
    return f"#0102{place % MODEL_COLOURS:02x}"


def _brief(values: pd.Series) -> str:
    """Both ends as means over some steps: a step is a single batch."""
    ends = values.iloc[:_SMOOTH].mean(), values.iloc[-_SMOOTH:].mean()
    count = min(_SMOOTH, len(values))
    return f"{ends[0]:.3g} (mean of the first {count}) to {ends[1]:.3g} (of the last {count})"


def _steps(axes: Axes, values: npt.NDArray[Any], edges: npt.NDArray[Any], colour: str, dash: str) -> None:
    if len(values):
        shares = 100 * np.histogram(values, edges)[0] / len(values)
        axes.stairs(shares, edges, color=colour, linestyle=dash, linewidth=1.8)


def _mark_threshold(axes: Axes, value: float) -> None:
    axes.axvline(value, color=_INK, linestyle="--", linewidth=1.2)
    axes.text(value, 1, " T", transform=axes.get_xaxis_transform(), va="top")


def _svg(figure: Figure) -> Markup:
    """The drawing as an element of the page: without what stands before it, its own style sheet and its plain ids.

    Has to be called within the `_drawing` that the figure was made in.
    """
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = "<svg" + out.getvalue().partition("<svg")[2]
    for pattern, kept in (
        (r"<style.*?</style>", ""),
        (r' id="[A-Za-z][\w.]*_\d+"', ""),
        (r"font-family: [^;\"]*;?", ""),
        (r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r'\1aria-hidden="true"'),
    ):
        text = re.sub(pattern, kept, text, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    return Markup(text)
