"""One comparison over several runs that differ in their seed: each run's gain, and all of them together.

    python -m eval.seeds outputs/seed42 outputs/seed1 outputs/seed2
    python -m eval.seeds outputs/seed42 outputs/seed1 --models base SFT --figures reward navg

A seed draws the split, the order of training and the replies, so one run's interval, over its questions alone, is too
narrow for a claim about the method. Here too the interval is over questions: one that stands in several runs' test
sets counts as one, with all its differences, since they are not independent.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from common.files import FileError
from common.pages import Markdown, table
from eval.figures import FIGURES, figure, figures_of
from eval.report import signed
from eval.results import Result
from eval.statistics import Interval, clustered_interval, paired_interval

_MODELS: Final = ("SFT", "SFT+GRPO")


@dataclass(frozen=True, slots=True)
class PooledGain:
    """One figure's gain.

    Attributes:
        figure: its key.
        shown: over the questions to which both models show something, and those replies alone.
        runs: each run's gain, paired over its questions.
        pooled: of all runs' questions together, clustered by question.
        levels: the earlier and the later model's mean over the runs.
    """

    figure: str
    shown: bool
    runs: tuple[Interval, ...]
    pooled: Interval
    levels: tuple[float, float]


def pool(pairs: Sequence[tuple[Result, Result]], figures: Sequence[str]) -> list[PooledGain]:
    """The later model minus the earlier one, in each figure.

    Args:
        pairs: each run's earlier and later model, on the same questions.
        figures: keys; those that not all results have are passed over.
    """
    return [
        gain
        for key in figures
        for shown in ((False, True) if figure(key).of_text else (False,))
        if (gain := _pooled(pairs, key, shown))
    ]


def _pooled(pairs: Sequence[tuple[Result, Result]], key: str, shown: bool) -> PooledGain | None:
    """One figure; None where not every run can be compared in it."""
    values: list[tuple[pd.Series, pd.Series]] = []
    for results in pairs:
        tables = [one.shown_by_question if shown else one.by_question for one in results]
        if not all(key in one for one in tables):
            return None
        both = tables[0].index.intersection(tables[1].index)
        if len(both) < 2:
            return None
        values.append((tables[0].loc[both, key], tables[1].loc[both, key]))
    bounds = figure(key).bounds
    runs = tuple(paired_interval(later.tolist(), earlier.tolist(), bounds) for earlier, later in values)
    together = pd.concat([later - earlier for earlier, later in values])
    levels = [float(np.mean([pair[side].mean() for pair in values])) for side in (0, 1)]
    pooled = clustered_interval(together.to_numpy(), together.index.to_numpy(), bounds, differences=True)
    return PooledGain(key, shown, runs, pooled, (levels[0], levels[1]))


def read_pair(root: Path, models: Sequence[str], test_set: str = "") -> tuple[Result, Result]:
    """A run's two results of protocol zh, their questions in one order.

    Args:
        root: the folder that holds a folder a stage.
        models: the earlier and the later one's name.
        test_set: which one; "" where the run has one.

    Raises:
        FileError: no evaluation there, a model that it lacks, several test sets or none of the name, other questions.
    """
    results = [Result.read(file) for file in sorted((root / "eval").glob("*.zh.json"))]
    sets = sorted({result.test_set for result in results})
    if results and (test_set not in sets if test_set else len(sets) > 1):
        raise FileError(f"{root}/eval: test sets {', '.join(sets)}. Name one of them: --test-set {sets[0]}.")
    found = {result.model: result for result in results if result.test_set == (test_set or sets[0])}
    if missing := [name for name in models if name not in found]:
        raise FileError(f"{root}/eval: no result of {missing[0]}, found {', '.join(found) or 'none'}. Run `make eval`.")
    earlier, later = (found[name] for name in models)
    if set(earlier.by_question.index) != set(later.by_question.index):
        raise FileError(f"{root}/eval: {models[0]} and {models[1]} were scored on other questions. Run `make eval`.")
    earlier.by_question.sort_index(inplace=True)
    later.by_question.sort_index(inplace=True)
    return earlier, later


def render(gains: Sequence[PooledGain], names: Sequence[str], models: Sequence[str]) -> Markdown:
    """The gains as a Markdown table, a column a run."""
    rows = (
        [
            figure(gain.figure).label + (", shown by both" if gain.shown else ""),
            *(f"{level:.2f}" for level in gain.levels),
            *map(signed, gain.runs),
            signed(gain.pooled),
        ]
        for gain in gains
    )
    return table(["Figure", *models, *names, "together"], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of runs, each with an eval folder")
    parser.add_argument(
        "--models", nargs=2, default=_MODELS, help="the earlier and the later model (default: %(default)s)"
    )
    parser.add_argument(
        "--figures",
        nargs="+",
        default=figures_of("gains"),
        choices=[one.key for one in FIGURES],
        help="what to compare",
    )
    parser.add_argument("--test-set", default="", help="which one, where a run has several")
    options = parser.parse_args(arguments)
    try:
        pairs = [read_pair(root, options.models, options.test_set) for root in options.runs]
    except FileError as error:
        sys.exit(f"error: {error}")
    if not (gains := pool(pairs, options.figures)):
        sys.exit(f"error: none of {', '.join(options.figures)} is in every result. Name figures that all have.")
    print(render(gains, [root.name for root in options.runs], options.models), end="")


if __name__ == "__main__":
    main()
