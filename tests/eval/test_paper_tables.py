"""The paper's tables from the ledger: over seeds, with runs that had no signal, as files."""

import json
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
from eval.paper_tables import differences, draw
from eval.results import Result
from eval.statistics import Interval, bootstrap_mean, clustered_bootstrap, t_interval
from eval.tables_folder import TABLES_FILE, read_tables, write_tables

ZH, PAPER = Protocol("zh").signature, Protocol("paper").signature
QUESTIONS = {42: ["a", "b", "c"], 1: ["c", "d", "e"], 2: ["f", "g", "h"]}


def result(model: str, seed: int, values: Sequence[float], signature: str = ZH, test_set: str = "sample") -> Result:
    keys = ("navg", "bleu_1", "chars", *(["reward"] if signature == ZH else []))
    scores = pd.DataFrame(dict.fromkeys(keys, values)).assign(
        question_id=QUESTIONS[seed], sample=0, shown="好", fault=""
    )
    return Result.of(model, test_set, signature, scores, 0)


def entry(model: str, seed: int, values: Iterable[float], **more: Any) -> Entry:
    values = list(values)
    results = [result(model, seed, values), result(model, seed, values, PAPER)]
    return Entry("tiny", "sample", model, seed, f"commit{seed}", "2026", 60.0, **{"results": results, **more})


SFT = [entry("SFT", seed, np.array([0.1, 0.2, 0.3]) + shift) for seed, shift in ((42, 0.0), (1, 0.1), (2, 0.3))]
BOTH = [
    entry("SFT+GRPO", seed, np.array([0.3, 0.3, 0.3]) + shift, rewards=[0.5, 1.0, 0.5, 1.0])
    for seed, shift in ((42, 0.0), (1, 0.2), (2, 0.4))
]
SILENT = Entry("tiny", "sample", "GRPO only", 1, "c", "2026", 60.0, no_signal="no signal: all 80 groups tie. More.")


def cells(entries: Sequence[Entry], model: str, number: str = "3") -> dict[str, Any]:
    table = draw(entries, number, "zh", ["SFT", "GRPO only", "SFT+GRPO"], 0)
    assert table is not None
    (row,) = (row for row in table.rows if row.model == model)
    return dict(row.cells)


def test_three_runs_have_students_interval_over_the_runs() -> None:
    means = [0.2, 0.3, 0.5]
    found = cells(SFT, "SFT")["navg"]
    half = t.ppf(0.975, 2) * np.std(means, ddof=1) / np.sqrt(3)
    assert (found.mean, found.low, found.high) == pytest.approx((1 / 3, 1 / 3 - half, 1 / 3 + half))


def test_fewer_runs_are_bootstrapped_over_questions() -> None:
    assert cells(SFT[:1], "SFT")["navg"] == bootstrap_mean([0.1, 0.2, 0.3], 0)
    values, ids = [0.1, 0.2, 0.3, 0.2, 0.3, 0.4], [*QUESTIONS[42], *QUESTIONS[1]]
    found, expected = cells(SFT[:2], "SFT")["navg"], clustered_bootstrap(values, ids, 0)
    assert (found.mean, found.low, found.high) == pytest.approx((expected.mean, expected.low, expected.high))


def test_students_interval_covers_where_a_bootstrap_of_three_does_not() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.normal(0.0, 1.0, (1000, 3))
    inside = [interval.low <= 0 <= interval.high for interval in map(t_interval, drawn.tolist())]
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
    table = draw([*SFT, SILENT, *BOTH], "3", "paper", ["base", "SFT", "GRPO only", "SFT+GRPO"], 0)
    assert table is not None
    ours = [(row.model, bool(row.cells), row.note) for row in table.rows if row.source == "ours"]
    assert ours == [
        ("SFT", True, ""),
        ("GRPO only", False, "seed 1: no signal: all 80 groups tie"),
        ("SFT+GRPO", True, ""),
    ]
    assert "| sample | GRPO only | – | – |" in table.markdown()
    assert [row.model for row in table.rows if row.source == "paper"][-1] == "Empathy-R1"
    alone = draw([SILENT], "3", "zh", ["GRPO only"], 0)
    assert alone is not None
    assert "no signal" in alone.markdown()


def test_people_s_ranking_stands_in_table_2_alone() -> None:
    ranked = entry("SFT+GRPO", 42, [0.1, 0.2, 0.3], rankings={"sample": {"win_1": Interval(40.0, 30.0, 50.0)}})
    assert cells([ranked], "SFT+GRPO", "2")["win_1"].mean == 40.0
    assert "win_1" not in cells([ranked], "SFT+GRPO", "3")


def test_runs_of_an_earlier_version_of_the_metrics_are_left_out_and_named() -> None:
    old = entry("SFT", 1, [0.9, 0.9, 0.9], results=[result("SFT", 1, [0.9, 0.9, 0.9], ZH + "|v9")])
    table = draw([old, SFT[0]], "3", "zh", ["SFT"], 0)
    assert table is not None
    assert [row.cells["navg"] for row in table.rows] == [bootstrap_mean([0.1, 0.2, 0.3], 0)]
    assert "another version of the metrics scored them: SFT, seed 1." in table.markdown()
    assert differences(
        [entry("SFT+GRPO", 1, [0.9, 0.9, 0.9]), old, *BOTH[:1]], "SFT+GRPO", "SFT", "sample", ["navg"], 0
    ) == ([], [])


def test_no_entry_no_table() -> None:
    assert draw(SFT, "4", "zh", ["w/o CoE"], 0) is None


def test_differences_pair_the_questions_of_a_seed() -> None:
    seeds, gains = differences([*SFT, *BOTH[1:]], "SFT+GRPO", "SFT", "sample", ["navg", "format"], 0)
    assert seeds == [1, 2]
    (gain,) = gains
    assert [run.mean for run in gain.runs] == pytest.approx([0.2, 0.2])
    assert differences(SFT, "SFT+GRPO", "SFT", "sample", ["navg"], 0) == ([], [])


def test_the_files(tmp_path: Path) -> None:
    drawn = write_tables([*SFT, SILENT, *BOTH], "tiny", tmp_path, [], 0)
    names = {path.name for path in drawn}
    assert names == {"tables.md", *(f"table{n}.{p}.sample.tex" for n in (2, 3, 4) for p in ("paper", "zh"))}
    text = (tmp_path / "tables.md").read_text(encoding="utf-8")
    assert "- SFT+GRPO: seed 42 (1.0 min, commit42), 1 (1.0 min, commit1), 2 (1.0 min, commit2)" in text
    assert "- GRPO only: seed 1 (no signal, 1.0 min, c)" in text
    assert "SFT+GRPO − SFT on sample, protocol zh, by seed and pooled by question:" in text
    assert "| Base Model (paper) |" in text
    assert (tmp_path / "steps.png").stat().st_size > 5000
    tables = read_tables(tmp_path / TABLES_FILE)
    assert [table.title for table in tables][1] == "Table 2, protocol zh"
    for table in tables:
        assert table.markdown() in text
    assert write_tables(SFT, "qwen3_8b", tmp_path / "other", [], 0) == []
    assert read_tables(tmp_path / "nothing.json") == []
    (tmp_path / TABLES_FILE).write_text(json.dumps([{"title": "x"}]))
    with pytest.raises(FileError, match="expected the tables of `make tables`"):
        read_tables(tmp_path / TABLES_FILE)
