"""From replies to the report, on three models with known replies."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from common.files import FileError
from eval.compare import by_risk, by_topic, compare, slices
from eval.curves import read_curves
from eval.metrics.protocols import Protocol
from eval.plots import plot_models, plot_rewards
from eval.report import Sliced, write_replies, write_report
from eval.results import Result, RewardScorer, add_rewards, question_means, score_replies
from reward_fns.coe_format import CoEOutput

GOOD = CoEOutput(("难过", "自责", "被理解", "先共情"), "听起来你这段时间很难过。").render()
MALFORMED = "<L1>难过</L1><answer>听起来你这段时间很难过。</answer>"
PROTOCOL = Protocol("zh")


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
            "risk_level": ["none", "none"],
            "risks": [[], []],
            "references": [["你这段时间一定很难过。", "愿意说出来就好。"], ["我们一起想办法。"]],
        }
    )


def cosines(questions: Sequence[str], answers: Sequence[str]) -> list[float]:
    assert len(questions) == len(answers)
    return [0.9] * len(answers)


def score(test_set: pd.DataFrame, *texts: str, threshold: float = 0.5) -> pd.DataFrame:
    replies = pd.DataFrame(
        [{"question_id": q, "sample": i, "text": t} for q in ("a", "b") for i, t in enumerate(texts)]
    )
    posts = test_set.set_index("id")["question"]
    scores = score_replies(replies, test_set, PROTOCOL, "coe")
    return add_rewards(scores, posts, RewardScorer(cosines, threshold), RewardScorer(cosines, 0.95))


@pytest.fixture
def scores(test_set: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        "base": score(test_set, "乱码", "乱码"),
        "SFT": score(test_set, GOOD, MALFORMED),
        "SFT+GRPO": score(test_set, GOOD, GOOD),
    }


def summed(scores: dict[str, pd.DataFrame]) -> list[Result]:
    return [Result.of(name, "sample", PROTOCOL.signature, frame) for name, frame in scores.items()]


def test_rewards_and_metrics_of_each_reply(scores: dict[str, pd.DataFrame]) -> None:
    sft = scores["SFT"]
    assert sft["format"].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert sft["reward"].tolist() == [2.0, 1.0, 2.0, 1.0]
    assert sft["violation"].str.len().gt(0).tolist() == [False, True, False, True]
    base = scores["base"]
    assert (base[["reward", "bleu_1", "navg", "chars", "cosine", "heldout_answer"]] == 0).all(axis=None)
    assert base["fault"].tolist() == ["no_answer"] * 4
    assert sft.loc[0, "bleu_1"] == sft.loc[1, "bleu_1"] > 0


def test_threshold_is_exclusive(test_set: pd.DataFrame) -> None:
    assert score(test_set, GOOD, threshold=0.9)["answer"].tolist() == [0.0, 0.0]


def test_means_are_over_questions(scores: dict[str, pd.DataFrame]) -> None:
    uneven = pd.concat([scores["SFT"], scores["SFT"].iloc[[0, 0, 0]]])
    assert question_means(uneven).loc["a", "format"] == 0.8
    assert Result.of("x", "sample", "", uneven).figures["format"].mean == pytest.approx(0.65)


def test_report_files(scores: dict[str, pd.DataFrame], test_set: pd.DataFrame, tmp_path: Path) -> None:
    results = summed(scores)
    gains = compare(results, ("reward", "heldout_answer"), 42)
    assert [(gain.ours, gain.theirs) for gain in gains[::2]] == [
        ("SFT", "base"),
        ("SFT+GRPO", "base"),
        ("SFT+GRPO", "SFT"),
    ]
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text("".join(json.dumps({"step": s, "data": {"critic/score/mean": s / 9}}) + "\n" for s in range(9)))
    curves = read_curves(tmp_path)
    assert curves is not None
    plot_rewards(curves["reward"], tmp_path / "reward.png")
    plot_models(results, tmp_path / "models.png")
    parts = Sliced("sample", "reward", False, slices(results, by_risk(test_set) | by_topic(test_set), "reward"))
    write_report(tmp_path, results, gains, [parts], ["reward.png"])
    write_replies(tmp_path, scores, test_set)
    report = re.sub(" +", " ", (tmp_path / "report.md").read_text(encoding="utf-8"))
    assert "| sample | SFT+GRPO | 2.00 | 1.00 | 1.00 |" in report
    assert "| Reward | SFT+GRPO − SFT | +0.500 | 1.000 (primary) |" in report
    # No cosine is above the sheld-out reward model's T, so what GRPO gained there is nothing.
    assert (
        "| Held-out answer | SFT+GRPO − SFT | +0.000 | 1.000 (primary) | +0.000, 2 questions | 1.000 (primary) |"
        in report
    )
    assert "Primary family, the same in every run, 3 tests" in report
    assert "- base, sample: 4 replies show nothing (no answer)." in report
    assert "![reward](reward.png)" in report
    assert report.count("SFT learnt from chains that were written for this project, not reviewed.") == 1
    assert "| at risk | 0.00 | 1.50 | 2.00 |" in report
    assert "| 职场 | 0.00" in report
    shown = (tmp_path / "replies.md").read_text(encoding="utf-8")
    assert "**L1 情绪与处境**：难过" in shown
    assert "12356" in shown.split("标题二")[1]
    assert "12356" not in shown.split("标题二")[0]
    assert "标题\\*一\\*" in shown
    assert "### reference: the first of 2 references, 11 characters\n\n> 你这段时间一定很难过。" in shown
    assert "### SFT: reward 2.00, cosine 0.900, held-out answer 0.00, 12 characters" in shown
    assert "描述\\<b\\>" in shown
    for picture in ("reward.png", "models.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "gains.json").read_text())[0]["gain"]["mean"] == 1.5


def test_slices_part_posts_at_risk_from_the_others(scores: dict[str, pd.DataFrame], test_set: pd.DataFrame) -> None:
    scores["SFT"].loc[scores["SFT"]["question_id"] == "a", "reward"] = 0.0
    results = summed(scores)
    parts = slices(results, by_risk(test_set), "reward")
    assert parts["at risk"]["SFT"].mean == parts["acute"]["SFT"].mean == 1.5
    assert "concern" not in parts
    assert parts["others"]["SFT"].mean == 0.0
    tagged = test_set.assign(crisis=False, risk_level=["concern", "none"])
    assert slices(results, by_risk(tagged), "reward")["concern"]["SFT"].mean == 0.0
    assert list(slices(results, by_risk(test_set.assign(crisis=False)), "reward")) == ["others"]
    assert by_topic(test_set) == {"家庭": ["b"], "职场": ["a"]}


def test_metrics_without_rewards_are_named(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "data": {}}\n')
    with pytest.raises(FileError, match="make grpo"):
        read_curves(tmp_path)
