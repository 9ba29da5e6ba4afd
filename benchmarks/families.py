"""How often the two families of tests of `eval.compare` find a difference: where there is none, and where there is one.

    python -m benchmarks.families                      # five minutes of a processor
    python -m benchmarks.families runs=20

Eight models answer 100 questions, drawn from the ledger of finished runs; each one's values are those of one of the
ledger's models on that question, by lot. So no model is better, and figures depend on each other as they do in runs.
Then the last model gets a part of a standard deviation more in every figure.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from omegaconf import OmegaConf
from tqdm import tqdm

from common.pages import table
from common.settings import build
from eval.compare import PRIMARY, SECONDARY, Gain, compare
from eval.figures import figure, figures_of
from eval.ledger import read_entries
from eval.paper_tables import is_of
from eval.results import Result

_MODELS: Final = ("base", "A", "B", "C", "D", "E", "SFT", "SFT+GRPO")
_QUESTIONS: Final = 100
_BETTER: Final = (0.0, 0.3, 0.5)
_CLEAR: Final = 0.05


@dataclass(frozen=True)
class Options:
    """What is simulated.

    Attributes:
        runs: without a difference; with one, a fifth as many.
        ledger: of `make tables`.
        seed: of all draws.
    """

    runs: int = 150
    ledger: str = "results/tiny.jsonl"
    seed: int = 1


def main() -> None:
    """Simulate and print."""
    options = build(Options, OmegaConf.from_cli(sys.argv[1:]), "benchmarks.families")
    questions, rng, lines = _questions(Path(options.ledger)), np.random.default_rng(options.seed), []
    sizes: dict[str, int] = {}
    for better in _BETTER:
        found = []
        runs = max(1, options.runs // 5) if better else options.runs
        for number in tqdm(range(runs), desc=f"better by {better}", unit="run", disable=None):
            gains = compare(_run(questions, better, rng), list(questions[0].columns), number)
            sizes = {p.family: p.tests for gain in gains for p in (gain.p, gain.p_shown) if p is not None}
            found.append([_clear(gains, family) for family in (PRIMARY, SECONDARY)])
        lines.append([f"{better:.1f}", str(runs), *_cells(found)])
    tests = " and ".join(f"{size} {family}" for family, size in sizes.items())
    print(f"{len(_MODELS)} models, {_QUESTIONS} questions, {tests} tests")
    print("Better by: standard deviations of the questions' values.\n")
    told = [f"{what}, {family}" for family in (PRIMARY, SECONDARY) for what in ("any clear", "true ones found")]
    head = ["better by", "runs", *told]
    print(table(head, lines))


def _questions(ledger: Path) -> list[pd.DataFrame]:
    """For each question and seed a row a model that has all of the gains' figures."""
    tables: dict[int, list[pd.DataFrame]] = {}
    for entry in read_entries(ledger):
        for one in entry.results:
            keys = [key for key in figures_of("gains") if key in one.by_question]
            if is_of(one, "zh") and "reward" in keys and len(one.shown_by_question) == len(one.by_question):
                tables.setdefault(entry.seed, []).append(one.by_question[keys])
    return [
        pd.concat([own.loc[[question]] for own in models], ignore_index=True)
        for models in tables.values()
        for question in models[0].index
    ]


def _run(questions: Sequence[pd.DataFrame], better: float, rng: np.random.Generator) -> list[Result]:
    chosen = rng.integers(0, len(questions), _QUESTIONS)
    rows = [questions[place].iloc[rng.integers(0, len(questions[place]), len(_MODELS))] for place in chosen]
    index = pd.Index([f"q{number}" for number in range(_QUESTIONS)], name="question_id")
    results = []
    for place, model in enumerate(_MODELS):
        frame = pd.DataFrame([own.iloc[place] for own in rows]).set_index(index)
        for key in frame:
            low, high = figure(str(key)).bounds
            shift = better * frame[key].std() if model == _MODELS[-1] else 0.0
            frame[key] = (frame[key] + shift).clip(low, high)
        results.append(Result(model, "x", "s", 1, {}, {}, {}, frame, shown_by_question=frame))
    return results


def _clear(gains: Sequence[Gain], family: str) -> tuple[bool, float]:
    """Whether any test of the family is clear, and the share of those of the last model that are."""
    found = [
        (gain.ours == _MODELS[-1], p.value < _CLEAR)
        for gain in gains
        for p in {gain.p, gain.p_shown}
        if p is not None and p.family == family
    ]
    return any(clear for _, clear in found), float(np.mean([clear for last, clear in found if last]))


def _cells(found: Sequence[Sequence[tuple[bool, float]]]) -> Iterator[str]:
    for family in zip(*found, strict=True):
        yield from (f"{np.mean(column):.1%}" for column in zip(*family, strict=True))


if __name__ == "__main__":
    main()
