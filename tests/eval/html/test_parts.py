"""What the HTML report reads and draws: curves, calibration, rankings, and all that can be wrong with a run."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.files import FileError
from eval.curves import read_curves
from eval.html.inputs import Run
from eval.html.parts import number
from eval.html.plots import curve_panels, kind_panels, reliability_panel
from eval.html.report import ReportConfig, render
from eval.tables import read_standings
from reward_fns.reward_model import Threshold


def test_curves_of_training_validation_and_rollouts(
    texts: dict[str, str], write_metrics: Callable[..., None], tmp_path: Path
) -> None:
    told = {"val-core/psyqa/reward/mean@4": 1.2, "val-aux/psyqa/format/mean@4": 0.9, "val-aux/psyqa/format/std@4": 9.0}
    write_metrics(tmp_path / "metrics.jsonl", 3, **told)
    rollouts = tmp_path / "rollouts"
    rollouts.mkdir()
    rows = [{"step": 2, "output": texts["good"], "score": 2.0}, {"step": 2, "output": "无", "score": 0.0}]
    (rollouts / "2.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    curves = read_curves(tmp_path, "exact")
    assert curves is not None
    assert curves.loc[2, ["format", "answer"]].tolist() == [0.5, 0.5]
    assert curves["format"].isna().tolist() == [True, False, True]
    assert curves["val_format"].tolist() == [0.9, 0.9, 0.9]
    assert curves["val_answer"].isna().all()
    panels = {panel.title: panel.caption for panel in curve_panels(curves)}
    assert list(panels) == ["Reward", "Format", "Answer", "KL to the SFT model", "Length of outputs"]
    assert panels["Reward"].endswith("validation (dashed), from 1.2 (mean of the first 3) to 1.2 (of the last 3).")
    assert "held-out" not in panels["Answer"]
    write_metrics(tmp_path / "metrics.jsonl", 3, **told, **{"val/heldout_answer": 0.4})
    judged = read_curves(tmp_path, "exact")
    assert judged is not None
    panels = {panel.title: panel.caption for panel in curve_panels(judged)}
    assert "Validation by the held-out reward model (dotted), from 0.4" in panels["Answer"].replace("; v", "; V")
    # Half of an output's tags are paid for in this mode, so less of its score is the answer's.
    half = {"step": 2, "output": texts["good"].replace("</answer>", ""), "score": 11 / 12}
    (rollouts / "2.jsonl").write_text(json.dumps(half), encoding="utf-8")
    partial = read_curves(tmp_path, "partial")
    assert partial is not None
    assert partial.loc[2, ["format", "answer"]].tolist() == pytest.approx([11 / 12, 0.0])


def test_calibration_weighs_good_and_bad_alike(threshold: Threshold) -> None:
    """All chances are 0.5, and half of the weight is good however few the good pairs are."""
    flat = replace(threshold, slope=0.0, intercept=0.0)
    heldout = pd.DataFrame({"kind": ["good", *["topic"] * 9], "cosine": 0.3})
    assert "error 0.000 over 10 bins, 10 pairs" in reliability_panel(heldout, flat).caption
    sure = replace(threshold, slope=0.0, intercept=50.0)
    assert "error 0.500" in reliability_panel(heldout, sure).caption
    (panel,) = kind_panels(heldout, threshold)
    assert panel.caption == "1 responses, 9 negatives, of which 100.0% pass T."


def test_rankings_stand_there_when_their_file_does(read: Callable[[Path], Run], root: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(root, tmp_path / "run"))
    interval = {"mean": 44.3, "low": 40.0, "high": 48.0}
    figures = {"win_1": interval, "win_2": interval, "mean_rank": {"mean": 2.6, "low": 2.5, "high": 2.7}}
    rows = {name: {"model": name, "wins": {"overall": interval}, **figures} for name in ("SFT", "base")}
    for by in ("ranking", "judge"):
        (copied / by).mkdir()
        (copied / by / f"{by}.json").write_text(json.dumps({"models": rows}), encoding="utf-8")
    page = render(read(copied), "tiny", ReportConfig(), 42)
    for by in ("ranking", "judge"):
        assert f'<section id="{by}">' in page
        assert f'href="#{by}"' in page
    assert "<td>44.3<small>40.0 to 48.0</small></td>" in page
    assert "2.600" in page


def test_an_unfinished_ranking_and_a_wrong_one(tmp_path: Path, run: Run, page: str) -> None:
    assert '<section id="ranking">' not in page
    file = tmp_path / "judge.json"
    file.write_text('{"models": {}, "stopped_by": "max_cost=1"}')
    assert read_standings(file) == ("", {})
    assert "No question is ranked whole yet." in render(replace(run, rankings={"judge": {}}), "x", ReportConfig(), 1)
    for text in ('{"models": {"base": {"win_1": {}, "win_2": {}, "mean_rank": {}}}}', "no JSON"):
        file.write_text(text)
        with pytest.raises(FileError, match=r"judge\.json.*expected mean, low and high"):
            read_standings(file)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("eval/gains.json", "[{}]", r"gains\.json.*Run it again"),
        ("eval/gains.json", None, r"gains\.json"),
        ("eval/sft.scores.parquet", None, r"sft\.scores\.parquet is missing.*make eval"),
        ("eval/sft.zh.json", "{", r"sft\.zh\.json"),
        ("grpo/metrics.jsonl", '{"step": 1}\n', r"metrics\.jsonl:1: expected an object with step, data"),
        ("grpo/metrics.jsonl", "x\n", r"metrics\.jsonl:1: not JSON"),
        ("data/manifest.json", "[1", r"data/manifest\.json.*make data"),
    ],
)
def test_what_is_wrong_with_a_run_is_named(
    read: Callable[[Path], Run], name: str, content: str | None, message: str, root: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(root, tmp_path / "run"))
    if content is None:
        (copied / name).unlink()
    else:
        (copied / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read(copied)


def test_no_results_at_all_a_missing_column_and_a_missing_number(
    read: Callable[[Path], Run], root: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(root, tmp_path / "run"))
    file = copied / "eval" / "sft.scores.parquet"
    pd.read_parquet(file).drop(columns=["cosine"]).to_parquet(file)
    with pytest.raises(FileError, match=r"no column cosine\. Run `make eval` again"):
        read(copied)
    shutil.copy(root / "eval" / file.name, file)
    scores = pd.read_parquet(file)
    scores.loc[3, "cosine"] = float("nan")
    scores.to_parquet(file)
    with pytest.raises(FileError, match=r"sft\.scores\.parquet, row 3: a figure is missing or no number"):
        read(copied)
    for path in (copied / "eval").glob("*.zh.json"):
        path.unlink()
    with pytest.raises(FileError, match=r"no \*\.zh\.json"):
        read(copied)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"replies": 0}, "replies=0: expected 1 or more"),
        ({"headline": ["rewrad"]}, "headline holds rewrad: no such figure"),
        ({"paper_table": "7"}, "paper_table=7: expected one of 2, 3, 4"),
    ],
)
def test_config_values_out_of_range(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReportConfig(**changes)


def test_minus_signs() -> None:
    assert number(-0.126) == "−0.13"
    assert number(0.5, 1, "+") == "+0.5"
