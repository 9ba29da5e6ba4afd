"""Corpora that look like one format and are another: the message names the line that reads them, found by trying."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_prep.corpora import CorpusError, load_corpus
from tests.data_prep.made_posts import (
    COUNT,
    POSTS,
    REPLY,
    WORDS,
    as_csv,
    as_json,
    as_lines,
    followed,
    single,
    stop,
    stop_unfollowed,
)


def spoken(number: int) -> list[dict[str, str]]:
    return [
        {"role": "client", "content": f"{WORDS}，我每天三点多就醒，已经{number}周了。"},
        {"role": "counselor", "content": REPLY},
    ]


HELLO = {"role": "counselor", "content": "你好，请说。"}


@pytest.mark.parametrize(
    "record",
    [
        lambda n: {"dialogue": spoken(n)},
        lambda n: {"dialogue_id": n, "dialogue": spoken(n)},
        lambda n: {"id": n, "dialogue": [HELLO, *spoken(n)]},
        lambda n: {"id": n, "dialogue": [*spoken(n), {**HELLO, "content": ""}]},
    ],
)
def test_dialogues_like_smilechat(tmp_path: Path, record: Callable[[int], Any]) -> None:
    corpus = followed(as_lines(tmp_path / "a.jsonl", [record(number) for number in range(COUNT)]))
    assert (corpus.format, len(corpus.questions)) == ("dialogue", COUNT)
    assert {question.responses for question in corpus.questions} == {(REPLY,)}


def test_lists_of_dialogues_in_a_folder(tmp_path: Path) -> None:
    for name in ("train", "dev"):
        records = [{"id": number, "dialogue": spoken(number)} for number in range(COUNT)]
        as_json(tmp_path / f"{name}.json", records)
    assert followed(tmp_path).records_kept == 2 * COUNT


@pytest.mark.parametrize(
    "record",
    [
        lambda n: {"keywords": "睡眠"},
        lambda n: {"keywords": ["睡眠", "失眠"], "questionID": n},
    ],
)
def test_posts_like_psyqa(tmp_path: Path, record: Callable[[int], Any]) -> None:
    posts = [
        {"question": post["title"], "answers": [{"answer_text": REPLY}], **record(n)} for n, post in enumerate(POSTS)
    ]
    questions = followed(as_json(tmp_path / "a.json", posts)).questions
    assert [question.title for question in questions] == [post["title"] for post in POSTS]
    assert {question.topic for question in questions} == {"睡眠"}


def test_records_that_no_format_reads(tmp_path: Path) -> None:
    stop_unfollowed(as_lines(tmp_path / "a.jsonl", [{"id": n, "dialogue": [HELLO]} for n in range(COUNT)]))


def test_a_format_that_was_named_is_not_doubted(tmp_path: Path) -> None:
    path = as_lines(tmp_path / "a.jsonl", [{"dialogue": spoken(number)} for number in range(COUNT)])
    with pytest.raises(CorpusError, match=r"allow more of them\.$"):
        load_corpus(path, "smilechat")


TRADITIONAL = [
    {
        "標題": f"睡不著怎麼辦，已經第{number}週",
        "描述": "我最近總是睡不著覺，夜裡兩三點就醒來，老闆已經說過我兩次，家裡的人也不理解我。",
        "主題": "睡眠",
        "回答": "聽起來你這段時間真的很不容易，又要上班又要照顧孩子。先允許自己累一累，再把最急的事寫下來。",
    }
    for number in range(COUNT)
]


@pytest.mark.parametrize(
    ("posts", "encoding"),
    [(TRADITIONAL, "big5"), (single(POSTS), "gb18030"), (TRADITIONAL, "gb18030")],
)
def test_the_likelier_encoding_is_proposed_first(tmp_path: Path, posts: list[dict[str, Any]], encoding: str) -> None:
    path = as_csv(tmp_path / "a.csv", posts)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert f"such as encoding={encoding} or" in stop(path)


def test_traditional_names(tmp_path: Path) -> None:
    [question, *_] = followed(as_csv(tmp_path / "a.csv", TRADITIONAL)).questions
    found = (question.title, question.description, question.topic, *question.responses)
    assert found == tuple(TRADITIONAL[0].values())
    lines = "\n".join(("來訪者：最近總是睡不著。", "諮商師：多久了？", "來訪者：三個月。"))
    path = as_lines(tmp_path / "b.jsonl", [{"對話": lines} for _ in range(COUNT)])
    assert load_corpus(path).questions[0].responses == ("多久了？",)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_files_in_two_encodings_are_told(tmp_path: Path, encoding: str) -> None:
    for number, codec in enumerate(("ascii", "utf-8", "gb18030")):
        posts = [dict.fromkeys(POSTS[0], "a")] if codec == "ascii" else single(POSTS)
        path = as_csv(tmp_path / f"{number}.csv", posts)
        path.write_bytes(path.read_text(encoding="utf-8").encode(codec))
    right, wrong = (1, 2) if encoding == "utf-8" else (2, 1)
    with pytest.raises(CorpusError, match=rf"\({right}\.csv is {encoding}, {wrong}\.csv is not\)"):
        load_corpus(tmp_path, encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["一直睡不好，一点办法都没有。", "I lie awake"])
def test_utf_16_of_few_zeros_is_told(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"{text * 20}\n" * 5, encoding=encoding)
    with pytest.raises(CorpusError, match=f"Add encoding={encoding}"):
        load_corpus(path)


@pytest.mark.parametrize(
    ("first", "rows"),
    [
        (f"我叫张三,很想死,{REPLY}", "第{}人不好,很难过啊,{}"),
        ("失恋难过,情感,多出去走走", "第{}次分手,情感,{}"),
    ],
)
def test_a_short_first_row_is_no_header(tmp_path: Path, first: str, rows: str) -> None:
    path = tmp_path / "a.csv"
    lines = [first, *(rows.format(number, REPLY) for number in range(10))]
    path.write_text("\n".join(lines), encoding="utf-8")
    message = stop(path)
    assert not [cell for cell in first.split(",") if cell in message]
    corpus = load_corpus(path, columns={"title": "1", "responses": "3"})
    assert (corpus.records_in, corpus.questions[0].title) == (11, first.split(",")[0])


@pytest.mark.parametrize("names", ["你最近怎么了,有谁帮过你", "我很难过的事,别人说了什么"])
def test_columns_that_are_sentences(tmp_path: Path, names: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join([names, *(f"第{n}次分手,{REPLY}" for n in range(10))]), encoding="utf-8")
    corpus = load_corpus(path, columns=dict(zip(("title", "responses"), names.split(","), strict=True)))
    assert corpus.records_in == 10


def test_a_header_again_further_down(tmp_path: Path) -> None:
    names = "甲,乙"
    lines = [names, *(f"第{n}次分手,{REPLY}" for n in range(19))]
    (tmp_path / "a.csv").write_text("\n".join([*lines[:9], names, *lines[9:]]), encoding="utf-8")
    assert "'甲'" in stop(tmp_path / "a.csv")


def test_words_before_colons_are_not_told(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"今天好累：{WORDS}\n我想死：{WORDS}\n今天好累：{REPLY}\n我想死：好\n", encoding="utf-8")
    message = stop(path)
    assert "好累" not in message
    assert "想死" not in message


@pytest.mark.parametrize("nothing", [None, float("nan"), ""])
def test_ids_that_are_nowhere(tmp_path: Path, nothing: object) -> None:
    path = as_lines(tmp_path / "a.jsonl", [{"id": nothing, **post} for post in POSTS])
    assert [question.id for question in load_corpus(path).questions] == ["1", "2", "3", "4", "5", "6"]
    psyqa = [{"questionID": nothing, "question": post["title"], "answers": [{"answer_text": REPLY}]} for post in POSTS]
    assert len(followed(as_json(tmp_path / "b.json", psyqa)).questions) == COUNT


@pytest.mark.parametrize("name", ["1e3", "0x1", "1_000", "007", "12"])
def test_names_that_are_numbers(tmp_path: Path, name: str) -> None:
    posts = [{"n": "", name: post["title"], "回答": REPLY} for post in POSTS]
    questions = followed(as_csv(tmp_path / "a.csv", posts)).questions
    assert [question.title for question in questions] == [post["title"] for post in POSTS]


def test_a_further_answer_is_no_description(tmp_path: Path) -> None:
    posts = [{"question": post["title"], "long_answer": REPLY * 3, "short_answer": REPLY} for post in POSTS]
    question = followed(as_lines(tmp_path / "a.jsonl", posts)).questions[0]
    assert (question.description, question.responses) == ("", (REPLY * 3,))


def test_predictions_of_a_model_are_no_corpus(tmp_path: Path) -> None:
    """As LLaMA-Factory writes them."""
    prompt = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    lines = [{"prompt": prompt.format(post["title"]), "predict": REPLY, "label": REPLY} for post in POSTS]
    assert "marks of a chat template" in stop_unfollowed(as_lines(tmp_path / "a.jsonl", lines))


@pytest.mark.parametrize("names", [["自述话", "他评"], ["累计自述", "旁人话"], ["自述话", "他人的话"]])
def test_names_that_nobody_knows_are_names_in_lists_too(tmp_path: Path, names: list[str]) -> None:
    rows = [names, *([f"第{number}次睡不着怎么办", f"{number}{REPLY}"] for number in range(12))]
    (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    for path in (tmp_path / "a.json", tmp_path / "a.csv"):
        corpus = load_corpus(path, columns={"title": names[0], "responses": names[1]})
        assert len(corpus.questions) == 12
        assert len(load_corpus(path, columns={"title": "1", "responses": "2"}).questions) == 12
