"""How often the intervals of a human study hold the true share of first places, by numbers of raters and questions.

    python -m benchmarks.raters                        # four minutes of a processor

Raters have tastes of their own, questions suit one model or the other, and each order has an error of its own: all
three are normal, on the scale of a probit. In brackets the interval over questions alone, which takes the raters as
given.
"""

import sys
from dataclasses import dataclass
from typing import Final

import numpy as np
from omegaconf import OmegaConf
from tqdm import tqdm

from common.pages import table
from common.records.rankings import Ranking
from common.settings import build
from eval.human.analysis import analyse
from eval.statistics import mean_interval

_SIZES: Final = ((3, 10), (3, 30), (5, 30), (10, 30))
_TASTES: Final = (0.0, 0.5, 1.0)
_QUESTIONS: Final = 0.5


@dataclass(frozen=True)
class Options:
    """What is simulated.

    Attributes:
        studies: of each size.
        seed: of all draws.
    """

    studies: int = 60
    seed: int = 1


def main() -> None:
    """Simulate and print."""
    options = build(Options, OmegaConf.from_cli(sys.argv[1:]), "benchmarks.raters")
    rng, lines = np.random.default_rng(options.seed), []
    for raters, questions in tqdm(_SIZES, unit="size", disable=None):
        cells = [_cover(raters, questions, taste, options.studies, rng) for taste in _TASTES]
        lines.append([str(raters), str(questions), *cells])
    print(f"{options.studies} studies of each size; spread of raters' tastes, beside an order's own error of 1\n")
    print(table(["raters", "questions", *(f"tastes {taste}" for taste in _TASTES)], lines))


def _cover(raters: int, questions: int, taste: float, studies: int, rng: np.random.Generator) -> str:
    """How many of the studies hold 50 %, which each of two models has by symmetry."""
    inside, alone = [], []
    for number in range(studies):
        liking = rng.normal(0, taste, (raters, 1)) + rng.normal(0, _QUESTIONS, (1, questions))
        first = liking + rng.normal(0, 1, (raters, questions)) > 0
        rankings = [
            Ranking(f"r{rater}", f"q{question}", ("x", "y") if first[rater, question] else ("y", "x"))
            for rater in range(raters)
            for question in range(questions)
        ]
        ends = analyse(rankings, number, strength_resamples=2).models["x"].win_1.ends
        inside.append(ends is not None and ends[0] <= 50 <= ends[1])
        ends = mean_interval(100 * first.mean(axis=0), (0.0, 100.0)).ends
        alone.append(ends is not None and ends[0] <= 50 <= ends[1])
    return f"{np.mean(inside):.1%} ({np.mean(alone):.1%})"


if __name__ == "__main__":
    main()
