"""The record of a question: what is written is read back, and what is no question is told."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.records.question import QUESTION_SCHEMA, Question, from_table, to_table
from data_prep.split import Split
from data_prep.writers import write_questions_parquet

PLAIN = Question(id="a", title="题", description="文", responses=("答",))
FULL = Question(
    id="b",
    group="a",
    title="题",
    description="",
    topic="恋爱",
    subtopic="分手",
    crisis=True,
    risk_level="concern",
    risks=("abuse", "harm_to_others"),
    emotion="哀",
    responses=("答", "又答"),
    response_emotions=("好", ""),
    coe=("一", "二", "三", "四", "五"),
)


def test_a_table_gives_the_questions_back() -> None:
    assert list(from_table(to_table([PLAIN, FULL]))) == [PLAIN, FULL]
    assert list(from_table(to_table([]))) == []


def test_the_file_of_all_questions_is_that_table_with_the_split(tmp_path: Path) -> None:
    file = tmp_path / "questions.parquet"
    write_questions_parquet(file, Split(train=[FULL], val=[], test=[PLAIN]))
    table = pq.read_table(file)
    assert table.column_names == ["id", "split", *QUESTION_SCHEMA.names[1:]]
    assert table["split"].to_pylist() == ["train", "test"]
    assert list(from_table(table)) == [FULL, PLAIN]


@pytest.mark.parametrize("column", ["coe", "crisis"])
def test_another_table_is_refused(column: str) -> None:
    table = to_table([FULL]).drop_columns([column])
    with pytest.raises(ValueError, match="expected those of a question"):
        list(from_table(table))
    with pytest.raises(ValueError, match="expected those of a question"):
        list(from_table(table.append_column(column, pa.array(["x"]))))


def test_post_is_title_and_description() -> None:
    assert (PLAIN.post, FULL.post) == ("题\n文", "题")


def test_risk_is_the_corpus_s_mark_or_a_rule_s() -> None:
    assert [PLAIN.at_risk, FULL.at_risk] == [False, True]
