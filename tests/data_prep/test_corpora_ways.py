"""Corpora that look like one format and are another: the message names the line that reads them, found by trying."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_prep.corpora import CorpusError, load_corpus
from tests.data_prep.made_posts import COUNT, POSTS, REPLY, WORDS, as_json, as_lines, followed, stop_unfollowed


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
