"""Deduplication: what is merged, what is left out, what is grouped, and that every response is accounted for."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.records.question import Question
from data_prep.duplicates import signatures
from data_prep.emotion import EMOTIONS, EmotionLexicon
from data_prep.grouping import Grouped, deduplicate
from data_prep.treatment import Treated

MakeQuestions = Callable[[int], list[Question]]

LEXICON = EmotionLexicon.load()


def treated(question: Question, labels: tuple[str, ...] = ()) -> Treated:
    texts = [question.post, *question.responses]
    counts = np.empty((0, len(EMOTIONS)), dtype=np.uint16) if labels else LEXICON.vectors(texts)
    return Treated(question, emotion_counts=counts, emotions=labels, signatures=signatures(texts))


def ids(grouped: Grouped) -> list[str]:
    return [question.id for question in grouped.questions]


def test_nothing_alike_stays_as_it_is(make_questions: MakeQuestions) -> None:
    questions = make_questions(30)
    grouped, rejected = deduplicate([treated(question) for question in questions], 0.5, 0.8)
    assert rejected == []
    assert ids(grouped) == [question.id for question in questions]
    assert all(question.group == question.id for question in grouped.questions)
    assert grouped.posts.shape == (30, 128)
    assert grouped.responses.shape == (60, 128)
    assert all(len(question.response_emotions) == 2 for question in grouped.questions)


def test_equal_posts_become_one_question(make_questions: MakeQuestions) -> None:
    one, other = make_questions(2)
    twin = replace(other, title=one.title, description=one.description, crisis=True, coe=None)
    grouped, rejected = deduplicate([treated(one), treated(twin)], 0.5, 0.8)
    assert ids(grouped) == ["q000"]
    [merged] = grouped.questions
    assert merged.responses == one.responses + other.responses
    assert merged.crisis
    assert merged.coe == one.coe
    assert [(item.id, item.what, item.reason) for item in rejected] == [
        ("q001", "question", "same post as another question")
    ]
    assert grouped.responses.shape == (4, 128)


def test_the_later_of_two_responses_goes_wherever_it_stands(make_questions: MakeQuestions) -> None:
    one, other, third = make_questions(3)
    other = replace(other, responses=(other.responses[0], f"{one.responses[0]}好"))
    third = replace(third, responses=(one.responses[1],))
    grouped, rejected = deduplicate([treated(question) for question in (one, other, third)], 0.5, 0.8)
    assert ids(grouped) == ["q000", "q001"]
    assert grouped.questions[1].responses == other.responses[:1]
    assert [(item.id, item.reason) for item in rejected] == [
        ("q001", "near-duplicate of another response"),
        ("q002", "same as another response"),
        ("q002", "no response left after deduplication"),
    ]
    assert (grouped.responses[2] == signatures(list(other.responses[:1]))[0]).all()


def test_near_duplicate_posts_are_a_group(make_questions: MakeQuestions) -> None:
    one, other, third = make_questions(3)
    near = replace(third, title=one.title, description=f"{one.description}谢谢。")
    grouped, rejected = deduplicate([treated(one), treated(other), treated(near)], 0.5, 0.8)
    assert rejected == []
    assert [question.group for question in grouped.questions] == ["q000", "q001", "q000"]


def test_a_classifiers_labels_stay_with_their_texts(make_questions: MakeQuestions) -> None:
    one, other = make_questions(2)
    other = replace(other, responses=(one.responses[0], other.responses[1]))
    grouped, _ = deduplicate([treated(one, ("甲", "乙", "丙")), treated(other, ("丁", "戊", "己"))], 0.5, 0.8)
    assert [(question.emotion, question.response_emotions) for question in grouped.questions] == [
        ("甲", ("乙", "丙")),
        ("丁", ("己",)),
    ]


def test_part_of_a_corpus(make_questions: MakeQuestions) -> None:
    grouped, _ = deduplicate([treated(question) for question in make_questions(5)], 0.5, 0.8)
    part = grouped.of({"q001", "q004"})
    assert ids(part) == ["q001", "q004"]
    assert (part.posts == grouped.posts[[1, 4]]).all()
    assert (part.responses == grouped.responses[[2, 3, 8, 9]]).all()


def test_nothing_to_do() -> None:
    grouped, rejected = deduplicate([Treated(None)], 0.5, 0.8)
    assert (grouped.questions, rejected) == ([], [])


@pytest.mark.parametrize("key", ["question", "response"])
def test_threshold_out_of_range(make_questions: MakeQuestions, key: str) -> None:
    low = {"question": (0.1, 0.8), "response": (0.5, 0.1)}[key]
    with pytest.raises(ValueError, match="threshold"):
        deduplicate([treated(question) for question in make_questions(2)], *low)


@given(st.lists(st.tuples(st.integers(0, 5), st.lists(st.integers(0, 8), min_size=1, max_size=4)), max_size=12))
def test_every_question_and_response_is_kept_or_rejected(drawn: list[tuple[int, list[int]]]) -> None:
    questions = [
        Question(
            id=str(number),
            title=f"第{post}个问题",
            description=f"{'甲乙丙丁戊己'[post]}" * 40,
            topic="",
            responses=tuple("一二三四五六七八九"[i] * 60 for i in own),
        )
        for number, (post, own) in enumerate(drawn)
    ]
    grouped, rejected = deduplicate([treated(question) for question in questions], 0.5, 0.8)
    left = Counter(item.what for item in rejected)
    assert len(grouped.questions) + left["question"] == len(questions)
    kept = sum(len(question.responses) for question in grouped.questions)
    assert kept + left["response"] == sum(len(question.responses) for question in questions)
    assert kept == len(grouped.responses) == len({i for _, own in drawn for i in own})
