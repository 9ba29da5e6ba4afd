"""Shapes that other people's corpora have: each loads, or stops with a line that, written after `make data`, loads it.

The texts are written for these tests.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.corpora import CorpusError, layout, load_corpus
from tests.data_prep.made_posts import (
    COUNT,
    POSTS,
    REPLY,
    TITLES,
    WORDS,
    as_csv,
    as_json,
    as_lines,
    assert_posts,
    followed,
    renamed,
    single,
    stop,
)

# Tables of other programs.


def by_columns(path: Path) -> Path:
    pd.DataFrame(POSTS).to_json(path, force_ascii=False)
    return path


def by_columns_of_texts(path: Path) -> Path:
    pd.DataFrame(POSTS, index=[f"q{number}" for number in range(COUNT)]).to_json(path, force_ascii=False)
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


def in_pandas_csv_twice(path: Path) -> Path:
    lines = pd.DataFrame(POSTS).to_csv().splitlines(keepends=True)
    path.write_text("".join(f",{line}" for line in lines), encoding="utf-8")
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
    by_columns_of_texts,
    by_split,
    by_index,
    by_table,
    one_after_the_other,
    in_pandas_csv,
    in_pandas_csv_twice,
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


def test_hidden_files_are_left_out_and_links_rejected(tmp_path: Path) -> None:
    folder = in_folders(tmp_path / "corpus")
    (folder / "part0" / "again.json").symlink_to(folder / "part0" / "posts" / "0.json")
    (folder / "loop").symlink_to(folder)
    as_json(folder / ".cache" / "0.json", POSTS[0])
    corpus = load_corpus(folder)
    assert [(item.id, item.reason) for item in corpus.rejected] == [("part0/again.json", "no file")]
    assert_posts(replace(corpus, rejected=[], records_in=corpus.records_kept))
