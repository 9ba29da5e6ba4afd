"""The report: every count in it adds up, no value that was masked stands in it, the same data gives the same bytes."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from common.records.question import Question
from data_prep.config import DataConfig
from data_prep.corpora import Corpus
from data_prep.prepare import Prepared, prepare
from data_prep.report import write_report
from data_prep.tally import Rejected

MakeQuestions = Callable[[int], list[Question]]

CONFIG = DataConfig(
    data_source="made|up",
    test_size=10,
    val_size=5,
    max_prompt_tokens=3000,
    max_response_tokens=3000,
    mask=["电话", "邮箱"],
    workers=1,
)


@pytest.fixture
def prepared(tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions) -> Prepared:
    questions = make_questions(60)
    questions[0] = replace(
        questions[0],
        description=f"邮箱 jiahe@example.com，电话13912345678。<br>{questions[0].description}我每天都想自杀。",
        responses=(*questions[0].responses, "短"),
    )
    loaded = Corpus(questions, [Rejected("a.csv:3", "record", "title: blank", "a.csv:3 …")], 61, 60, "table")
    made = prepare(loaded, None, {}, tokenizer, CONFIG, tmp_path)
    write_report(made, CONFIG, tmp_path)
    return made


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def unpadded(path: Path) -> str:
    """A page without the padding of its tables."""
    return re.sub(" +", " ", path.read_text(encoding="utf-8"))


def test_topics_of_the_test_questions_stand_beside_the_paper_s(prepared: Prepared, tmp_path: Path) -> None:
    part = unpadded(tmp_path / "report.md").split("## Topics of the test questions")[1]
    rows = [line.strip("| ").split(" | ") for line in part.split("\n\n")[1].splitlines()[2:]]
    ours, paper = rows[:-3], rows[-3:]
    (questions,) = prepared.tested.values()
    for _, topic, share in ours:
        assert share == f"{sum(question.topic == topic for question in questions) / len(questions):.0%}"
    assert [row[1:] for row in paper] == [["depression", "35%"], ["anxiety", "28%"], ["relationships", "22%"]]


def test_what_it_says(prepared: Prepared, tmp_path: Path) -> None:
    report = unpadded(tmp_path / "report.md")
    assert report.startswith("# Data: made\\|up")
    for row in (
        "| records read | 61 | 60 | 1 |",
        "| responses cleaned | 121 | 120 | 1 |",
        "| records read | title: blank | 1 |",
        "| responses cleaned | short\\_answer | 1 |",
        "| \\[邮箱\\] | 1 |",
        "| suicide | 1 | 1.7% |",
        "| test / grpo\\_train | 0 |",
        "| 1 | 60 |",
    ):
        assert row in report, row
    [html] = [line for line in report.splitlines() if line.startswith("| html |")]
    assert "| description |" in html
    assert html.endswith("| 1 |")
    [short] = [line for line in report.splitlines() if line.startswith("| short\\_answer |")]
    assert "| response 3 | 短 → left out | 1 |" in short
    [advertisement] = [line for line in report.splitlines() if line.startswith("| advertisement |")]
    assert advertisement.endswith("| 0 |")
    assert "\n## Corpora\n" in report
    assert "Empathy-QA (paper)" in report


def test_lists_are_complete_and_hold_no_personal_data(prepared: Prepared, tmp_path: Path) -> None:
    assert len(lines(tmp_path / "rejected.jsonl")) == sum(c.rejected for c in prepared.tally.stages.values())
    assert {(row["type"], row["where"]) for row in lines(tmp_path / "masked.jsonl")} == {
        ("邮箱", "description"),
        ("电话", "description"),
    }
    for path in tmp_path.iterdir():
        if path.suffix in (".md", ".jsonl", ".json"):
            text = path.read_text(encoding="utf-8")
            assert "jiahe" not in text, path
            assert "13912345678" not in text, path


def test_pictures_and_card(prepared: Prepared, tmp_path: Path) -> None:
    for name in ("lengths.png", "topics.png", "responses.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n")
    assert "config_name: questions" in card


def test_the_same_twice(prepared: Prepared, tmp_path: Path) -> None:
    names = sorted(path.name for path in tmp_path.iterdir() if path.is_file())
    before = {name: (tmp_path / name).read_bytes() for name in names}
    write_report(prepared, CONFIG, tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in names} == before


def test_nothing_masked(prepared: Prepared, tmp_path: Path) -> None:
    write_report(prepared, replace(CONFIG, mask=[]), tmp_path)
    assert "Nothing was masked" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "not anonymised" in (tmp_path / "README.md").read_text(encoding="utf-8")
