"""The report's stage: made once, made again when a stage changed, and clear about what is missing."""

import json
from pathlib import Path

import pandas as pd
import pytest

from common.errors import StageError
from common.manifest import require_stage
from eval.metrics.protocols import Protocol
from eval.results import Result, RewardScorer, add_rewards, score_replies
from recipes.report import RECIPE
from recipes.stage import run
from reward_fns.coe_format import CoEOutput
from reward_fns.reward_model import Threshold
from tests.recipes.made import make_stage

REPLY = CoEOutput(("难过", "自责", "被理解", "先共情"), "慢慢来。").render()


def make_data(folder: Path) -> None:
    rows = [
        {"id": f"q{i}", "title": "标题", "description": "来信", "question": "来信", "topic": "职场", "crisis": False}
        | {"test_set": "sample", "risk_level": "none", "risks": [], "references": ["慢慢来。"]}
        for i in range(3)
    ]
    pd.DataFrame(rows).to_parquet(folder / "test.parquet")


def make_eval(folder: Path) -> None:
    test = pd.read_parquet(folder.parent / "data" / "test.parquet")
    replies = pd.DataFrame([{"question_id": q, "sample": 0, "text": REPLY} for q in test["id"]])
    scorer = RewardScorer(lambda questions, answers: [0.5] * len(answers), 0.2)
    for name in ("zh", "paper"):
        protocol = Protocol("paper" if name == "paper" else "zh")
        scores = add_rewards(
            score_replies(replies, test, protocol, "coe"), test.set_index("id")["question"], scorer, scorer
        )
        Result.of("SFT", "sample", protocol.signature, scores).write(folder / f"sft.{name}.json")
    scores.to_parquet(folder / "sft.scores.parquet")
    (folder / "gains.json").write_text("[]")


def make_reward_model(folder: Path) -> None:
    Threshold(0.2, "Youden", 4, 0.9, {"topic": 0.9}, {"topic": 0.2}, 0.8, 10.0, -2.0, 0.3).save(folder)


def make_grpo(folder: Path) -> None:
    row = {"step": 1, "data": {"critic/score/mean": 0.5}}
    (folder / "metrics.jsonl").write_text(json.dumps(row) + "\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, work in (("data", make_data), ("reward-model", make_reward_model), ("eval", make_eval)):
        make_stage(tmp_path, name, work)
    return tmp_path


def arguments(root: Path, *more: str) -> list[str]:
    return ["profile=tiny", f"out={root}", *more]


def test_the_report_is_made_once_and_again_when_a_stage_changed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(RECIPE, arguments(root))
    page = root / "report" / "report.html"
    assert "This run has no GRPO log." in page.read_text(encoding="utf-8")
    assert json.loads((root / "report" / "manifest.json").read_text())["result"]["bytes"] == page.stat().st_size
    capsys.readouterr()
    run(RECIPE, arguments(root))
    assert "report: nothing has changed" in capsys.readouterr().out
    make_stage(root, "grpo", make_grpo)
    run(RECIPE, arguments(root))
    text = page.read_text(encoding="utf-8")
    assert "What verl logged" in text
    assert "<summary>grpo</summary>" in text
    assert "<summary>report</summary>" not in text


def test_options_reach_the_page(root: Path) -> None:
    run(RECIPE, arguments(root, "replies=1", "headline=[heldout_answer]"))
    assert "2 questions are left out" in (root / "report" / "report.html").read_text(encoding="utf-8")
    with pytest.raises(StageError, match="headline holds nothing_known: no such figure"):
        run(RECIPE, arguments(root, "headline=[nothing_known]"))


@pytest.mark.parametrize("stage", ["data", "reward-model", "eval"])
def test_a_missing_stage_is_named(stage: str, root: Path) -> None:
    (root / stage / "manifest.json").unlink()
    with pytest.raises(StageError, match=f"Run `make {stage}` again"):
        run(RECIPE, arguments(root))


def test_a_file_that_cannot_be_read_is_named_in_a_line(root: Path) -> None:
    (root / "judge").mkdir()
    (root / "judge" / "judge.json").write_text("no JSON")
    with pytest.raises(StageError, match=r"report: .*judge\.json"):
        run(RECIPE, arguments(root))
    with pytest.raises(StageError, match="not finished"):
        require_stage(root / "report", "report")
