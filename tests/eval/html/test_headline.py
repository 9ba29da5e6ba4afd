"""The first sentence about the text is about the text: not about how many replies show any."""

import numpy as np
import pandas as pd
import pytest

from eval.compare import compare
from eval.html.headline import headline
from eval.results import Result
from eval.seeds import pool

QUESTIONS, SAMPLES = 36, 8


def result(model: str, empty: int, gain: float) -> Result:
    """288 replies of known quality, of which `empty` show nothing; those of two models are the same but for `gain`."""
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(
        {
            "question_id": np.repeat([f"q{n}" for n in range(QUESTIONS)], SAMPLES),
            "sample": np.tile(range(SAMPLES), QUESTIONS),
            "shown": "好",
            "navg": np.repeat(rng.normal(0.35, 0.02, QUESTIONS), SAMPLES) + gain,
            "chars": np.repeat(rng.integers(150, 250, QUESTIONS), SAMPLES),
        }
    )
    silent = np.zeros(len(rows), dtype=bool)
    silent[np.random.default_rng(6).permutation(len(rows))[:empty]] = True
    rows = rows.assign(fault=np.where(silent, "no_answer", ""), visible=(~silent).astype(float))
    rows.loc[silent, ["navg", "chars"]] = 0.0
    return Result.of(model, "sample", "s", rows)


@pytest.mark.parametrize(
    ("empty", "gain", "verdict"),
    [
        (100, 0.02, "SFT+GRPO is higher than SFT: +0.020"),
        (44, 0.0, "no clear difference between SFT+GRPO and SFT: +0.000"),
        (44, -0.02, "SFT+GRPO is lower than SFT: −0.020"),
    ],
    ids=["better text", "only fewer empty replies", "fewer empty replies and worse text"],
)
def test_the_headline_does_not_reverse(empty: int, gain: float, verdict: str) -> None:
    results = [result("SFT", 100, 0.0), result("SFT+GRPO", empty, gain)]
    gains = compare(results, ["navg"], 1)
    if empty == 44:
        # Over all replies the later model is clearly higher, whatever it writes.
        assert gains[0].gain.low is not None
        assert gains[0].gain.low > 0.02
    ((_, sentence),) = headline(gains, results, ["navg"])
    share = "65%" if empty == 100 else "85%"
    assert sentence.startswith(
        f"NAvg: SFT+GRPO shows a reader something in {share} of its replies, SFT in 65%; over the "
    )
    assert f"and those replies alone, {verdict}" in sentence


def test_runs_together_are_read_both_ways_too() -> None:
    pairs = [(result("SFT", 100, 0.0), result("SFT+GRPO", 44, -0.02))]
    everything, shown = pool(pairs, ["navg"])
    assert everything.pooled.low is not None
    assert everything.pooled.low > 0.02
    assert shown.pooled.mean == pytest.approx(-0.02)
