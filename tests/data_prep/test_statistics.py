"""Corpus statistics: against numbers worked out by hand, and the paper's Table 1 beside them."""

import json
import math
import re
import statistics as reference
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.records.question import Question
from data_prep.statistics import ANSWER_BIN, BINS, CorpusStatistics, corpus_statistics, table1


def _question(title: int, description: int, topic: str, subtopic: str, responses: list[int]) -> Question:
    texts = tuple("答" * length for length in responses)
    return Question(
        id="q", title="题" * title, description="述" * description, topic=topic, responses=texts, subtopic=subtopic
    )


def _three() -> list[Question]:
    return [
        _question(4, 0, "情绪", "焦虑", [10, 30]),
        _question(6, 50, "家庭", "", [20]),
        _question(8, 100, "情绪", "失眠", [40, 60, 80]),
        _question(10, 150, "家庭", "焦虑", [49, 50]),
        _question(2, 24, "", "", [100_000]),
        _question(3, 25, "职场", "", [20]),
    ]


def test_a_corpus_counted_by_hand() -> None:
    found = corpus_statistics(iter(_three()))
    assert (found.questions, found.answers, found.no_description, found.no_topic) == (6, 10, 1, 1)
    assert list(found.topics.items()) == [("家庭", 2), ("情绪", 2), ("职场", 1)]
    assert found.subtopics == 3  # 焦虑 stands under two topics
    assert found.responses_per_question == {1: 3, 2: 2, 3: 1}

    assert (found.titles.mean, found.titles.median, found.titles.p95, found.titles.maximum) == (5.5, 5, 10, 10)
    assert found.titles.bins[:6] == (0, 2, 1, 1, 1, 1)
    assert found.descriptions.mean == pytest.approx(349 / 6)
    assert found.descriptions.median == 37.5
    assert found.descriptions.bins[:7] == (2, 1, 1, 0, 1, 0, 1)
    assert found.responses.mean == 10035.9
    assert found.responses.median == 44.5
    assert (found.responses.p95, found.responses.maximum) == (100_000, 100_000)
    assert found.responses.bins[:2] == (6, 3)
    assert found.responses.bins[-1] == 1  # the last bar takes what is longer than all the others


def test_p95_is_a_length_that_occurs() -> None:
    found = corpus_statistics([_question(1, 0, "", "", list(range(1, 101)))])
    assert (found.responses.p95, found.responses.median) == (95, 50.5)


def test_column_of_table_1() -> None:
    column = corpus_statistics(_three()).table1
    assert (column.questions, column.answers, column.main_topics, column.subtopics) == (6, 10, 3, 3)
    assert (column.question_chars, column.answer_chars) == (5.5, 10035.9)
    assert column.description_chars == pytest.approx(58.1667, abs=1e-4)
    assert column.responses_per_question == pytest.approx(1.6667, abs=1e-4)


def test_no_topics_are_none_and_not_naught() -> None:
    column = corpus_statistics([_question(1, 1, "", "", [1])]).table1
    assert column.main_topics is None
    assert column.subtopics is None


def test_table_1_row_by_row() -> None:
    ours = corpus_statistics(_three())
    bare = corpus_statistics([_question(1, 1, "", "", [1200])])
    heads, _, *rows = re.sub(" +", " ", table1({"sample": ours, "my|posts": bare})).splitlines()
    assert heads == "| | PsyQA (paper) | Empathy-QA (paper) | sample (ours) | my\\|posts (ours) |"
    assert rows == [
        "| Questions | 22,346 | 40,959 | 6 | 1 |",
        "| Answers | 56,063 | 168,470 | 10 | 1 |",
        "| Main topics | 9 | 29 | 3 | – |",
        "| Subtopics | – | 182 | 3 | – |",
        "| Mean characters of a question (its title) | 21.6 | 22.7 | 5.5 | 1.0 |",
        "| Mean characters of a description | 168.9 | 275.9 | 58.2 | 1.0 |",
        "| Mean characters of an answer | 524.6 | 775.6 | 10,035.9 | 1,200.0 |",
        "| Mean responses per question | 2.51 | 4.11 | 1.67 | 1.00 |",
    ]


def test_table_1_wants_a_corpus() -> None:
    with pytest.raises(ValueError, match="without a corpus of ours"):
        table1({})


@pytest.mark.parametrize("questions", [[], [_question(3, 3, "", "", [])]])
def test_nothing_to_average(questions: list[Question]) -> None:
    with pytest.raises(ValueError, match=f"{len(questions)} questions with no response at all"):
        corpus_statistics(questions)


def test_goes_into_json() -> None:
    found = corpus_statistics(_three())
    read = json.loads(json.dumps(asdict(found), ensure_ascii=False))
    assert read["titles"]["bins"] == list(found.titles.bins)
    assert read["topics"] == found.topics
    assert read["responses_per_question"] == {"1": 3, "2": 2, "3": 1}


@given(st.lists(st.lists(st.integers(0, 9000), max_size=6), min_size=1, max_size=20).filter(any))
def test_every_response_is_counted_once(lengths: list[list[int]]) -> None:
    found: CorpusStatistics = corpus_statistics(_question(1, 1, "", "", item) for item in lengths)
    flat = sorted(length for item in lengths for length in item)
    assert found.answers == sum(found.responses.bins) == len(flat)
    assert found.responses.mean == pytest.approx(reference.fmean(flat))
    assert found.responses.median == reference.median(flat)
    assert found.responses.p95 == flat[math.ceil(0.95 * len(flat)) - 1]
    assert sum(found.responses_per_question.values()) == found.questions == len(lengths)
    for index, count in enumerate(found.responses.bins[:-1]):
        assert count == sum(index * ANSWER_BIN <= length < (index + 1) * ANSWER_BIN for length in flat)
    assert len(found.responses.bins) == BINS
