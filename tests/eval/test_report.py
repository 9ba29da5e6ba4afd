"""From replies to the report, on three models with known replies."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from eval.generate import _finished_questions, prompt_ids
from eval.plots import plot_models, plot_rewards, read_rewards
from eval.report import (
    component_intervals,
    gains,
    print_report,
    summarise,
    summarise_slices,
    write_replies,
    write_report,
)
from eval.score import RepliesError, Scorer, question_means, read_replies, score_replies
from reward_fns.coe_format import CoEOutput

GOOD = CoEOutput(("难过", "自责", "被理解", "先共情"), "听起来你这段时间很难过。").render()
MALFORMED = "<L1>难过</L1><answer>听起来你这段时间很难过。</answer>"


@pytest.fixture
def test_set() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["a", "b"],
            "title": ["标题*一*", "标题二"],
            "description": ["描述<b>", "描述二"],
            "question": ["标题一\n描述", "标题二\n描述二"],
            "topic": ["职场", "家庭"],
            "crisis": [False, True],
            "risks": [[], []],
            "references": [["你这段时间一定很难过。", "愿意说出来就好。"], ["我们一起想办法。"]],
        }
    )


def replies(*texts: str) -> pd.DataFrame:
    rows = [{"question_id": q, "sample": i, "text": t} for q in ("a", "b") for i, t in enumerate(texts)]
    return pd.DataFrame(rows)


def cosines(questions: Sequence[str], answers: Sequence[str]) -> list[float]:
    assert len(questions) == len(answers)
    return [0.9] * len(answers)


@pytest.fixture
def scores(test_set: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        "base": score_replies(replies("乱码", "乱码"), test_set, Scorer(cosines, 0.5), Scorer(cosines, 0.95)),
        "SFT": score_replies(replies(GOOD, MALFORMED), test_set, Scorer(cosines, 0.5), Scorer(cosines, 0.95)),
        "SFT+GRPO": score_replies(replies(GOOD, GOOD), test_set, Scorer(cosines, 0.5), Scorer(cosines, 0.95)),
    }


def test_rewards_and_metrics_of_each_reply(scores: dict[str, pd.DataFrame]) -> None:
    sft = scores["SFT"]
    assert sft["format"].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert sft["reward"].tolist() == [2.0, 1.0, 2.0, 1.0]
    assert sft["violation"].str.len().gt(0).tolist() == [False, True, False, True]
    assert (scores["base"][["reward", "bleu_1", "navg", "answer_chars"]] == 0).all(axis=None)
    assert sft.loc[0, "bleu_1"] == sft.loc[1, "bleu_1"] > 0


def test_threshold_is_exclusive(test_set: pd.DataFrame) -> None:
    assert score_replies(replies(GOOD), test_set, Scorer(cosines, 0.9), Scorer(cosines, 0.5))["answer"].tolist() == [
        0.0,
        0.0,
    ]


def test_means_are_over_questions(scores: dict[str, pd.DataFrame]) -> None:
    uneven = pd.concat([scores["SFT"], scores["SFT"].iloc[[0, 0, 0]]])
    assert question_means(uneven).loc["a", "format"] == 0.8
    assert summarise({"x": uneven}).loc["x", "format"] == pytest.approx(0.65)


def test_report_files(scores: dict[str, pd.DataFrame], test_set: pd.DataFrame, tmp_path: Path) -> None:
    summary, differences = summarise(scores), gains(scores, 42)
    assert list(differences) == ["SFT − base", "SFT+GRPO − SFT"]
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text("".join(json.dumps({"step": s, "data": {"critic/score/mean": s / 9}}) + "\n" for s in range(9)))
    plot_rewards(read_rewards(metrics), tmp_path / "reward.png")
    plot_models(component_intervals(scores, 42), tmp_path / "models.png")
    second = gains(scores, 42, "second")
    write_report(tmp_path, summary, differences, second, summarise_slices(scores, test_set), 2, 2, ["reward.png"])
    write_replies(tmp_path, scores, test_set)
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| SFT+GRPO | 1.00 | 1.00 | 2.00 |" in report
    assert "SFT+GRPO − SFT: +0.500, 95 % interval +0.500 to +0.500 (excludes 0)" in report
    # No cosine is above the second scorer's T, so what GRPO gained there is nothing.
    assert "SFT+GRPO − SFT: +0.000, 95 % interval +0.000 to +0.000 (includes 0)" in report
    assert "![reward](reward.png)" in report
    assert report.index("## Posts at risk (1)") < report.index("## Other posts (1)")
    shown = (tmp_path / "replies.md").read_text(encoding="utf-8")
    assert "**L1 情绪与处境**：难过" in shown
    assert "12356" in shown.split("标题二")[1]
    assert "12356" not in shown.split("标题二")[0]
    assert "标题\\*一\\*" in shown
    assert "描述\\<b\\>" in shown
    for picture in ("reward.png", "models.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "metrics.json").read_text())["models"]["SFT"]["format"] == 0.5
    console = Console(width=150, record=True)
    print_report(summary, differences, console)
    assert "SFT+GRPO" in console.export_text()


def test_slices_part_posts_at_risk_from_the_others(scores: dict[str, pd.DataFrame], test_set: pd.DataFrame) -> None:
    scores["SFT"].loc[scores["SFT"]["question_id"] == "a", "reward"] = 0.0
    slices = summarise_slices(scores, test_set)
    assert slices["Posts at risk (1)"].loc["SFT", "reward"] == 1.5
    assert slices["Other posts (1)"].loc["SFT", "reward"] == 0.0
    tagged = test_set.assign(crisis=False, risks=[["abuse"], []])
    assert summarise_slices(scores, tagged)["Posts at risk (1)"].loc["SFT", "reward"] == 0.0
    assert list(summarise_slices(scores, test_set.assign(crisis=False))) == ["Other posts (2)"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{broken", "replies.jsonl:2"),
        ('{"question_id": "a", "text": "x"}', "replies.jsonl:2.*sample"),
        ('{"question_id": "z", "sample": 0, "text": "x"}', r"replies to \['z'\]"),
        ('{"question_id": "a", "sample": 1, "text": "x"}', "no reply to 1 questions, the first is b"),
    ],
)
def test_bad_replies_are_named(line: str, message: str, test_set: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "replies.jsonl"
    file.write_text('{"question_id": "a", "sample": 0, "text": "x"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(RepliesError, match=message):
        read_replies(file, test_set)


def test_metrics_without_rewards_are_named(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "data": {}}\n')
    with pytest.raises(ValueError, match="make grpo"):
        read_rewards(tmp_path / "metrics.jsonl")


def test_generation_goes_on_with_whole_questions(tmp_path: Path) -> None:
    """A killed run leaves a question with too few replies and half a line; both are done again."""
    file = tmp_path / "x.replies.jsonl"
    rows = [{"question_id": q, "sample": s, "text": "好"} for q, s in (("a", 0), ("a", 1), ("b", 0))]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"question_id": "c", "sa', encoding="utf-8")
    assert set(_finished_questions(file, 2)) == {"a"}
    assert len(file.read_text().splitlines()) == 2


def test_prompt_ids_accepts_both_shapes_of_the_template_s_answer() -> None:
    class Tokenizer:
        def __init__(self, answer: object) -> None:
            self.answer = answer

        def apply_chat_template(self, messages: object, **kwargs: object) -> object:
            assert kwargs["enable_thinking"] is False
            return self.answer

    for answer in ([1, 2], {"input_ids": [1, 2]}):
        assert prompt_ids(Tokenizer(answer), [], {"enable_thinking": False}) == [1, 2]
