"""The HTML report's sentences and tables, worked out before the template lays them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import pandas as pd

from eval.compare import Gain, by_risk, by_topic, slices
from eval.figures import figure
from eval.report import signed
from eval.results import Result
from eval.standings import Standings
from eval.statistics import Interval

# Corrected p below which a difference is called one.
CLEAR: Final = 0.05


# A mean and its interval, as text.
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One figure by topic and model.

    Attributes:
        heading: of the figure.
        models: names of the columns.
        lowest, highest: cell means of topics that are not small and models that are not 0 throughout; the colour runs
            between them.
        rows: topic, number of questions, whether they are too few to tell anything, and for each model its interval
            and where the mean lies between lowest and highest, 0 to 1.
        left_out: smaller topics without a row.
    """

    heading: str
    models: list[str]
    lowest: float
    highest: float
    rows: list[tuple[str, int, bool, list[tuple[Interval, float]]]]
    left_out: int
    decimals: int


def number(value: float, decimals: int = 2, sign: str = "") -> str:
    """A figure with a minus sign rather than a hyphen; with sign "+" a plus sign too."""
    return f"{value:{sign}.{decimals}f}".replace("-", "−")


def difference(interval: Interval) -> str:
    """A gain with its interval, as in the Markdown report."""
    return signed(interval).replace("-", "−")


def p_value(p: float) -> str:
    """ "p < 0.001" or "p = 0.012"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def headline(gains: Sequence[Gain], results: Sequence[Result], figures: Sequence[str]) -> list[tuple[bool, str]]:
    """One sentence for each stage against the one before it, and for the last stage against each other model.

    Models with a format were asked for the Chain of Empathy and are the run's stages, in order; without any, all are.

    Args:
        gains: of `eval.compare.compare` of these results.
        results: in order.
        figures: those of them that were compared are told.

    Returns:
        whether the difference is clear, and the sentence.
    """
    stages = [result.model for result in results if "format" in result.figures] or [result.model for result in results]
    others = [result.model for result in results if result.model not in stages]
    pairs = [*((later, earlier) for earlier, later in pairwise(stages)), *((stages[-1], other) for other in others)]
    known = {(gain.figure, gain.ours, gain.theirs): gain for gain in [*gains, *map(_turned, gains)]}
    return [
        (gain.p < CLEAR, _sentence(gain))
        for figure in figures
        for pair in pairs
        if (gain := known.get((figure, *pair)))
    ]


def _turned(gain: Gain) -> Gain:
    """The same comparison seen from the other model."""

    def turn(interval: Interval) -> Interval:
        return Interval(-interval.mean, -interval.high, -interval.low)

    level = None if gain.at_equal_length is None else turn(gain.at_equal_length)
    return replace(gain, ours=gain.theirs, theirs=gain.ours, gain=turn(gain.gain), at_equal_length=level)


def _sentence(gain: Gain) -> str:
    name, told = figure(gain.figure).label, f"{difference(gain.gain)}, {p_value(gain.p)}"
    if gain.p >= CLEAR:
        return f"{name}: no clear difference between {gain.ours} and {gain.theirs}: {told}."
    level = gain.at_equal_length
    length = f"; between replies of one length {difference(level)}" if level else ""
    side = "higher" if gain.gain.mean > 0 else "lower"
    return f"{name}: {gain.ours} is {side} than {gain.theirs}: {told}{length}."


def gain_groups(gains: Sequence[Gain]) -> list[dict[str, Any]]:
    """The gains by figure, each group with the scale of its pictures: the largest end of an interval."""
    groups = []
    for key in dict.fromkeys(gain.figure for gain in gains):
        mine = [gain for gain in gains if gain.figure == key]
        scale = max(max(abs(gain.gain.low), abs(gain.gain.high)) for gain in mine) or 1.0
        rows = [
            {
                "gain": gain,
                "shown": _cell(gain.gain, 3, "+"),
                "level": _cell(gain.at_equal_length, 3, "+") if gain.at_equal_length else ("–", ""),
                "p": p_value(gain.p),
                "sure": gain.p < CLEAR,
                **{end: round(50 + 50 * getattr(gain.gain, end) / scale, 2) for end in ("mean", "low", "high")},
            }
            for gain in mine
        ]
        shown = figure(key)
        groups.append({"figure": key, "heading": shown.label, "meaning": shown.meaning, "rows": rows})
    return groups


def heat_maps(
    results: Sequence[Result], test: pd.DataFrame, figures: Sequence[str], small: int, topics: int, seed: int
) -> list[HeatMap]:
    """One map for each figure that a model has, over the questions that have a topic.

    Args:
        results: of one test set, in order.
        test: with id and topic.
        figures: keys of `eval.figures.FIGURES`.
        small: topics with fewer questions are marked.
        topics: rows at most, the largest topics first.
        seed: of the bootstrap.
    """
    groups = by_topic(test)
    chosen = dict(list(groups.items())[:topics])
    maps = []
    for key in figures:
        mine = [result for result in results if key in result.figures]
        if not mine:
            continue
        sliced = slices(mine, chosen, key, seed)
        lowest, highest = _range(sliced, [name for name in sliced if len(chosen[name]) >= small] or list(sliced))
        width = (highest - lowest) or 1.0
        rows = [
            (
                name,
                len(chosen[name]),
                len(chosen[name]) < small,
                [(i, min(max((i.mean - lowest) / width, 0.0), 1.0)) for i in row.values()],
            )
            for name, row in sliced.items()
        ]
        shown, models = figure(key), [result.model for result in mine]
        maps.append(HeatMap(shown.label, models, lowest, highest, rows, len(groups) - len(chosen), shown.digits))
    return maps


def _range(sliced: Mapping[str, Mapping[str, Interval]], names: Sequence[str]) -> tuple[float, float]:
    """Lowest and highest mean of these groups; a model that is 0 throughout would leave the others no colours."""
    columns = zip(*([interval.mean for interval in sliced[name].values()] for name in names), strict=True)
    means = [mean for column in columns if any(column) for mean in column] or [0.0]
    return min(means), max(means)


def risk_tables(
    results: Sequence[Result], test: pd.DataFrame, figures: Sequence[str], seed: int
) -> tuple[dict[str, int], list[tuple[str, list[tuple[str, list[Cell]]]]]]:
    """Posts at risk beside the others.

    Returns:
        questions of each part, and for each figure that a model has its heading and a row for each such model: its
        name, and a cell for each part.
    """
    parts = {name: ids for name, ids in by_risk(test).items() if ids}
    tables = []
    for key in figures:
        mine, shown = [result for result in results if key in result.figures], figure(key)
        sliced = slices(mine, parts, key, seed)
        rows = [(one.model, [_cell(sliced[part][one.model], shown.digits) for part in parts]) for one in mine]
        if rows:
            tables.append((shown.label, rows))
    return {name: len(ids) for name, ids in parts.items()}, tables


def ranking_rows(ranking: Standings) -> list[tuple[str, list[Cell]]]:
    """Each model with a cell for each figure, the best mean rank first."""
    ordered = sorted(ranking.items(), key=lambda item: item[1]["mean_rank"].mean)
    return [(model, [_cell(i, figure(key).digits) for key, i in row.items()]) for model, row in ordered]


def _cell(interval: Interval, decimals: int, sign: str = "") -> Cell:
    mean, low, high = (number(value, decimals, sign) for value in (interval.mean, interval.low, interval.high))
    return mean, f"{low} to {high}"
