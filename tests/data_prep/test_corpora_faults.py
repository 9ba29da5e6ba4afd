"""Every fault a corpus can have, in every kind of file it can happen in; and that nothing is lost uncounted."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_prep.corpora import Corpus, CorpusError, CorpusFormat, load_corpus
from data_prep.corpora.records import Entry, Intake
from data_prep.tally import Rejected

FORMATS = get_args(CorpusFormat)
KINDS = ("json", "jsonl", "csv", "parquet")
SECRET = "我把药都藏在枕头下面"


def record(number: int, **change: Any) -> dict[str, Any]:
    return {
        "id": f"q{number}",
        "title": f"第{number}问",
        "description": "说来话长。",
        "topic": "情绪",
        "responses": ["慢慢来。"],
        **change,
    }


GOOD = [record(number) for number in range(10)]


def as_csv(records: list[dict[str, Any]]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(GOOD[0])
    for item in records:
        writer.writerow([json.dumps(v) if isinstance(v, list) else v for v in item.values()])
    return file.getvalue()


def write(path: Path, kind: str, records: list[Any]) -> Path:
    if kind == "json":
        path.write_text(json.dumps(records), encoding="utf-8")
    elif kind == "jsonl":
        path.write_text("".join(f"{json.dumps(item)}\n" for item in records), encoding="utf-8")
    elif kind == "csv":
        path.write_text(as_csv(records), encoding="utf-8", newline="")
    else:
        pq.write_table(pa.Table.from_pylist(records), path)
    return path


def place(kind: str, number: int) -> str:
    """Where the record of this number (from 1) stands in a file written by ``write``."""
    places = {"json": f"entry {number} (line 1)", "parquet": f"row {number}"}
    return f"corpus: {places[kind]}" if kind in places else f"corpus:{number + (kind == 'csv')}"


def only_fault(corpus: Corpus) -> Rejected:
    assert (corpus.records_in, corpus.records_kept, len(corpus.questions)) == (11, 10, 10)
    [rejected] = corpus.rejected
    assert rejected.what == "record"
    assert rejected.detail.startswith(f"{rejected.id}: ")
    return rejected


# Whole files.


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("content", [b"", b" \n\r\n\t", b"\xef\xbb\xbf", b"\xff\xfe", gzip.compress(b"", mtime=0)])
def test_empty_file(tmp_path: Path, format: str, content: bytes) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"corpus\.jsonl: an empty file"):
        load_corpus(path, format)


@pytest.mark.parametrize(("kind", "content"), [("json", "[]"), ("csv", "id,title,description,topic,responses\n")])
def test_no_record(tmp_path: Path, kind: str, content: str) -> None:
    path = tmp_path / f"corpus.{kind}"
    path.write_text(content, encoding="utf-8")
    message = "no record" if kind == "csv" else r"no column \['title', .*among \[\]"
    with pytest.raises(CorpusError, match=rf"corpus\.{kind}: {message}"):
        load_corpus(path, "empathy_qa")


def test_no_parquet_row(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(GOOD).slice(0, 0), tmp_path / "corpus")
    with pytest.raises(CorpusError, match="corpus: no record in it"):
        load_corpus(tmp_path / "corpus")


@pytest.mark.parametrize(
    ("format", "found"),
    [
        ("sample", r"no \.jsonl file in this"),
        ("smilechat", "no dialogue in"),
        *((format, "no file of a corpus in") for format in ("psyqa", "table", "dialogue", "auto")),
    ],
)
def test_folder_without_files(tmp_path: Path, format: str, found: str) -> None:
    with pytest.raises(CorpusError, match=f"{found}.*Check the corpus path"):
        load_corpus(tmp_path, format)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
def test_another_encoding(tmp_path: Path, kind: str, format: str) -> None:
    path = tmp_path / "corpus"
    path.write_bytes(json.dumps(GOOD, ensure_ascii=False).encode("gbk"))
    with pytest.raises(CorpusError, match=r"corpus: not utf-8.*encoding=gb18030"):
        load_corpus(path, format)


@pytest.mark.parametrize("format", ["sample", "psyqa", "smilechat"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_under_a_format_that_is_json(tmp_path: Path, kind: str, format: str) -> None:
    path = write(tmp_path / "corpus", kind, GOOD)
    with pytest.raises(CorpusError, match=f"corpus: {kind} .*expected .*JSON"):
        load_corpus(path, format)


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
def test_truncated_gzip(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "corpus", kind, [record(number) for number in range(5000)])
    packed = gzip.compress(path.read_bytes())
    for cut in (packed[:-9], packed[: len(packed) // 2], packed[:5]):
        path.write_bytes(cut)
        with pytest.raises(CorpusError, match=r"corpus: not a whole gzip file.*Fetch it again"):
            load_corpus(path)


@pytest.mark.parametrize("cut", [4, 100, -20])
def test_truncated_parquet(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / "corpus", "parquet", GOOD)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CorpusError, match="corpus: not a whole parquet file"):
        load_corpus(path)


def test_damaged_parquet(tmp_path: Path) -> None:
    path = write(tmp_path / "corpus", "parquet", GOOD)
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(396)
    path.write_bytes(data)
    with pytest.raises(CorpusError, match="corpus after row 0: not a whole parquet file"):
        load_corpus(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "id,title,title\n1,甲,乙\n",
            r"a\.csv: columns \['id', 'title', 'title'\]",
        ),
        ("id,,title\n1,甲,乙\n", r"a\.csv: columns \['id', '', 'title'\]"),
        ('id,"title\n1,甲\n', r"a\.csv:1: no CSV header"),
    ],
)
def test_csv_header(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        load_corpus(path, "empathy_qa")


# Single records.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "reason", "found"),
    [
        (
            {"title": " "},
            "title: blank",
            "'title': found a text of 1 characters",
        ),
        ({"id": ""}, "id: blank", "field 'id': found a text of 0 characters"),
        ({"id": "q3"}, "id: duplicate id", "'id': found a text of 2 characters"),
        ({"responses": []}, "responses: blank", "'responses': found a list of 0"),
    ],
)
def test_bad_field(tmp_path: Path, kind: str, change: dict[str, Any], reason: str, found: str) -> None:
    rejected = only_fault(load_corpus(write(tmp_path / "corpus", kind, [*GOOD, record(10, **change)])))
    assert (rejected.id, rejected.reason) == (place(kind, 11), reason)
    assert found in rejected.detail
    if "duplicate" in reason:
        assert f"{place(kind, 4)}." in rejected.detail


@pytest.mark.parametrize("kind", ["json", "jsonl"])
@pytest.mark.parametrize(
    ("change", "reason", "found"),
    [
        ({"title": 3.25}, "title: wrong type", "field 'title': found 3.25, expected a string"),
        ({"title": {"a": 1}}, "title: wrong type", "found an object of 1 keys, expected a string"),
        ({"topic": {}}, "topic: wrong type", "field 'topic': found an object of 0 keys, expected a string"),
        ({"responses": 7}, "responses: wrong type", "found 7, expected a list"),
        ({"responses": ["好", 7]}, "responses: wrong type", "field 'responses[1]': found 7"),
        ({"responses": [{"txt": "好"}]}, "responses: no text", "field 'responses[0]': found an object of 1 keys"),
        (
            {"responses": '["好", "'},
            "responses: not a whole list",
            "found a text of 7 characters",
        ),
        ({"responses": " "}, "responses: blank", "found a text of 1 characters"),
        ({"id": 1.5}, "id: wrong type", "'id': found 1.5"),
        ({"id": True}, "id: wrong type", "field 'id': found True"),
        ({"description": "a\ud83d"}, "description: broken characters", "at character 1"),
    ],
)
def test_bad_json_field(tmp_path: Path, kind: str, change: dict[str, Any], reason: str, found: str) -> None:
    path = write(tmp_path / "corpus", kind, [*GOOD, record(10, **change)])
    rejected = only_fault(load_corpus(path, "empathy_qa"))
    assert (rejected.id, rejected.reason) == (place(kind, 11), reason)
    assert found in rejected.detail


@pytest.mark.parametrize("kind", ["json", "jsonl"])
@pytest.mark.parametrize("field", ["id", "title", "responses"])
def test_missing_field(tmp_path: Path, kind: str, field: str) -> None:
    bad = {key: value for key, value in record(10).items() if key != field}
    rejected = only_fault(load_corpus(write(tmp_path / "corpus", kind, [*GOOD, bad]), "empathy_qa"))
    assert (rejected.id, rejected.reason) == (place(kind, 11), f"{field}: missing")
    assert f"field '{field}'" in rejected.detail


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
def test_one_bad_byte_costs_one_record(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "corpus", kind, [*GOOD, record(10, title="XX")])
    path.write_bytes(path.read_bytes().replace(b"XX", b"X\xff"))
    rejected = only_fault(load_corpus(path))
    assert (rejected.id, rejected.reason) == (place(kind, 11), "title: broken characters")
    assert "at character 1" in rejected.detail


@pytest.mark.parametrize(
    ("line", "reason", "found"),
    [
        ("{oops}\n", "not JSON", "expected one JSON object a line"),
        pytest.param("[" * 100_000 + "\n", "not JSON", "nested too deep", id="nested"),
        ('{"id": "q10", "title": "第', "truncated line", "fetch it again"),
        ('{"id": "q10"', "truncated line", "fetch it again"),
        ("7\n", "(record): wrong type", "found 7, expected a JSON object"),
        ("null\n", "(record): wrong type", "found null, expected a JSON object"),
    ],
)
def test_bad_line(tmp_path: Path, line: str, reason: str, found: str) -> None:
    path = write(tmp_path / "corpus", "jsonl", GOOD)
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    rejected = only_fault(load_corpus(path))
    assert (rejected.id, rejected.reason) == ("corpus:11", reason)
    assert found in rejected.detail


def test_bad_first_line(tmp_path: Path) -> None:
    path = write(tmp_path / "corpus", "jsonl", GOOD)
    path.write_text('慢慢来。"]}\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    rejected = only_fault(load_corpus(path))
    assert (rejected.id, rejected.reason) == ("corpus:1", "not JSON")


@pytest.mark.parametrize(
    ("line", "reason", "found"),
    [
        ("q10,第十问", "wrong number of cells", "found 2 cells, expected 5"),
        ("q10,第十问,a,b,c,d\n", "wrong number of cells", "found 6 cells, expected 5"),
        ('q10,第十问,a,b,"说了一', "truncated line", "not closed before the file ends"),
        ('q10,"第十"问,a,b,c\n', "not CSV", "Mend the quotes"),
    ],
)
def test_bad_csv_row(tmp_path: Path, line: str, reason: str, found: str) -> None:
    path = tmp_path / "corpus"
    path.write_text(as_csv(GOOD) + line, encoding="utf-8", newline="")
    rejected = only_fault(load_corpus(path))
    assert (rejected.id, rejected.reason) == ("corpus:12", reason)
    assert found in rejected.detail


def test_csv_line_is_that_where_the_row_begins(tmp_path: Path) -> None:
    path = tmp_path / "corpus"
    path.write_text(as_csv([record(0, description="一\n二\n三"), *GOOD[1:]]) + "\n\nq10,甲\n", newline="")
    assert only_fault(load_corpus(path)).id == "corpus:16"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", ["title", "description", "topic"])
def test_rows_of_one_question_that_differ(tmp_path: Path, kind: str, field: str) -> None:
    single = [{**item, "responses": "慢慢来。"} for item in GOOD]
    path = write(tmp_path / "corpus", kind, [*single, {**single[4], field: "另一桩", "responses": "再说。"}])
    rejected = only_fault(load_corpus(path))
    assert (rejected.id, rejected.reason) == (place(kind, 11), f"{field}: differs within a question")
    assert place(kind, 5) in rejected.detail


# How many are too many.


@pytest.mark.parametrize(
    ("good", "bad", "max_bad_records", "is_tolerated"),
    [
        (95, 5, 0.05, True),
        (94, 6, 0.05, False),
        (10, 1, 0.05, True),
        (9, 1, 0.05, False),
        (18, 2, 0.05, False),
        (10, 1, 0.0, False),
        (1000, 1, 0.0, False),
        (1, 9, 0.9, True),
        (71, 29, 0.29, True),
        (0, 3, 1.0, False),
    ],
)
def test_share_of_bad_records(tmp_path: Path, good: int, bad: int, max_bad_records: float, is_tolerated: bool) -> None:
    records = [record(number, **({"title": 7} if number < bad else {})) for number in range(good + bad)]
    path = write(tmp_path / "corpus", "jsonl", records)
    if is_tolerated:
        corpus = load_corpus(path, "empathy_qa", max_bad_records=max_bad_records)
        assert (corpus.records_in, corpus.records_kept, len(corpus.rejected)) == (good + bad, good, bad)
    else:
        with pytest.raises(
            CorpusError, match=rf"corpus: {bad} of {good + bad} records are bad.*corpus:1: field 'title'"
        ):
            load_corpus(path, "empathy_qa", max_bad_records=max_bad_records)


def test_a_wrong_sum_is_our_bug() -> None:
    with pytest.raises(RuntimeError, match=r"3 records .*1 kept, 1 rejected"):
        Corpus([], [Rejected("a:1", "record", "blank")], records_in=3, records_kept=1)


def test_an_error_of_our_own_is_not_rejected() -> None:
    def fail(value: object, where: str) -> None:
        raise ValueError(value)

    with pytest.raises(ValueError, match="7"):
        Intake().take([Entry("a:1", 7)], fail)


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
@pytest.mark.parametrize("change", [{"title": [SECRET]}, {"id": f" {SECRET}"}, {"responses": f'["{SECRET}", 1'}])
def test_no_word_of_a_text_gets_into_a_message(tmp_path: Path, kind: str, change: dict[str, Any]) -> None:
    twice = [record(10, **change), record(11, **change)]
    path = write(tmp_path / "corpus", kind, [*GOOD, *GOOD[:1], *twice, {SECRET: 1} if kind == "jsonl" else GOOD[0]])
    corpus = load_corpus(path, "empathy_qa", max_bad_records=0.9)
    assert corpus.rejected
    for rejected in corpus.rejected:
        assert SECRET[:3] not in f"{rejected.id}{rejected.reason}{rejected.detail}"


# Nothing is lost uncounted.

DAMAGES: dict[str, list[dict[str, Any]]] = {
    "json": [{"title": None}, {"title": ""}, {"id": "q0"}, {"responses": 7}, {"topic": {}}, {"description": "\udc80"}],
    "csv": [{"title": ""}, {"id": "q0"}, {"id": " "}, {"responses": "[]"}, {"title": "\udcff"}],
}
DAMAGES["jsonl"] = DAMAGES["json"]


CUT = 9


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["json", "jsonl", "csv"]), st.lists(st.integers(0, 30), max_size=30), st.floats(0.05, 0.95))
def test_in_is_kept_and_rejected(tmp_path: Path, kind: str, plan: list[int], where_to_cut: float) -> None:
    damages = DAMAGES[kind]
    records = [record(0)]
    damaged = [False]
    for number, choice in enumerate(plan, 1):
        records.append(record(number, **(damages[choice] if choice < len(damages) else {})))
        damaged.append(choice < len(damages) or (choice == CUT and kind == "jsonl"))
    text = as_csv(records) if kind == "csv" else json.dumps(records)
    if kind == "jsonl":
        lines = [json.dumps(item) for item in records]
        cut = [line[: int(where_to_cut * len(line))] for line in lines]
        text = "\n".join([lines[0], *(cut[n] if choice == CUT else lines[n] for n, choice in enumerate(plan, 1))])
    path = tmp_path / "corpus"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    corpus = load_corpus(path, "empathy_qa", max_bad_records=1.0)

    assert corpus.records_in == len(records) == corpus.records_kept + len(corpus.rejected)
    kept = [item["id"] for item, is_damaged in zip(records, damaged, strict=True) if not is_damaged]
    assert [question.id for question in corpus.questions] == kept
    assert [rejected.id for rejected in corpus.rejected] == [
        place(kind, number) for number, is_damaged in enumerate(damaged, 1) if is_damaged
    ]
