"""How often intervals of 95 % hold the true mean, beside those of the percentile bootstrap in the same run.

    python -m benchmarks.coverage                      # four minutes of a processor
    python -m benchmarks.coverage samples=200 detail=true
    python -m benchmarks.coverage samples=600 fewer=true     # 5 to 10 questions, which `eval.intervals.LEAST` is from

Populations are the questions' values in the ledger of finished runs: of every model, figure and reading, and of the
differences that the paper's tables are read for; and normal, skewed and binary ones. Samples of each are drawn, and the
share of their intervals that hold the population's mean is counted. Samples that get no interval do not count; how many
do not is told. The percentile bootstrap's share stands in brackets.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from omegaconf import OmegaConf
from tqdm import tqdm

from common.pages import table
from common.settings import build
from eval.figures import figure, figures_of
from eval.intervals import UNBOUNDED
from eval.ledger import read_entries
from eval.paper_tables import COMPARED, is_of
from eval.results import Result
from eval.statistics import Interval, length_controlled, mean_interval, paired_interval

Floats = npt.NDArray[np.float64]
_SIZES: Final = (10, 15, 20, 30, 50, 100)
_FEWER: Final = (5, 6, 7, 8, 9, 10)
_RESAMPLES: Final = 1000
_ROUNDING: Final = 1e-9
_SHARES: Final = ("visible", "answer", "heldout_answer", "format", "reward", "cut")
_OTHERS: Final = {"chars": "length", "cosine": "cosine", "copy_overlap": "copied"}


@dataclass(frozen=True)
class Options:
    """What is simulated.

    Attributes:
        samples: of each population and size.
        ledger: of `make tables`.
        seed: of all draws.
        detail: whether every population has a row, and not only those that are covered too seldom or too often.
        fewer: whether 5 to 10 questions are tried, with the figures of one model, and nothing else.
    """

    samples: int = 1000
    ledger: str = "results/tiny.jsonl"
    seed: int = 1
    detail: bool = False
    fewer: bool = False


@dataclass(frozen=True, slots=True)
class Population:
    """What samples are drawn from.

    Attributes:
        group: row of the table.
        name: of the population itself.
        values: one a question, drawn with the same chance.
        bounds: of the figure.
        paired: the values are differences.
        longer: difference of the logarithms of the lengths, where the gain at equal length is looked for.
    """

    group: str
    name: str
    values: Floats
    bounds: tuple[float, float]
    paired: bool = False
    longer: Floats | None = None

    @property
    def truth(self) -> float:
        """What intervals should hold."""
        return float(self.values.mean()) if self.longer is None else float(_intercept(self.values, self.longer))

    def interval(self, places: npt.NDArray[np.int64]) -> Interval:
        """Ours of a sample."""
        values, zeros = self.values[places].tolist(), [0.0] * len(places)
        if self.longer is not None:
            return length_controlled(values, zeros, np.expm1(self.longer[places]).tolist(), zeros)
        return paired_interval(values, zeros, self.bounds) if self.paired else mean_interval(values, self.bounds)

    def resampled(self, places: npt.NDArray[np.int64], weights: Floats) -> Floats:
        """The figure in each resample (columns) of each sample (rows); weights add up to 1."""
        if self.longer is None:
            return self.values[places] @ weights.T
        values, longer = self.values[places], self.longer[places]
        means = values @ weights.T, longer @ weights.T
        spread = (longer**2) @ weights.T - means[1] ** 2
        slope = ((values * longer) @ weights.T - means[0] * means[1]) / np.where(spread > _ROUNDING, spread, np.inf)
        return means[0] - slope * means[1]


def of_ledger(path: Path) -> Iterator[Population]:
    """Every figure of protocol zh by model, and by pair of models, over all seeds, in both readings."""
    runs: dict[int, list[Result]] = {}
    for entry in read_entries(path):
        runs.setdefault(entry.seed, []).extend(one for one in entry.results if is_of(one, "zh"))
    singles: dict[tuple[str, str, str], list[Floats]] = {}
    pairs: dict[tuple[str, str, str], list[pd.DataFrame]] = {}
    for results in runs.values():
        for reading in ("all", "shown"):
            tables = {one.model: one.shown_by_question if reading == "shown" else one.by_question for one in results}
            for model, own in tables.items():
                for key in own:
                    singles.setdefault((model, str(key), reading), []).append(own[key].to_numpy(dtype=float))
            for later, earlier in dict.fromkeys(pair for compared in COMPARED.values() for pair in compared):
                if later not in tables or earlier not in tables:
                    continue
                old, new = tables[earlier], tables[later]
                lengths = np.log1p(new["chars"]) - np.log1p(old["chars"])
                for key in new.columns.intersection(old.columns):
                    both = pd.DataFrame({"gain": new[key] - old[key], "longer": lengths}).dropna()
                    pairs.setdefault((f"{later} − {earlier}", str(key), reading), []).append(both)
    for (model, key, reading), parts in singles.items():
        name = f"{model}, {figure(key).label}, {reading}"
        yield Population(f"{_kind(key)}, one model", name, np.concatenate(parts), figure(key).bounds)
    for (models, key, reading), gains in pairs.items():
        name, whole = f"{models}, {figure(key).label}, {reading}", pd.concat(gains)
        values, bounds = whole["gain"].to_numpy(), figure(key).bounds
        yield Population(f"{_kind(key)}, difference", name, values, bounds, True)
        if reading == "shown" and key in figures_of("gains"):
            longer = whole["longer"].to_numpy()
            yield Population("at equal length", f"{name}, equal length", values, bounds, True, longer)


def _kind(key: str) -> str:
    return "shares of replies, reward" if key in _SHARES else _OTHERS.get(key, "text figures")


def _intercept(values: Floats, longer: Floats) -> float:
    return float(np.polyfit(longer, values, 1)[1])


def made_up(rng: np.random.Generator) -> Iterator[Population]:
    """Known shapes."""
    share = (0.0, 1.0)
    yield Population("normal", "normal", rng.normal(0.0, 1.0, 50_000), UNBOUNDED)
    for spread in (0.5, 1.0):
        values = rng.lognormal(0.0, spread, 50_000)
        yield Population(f"lognormal, σ = {spread}", "lognormal", values, (0.0, np.inf))
    for chance in (0.5, 0.7, 0.8, 0.9, 0.95):
        values = np.repeat([1.0, 0.0], [round(1000 * chance), round(1000 * (1 - chance))])
        yield Population(f"binary, p = {chance}", "binary", values, share)
    for better, worse in ((0.3, 0.1), (0.1, 0.05), (0.05, 0.0)):
        counts = [round(1000 * part) for part in (better, worse, 1 - better - worse)]
        values = np.repeat([1.0, -1.0, 0.0], counts)
        yield Population(f"binary difference, +{better:.0%}, −{worse:.0%}", "binary", values, share, True)


def coverage(population: Population, size: int, samples: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Share that hold the mean, of ours and of the percentile bootstrap, and share of samples with an interval."""
    places, truth = rng.integers(0, len(population.values), (samples, size)), population.truth
    ends = [found for row in places if (found := population.interval(row).ends)]
    inside = [low - _ROUNDING <= truth <= high + _ROUNDING for low, high in ends]
    # All samples are drawn again alike: which of their values come up does not depend on them.
    weights = rng.multinomial(size, np.full(size, 1 / size), _RESAMPLES) / size
    low, high = np.percentile(population.resampled(places, weights), [2.5, 97.5], axis=1)
    usual = (low - _ROUNDING <= truth) & (truth <= high + _ROUNDING)
    return float(np.mean(inside)) if inside else np.nan, float(usual.mean()), len(ends) / samples


def main() -> None:
    """Simulate and print."""
    options = build(Options, OmegaConf.from_cli(sys.argv[1:]), "benchmarks.coverage")
    rng = np.random.default_rng(options.seed)
    of_runs = [one for one in of_ledger(Path(options.ledger)) if np.ptp(one.values) > _ROUNDING]
    if options.fewer:
        print(_fewer([one for one in of_runs if not one.paired], options.samples, rng))
        return
    rows = []
    for population in tqdm([*of_runs, *made_up(rng)], unit="population", disable=None):
        for size in _SIZES:
            found = coverage(population, size, options.samples, rng)
            rows.append((population.group, population.name, size, *found))
    shares = pd.DataFrame(rows, columns=["group", "name", "size", "ours", "usual", "given"])
    print(f"{options.samples} samples of each population and size, per cent: lowest, median, highest population\n")
    print(_by_group(shares))
    shares = shares[shares["name"].isin([one.name for one in of_runs])]
    # Two standard errors of the simulation beyond 93 to 97 %.
    error = 2 * np.sqrt(0.05 * 0.95 / options.samples)
    odd = shares if options.detail else shares[~shares["ours"].between(0.93 - error, 0.97 + error)]
    print(f"\n{odd['name'].nunique()} of {len(of_runs)} populations of the ledger, per cent:\n")
    print(_by_name(shares[shares["name"].isin(odd["name"])]))


def _fewer(populations: Sequence[Population], samples: int, rng: np.random.Generator) -> str:
    lines = []
    for size in _FEWER:
        shares = []
        for one in tqdm(populations, desc=str(size), unit="population", disable=None):
            drawn = rng.choice(one.values, (samples, size))
            ends = [found for row in drawn if (found := mean_interval(row, one.bounds, least=size).ends)]
            inside = [low - _ROUNDING <= one.truth <= high + _ROUNDING for low, high in ends]
            shares.append(float(np.mean(inside)))
        odd = np.mean([not 0.93 <= share <= 0.97 for share in shares])
        lines.append([str(size), _spread(shares), f"{odd:.0%}"])
    return table(["questions", "coverage", "outside 93 to 97 %"], lines)


def _by_group(found: pd.DataFrame) -> str:
    lines = []
    for group, own in found.groupby("group", sort=False):
        cells = []
        for _, here in own.groupby("size"):
            none = 1 - here["given"].min()
            cell = f"{_spread(here['ours'])} ({_spread(here['usual'])})"
            cells.append(cell + (f"; none in up to {none:.0%}" if none > 0.01 else ""))
        lines.append([f"{group} ({own['name'].nunique()})", *cells])
    return table(["population (how many)", *(f"n = {size}" for size in _SIZES)], lines)


def _by_name(found: pd.DataFrame) -> str:
    lines = [
        [str(name), *(f"{100 * ours:.1f}" for ours in own.sort_values("size")["ours"])]
        for name, own in found.groupby("name", sort=False)
    ]
    return table(["population", *(f"n = {size}" for size in _SIZES)], lines)


def _spread(shares: Sequence[float]) -> str:
    values = 100 * np.asarray(shares)
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{np.nanmin(values):.1f}, {np.nanmedian(values):.1f}, {np.nanmax(values):.1f}"


if __name__ == "__main__":
    main()
