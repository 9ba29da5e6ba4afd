"""The paper's tables from the ledger: over seeds, with runs that had no signal, as files."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from common.files import FileError
from eval.ledger import Entry
from eval.metrics.protocols import Protocol
from eval.paper_tables import comparable, differences, draw
from eval.results import Result
from eval.statistics import Interval, t_interval
from eval.tables_folder import TABLES_FILE, read_tables, write_tables

ZH, PAPER = Protocol("zh").signature, Protocol("paper").signature
QUESTIONS = {42: ["a", "b", "c"], 1: ["c", "d", "e"], 2: ["f", "g", "h"]}


def result(model: str, seed: int, values: Sequence[float], signature: str = ZH, test_set: str = "sample") -> Result:
    keys = ("navg", "bleu_1", "chars", *(["reward"] if signature == ZH else []))
    scores = pd.DataFrame(dict.fromkeys(keys, values)).assign(
        question_id=QUESTIONS[seed], sample=0, shown="好", fault=""
    )
    return Result.of(model, test_set, signature, scores)


def entry(model: str, seed: int, values: Iterable[float], **more: Any) -> Entry:
    values = list(values)
    results = [result(model, seed, values), result(model, seed, values, PAPER)]
    fixed = {
        "settings": "s",
        "asked": "a",
        "commit": f"commit{seed}",
        "started": "2026",
        "seconds": 60.0,
        "results": results,
    }
    return Entry("tiny", "sample", model, seed, **{**fixed, **more})


SFT = [entry("SFT", seed, np.array([0.1, 0.2, 0.3]) + shift) for seed, shift in ((42, 0.0), (1, 0.1), (2, 0.3))]
BOTH = [
    entry("SFT+GRPO", seed, np.array([0.3, 0.3, 0.3]) + shift, rewards=[0.5, 1.0, 0.5, 1.0])
    for seed, shift in ((42, 0.0), (1, 0.2), (2, 0.4))
]
SILENT = entry(
    "GRPO only", 1, [0, 0, 0], results=[], rewards=[0.0] * 9, no_signal="no signal: all 80 groups tie. More."
)


def cells(entries: Sequence[Entry], model: str, number: str = "3") -> dict[str, Any]:
    table = draw(entries, number, "zh", ["SFT", "GRPO only", "SFT+GRPO"])
    assert table is not None
    (row,) = (row for row in table.rows if row.model == model)
    return dict(row.cells)


def tables_of(entries: Sequence[Entry]) -> str:
    table = draw(entries, "3", "zh", ["SFT"])
    assert table is not None
    return table.markdown()


def test_three_runs_have_students_interval_over_the_runs() -> None:
    means = [0.2, 0.3, 0.5]
    found = cells(SFT, "SFT")["navg"]
    half = t.ppf(0.975, 2) * np.std(means, ddof=1) / np.sqrt(3)
    # It would begin below 0, where NAvg ends.
    assert half > 1 / 3
    assert (found.mean, found.low, found.high) == pytest.approx((1 / 3, 0.0, 1 / 3 + half))


def test_fewer_runs_have_an_interval_over_questions_where_there_are_enough() -> None:
    for runs, mean in ((1, 0.2), (2, 0.25)):
        found = cells(SFT[:runs], "SFT")["navg"]
        assert (found.mean, found.ends) == (pytest.approx(mean), None)
    assert "| 0.200 | 0.200 |" in re.sub(" +", " ", tables_of(SFT[:1]))


def test_students_interval_covers_where_a_bootstrap_of_three_does_not() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.normal(0.0, 1.0, (1000, 3))
    ends = [interval.ends for interval in map(t_interval, drawn.tolist())]
    inside = [found[0] <= 0 <= found[1] for found in ends if found]
    assert 0.93 < np.mean(inside) < 0.97
    with pytest.raises(ValueError, match="1 values, expected two or more"):
        t_interval([1.0])


def test_table_3_tells_the_spread_over_seeds_and_steps() -> None:
    found = cells([*SFT, *BOTH], "SFT+GRPO")
    assert found["navg_seeds"] == pytest.approx(0.2)
    # The steps go up and down by 0.5: sqrt(0.25 / 2), and a straight rise would have hardly any.
    assert found["reward_steps"] == pytest.approx(0.5 / np.sqrt(2))
    assert "reward_steps" not in cells([*SFT, *BOTH], "SFT")
    assert "navg_seeds" not in cells([*SFT, *BOTH], "SFT", "4")


def test_a_run_without_signal_is_a_row_and_no_result() -> None:
    table = draw([*SFT, SILENT, *BOTH], "3", "paper", ["base", "SFT", "GRPO only", "SFT+GRPO"])
    assert table is not None
    ours = [(row.model, bool(row.cells), row.note) for row in table.rows if row.source == "ours"]
    # Nor is it the steadiest of all: it has no spread over its steps.
    assert ours == [
        ("SFT", True, "3 runs"),
        ("GRPO only", False, "0 runs, seed 1: no signal: all 80 groups tie"),
        ("SFT+GRPO", True, "3 runs"),
    ]
    assert "| sample | GRPO only | – | – |" in re.sub(" +", " ", table.markdown())
    assert [row.model for row in table.rows if row.source == "paper"][-1] == "Empathy-R1"
    alone = draw([SILENT], "3", "zh", ["GRPO only"])
    assert alone is not None
    assert "no signal" in alone.markdown()


def test_people_s_ranking_stands_in_table_2_alone() -> None:
    ranked = entry("SFT+GRPO", 42, [0.1, 0.2, 0.3], rankings={"sample": {"win_1": Interval(40.0, 30.0, 50.0)}})
    assert cells([ranked], "SFT+GRPO", "2")["win_1"].mean == 40.0
    assert "win_1" not in cells([ranked], "SFT+GRPO", "3")


def test_a_ranking_tells_among_how_many() -> None:
    wins = {"sample": {"win_1": Interval(40.0, 30.0, 50.0)}}
    table = draw([entry("SFT+GRPO", 42, [0.1, 0.2, 0.3], rankings=wins, ranked_among=4)], "2", "zh", ["SFT+GRPO"])
    assert table is not None
    assert "SFT+GRPO, sample: 1 run, ranked by people among 4 models." in re.sub(" +", " ", table.markdown())


def test_runs_that_can_t_be_summed_up_are_left_out_and_named() -> None:
    old = entry("SFT", 1, [0.9, 0.9, 0.9], results=[result("SFT", 1, [0.9, 0.9, 0.9], ZH + "|v9")])
    kept, left_out = comparable([old, *SFT[:1]])
    assert (kept, left_out) == (SFT[:1], ["SFT, seed 1: scored by another version of the metrics"])
    trial = entry("SFT", 2, [0.9, 0.9, 0.9], settings="other")
    assert comparable([trial, *BOTH, SFT[0]]) == (
        [*BOTH, SFT[0]],
        ["SFT, seed 2: of other settings than the newest run"],
    )
    greedy = entry("SFT", 2, [0.9, 0.9, 0.9], asked="greedy")
    told = ["SFT, seed 2: asked or scored in another way than in the newest run"]
    assert comparable([greedy, *BOTH, SFT[0]]) == ([*BOTH, SFT[0]], told)
    # A run without signal was not asked at all, and its model's other seeds stay.
    whole = [entry("GRPO only", 42, [0.1, 0.1, 0.1]), SILENT]
    assert comparable(whole) == (whole, [])
    # Another split of the seed: rows of other posts stand beside each other, and pairs would be of two posts.
    moved = entry("SFT", 1, [0.9, 0.9, 0.9], results=[result("SFT", 2, [0.9, 0.9, 0.9])])
    assert comparable([moved, *BOTH]) == (BOTH, ["SFT, seed 1: on other questions than the seed's newest run"])
    assert comparable([*SFT, SILENT, *BOTH]) == ([*SFT, SILENT, *BOTH], [])


def test_both_readings_where_some_replies_show_nothing() -> None:
    scores = pd.DataFrame(
        {
            "question_id": ["a", "a", "b", "b", "c", "c"],
            "sample": [0, 1] * 3,
            "shown": "好",
            "fault": ["", "no_answer", "", "", "no_answer", "no_answer"],
            "visible": [1.0, 0.0, 1.0, 1.0, 0.0, 0.0],
            "navg": [0.4, 0.0, 0.2, 0.4, 0.0, 0.0],
            "chars": [5, 0, 5, 5, 0, 0],
        }
    )
    mixed = entry("SFT", 42, [0, 0, 0], results=[Result.of("SFT", "sample", ZH, scores)])
    table = draw([mixed, *BOTH[:1]], "3", "zh", ["SFT", "SFT+GRPO"])
    assert table is not None
    means = {row.label: one.mean for row in table.rows if isinstance(one := row.cells["navg"], Interval)}
    assert means == pytest.approx({"SFT": 0.5 / 3, "SFT (shown only)": 0.35, "SFT+GRPO": 0.3})
    assert "visible" not in table.rows[1].cells
    assert "3 replies show nothing (no answer)" in table.markdown()
    _, gains = differences([mixed, *BOTH[:1]], "SFT+GRPO", "SFT", "sample", ["navg"])
    assert {gain.shown: gain.pooled.mean for gain in gains} == pytest.approx({False: 0.3 - 0.5 / 3, True: -0.05})


def test_no_entry_no_table() -> None:
    assert draw(SFT, "4", "zh", ["w/o CoE"]) is None


def test_differences_pair_the_questions_of_a_seed() -> None:
    seeds, gains = differences([*SFT, *BOTH[1:]], "SFT+GRPO", "SFT", "sample", ["navg", "format"])
    assert seeds == [1, 2]
    for gain in gains:
        assert [run.mean for run in gain.runs] == pytest.approx([0.2, 0.2])
    assert [(gain.figure, gain.shown) for gain in gains] == [("navg", False), ("navg", True)]
    assert differences(SFT, "SFT+GRPO", "SFT", "sample", ["navg"]) == ([], [])


def test_the_files(tmp_path: Path) -> None:
    own = entry("my variant", 42, [0.1, 0.2, 0.3])
    rival = entry("EmoLLM", 42, [0.1, 0.2, 0.3], seconds=None)
    drawn = write_tables([*SFT, SILENT, *BOTH, own, rival], "tiny", tmp_path, ["SFT+GRPO", "SFT", "my variant"])
    names = {path.name for path in drawn}
    assert names == {"tables.md", *(f"table{n}.{p}.sample.tex" for n in (2, 3, 4) for p in ("paper", "zh"))}
    text = (tmp_path / "tables.md").read_text(encoding="utf-8")
    assert "- SFT+GRPO: seed 42 (1.0 min, commit42), 1 (1.0 min, commit1), 2 (1.0 min, commit2)" in text
    assert "- GRPO only: seed 1 (no signal, 1.0 min, commit1)" in text
    assert "- EmoLLM: seed 42 (commit42)" in text
    tables = read_tables(tmp_path / TABLES_FILE)
    for name, number in {"EmoLLM": "2", "my variant": "3"}.items():
        titles = [table.title for table in tables if name in {row.model for row in table.rows}]
        assert len(titles) == 2
        assert all(f"Table {number}" in title for title in titles)
    assert "SFT+GRPO − SFT on sample, protocol zh, by seed and pooled by question:" in text
    assert "| Base Model (paper) " in text
    assert (tmp_path / "steps.sample.png").stat().st_size > 5000
    assert [table.title for table in tables][1] == "Table 2, protocol zh (sample)"
    for table in tables:
        assert table.markdown() in text
    assert write_tables(SFT, "qwen3_8b", tmp_path / "other", []) == []
    assert read_tables(tmp_path / "nothing.json") == []
    (tmp_path / TABLES_FILE).write_text(json.dumps([{"title": "x"}]))
    with pytest.raises(FileError, match="expected the tables of `make tables`"):
        read_tables(tmp_path / TABLES_FILE)
