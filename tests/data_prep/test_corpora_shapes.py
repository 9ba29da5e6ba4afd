"""Shapes that other people's corpora have: each loads, or stops with a line that, written after `make data`, loads it.

The texts are written for these tests.
"""

import csv
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.corpora import Corpus, CorpusError, Reading, Rule, layout, load_corpus
from recipes.data import RECIPE

COUNT = 6
REPLY = "你愿意把这件事说出来，已经很不容易。先把今晚能做的一件小事写下来，其余的明天再看。"
WORDS = "搬到新城市以后"  # of every post; no message may hold them


def post(number: int) -> dict[str, Any]:
    return {
        "title": f"{WORDS}第{number}周，还是睡不好怎么办？",
        "description": f"{WORDS}，我每天三点多就醒，已经{number}周了，白天总是走神。",
        "topic": ("睡眠", "适应")[number % 2],
        "responses": [f"{REPLY}第{number}条。", f"我先问一句，{WORDS}你和谁说过？第{number}条。"],
    }


POSTS = [post(number) for number in range(COUNT)]
TITLES = [item["title"] for item in POSTS]


def as_json(path: Path, value: Any, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, **how), encoding="utf-8")
    return path


def as_lines(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(item, ensure_ascii=False)}\n" for item in records), encoding="utf-8")
    return path


def as_csv(path: Path, records: list[dict[str, Any]], *, header: bool = True, delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([list(records[0])] * header + [list(item.values()) for item in records])
    return path


def renamed(**names: str) -> list[dict[str, Any]]:
    return [{names[key]: value for key, value in item.items() if key in names} for item in POSTS]


def single(records: list[dict[str, Any]], key: str = "responses") -> list[dict[str, Any]]:
    return [{**item, key: item[key][0]} for item in records]


def stop(path: Path) -> str:
    """The message that a corpus stops with; it holds no word of a post."""
    with pytest.raises(CorpusError) as caught:
        load_corpus(path)
    message = str(caught.value).removeprefix(str(path))
    assert WORDS not in message
    assert REPLY[:6] not in message
    return message


def stop_unfollowed(path: Path) -> str:
    message = stop(path)
    assert "ARGS" not in message
    return message


def followed(path: Path, *before: str) -> Corpus:
    """The corpus, loaded by the ARGS line that the message of the first try ends in."""
    line = re.search(r'ARGS="([^"]*)"', stop(path))
    assert line is not None
    _, config = RECIPE.load(["profile=tiny", f"corpus={path}", *before, *shlex.split(line[1])])
    return load_corpus(
        path,
        config.format,
        columns=config.columns,
        encoding=config.encoding,
        crisis_values=config.crisis_values,
        reading=Reading(Rule(), config.roles),
    )


def assert_posts(corpus: Corpus, responses: int = 2) -> None:
    assert (corpus.records_in, corpus.records_kept) == (COUNT, COUNT)
    for question, item in zip(corpus.questions, POSTS, strict=True):
        assert (question.title, question.description) == (item["title"], item["description"])
        assert question.topic == item["topic"]
        assert list(question.responses) == item["responses"][:responses]


# Tables of other programs.


def by_columns(path: Path) -> Path:
    pd.DataFrame(POSTS).to_json(path, force_ascii=False)
    return path


def by_split(path: Path) -> Path:
    pd.DataFrame(POSTS).to_json(path, orient="split", force_ascii=False, indent=1)
    return path


def by_index(path: Path) -> Path:
    pd.DataFrame(POSTS).to_json(path, orient="index", force_ascii=False)
    return path


def by_table(path: Path) -> Path:
    pd.DataFrame(POSTS).to_json(path, orient="table", force_ascii=False)
    return path


def one_after_the_other(path: Path) -> Path:
    path.write_text("\n".join(json.dumps(item, ensure_ascii=False, indent=1) for item in POSTS), encoding="utf-8")
    return path


def in_pandas_csv(path: Path) -> Path:
    pd.DataFrame(POSTS).to_csv(path)
    return path


def in_numpy_csv(path: Path) -> Path:
    cells = [pd.Series(item["responses"]).to_numpy() for item in POSTS]
    pd.DataFrame({**pd.DataFrame(POSTS), "responses": [str(cell) for cell in cells]}).to_csv(path, index=False)
    return path


def in_numpy_repr_csv(path: Path) -> Path:
    cells = [repr(pd.Series(item["responses"]).to_numpy()) for item in POSTS]
    pd.DataFrame({**pd.DataFrame(POSTS), "responses": cells}).to_csv(path, index=False)
    return path


def in_folders(path: Path) -> Path:
    for number, item in enumerate(POSTS):
        as_json(path / f"part{number // 3}" / "posts" / f"{number}.json", item, indent=1)
    (path / "README.md").write_text("posts", encoding="utf-8")
    (path / "LICENSE.txt").write_text("CC0", encoding="utf-8")
    return path


def in_parquet_folders(path: Path) -> Path:
    for number in range(2):
        (path / f"part{number}").mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(POSTS[number * 3 :][:3]), path / f"part{number}" / "a.parquet")
    return path


READ_AS_IT_IS: list[Callable[[Path], Path]] = [
    by_columns,
    by_split,
    by_index,
    by_table,
    one_after_the_other,
    in_pandas_csv,
    in_numpy_csv,
    in_numpy_repr_csv,
    in_folders,
    in_parquet_folders,
    lambda path: as_json(path, {"data": POSTS}),
    lambda path: as_json(path, {"version": "1.0", "questions": POSTS, "count": COUNT}, indent=2),
    lambda path: as_json(path, {"data": {"items": POSTS}}),
    lambda path: as_json(path, {"train": POSTS[:4], "test": POSTS[4:]}),
    lambda path: as_json(path, {key: [item[key] for item in POSTS] for key in POSTS[0]}),
    lambda path: as_json(path, [{**item, "crisis": False} for item in POSTS]),
    lambda path: as_json(path, [list(POSTS[0]), *(list(item.values()) for item in POSTS)]),
    lambda path: as_csv(path, POSTS, delimiter=";"),
    lambda path: as_csv(path, POSTS, delimiter="|"),
    lambda path: as_csv(path, [{**item, "": ""} for item in POSTS]),
]


@pytest.mark.parametrize("write", READ_AS_IT_IS)
def test_a_table_that_is_read_as_it_is(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    assert_posts(load_corpus(write(tmp_path / "corpus")))


def test_null_in_optional_fields(tmp_path: Path) -> None:
    path = as_lines(tmp_path / "a.jsonl", [{**POSTS[0], "description": None, "topic": None}, *POSTS[1:]])
    first, *others = load_corpus(path).questions
    assert (first.description, first.topic) == ("", "")
    assert [question.title for question in others] == TITLES[1:]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"data": [{"title": "问", "responses": ["答"]},\n{"title": "又', 2),
        ('{"title": {"0": "问", "1": "又问"},\n"responses": {"0": "答"}}', 2),
        ('{"columns": ["title", "responses"], "data": [["问"]]}', 1),
        ('{"data": [{"title": "问", "responses": ["答"]}\n]}\n[]', 3),
    ],
)
def test_an_object_that_is_damaged(tmp_path: Path, content: str, line: int) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"a\.json:{line}: not JSON"):
        load_corpus(path, "table")


# Tables that are told how to be read.


@pytest.mark.parametrize(
    ("names", "responses"),
    [
        ({"title": "标题", "description": "描述", "topic": "话题", "responses": "回答"}, 2),
        ({"title": "问题", "description": "内容", "topic": "分类", "responses": "回复"}, 2),
        ({"title": "question", "description": "content", "topic": "tag", "responses": "answers"}, 2),
        ({"title": "你的 问题", "description": "y", "topic": "分类", "responses": "咨询师的回答（可多条）"}, 2),
        ({"title": "甲", "description": "乙", "topic": "丙", "responses": "丁"}, 2),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_other_names_of_columns(tmp_path: Path, names: dict[str, str], responses: int, kind: str) -> None:
    records = renamed(**names)
    path = as_csv(tmp_path / "a.csv", records) if kind == "csv" else as_lines(tmp_path / "a.jsonl", records)
    assert_posts(followed(path), responses)


def test_two_columns_alone(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "a.csv", single(renamed(title="提问", responses="回答"), "回答"))
    corpus = followed(path)
    assert [(question.title, len(question.responses)) for question in corpus.questions] == [(t, 1) for t in TITLES]


def test_answers_as_plain_strings(tmp_path: Path) -> None:
    path = as_lines(tmp_path / "a.jsonl", renamed(title="question", responses="answers"))
    corpus = followed(path)
    assert [question.responses for question in corpus.questions] == [tuple(item["responses"]) for item in POSTS]


def test_answers_as_objects_of_other_keys(tmp_path: Path) -> None:
    records = [{"题目": p["title"], "评论": [{"正文": r, "赞": 3} for r in p["responses"]]} for p in POSTS]
    assert [len(question.responses) for question in followed(as_lines(tmp_path / "a.jsonl", records)).questions] == [
        2
    ] * COUNT


def test_semicolons_and_other_names(tmp_path: Path) -> None:
    names = {"title": "标题", "description": "描述", "topic": "话题", "responses": "回答"}
    path = as_csv(tmp_path / "a.csv", single(renamed(**names), "回答"), delimiter=";")
    assert_posts(followed(path), 1)


def test_no_header(tmp_path: Path) -> None:
    numbered = [{"id": number, **item} for number, item in enumerate(single(POSTS), 1)]
    path = as_csv(tmp_path / "a.csv", numbered, header=False)
    message = stop(path)
    assert "no header" in message
    assert "'5' (6 texts of 45 characters)" in message
    corpus = followed(path)
    assert_posts(corpus, 1)
    assert [question.id for question in corpus.questions] == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_a_response(tmp_path: Path, kind: str) -> None:
    records = renamed(title="标题", description="正文", topic="分类")
    wide = [
        {**item, "回答1": p["responses"][0], "回答2": p["responses"][1]} for item, p in zip(records, POSTS, strict=True)
    ]
    wide[-1]["回答2"] = ""
    path = tmp_path / "a"
    if kind == "csv":
        as_csv(path, wide)
    else:
        pq.write_table(pa.Table.from_pylist(wide), path)
    *questions, last = followed(path).questions
    assert [list(question.responses) for question in questions] == [item["responses"] for item in POSTS[:-1]]
    assert last.responses == (POSTS[-1]["responses"][0],)


def test_rows_that_are_lists(tmp_path: Path) -> None:
    assert_posts(followed(as_json(tmp_path / "a.json", [list(item.values()) for item in single(POSTS)])), 1)


def test_columns_by_number_under_a_header(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "a.csv", single(renamed(title="标题", responses="回答"), "回答"))
    corpus = load_corpus(path, columns={"title": "1", "responses": "2"})
    assert [question.title for question in corpus.questions] == TITLES


def test_a_wrong_name_is_answered_by_the_right_one(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "a.csv", single(renamed(title="标题", responses="回答"), "回答"))
    with pytest.raises(CorpusError, match=r"no column \['responses'\].*columns\.title=标题 columns\.responses=回答"):
        load_corpus(path, columns={"title": "标题"})


@pytest.mark.parametrize(
    "records",
    [
        [{WORDS: REPLY}],
        [{WORDS: {WORDS: REPLY}}, {f"{WORDS}又": REPLY}],
        [REPLY, WORDS],
        [[WORDS, REPLY, REPLY]],
        [{"log": [{WORDS: 1}]}],
        [7, None, True, [], {}],
    ],
)
def test_the_structure_is_told_without_words(tmp_path: Path, records: list[Any]) -> None:
    message = stop(as_json(tmp_path / "a.json", records))
    assert f"in the first {len(records)} records" in message


def test_the_structure_goes_two_levels_deep(tmp_path: Path) -> None:
    records = [{"meta": {"by": {"name": WORDS}}, "log": [{"n": 1, "said": WORDS}]} for _ in range(3)]
    message = stop(as_json(tmp_path / "a.json", records))
    assert "3 objects with 'meta' (3 objects with 'by' (3 objects with 'name'))" in message
    assert "'log' (3 lists of 1 with 3 objects with 'n' (3 numbers), 'said' (3 texts of 7 characters))" in message


def test_lists_that_come_late_are_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_HEAD_CHARS", 300)
    late = {"train": POSTS[:5], "labels": ["睡眠"], "test": POSTS[5:]}
    assert_posts(load_corpus(as_json(tmp_path / "a.json", late)))
    deep = {"train": {"items": POSTS[:5]}, "test": {"n": 1, "items": POSTS[5:]}}
    assert_posts(load_corpus(as_json(tmp_path / "b.json", deep)))


def test_ids_that_pandas_made_floats(tmp_path: Path) -> None:
    path = as_lines(tmp_path / "a.jsonl", [{"id": float(n), **item} for n, item in enumerate(POSTS)])
    assert [question.id for question in load_corpus(path).questions] == ["0", "1", "2", "3", "4", "5"]


def test_files_that_count_their_ids_anew(tmp_path: Path) -> None:
    for number in range(2):
        as_csv(tmp_path / f"{number}.csv", [{"id": n, **item} for n, item in enumerate(POSTS[number * 3 :][:3])])
    corpus = load_corpus(tmp_path)
    assert_posts(corpus)
    assert [question.id for question in corpus.questions] == ["1", "2", "3", "4", "5", "6"]
    with pytest.raises(CorpusError, match="3 of 6 records are bad"):
        load_corpus(tmp_path, columns={"id": "id"} | {name: name for name in ("title", "responses")})


def test_psyqa_in_folders(tmp_path: Path, psyqa_path: Path) -> None:
    entries = json.loads(psyqa_path.read_text(encoding="utf-8"))
    for number in range(2):
        as_json(tmp_path / "corpus" / str(number) / "part.json", entries[number * 6 :][:6])
    corpus = load_corpus(tmp_path / "corpus")
    assert (corpus.format, corpus.questions) == ("psyqa", load_corpus(psyqa_path).questions)


def test_a_folder_of_several_kinds(tmp_path: Path) -> None:
    as_csv(tmp_path / "a.csv", single(POSTS))
    as_lines(tmp_path / "b.jsonl", POSTS)
    with pytest.raises(CorpusError, match=r"several kinds .*CORPUS=.*a\.csv"):
        load_corpus(tmp_path)
    assert_posts(load_corpus(tmp_path / "a.csv"), 1)


def test_links_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    folder = in_folders(tmp_path / "corpus")
    (folder / "part0" / "again.json").symlink_to(folder / "part0" / "posts" / "0.json")
    (folder / "loop").symlink_to(folder)
    as_json(folder / ".cache" / "0.json", POSTS[0])
    assert_posts(load_corpus(folder))


# The crisis mark.


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([True, False], ()),
        ([1, 0], ()),
        (["是", "否"], ()),
        (["Yes", None], ()),
        ([3, 1], ("3", "4")),
        (["3.0", "2"], ("3",)),
        (["3.2", "3.6"], ("3.1", "3.2")),
        (["high", "low"], ("high",)),
    ],
)
def test_a_crisis_mark_by_the_column_map(tmp_path: Path, values: list[Any], named: tuple[str, ...]) -> None:
    marked = [{**item, "label": {"s3": values[number % 2]}} for number, item in enumerate(POSTS)]
    path = as_lines(tmp_path / "a.jsonl", marked)
    corpus = load_corpus(path, columns={"crisis": "label.s3"}, crisis_values=named)
    assert [question.crisis for question in corpus.questions] == [number % 2 == 0 for number in range(COUNT)]


def test_levels_are_named_in_the_message(tmp_path: Path) -> None:
    path = as_lines(tmp_path / "a.jsonl", [{**item, "risk": "无低高"[n % 3]} for n, item in enumerate(POSTS)])
    with pytest.raises(CorpusError, match=r"values \['低', '高'\].*columns\.crisis=risk crisis_values=\[高\]"):
        load_corpus(path, columns={"crisis": "risk"})


def test_a_crisis_column_of_its_own_name(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "a.csv", [{**item, "crisis": "是" if n == 2 else "否"} for n, item in enumerate(POSTS)])
    assert [question.crisis for question in load_corpus(path).questions].index(True) == 2


def test_a_mark_of_which_nobody_says_what_it_means(tmp_path: Path) -> None:
    path = as_lines(tmp_path / "a.jsonl", [{**item, "crisis": 3} for item in POSTS])
    assert all(question.crisis for question in followed(path).questions)
    once = as_lines(tmp_path / "b.jsonl", [{**item, "crisis": f"{WORDS}{n}"} for n, item in enumerate(POSTS)])
    message = stop_unfollowed(once)
    assert "6 of 6 records are bad" in message
    assert "crisis_values=[3,4]" in message
    assert all(question.crisis for question in load_corpus(path, crisis_values=["3"]).questions)


@pytest.mark.parametrize("columns", [{"crisis": "label.s4"}, {"crisis": "risk"}, {}])
@pytest.mark.parametrize("key", ["responses", "messages"])
def test_a_crisis_mark_that_is_not_there(tmp_path: Path, columns: dict[str, str], key: str) -> None:
    spoken = [{"role": "user", "content": "睡不着"}]
    records = [{"title": "睡不着", "label": {"s3": 1}, key: [REPLY] if key == "responses" else spoken}]
    with pytest.raises(CorpusError, match=r"no column or key '.*' for the crisis mark; 1 object with 'title'"):
        load_corpus(as_json(tmp_path / "a.json", records), columns=columns, crisis_values=["1"])


def test_a_crisis_mark_in_corpora_that_have_none(tmp_path: Path, psyqa_path: Path) -> None:
    entries = json.loads(psyqa_path.read_text(encoding="utf-8"))
    path = as_json(tmp_path / "p.json", [{**entry, "risk": n == 3} for n, entry in enumerate(entries)])
    corpus = load_corpus(path, columns={"crisis": "risk"})
    assert corpus.format == "psyqa"
    assert [question.crisis for question in corpus.questions].index(True) == 3
