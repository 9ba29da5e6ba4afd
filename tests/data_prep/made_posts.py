"""Posts made for the tests of corpora, and how they are written and loaded; the texts are written for them."""

import csv
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from data_prep.corpora import Corpus, CorpusError, Reading, Rule, load_corpus
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
