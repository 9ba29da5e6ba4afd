"""Gains over several runs."""

import re
from pathlib import Path

import pandas as pd
import pytest

from common.files import FileError
from eval.results import Result
from eval.seeds import main, pool, read_pair
from eval.statistics import clustered_interval, paired_interval


def result(model: str, ids: list[str], values: list[float], test_set: str = "sample") -> Result:
    scores = pd.DataFrame({"question_id": ids, "sample": 0, "shown": "好", "fault": "", "reward": values})
    return Result.of(model, test_set, "s", scores)


def write_run(root: Path, ids: list[str], before: list[float], after: list[float]) -> Path:
    (root / "eval").mkdir(parents=True)
    for stem, model, values in (("sft", "SFT", before), ("sft_grpo", "SFT+GRPO", after)):
        result(model, ids, values).write(root / "eval" / f"{stem}.zh.json")
    return root


def test_each_run_and_all_together(tmp_path: Path) -> None:
    one = write_run(tmp_path / "seed1", ["a", "b", "c"], [0, 0, 1], [1, 0, 1])
    # Another order, and a question of the other run.
    two = write_run(tmp_path / "seed2", ["d", "a"], [0, 0], [2, 1])
    (gain,) = pool([read_pair(root, ("SFT", "SFT+GRPO")) for root in (one, two)], ["reward"])
    assert [interval.mean for interval in gain.runs] == pytest.approx([1 / 3, 1.5])
    assert gain.pooled.mean == pytest.approx(4 / 5)
    assert gain.levels == pytest.approx(((1 / 3 + 0) / 2, (2 / 3 + 1.5) / 2))


def test_a_question_of_several_runs_is_one_draw() -> None:
    values, ids = [0.0, 1.0] * 30, ["a", "b"] * 30
    assert paired_interval(values, [0.0] * 60).ends is not None
    together = clustered_interval(values, ids, differences=True)
    assert (together.mean, together.ends) == (0.5, None)


def test_equal_sums_of_unequal_clusters_are_no_point() -> None:
    values, ids = [1.0] * 10 + [0.5] * 20, [*range(10), *range(10, 20), *range(10, 20)]
    interval = clustered_interval(values, ids, differences=True)
    assert interval.ends is not None
    assert interval.ends[0] < 0.6 < 0.75 < interval.ends[1]


def test_the_command_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "seed1", ["a", "b", "c"], [0, 0, 1], [1, 0, 1])
    main([str(run), "--figures", "reward"])
    printed = re.sub(" +", " ", capsys.readouterr().out)
    assert "| Figure | SFT | SFT+GRPO | seed1 | together |" in printed
    assert "| Reward | 0.33 | 0.67 | +0.333" in printed


def test_what_is_missing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "seed1", ["a", "b"], [0, 0], [1, 0])
    for arguments, words in (
        ([str(tmp_path / "nothing")], "no result of SFT, found none. Run `make eval`"),
        ([str(run), "--models", "SFT", "GRPO"], "no result of GRPO, found SFT, SFT"),
        ([str(run), "--figures", "navg"], "none of navg is in every result"),
    ):
        with pytest.raises(SystemExit, match=words):
            main(arguments)


def test_a_test_set_is_named_where_there_are_several(tmp_path: Path) -> None:
    root = write_run(tmp_path / "seed1", ["a", "b", "c"], [0, 0, 1], [1, 0, 1])
    for stem, model in (("sft", "SFT"), ("sft_grpo", "SFT+GRPO")):
        result(model, ["d", "e"], [0.0, 1.0], "PsyQA").write(root / "eval" / f"{stem}.psyqa.zh.json")
    for name in ("", "nothing"):
        with pytest.raises(FileError, match="test sets PsyQA, sample"):
            read_pair(root, ("SFT", "SFT+GRPO"), name)
    assert [one.test_set for one in read_pair(root, ("SFT", "SFT+GRPO"), "PsyQA")] == ["PsyQA", "PsyQA"]
