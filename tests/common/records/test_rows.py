"""The shapes in which people keep replies and references, and what is said of others."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from common.files import FileError
from common.records.references import read_references
from common.records.replies import read_replies
from common.records.rows import read_rows

ROWS = [{"question_id": "q0", "text": "抱抱你。"}, {"question_id": "q1", "text": "慢慢来，\n不急。"}]


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.jsonl", "\n".join(json.dumps(row) for row in ROWS)),
        ("r.txt", "\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n"),
        ("r.json", json.dumps(ROWS, indent=1)),
        ("r.json", json.dumps({"data": ROWS, "version": 1}, indent=1)),
        ("r.csv", 'question_id,text\nq0,抱抱你。\nq1,"慢慢来，\n不急。"\n'),
        ("r.csv", 'question_id;text\r\nq0;抱抱你。\r\nq1;"慢慢来，\n不急。"\r\n'),
        ("r.tsv", 'question_id\ttext\nq0\t抱抱你。\nq1\t"慢慢来，\n不急。"\n'),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_one_content_in_every_shape(name: str, text: str, encoding: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, text, encoding)
    assert [row for _, row in read_rows(path)] == ROWS
    assert read_replies(path)["text"].tolist() == [row["text"] for row in ROWS]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    content = "\n".join(json.dumps(row) for row in ROWS).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert list(read_rows(Path("-"))) == [("standard input:1", ROWS[0]), ("standard input:2", ROWS[1])]


def test_ids_may_be_whole_numbers_and_references_one_text(tmp_path: Path) -> None:
    rows = [{"id": 7, "references": "抱抱你。"}, {"id": "8", "references": ["说说看。", "嗯。"]}]
    table = read_references(written(tmp_path / "r.json", json.dumps(rows)))
    assert table["id"].tolist() == ["7", "8"]
    assert table["references"].tolist() == [["抱抱你。"], ["说说看。", "嗯。"]]
    replies = read_replies(written(tmp_path / "h.jsonl", json.dumps({"question_id": 7, "text": "嗯。"})))
    assert replies["question_id"].tolist() == ["7"]


def test_a_list_in_a_cell_is_that_list_as_json_or_python_writes_it(tmp_path: Path) -> None:
    text = 'id,references\n1,"[\'抱抱你。\', \'嗯。\']"\n2,"[""说说看。""]"\n3,[笑] 慢慢来。\n'
    table = read_references(written(tmp_path / "r.csv", text))
    assert table["references"].tolist() == [["抱抱你。", "嗯。"], ["说说看。"], ["[笑] 慢慢来。"]]


def test_a_table_without_its_columns_is_told_what_it_has_and_never_a_post(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no column id, references\. Found title, text; expected id, references"):
        read_references(written(tmp_path / "r.csv", "title,text\n一,二\n"))
    with pytest.raises(FileError, match="is the header missing") as raised:
        read_references(written(tmp_path / "r.csv", "夜里总醒,白天没有力气\n一,二\n"))
    assert "夜里" not in str(raised.value)


@pytest.mark.parametrize(("cell", "finished"), [("true", True), ("False", False)])
def test_a_table_tells_whether_an_output_is_finished(cell: str, finished: bool, tmp_path: Path) -> None:
    path = written(tmp_path / "r.csv", f"question_id,sample,text,finished\nq0,1,嗯,{cell}\n")
    table = read_replies(path)
    assert (table["sample"].tolist(), table["finished"].tolist()) == ([1], [finished])
    unknown = written(tmp_path / "u.csv", "question_id,text,finished\nq0,嗯,\n")
    assert "finished" not in read_replies(unknown)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.csv", "question_id,text\nq0,抱抱你。,再见\n", r"r\.csv:2: another number of cells"),
        ("r.csv", "question_id,text\nq0\n", r"r\.csv:2: another number of cells"),
        ("r.csv", 'question_id,text\nq0,"抱抱', r"r\.csv:1: unexpected end of data"),
        ("r.json", '[{"question_id": "q0"', r"r\.json: not JSON"),
        ("r.json", '{"data": [{}], "more": []}', "lists under data, more, expected one"),
        ("r.json", "[1]", r"r\.json, item 1: int, expected an object"),
        ("r.jsonl", '{"question_id": "q0", "text": "a"}\n[1]', r"r\.jsonl:2: list, expected an object"),
        ("r.jsonl", '{"question_id": 1.5, "text": "a"}', r"r\.jsonl:1: question_id is 1\.5, expected"),
        ("r.jsonl", '{"question_id": true, "text": "a"}', r"r\.jsonl:1: question_id is True"),
        ("r.jsonl", '{"question_id": "q0", "text": "a", "finished": "maybe"}', "finished is 'maybe'"),
        ("r.jsonl", '{"prompt": "a", "predict": "b", "label": "c"}', "LLaMA-Factory's predictions"),
    ],
)
def test_what_is_none_is_told_with_its_place(name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=message):
        read_replies(written(tmp_path / name, text))


def test_a_long_cell_is_read_and_other_readers_keep_their_limit(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    path = written(tmp_path / "r.csv", f"question_id,text\nq0,{'慢' * (before + 1)}\n")
    assert len(read_replies(path)["text"][0]) == before + 1
    assert csv.field_size_limit() == before


def test_no_file_and_another_encoding_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.jsonl: .*No such file"):
        read_replies(tmp_path / "none.jsonl")
    with pytest.raises(FileError, match="expected a UTF-8 file"):
        read_replies(written(tmp_path / "r.csv", "question_id,text\nq0,抱抱你。\n", "gb18030"))
