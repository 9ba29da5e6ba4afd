"""Pages are blind, random and the same each time; an export leads back to the models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.errors import StageError
from common.files import FileError
from common.records.rankings import Ranking, read_rankings, write_rankings
from eval.human.page import BRIEFLY, CARE, RISK, instructions, page
from eval.human.study import CHECK_TEXT, Left, Page, pages, rankings_of
from eval.replies import NOTHING, BlindItem, blind_items

MODELS = ("DeepSeek-R1", "SFT", "SFT+GRPO")


def items(count: int) -> list[BlindItem]:
    return [BlindItem(f"q{n}", f"来信{n}", n == 0, {m: f"回复{n}{m[-1]}" for m in MODELS}) for n in range(count)]


def exported(own: list[Page], order: Callable[[Page], list[str]] | None = None) -> list[dict[str, Any]]:
    """What Label Studio exports of pages put in an order, or submitted as they were shown."""
    older = {"was_cancelled": False, "updated_at": "2026-01-01T00:00:00Z", "result": [{"type": "older"}]}
    return [
        {
            "data": {"page": one.number},
            "annotations": [
                {
                    "was_cancelled": False,
                    "updated_at": "2026-01-02T00:00:00Z",
                    "result": [{"type": "ranker", "value": {"ranker": {"_": order(one)}}}] if order else [],
                },
                older,
            ],
        }
        for one in own
    ]


def test_pages_are_random_by_annotator_and_the_same_each_time() -> None:
    first, again, other = (pages(name, items(8), items(10)[8:], 7) for name in ("anna", "anna", "ben"))
    assert first == again
    assert [p.item.question_id for p in first] != [p.item.question_id for p in other]
    assert {tuple(p.labels.values()) for p in first} != {tuple(p.labels.values()) for p in other[:1]}
    assert [p.number for p in first] == list(range(1, 11))
    assert sorted(p.item.question_id for p in first if not p.check) == [f"q{n}" for n in range(8)]


def test_a_page_tells_nothing_of_the_models() -> None:
    for one in pages("anna", items(8), items(10)[8:], 7):
        sent = json.dumps(one.task(), ensure_ascii=False)
        assert not any(model in sent for model in MODELS)
        assert [reply["id"] for reply in one.task()["data"]["replies"]] == ["r1", "r2", "r3"]
        assert (CHECK_TEXT in sent) == bool(one.check)
        assert ("12356" in sent) == one.item.at_risk
        assert [reply["title"] for reply in one.task()["data"]["replies"]] == ["回复 A", "回复 B", "回复 C"]


def test_a_page_says_the_criteria_in_three_short_lines_and_the_instructions_the_rest() -> None:
    assert len(BRIEFLY) == 3
    assert max(map(len, BRIEFLY)) <= 24  # characters in a line of 390 pixels
    for criterion in ("流畅", "识别", "安慰", "建议"):
        assert any(criterion in line for line in BRIEFLY)
        assert f"<b>{criterion}</b>" in instructions()
    assert all(line in page(12) for line in BRIEFLY)
    assert "第 $page 页，共 12 页" in page(12)
    # The warning belongs to the pages at risk, see `Page.task`.
    assert RISK not in page(12) + instructions()
    assert CARE in instructions()


def test_an_export_leads_back_to_the_models() -> None:
    own = pages("anna", items(3), [], 7)
    found, left = rankings_of("anna", own, exported(own, lambda p: ["r3", "r1", "r2"]))
    assert found[0].order == tuple(own[0].labels[label] for label in ("r3", "r1", "r2"))
    assert left == Left([], [])
    as_shown, left = rankings_of("anna", own, exported(own))
    assert as_shown[1].order == tuple(own[1].labels.values())
    assert left == Left([], [1, 2, 3])
    # Label Studio 1.23 writes the order of an untouched page too.
    assert rankings_of("anna", own, exported(own, lambda p: list(p.labels))) == (as_shown, left)
    done = exported(own, lambda p: ["r3", "r1", "r2"])
    for annotation in done[0]["annotations"]:
        annotation["was_cancelled"] = True
    assert rankings_of("anna", own, done)[1] == Left([1], [])


def test_an_attention_check_is_passed_where_its_reply_is_last() -> None:
    own = [one for one in pages("anna", items(4), items(6)[4:], 7) if one.check]
    right = rankings_of("anna", own, exported(own, lambda p: sorted(p.labels, key=lambda label: label == p.check)))[0]
    wrong = rankings_of("anna", own, exported(own, lambda p: sorted(p.labels, key=lambda label: label != p.check)))[0]
    assert [r.passed for r in right] == [True, True]
    assert [r.passed for r in wrong] == [False, False]
    assert all(r.attention for r in right)


def test_a_wrong_export_is_refused() -> None:
    own = pages("anna", items(3), [], 7)
    with pytest.raises(StageError, match="page 9 is none of this study"):
        rankings_of("anna", own, [{"data": {"page": 9}, "annotations": []}])
    with pytest.raises(StageError, match=r"order \['r1', 'r1', 'r2'\]"):
        rankings_of("anna", own, exported(own, lambda p: ["r1", "r1", "r2"]))


def test_blind_items_hide_tags_reasoning_and_names() -> None:
    test = pd.DataFrame(
        {
            "id": ["a"],
            "question": ["来信"],
            "crisis": [True],
            "risk_level": ["none"],
            "risks": [[]],
            "references": [["好"]],
        }
    )
    rows = {"question_id": ["a"], "sample": [0]}
    replies = {
        "SFT": (pd.DataFrame({**rows, "text": ["<L1>x</L1><answer>抱抱你。</answer>"]}), "coe"),
        "DeepSeek-R1": (pd.DataFrame({**rows, "text": ["<think>想</think>我是DeepSeek-R1，抱抱你。"]}), "think"),
        "base": (pd.DataFrame({**rows, "text": ["乱码"]}), "coe"),
    }
    (item,) = blind_items(replies, test, 5, 1)  # type: ignore[arg-type]
    assert item.replies == {"SFT": "抱抱你。", "DeepSeek-R1": "我是某助手，抱抱你。", "base": NOTHING}
    assert item.at_risk
    with pytest.raises(StageError, match="two models or more"):
        blind_items({"SFT": replies["SFT"]}, test, 5, 1)  # type: ignore[dict-item]
    other = test.assign(id="b")
    with pytest.raises(StageError, match="SFT has no reply to question b"):
        blind_items(replies, other, 5, 1)  # type: ignore[arg-type]


def test_rankings_are_read_as_they_were_written(tmp_path: Path) -> None:
    own = [Ranking("a", "q", ("x", "y")), Ranking("a", "c", ("x", "y"), True, False)]
    write_rankings(tmp_path / "r.jsonl", own)
    assert read_rankings(tmp_path / "r.jsonl") == own


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"r\.jsonl:1"),
        ('{"rater": "a"}', r"r\.jsonl:1.*order"),
        ('{"rater": "a", "question_id": "q", "order": ["x", "x"]}', "each model once"),
        ('{"rater": "a", "question_id": "q", "order": ["x", "y"]}\n' * 2, "ranked question q twice"),
    ],
)
def test_bad_rankings_are_named(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(FileError, match=message):
        read_rankings(tmp_path / "r.jsonl")
