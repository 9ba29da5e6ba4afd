"""The loaders of the sample format, PsyQA and SMILECHAT, and how a format is told by its content."""

import gzip
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from common.records.question import Question
from data_prep.card import SOURCES
from data_prep.corpora import Corpus, CorpusError, CorpusFormat, detect_format, load_corpus, smilechat
from data_prep.corpora.records import Intake
from data_prep.tally import Rejected

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


def only_fault(path: Path, format: str = "auto") -> Rejected:
    """What was rejected of a corpus with one bad record, which takes at least ten good ones."""
    corpus = load_corpus(path, format)
    assert corpus.records_in == corpus.records_kept + 1
    [rejected] = corpus.rejected
    assert rejected.what == "record"
    assert rejected.detail.startswith(rejected.id)
    return rejected


def test_sample_line(tmp_path: Path) -> None:
    question = Question(
        id="a-1",
        title="怎么办？",
        description="说来话长。",
        topic="职场",
        responses=("慢慢来。", "先睡一觉。"),
        coe=("一", "二", "三", "四"),
        crisis=True,
    )
    assert load_corpus(write_lines(tmp_path / "a.jsonl", [SAMPLE_LINE])) == Corpus([question], [], 1, 1)


def test_sample_optional_keys(tmp_path: Path) -> None:
    line = {key: SAMPLE_LINE[key] for key in ("id", "title", "description", "responses")}
    [question] = load_corpus(write_lines(tmp_path / "a.jsonl", [line])).questions
    assert (question.topic, question.coe, question.crisis) == ("", None, False)


def test_sample_folder_in_order_of_name(tmp_path: Path) -> None:
    write_lines(tmp_path / "b.jsonl", [{**SAMPLE_LINE, "id": "b-1"}])
    write_lines(tmp_path / "a.jsonl", [SAMPLE_LINE])
    assert [question.id for question in load_corpus(tmp_path).questions] == ["a-1", "b-1"]


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"title": " "}, "title: blank", "'title': found a text of 1 characters"),
        ({"title": None}, "title: wrong type", "'title': found null, expected a string"),
        ({"id": True}, "id: wrong type", "'id': found True"),
        ({"id": "a-0"}, "id: duplicate id", " a.jsonl:1."),
        ({"crises": True}, "unknown key", "field 'crises': found this key"),
        ({"crisis": "no"}, "crisis: wrong type", "expected true or false"),
        ({"responses": []}, "responses: blank", "found a list of 0"),
        ({"responses": ["好"]}, "responses: wrong type", "'responses[0]': found a text of 1 characters"),
        ({"coe": {"L1": "一"}}, "coe: not every layer", "field 'coe': found an object of 1 keys"),
        ({"coe": {**SAMPLE_LINE["coe"], "L4": ""}}, "L4: blank", "coe: field 'L4'"),
    ],
)
def test_sample_bad_field(tmp_path: Path, change: dict[str, Any], reason: str, detail: str) -> None:
    good = [{**SAMPLE_LINE, "id": f"a-{number}"} for number in range(10)]
    rejected = only_fault(write_lines(tmp_path / "a.jsonl", [*good, {**SAMPLE_LINE, "id": "x", **change}]))
    assert (rejected.id, rejected.reason) == ("a.jsonl:11", reason)
    assert detail in rejected.detail


def test_psyqa_entry(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    entry = {**PSYQA_ENTRY, "keywords": "恋爱，恋爱经营, ,分手"}
    path.write_text(json.dumps([entry]), encoding="utf-8")
    question = Question(
        id="7", title="怎么办？", description="", topic="恋爱", responses=("慢慢来。",), subtopic="恋爱经营,分手"
    )
    assert load_corpus(path) == Corpus([question], [], 1, 1)


@pytest.mark.parametrize(
    ("change", "reason", "detail"),
    [
        ({"questionID": 0}, "questionID: duplicate id", "p.json: entry 1 (line 1)"),
        ({"answers": [{}]}, "answer_text: missing", "answers[0]: field 'answer_text'"),
        ({"answers": "好"}, "answers: wrong type", "'answers': found a text of 1 characters, expected a list"),
        ({"description": []}, "description: wrong type", "'description': found a list of 0, expected a string"),
        ({"question": "\ud800"}, "question: broken characters", "at character 0"),
    ],
)
def test_psyqa_bad_field(tmp_path: Path, change: dict[str, Any], reason: str, detail: str) -> None:
    path = tmp_path / "p.json"
    good = [{**PSYQA_ENTRY, "questionID": number} for number in range(10)]
    path.write_text(json.dumps([*good, {**PSYQA_ENTRY, "questionID": "x", **change}]), encoding="utf-8")
    rejected = only_fault(path)
    assert (rejected.id, rejected.reason) == ("p.json: entry 11 (line 1)", reason)
    assert detail in rejected.detail


def test_psyqa_entry_that_is_no_object(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    lines = [json.dumps({**PSYQA_ENTRY, "questionID": number}) for number in range(10)]
    path.write_text("[\n" + ",\n".join([*lines, "[7]"]) + "\n]", encoding="utf-8")
    rejected = only_fault(path)
    assert rejected.id == "p.json: entry 11 (line 12)"
    assert "found a list of 1, expected a JSON object" in rejected.detail


def test_smilechat_groups_neighbours_that_open_alike(tmp_path: Path) -> None:
    openings = {
        3: "总是和室友吵架，心里有隔阂了怎么办？",
        1: "父亲突然去世，总是责怪自己，怎么走出来？",
        2: "父亲突然去世了，我总是责怪自己，该怎么走出来？我很痛苦。",
        4: "我父亲突然去世，一直责怪自己，怎么才能走出来呢？",
    }
    records = [{"id": name, "dialogue": dialogue(text, f"回应{name}")} for name, text in openings.items()]
    questions = load_corpus(write_lines(tmp_path / "s.jsonl", records)).questions
    assert [(question.id, len(question.responses)) for question in questions] == [("1", 3), ("3", 1)]
    assert questions[0].title == "父亲突然去世，总是责怪自己，怎么走出来？"
    assert questions[0].description == "后来就这样了。"
    assert questions[0].responses[2] == "回应4\n谢谢你告诉我。"


def test_smilechat_far_apart_stays_apart(tmp_path: Path) -> None:
    others = ["工作太忙每晚都睡不着", "高考没考好不敢见人", "和男友分手了一个人过年", "孩子不肯上学怪我太凶"]
    openings = ["总是和室友吵架怎么办？", *others, "总是和室友吵架怎么办？"]
    records = [{"id": number, "dialogue": dialogue(text)} for number, text in enumerate(openings)]
    path = write_lines(tmp_path / "s.jsonl", records)
    assert len(smilechat.load(path, Intake())) == 6
    assert len(smilechat.load(path, Intake(), window=5)) == 5


def test_smilechat_greetings_are_no_opening(tmp_path: Path) -> None:
    openings = [("你好！", "工作太忙睡不着。"), ("你好！", "高考没考好。"), ("……", "嗯"), ("……", "嗯")]
    records = [{"id": number, "dialogue": dialogue(text, more=more)} for number, (text, more) in enumerate(openings)]
    assert len(load_corpus(write_lines(tmp_path / "s.jsonl", records)).questions) == 4


def test_smilechat_long_first_turn_is_cut(tmp_path: Path) -> None:
    opening = "我" * 50 + "。后来呢？"
    path = write_lines(tmp_path / "s.jsonl", [{"id": 1, "dialogue": dialogue(opening)[:1]}])
    [question] = load_corpus(path).questions
    assert question == Question(id="1", title="我" * 40, description="我" * 10 + "。后来呢？", topic="", responses=())


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
    assert [question.id for question in load_corpus(packed).questions] == ["1", "2", "10"]


@pytest.mark.parametrize(
    ("turns", "reason", "detail"),
    [
        ([], "dialogue: blank", "'dialogue': found a list of 0"),
        ([{"role": "user", "content": "在吗"}], "role: unknown", "dialogue[0]: field 'role'"),
        ([{"role": "counselor", "content": "在"}], "dialogue: not the client's turn first", "expected 'client'"),
        ([{"role": "client", "content": ""}], "content: blank", "dialogue[0]: field 'content'"),
        (
            [{"role": "client", "content": "在"}, {"role": []}],
            "role: unknown",
            "dialogue[1]: field 'role'",
        ),
        ([{"role": "client"}], "content: missing", "dialogue[0]: field 'content'"),
        ([{"role": "client", "content": "\ud800abc"}], "content: broken characters", "half a surrogate"),
        ("在吗", "dialogue: wrong type", "found a text of 2 characters, expected a list"),
    ],
)
def test_smilechat_bad(tmp_path: Path, turns: Any, reason: str, detail: str) -> None:
    good = [{"id": number, "dialogue": dialogue(f"第{number}件事")} for number in range(10)]
    records = [*good, {"id": 10, "dialogue": turns}]
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    rejected = only_fault(path)
    assert (rejected.id, rejected.reason) == ("s.jsonl:11", reason)
    assert detail in rejected.detail


def test_smilechat_duplicate_id(tmp_path: Path) -> None:
    good = [{"id": number, "dialogue": dialogue(f"第{number}件事")} for number in range(10)]
    rejected = only_fault(write_lines(tmp_path / "s.jsonl", [*good, {"id": "3", "dialogue": dialogue("又一件事")}]))
    assert (rejected.id, rejected.reason) == ("s.jsonl:11", "id: duplicate id")
    assert "unlike that of s.jsonl:4" in rejected.detail


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


def test_detect_past_a_damaged_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("{oops\n[1]\n" + json.dumps(SAMPLE_LINE), encoding="utf-8")
    assert detect_format(path) == "sample"


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.jsonl", '{"x": 1}', r"1 object with 'x' \(1 number\) in the first 1 records"),
        ("a.jsonl", "[1]", "1 number in"),
        ("1.json", "{}", "1 object with no keys"),
        ("a.csv", "标题,正文\n甲,乙\n", "1 object with '标题' .1 text of 1 characters.*'正文'"),
        ("a.txt", "我" * 50, "1 text of 50 characters"),
        ("a.csv", f"{'我' * 31},甲\n{'我' * 50},乙\n", "no header, 2 objects with '1' .2 texts of 31 to 50"),
    ],
)
def test_detect_unknown(tmp_path: Path, name: str, content: str, found: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=f"{name}: .*{found}"):
        load_corpus(path)


def test_detect_unknown_folder(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no file of a corpus in this folder"):
        load_corpus(tmp_path)
    write_lines(tmp_path / "s.jsonl", [{"id": 1, "dialogue": dialogue("在吗")}])
    (tmp_path / "s.csv").write_text("title,responses\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"files of several kinds \(1 \.\w+, 1 \.\w+\)"):
        load_corpus(tmp_path)


def test_every_format_has_its_words_on_the_card() -> None:
    """A corpus whose card could not be written would fail only at the end."""
    assert set(get_args(CorpusFormat)) - {"auto"} == set(SOURCES)


@pytest.mark.parametrize("format", get_args(CorpusFormat))
def test_nothing_there(tmp_path: Path, format: str) -> None:
    with pytest.raises(CorpusError, match="nowhere: no such file"):
        load_corpus(tmp_path / "nowhere", format)


def test_arguments_that_do_not_go_together(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [SAMPLE_LINE])
    with pytest.raises(CorpusError, match="corpus format 'csv', expected one of"):
        load_corpus(path, "csv")
    with pytest.raises(CorpusError, match="without a path"):
        load_corpus(None, "psyqa")
    with pytest.raises(CorpusError, match=r"columns .*'sample', expected .*table"):
        load_corpus(path, "sample", columns={"title": "title"})
    with pytest.raises(CorpusError, match=r"max_bad_records=1\.5, expected a share from 0 to 1"):
        load_corpus(path, max_bad_records=1.5)
    with pytest.raises(CorpusError, match="encoding=klingon: no such encoding"):
        load_corpus(path, encoding="klingon")


def test_a_file_of_psyqa(psyqa_path: Path) -> None:
    entries = json.loads(psyqa_path.read_text(encoding="utf-8"))
    corpus = load_corpus(psyqa_path)
    assert (corpus.format, corpus.records_in, corpus.records_kept, corpus.rejected) == ("psyqa", 12, 12, [])
    questions = corpus.questions
    assert [question.id for question in questions] == [str(entry["questionID"]) for entry in entries]
    for question, entry in zip(questions, entries, strict=True):
        assert (question.title, question.description) == (entry["question"], entry["description"])
        assert question.responses == tuple(answer["answer_text"] for answer in entry["answers"])
        assert (question.crisis, question.coe) == (False, None)
    assert sum(len(question.responses) for question in questions) == 28
    assert Counter(question.topic for question in questions) == dict.fromkeys(["恋爱", "家庭", "人际", "情绪"], 3)
    by_id = {question.id: question for question in questions}
    # Its keywords are parted by full-width commas.
    assert (by_id["2011"].topic, by_id["2011"].subtopic) == ("人际", "人际边界,沟通")
    assert by_id["2017"].description == ""


def as_folder(source: Path, path: Path) -> None:
    shutil.copytree(source, path)


def as_zip(source: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in source.rglob("*.json"):
            archive.write(file, file.relative_to(source))


def as_packed_lines(source: Path, path: Path) -> None:
    dialogues = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in source.rglob("*.json")}
    lines = (
        {"id": int(name), "dialogue": [{"role": turn["role"], "content": turn["content"]} for turn in turns]}
        for name, turns in dialogues.items()
    )
    path.write_bytes(gzip.compress("\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()))


@pytest.mark.parametrize("pack", [as_folder, as_zip, as_packed_lines])
def test_files_of_smilechat(tmp_path: Path, smilechat_path: Path, pack: Callable[[Path, Path], None]) -> None:
    path = tmp_path / "packed"  # the name tells nothing
    pack(smilechat_path, path)
    corpus = load_corpus(path)
    assert (corpus.format, corpus.records_in, corpus.records_kept, corpus.rejected) == ("smilechat", 12, 12, [])
    # 15 has no reply, 18 opens as 7 does but stands too far from it, 13 and 14 only greet alike.
    assert [(question.id, len(question.responses)) for question in corpus.questions] == [
        ("7", 3),
        ("9", 1),
        ("11", 2),
        ("13", 1),
        ("14", 1),
        ("15", 0),
        ("16", 1),
        ("17", 1),
        ("18", 1),
    ]
    assert corpus.questions == load_corpus(smilechat_path).questions


def test_nothing_of_smilechat_is_lost(smilechat_path: Path) -> None:
    dialogues = [json.loads(file.read_text(encoding="utf-8")) for file in smilechat_path.rglob("*.json")]
    said = ["\n".join(turn["content"] for turn in turns if turn["role"] == "counselor") for turns in dialogues]
    questions = load_corpus(smilechat_path).questions
    assert sorted(reply for question in questions for reply in question.responses) == sorted(filter(None, said))
    first = next(turns for turns in dialogues if turns[0]["content"] == questions[1].title)
    assert questions[1].description == "\n".join(turn["content"] for turn in first[2:] if turn["role"] == "client")
    by_id = {question.id: question for question in questions}
    assert by_id["7"].title == by_id["18"].title == "考研失败以后，我一直不敢出门见人，怎么才能走出来呢？"
    assert by_id["15"].title == "有人在吗？"
