"""The loaders: what they read, how they group, what they say of bad input."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from data_prep.corpora import CorpusError, detect_format, load_corpus, psyqa, sample, smilechat
from data_prep.record import Question

TOPICS = ("行为", "恋爱", "成长", "情绪", "人际", "家庭", "治疗", "职业", "婚姻")
SAMPLE_LINE: dict[str, Any] = {
    "id": "a-1",
    "title": "怎么办？",
    "description": "说来话长。",
    "topic": "职场",
    "crisis": True,
    "responses": [{"counsellor": "务实", "text": "慢慢来。"}, {"text": "先睡一觉。"}],
    "coe": {"L1": "一", "L2": "二", "L3": "三", "L4": "四"},
}
PSYQA_ENTRY: dict[str, Any] = {
    "question": "怎么办？",
    "description": "",
    "keywords": "恋爱，恋爱经营",
    "answers": [{"answer_text": "慢慢来。", "has_label": False, "labels_sequence": None}],
    "questionID": 7,
}


def dialogue(opening: str, reply: str = "我在听。", more: str = "后来就这样了。") -> list[dict[str, str]]:
    return [
        {"role": "client", "content": opening},
        {"role": "counselor", "content": reply},
        {"role": "client", "content": more},
        {"role": "counselor", "content": "谢谢你告诉我。"},
    ]


def write_lines(path: Path, records: list[Any]) -> Path:
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    return path


def test_sample_line(tmp_path: Path) -> None:
    question = Question(
        "a-1", "怎么办？", "说来话长。", "职场", ("慢慢来。", "先睡一觉。"), ("一", "二", "三", "四"), True
    )
    assert sample.load(write_lines(tmp_path / "a.jsonl", [SAMPLE_LINE])) == [question]


def test_sample_optional_keys(tmp_path: Path) -> None:
    line = {key: SAMPLE_LINE[key] for key in ("id", "title", "description", "responses")}
    [question] = sample.load(write_lines(tmp_path / "a.jsonl", [line]))
    assert (question.topic, question.coe, question.crisis) == ("", None, False)


def test_sample_folder_in_order_of_name(tmp_path: Path) -> None:
    write_lines(tmp_path / "b.jsonl", [{**SAMPLE_LINE, "id": "b-1"}])
    write_lines(tmp_path / "a.jsonl", [SAMPLE_LINE])
    assert [question.id for question in load_corpus(tmp_path)] == ["a-1", "b-1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": " "}, r"a\.jsonl:2: field 'title': found ' ', expected text that is not blank"),
        ({"title": None}, r"a\.jsonl:2: field 'title': found None, expected a string"),
        ({"id": True}, r"a\.jsonl:2: field 'id': found True, expected a string or an integer"),
        ({"id": "a-1"}, r"a\.jsonl:2: field 'id': found 'a-1', expected an id unlike that of .*a\.jsonl:1"),
        ({"crises": True}, r"a\.jsonl:2: field 'crises': found True, expected only .*crisis"),
        ({"crisis": "no"}, r"a\.jsonl:2: field 'crisis': found 'no', expected true or false"),
        ({"responses": []}, r"a\.jsonl:2: field 'responses': found \[\], expected a list that is not empty"),
        ({"responses": ["好"]}, r"a\.jsonl:2: responses\[0\]: field '\(record\)': found '好', expected a JSON object"),
        ({"coe": {"L1": "一"}}, r"a\.jsonl:2: coe: field 'L2': found None, expected a string"),
    ],
)
def test_sample_bad_field(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write_lines(tmp_path / "a.jsonl", [SAMPLE_LINE, {**SAMPLE_LINE, "id": "a-2", **change}])
    with pytest.raises(CorpusError, match=message):
        sample.load(path)


def test_psyqa_entry(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps([PSYQA_ENTRY]), encoding="utf-8")
    assert load_corpus(path) == [Question("7", "怎么办？", "", "恋爱", ("慢慢来。",))]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ({}, r"p\.json: field '\(file\)': found {}, expected a list of questions"),
        ([PSYQA_ENTRY, {**PSYQA_ENTRY}], r"p\.json: entry 1: field 'questionID': found '7', expected an id unlike"),
        ([{**PSYQA_ENTRY, "answers": [{}]}], r"entry 0: answers\[0\]: field 'answer_text': found None"),
        ([{**PSYQA_ENTRY, "description": None}], r"entry 0: field 'description': found None, expected a string"),
    ],
)
def test_psyqa_bad(tmp_path: Path, records: Any, message: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        psyqa.load(path)


def test_smilechat_groups_neighbours_that_open_alike(tmp_path: Path) -> None:
    openings = {
        3: "总是和室友吵架，心里有隔阂了怎么办？",
        1: "父亲突然去世，总是责怪自己，怎么走出来？",
        2: "父亲突然去世了，我总是责怪自己，该怎么走出来？我很痛苦。",
        4: "我父亲突然去世，一直责怪自己，怎么才能走出来呢？",
    }
    records = [{"id": name, "dialogue": dialogue(text, f"回应{name}")} for name, text in openings.items()]
    questions = load_corpus(write_lines(tmp_path / "s.jsonl", records))
    assert [(question.id, len(question.responses)) for question in questions] == [("1", 3), ("3", 1)]
    assert questions[0].title == "父亲突然去世，总是责怪自己，怎么走出来？"
    assert questions[0].description == "后来就这样了。"
    assert questions[0].responses[2] == "回应4\n谢谢你告诉我。"


def test_smilechat_far_apart_stays_apart(tmp_path: Path) -> None:
    others = ["工作太忙每晚都睡不着", "高考没考好不敢见人", "和男友分手了一个人过年", "孩子不肯上学怪我太凶"]
    openings = ["总是和室友吵架怎么办？", *others, "总是和室友吵架怎么办？"]
    records = [{"id": number, "dialogue": dialogue(text)} for number, text in enumerate(openings)]
    path = write_lines(tmp_path / "s.jsonl", records)
    assert len(smilechat.load(path)) == 6
    assert len(smilechat.load(path, window=5)) == 5


def test_smilechat_greetings_are_no_opening(tmp_path: Path) -> None:
    openings = [("你好！", "工作太忙睡不着。"), ("你好！", "高考没考好。"), ("……", "嗯"), ("……", "嗯")]
    records = [{"id": number, "dialogue": dialogue(text, more=more)} for number, (text, more) in enumerate(openings)]
    assert len(smilechat.load(write_lines(tmp_path / "s.jsonl", records))) == 4


def test_smilechat_long_first_turn_is_cut(tmp_path: Path) -> None:
    opening = "我" * 50 + "。后来呢？"
    path = write_lines(tmp_path / "s.jsonl", [{"id": 1, "dialogue": dialogue(opening)[:1]}])
    [question] = smilechat.load(path)
    assert question == Question("1", "我" * 40, "我" * 10 + "。后来呢？", "", ())


def test_smilechat_shapes_agree(tmp_path: Path) -> None:
    turns = {1: dialogue("第一件事，说来话长。"), 2: dialogue("完全不同的另一桩。"), 10: dialogue("最后那个问题？")}
    folder = tmp_path / "smile" / "data"
    folder.mkdir(parents=True)
    for name, dialogue_turns in turns.items():
        text = json.dumps([{**turn, "annotation": ""} for turn in dialogue_turns], ensure_ascii=False)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    packed = tmp_path / "s.jsonl.gz"
    lines = "\n".join(json.dumps({"id": name, "dialogue": value}) for name, value in turns.items())
    packed.write_bytes(gzip.compress(lines.encode()))
    assert load_corpus(folder.parent) == load_corpus(folder) == load_corpus(packed)
    assert [question.id for question in load_corpus(packed)] == ["1", "2", "10"]


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ([], r"s\.jsonl:1: field 'dialogue': found \[\], expected a list"),
        ([{"role": "user", "content": "在吗"}], r"s\.jsonl:1: turn 0: field 'role': found 'user', expected one of"),
        ([{"role": "counselor", "content": "在"}], r"turn 0: field 'role': found 'counselor', expected 'client'"),
        ([{"role": "client", "content": ""}], r"turn 0: field 'content': found '', expected text"),
        ([{"role": "client", "content": "在"}, {"role": []}], r"turn 1: field 'role': found \[\], expected one of"),
    ],
)
def test_smilechat_bad(tmp_path: Path, turns: Any, message: str) -> None:
    path = write_lines(tmp_path / "s.jsonl", [{"id": 1, "dialogue": turns}])
    with pytest.raises(CorpusError, match=message):
        load_corpus(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"a": 1}\n\n{oops}\n', r"a\.jsonl:3: not JSON"),
        ("a.jsonl", "题".encode("gbk"), r"a\.jsonl: byte 0 is not UTF-8"),
        ("a.json", b"[\n\n{]", r"a\.json:3: not JSON"),
        ("a.json", "题".encode("gbk"), r"a\.json: byte 0 is not UTF-8"),
        ("a.jsonl", b"[" * 100_000, r"a\.jsonl:1: brackets nested too deep"),
        ("a.jsonl.gz", b"{}", r"a\.jsonl\.gz: not a whole gzip file"),
        ("a.jsonl.gz", gzip.compress(b'{"a": 1}')[:-9], r"a\.jsonl\.gz: not a whole gzip file"),
    ],
)
def test_unreadable(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    loader = psyqa.load if name == "a.json" else smilechat.load
    if b"{oops}" in content:
        content_lines = content.replace(b'{"a": 1}', json.dumps({"id": 1, "dialogue": dialogue("在吗")}).encode())
        path.write_bytes(content_lines)
    with pytest.raises(CorpusError, match=message):
        loader(path)


def test_half_a_surrogate_pair_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps({"id": 1, "dialogue": [{"role": "client", "content": "\ud800abc"}]}))
    with pytest.raises(CorpusError, match=r"s\.jsonl:1.*half a surrogate pair"):
        load_corpus(path)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("p.json", [PSYQA_ENTRY], "psyqa"),
        ("s.jsonl", {"id": 1, "dialogue": []}, "smilechat"),
        ("a.jsonl", SAMPLE_LINE, "sample"),
    ],
)
def test_detect_format(tmp_path: Path, name: str, content: Any, expected: str) -> None:
    path = tmp_path / name
    path.write_text(json.dumps(content), encoding="utf-8")
    assert detect_format(path) == expected


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.jsonl", "", "an empty file"),
        ("a.jsonl", '{"x": 1}', r"a first record with the keys \['x'\]"),
        ("a.jsonl", "[1]", r"a first record with the keys \[\]"),
        ("1.json", json.dumps(dialogue("在吗")), "one SMILECHAT dialogue"),
        ("1.json", "{}", "JSON that is no list of PsyQA questions"),
    ],
)
def test_detect_unknown(tmp_path: Path, name: str, content: str, found: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=f"{found}.*, expected a sample, PsyQA or SMILECHAT corpus"):
        load_corpus(path)


def test_missing_and_empty(tmp_path: Path) -> None:
    for format in ("auto", "sample", "psyqa", "smilechat"):
        with pytest.raises(CorpusError, match="no such file or folder"):
            load_corpus(tmp_path / "nowhere", format)
    with pytest.raises(CorpusError, match="a folder without"):
        load_corpus(tmp_path)
    with pytest.raises(CorpusError, match=r"no \.jsonl file"):
        load_corpus(tmp_path, "sample")
    with pytest.raises(CorpusError, match="no dialogue in it"):
        load_corpus(tmp_path, "smilechat")
    with pytest.raises(CorpusError, match="corpus format 'csv'"):
        load_corpus(None, "csv")
    with pytest.raises(CorpusError, match="without a path"):
        load_corpus(None, "psyqa")


def test_real_psyqa(psyqa_path: Path) -> None:
    questions = load_corpus(psyqa_path)
    assert len(questions) == 100
    assert sum(len(question.responses) for question in questions) == 268
    assert {question.topic for question in questions} == {*TOPICS}


def test_real_smilechat(smilechat_path: Path) -> None:
    questions = load_corpus(smilechat_path)
    with gzip.open(smilechat_path, "rt", encoding="utf-8") as lines:
        dialogues = [json.loads(line)["dialogue"] for line in lines]
    answered = sum(any(turn["role"] == "counselor" for turn in turns) for turns in dialogues)
    assert sum(len(question.responses) for question in questions) == answered
    sizes = [len(question.responses) for question in questions]
    assert 2000 < len(questions) < 2400
    # PsyQA has 2.5 answers a question and no more than about ten.
    assert max(sizes) <= 12
    by_id = {question.id: question for question in questions}
    assert len(by_id["12218"].responses) == 9
    assert by_id["12218"].title == "父亲突然去世，总是责怪自己，无法走出来怎么办？"
