"""The mark of acute risk from any corpus, by the column map."""

import json
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
    stop,
    stop_unfollowed,
)


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
        ([["抑郁", "自杀"], ["抑郁"]], ("自杀",)),
        (["['抑郁' '自杀']", "[]"], ("自杀",)),
        ([[3, 1], []], ("3",)),
        ([[True], [None]], ()),
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


def test_the_members_of_a_list_are_proposed(tmp_path: Path) -> None:
    labels = [["抑郁"], ["自杀", "抑郁"]]
    path = as_lines(tmp_path / "a.jsonl", [{**item, "crisis": labels[n % 2]} for n, item in enumerate(POSTS)])
    assert "values ['抑郁', '自杀'] in 'crisis'" in stop(path)
    assert [question.crisis for question in followed(path).questions] == [number % 2 == 1 for number in range(COUNT)]


@pytest.mark.parametrize(("marked", "other"), [("[3]", "[1]"), ("[抑郁, 3]", "抑郁"), ("抑郁,3", "3a")])
def test_labels_side_by_side_in_a_cell_mark_each(tmp_path: Path, marked: str, other: str) -> None:
    values = [marked, other, "[3, 1]"]
    path = as_lines(tmp_path / "a.jsonl", [{**item, "risk": values[n % 3]} for n, item in enumerate(POSTS)])
    corpus = load_corpus(path, columns={"crisis": "risk"}, crisis_values=["3"])
    assert [question.crisis for question in corpus.questions] == [number % 3 != 1 for number in range(COUNT)]


@pytest.mark.parametrize("field", ["messages", "responses"])
def test_values_of_which_none_occurs(tmp_path: Path, field: str) -> None:
    spoken = [{"role": "user", "content": WORDS}, {"role": "assistant", "content": REPLY}]
    posts = [{**item, field: spoken if field == "messages" else [REPLY]} for item in POSTS]
    marked = [{**item, "risk": f"{n % 2}", "crisis": f"{WORDS}{n}"} for n, item in enumerate(posts)]
    path = as_lines(tmp_path / "a.jsonl", marked)
    with pytest.raises(CorpusError, match=r"none of crisis_values=\['9'\] in 'risk'.*2 different .* \['0', '1'\]"):
        load_corpus(path, columns={"crisis": "risk"}, crisis_values=["9"])
    with pytest.raises(CorpusError, match=r"found 6 different values\. Name") as caught:
        load_corpus(path, crisis_values=["9"])
    assert WORDS not in str(caught.value)


def test_a_value_that_occurs_in_a_bad_record_alone(tmp_path: Path) -> None:
    posts = [{**POSTS[n % COUNT], "id": n, "crisis": 1} for n in range(12)]
    path = as_lines(tmp_path / "a.jsonl", [*posts, {**posts[0], "crisis": 9}])
    assert len(load_corpus(path, crisis_values=["9"]).rejected) == 1


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
