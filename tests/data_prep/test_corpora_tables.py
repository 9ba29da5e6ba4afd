"""Empathy-QA and tables by a column map: four kinds of file, two shapes of a row, encodings."""

import csv
import gzip
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.records.question import Question
from data_prep.corpora import CorpusError, detect_format, load_corpus

QUESTIONS = [
    Question(
        id="q1",
        title="怎么办？",
        description="说来话长，\n一言难尽。",
        topic="情绪",
        responses=("慢慢来。", '他说："别急"。'),
        subtopic="焦虑",
    ),
    Question(id="q2", title="该不该走？", description="", topic="职场", responses=("先想\t一想。",)),
    Question(
        id="q3",
        title="睡不着",
        description="又是一夜",
        topic="",
        responses=("[抱抱] 早点休息。", "听听音乐,散散步。", "　"),
        subtopic="",
    ),
]


def record(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "title": question.title,
        "description": question.description,
        "topic": question.topic,
        "subtopic": question.subtopic,
        "responses": list(question.responses),
    }


def write_json(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(records, ensure_ascii=False, indent=1), encoding="utf-8")


def write_jsonl(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(item, ensure_ascii=False)}\n" for item in records), encoding="utf-8")


def write_packed(path: Path, records: list[dict[str, Any]]) -> None:
    write_jsonl(path, records)
    path.write_bytes(gzip.compress(path.read_bytes()))


def write_csv(path: Path, records: list[dict[str, Any]], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(records[0])
        for item in records:
            cells = [json.dumps(v, ensure_ascii=False) if isinstance(v, list) else v for v in item.values()]
            writer.writerow(cells)


def write_tsv(path: Path, records: list[dict[str, Any]]) -> None:
    write_csv(path, records, "\t")


def write_parquet(path: Path, records: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(records), path)


Writer = Callable[[Path, list[dict[str, Any]]], None]
WRITERS: list[Writer] = [write_json, write_jsonl, write_packed, write_csv, write_tsv, write_parquet]
every_kind = pytest.mark.parametrize("write", WRITERS)


def rows(questions: list[Question]) -> list[dict[str, Any]]:
    """One row a response, a first response of every question first: rows of one need not be neighbours."""
    most = max(len(question.responses) for question in questions)
    return [
        {**record(question), "responses": question.responses[turn]}
        for turn in range(most)
        for question in questions
        if turn < len(question.responses)
    ]


@every_kind
def test_one_row_a_question(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "corpus"  # the name tells nothing
    write(path, [record(question) for question in QUESTIONS])
    assert detect_format(path) == "empathy_qa"
    corpus = load_corpus(path)
    assert corpus.questions == QUESTIONS
    assert (corpus.records_in, corpus.records_kept, corpus.rejected) == (3, 3, [])


@every_kind
def test_one_row_a_response(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "corpus"
    questions = [replace(question, responses=question.responses[:2]) for question in QUESTIONS]
    write(path, rows(questions))
    corpus = load_corpus(path)
    assert corpus.questions == questions
    assert (corpus.records_in, corpus.records_kept) == (5, 5)


@every_kind
def test_without_ids_rows_belong_together_by_their_post(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "corpus"
    questions = [replace(question, responses=question.responses[:2]) for question in QUESTIONS]
    write(path, [{key: value for key, value in row.items() if key != "id"} for row in rows(questions)])
    expected = [replace(question, id=str(number)) for number, question in enumerate(questions, 1)]
    assert load_corpus(path).questions == expected


def test_without_ids_a_record_has_its_number(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    records = [record(question) for question in (QUESTIONS[0], QUESTIONS[0], QUESTIONS[1])]
    write_jsonl(path, [{key: value for key, value in item.items() if key != "id"} for item in records])
    assert [question.id for question in load_corpus(path).questions] == ["1", "2", "3"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
not_blank = texts.filter(lambda value: bool(value.strip()))
questions_of_any_text = st.lists(
    st.builds(
        Question,
        id=st.just(""),
        title=not_blank,
        description=texts,
        topic=texts.map(str.strip),
        responses=st.lists(texts, min_size=1, max_size=3).map(tuple),
        subtopic=texts.map(str.strip),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(questions_of_any_text)
def test_kinds_of_file_give_equal_questions(tmp_path: Path, made: list[Question]) -> None:
    questions = [replace(question, id=f"q{number}") for number, question in enumerate(made)]
    for write in WRITERS:
        path = tmp_path / write.__name__
        write(path, [record(question) for question in questions])
        assert load_corpus(path, "empathy_qa").questions == questions, write.__name__


@every_kind
def test_column_map(tmp_path: Path, write: Writer, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "corpus"
    write(path, [{"编号": 7, "问题": "怎么办？", "回答": ["慢慢来。"], "topic": "情绪/焦虑/考试", "网址": "https://x"}])
    with caplog.at_level(logging.INFO):
        corpus = load_corpus(path, columns={"id": "编号", "title": "问题", "responses": "回答"})
    expected = Question(
        id="7", title="怎么办？", description="", topic="情绪", responses=("慢慢来。",), subtopic="焦虑/考试"
    )
    assert corpus.questions == [expected]
    assert "columns not read: ['网址']" in caplog.text


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"titel": "问题"}, r"columns: .*'titel' .*'问题', expected .*'title'"),
        ({"title": " "}, r"columns: .*'title' .*' '"),
        (
            {"title": "标题", "responses": "回答"},
            r"a\.csv: no column \['标题'\] among \['问题', '回答'\]",
        ),
        ({"title": "问题"}, r"a\.csv: no column \['responses'\] among"),
        ({"title": "问题", "responses": "问题"}, "columns: .*'问题'"),
    ],
)
def test_wrong_column_map(tmp_path: Path, columns: dict[str, str], message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("问题,回答\n怎么办？,慢慢来。\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        load_corpus(path, columns=columns)


@every_kind
def test_a_mapped_column_is_not_read_twice(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "corpus"
    write(path, [{"title": "说来话长。", "topic": "怎么办？", "responses": ["慢慢来。"]}])
    questions = load_corpus(path, columns={"title": "topic", "description": "title"}).questions
    assert questions == [
        Question(id="1", title="怎么办？", description="说来话长。", topic="", responses=("慢慢来。",))
    ]
    with pytest.raises(CorpusError, match=r"no column \['title'\] among \['title', 'topic', 'responses'\]"):
        load_corpus(path, columns={"description": "title"})


def test_a_key_that_comes_late_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    early = [{"title": "怎么办？", "topic": "情绪/焦虑", "responses": ["慢慢来。"]} for _ in range(150)]
    write_jsonl(path, [*early, {**early[0], "topic": "情绪", "subtopic": "抑郁", "description": "又来了"}])
    first, *_, last = load_corpus(path, "table").questions
    assert (first.topic, first.subtopic, first.description) == ("情绪", "焦虑", "")
    assert (last.topic, last.subtopic, last.description) == ("情绪", "抑郁", "又来了")


def test_parquet_columns_that_nobody_reads_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "corpus"
    table = pa.Table.from_pylist([record(question) for question in QUESTIONS])
    # A year that Python's datetime does not reach.
    times = pa.array([2**53] * len(QUESTIONS), pa.timestamp("s"))
    pq.write_table(table.append_column("时间", times), path)
    assert load_corpus(path).questions == QUESTIONS


@every_kind
@pytest.mark.parametrize("field", ["title", "description", "topic", "responses"])
def test_empathy_qa_needs_the_four_fields(tmp_path: Path, write: Writer, field: str) -> None:
    path = tmp_path / "corpus"
    write(path, [{key: value for key, value in record(question).items() if key != field} for question in QUESTIONS])
    with pytest.raises(CorpusError, match=rf"corpus: no column \['{field}'\] among \['id', .*expected all"):
        load_corpus(path, "empathy_qa")


@pytest.mark.parametrize("write", [write_json, write_jsonl, write_parquet])
def test_null_says_nothing_where_a_field_is_not_required(tmp_path: Path, write: Writer) -> None:
    path = tmp_path / "corpus"
    full, bare = (record(question) for question in QUESTIONS[:2])
    write(path, [full, {**bare, "description": None, "topic": None, "subtopic": None}])
    for format in ("table", "empathy_qa"):
        assert load_corpus(path, format).questions[1] == replace(QUESTIONS[1], topic="")


@every_kind
def test_a_file_of_empathy_qa(tmp_path: Path, write: Writer, empathy_qa_path: Path) -> None:
    records = json.loads(empathy_qa_path.read_text(encoding="utf-8"))
    corpus = load_corpus(empathy_qa_path)
    assert (corpus.format, corpus.records_in, corpus.records_kept, corpus.rejected) == ("empathy_qa", 6, 6, [])
    assert [(question.id, question.topic, question.subtopic) for question in corpus.questions] == [
        ("1", "职场", "失业担忧"),
        ("2", "家庭", "亲子教养"),
        ("3", "丧失与哀伤", ""),
        ("4", "情绪", "进食困扰"),
        ("5", "人际关系", ""),
        ("6", "自我成长", "自我价值"),
    ]
    assert [len(question.responses) for question in corpus.questions] == [2, 3, 1, 2, 2, 1]
    for question, item in zip(corpus.questions, records, strict=True):
        assert (question.title, question.description) == (item["title"], item["description"])
        assert list(question.responses) == item["responses"]
    write(tmp_path / "corpus", records)
    assert load_corpus(tmp_path / "corpus") == corpus


def test_responses_as_objects(tmp_path: Path) -> None:
    for write in WRITERS:
        path = tmp_path / write.__name__
        items = [{**record(q), "responses": [{"text": text} for text in q.responses]} for q in QUESTIONS]
        write(path, items)
        assert load_corpus(path).questions == QUESTIONS, write.__name__


def test_objects_with_ids_and_no_subtopic_are_the_sample_format(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    item = {**record(QUESTIONS[1]), "responses": [{"text": "先想一想。"}]}
    del item["subtopic"]
    write_jsonl(path, [item])
    assert detect_format(path) == "sample"
    assert load_corpus(path).questions == load_corpus(path, "empathy_qa").questions


@pytest.mark.parametrize("write", [write_json, write_jsonl, write_csv, write_tsv])
@pytest.mark.parametrize("codec", ["gb18030", "utf-16", "utf-8-sig"])
def test_encodings(tmp_path: Path, write: Writer, codec: str) -> None:
    path = tmp_path / "corpus"
    write(path, [record(question) for question in QUESTIONS])
    path.write_bytes(path.read_text(encoding="utf-8").encode(codec))
    if codec == "gb18030":
        with pytest.raises(CorpusError, match=r"corpus: not utf-8.*encoding=gb18030"):
            load_corpus(path)
    # A byte-order mark counts for more than the name.
    assert load_corpus(path, encoding="gb18030").questions == load_corpus(path, "auto", encoding="gbk").questions
    found = [(question.title, question.description) for question in load_corpus(path, encoding="gb18030").questions]
    assert found[0][0] == "怎么办？"
    assert len(found) == 3


def test_utf8_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [record(question) for question in QUESTIONS])
    with pytest.raises(CorpusError, match=r"a\.jsonl: UTF-8, .*encoding=gb18030"):
        load_corpus(path, encoding="gb18030")


def test_utf16_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "corpus"
    path.write_bytes(json.dumps([record(question) for question in QUESTIONS]).encode("utf-16")[:-1])
    with pytest.raises(CorpusError, match=r"corpus: byte \d+ is not utf-16.*fetch it again"):
        load_corpus(path)
