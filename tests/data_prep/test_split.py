"""The split: sizes, disjointness, independence of order, no one at risk in validation."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.record import Question
from data_prep.split import draw, seeded_order, split_questions

MakeQuestions = Callable[[int], list[Question]]


@given(
    seed=st.integers(),
    sizes=st.tuples(st.integers(0, 10), st.integers(0, 10)),
    risks=st.lists(st.booleans(), min_size=40, max_size=60).filter(lambda marks: sum(marks) < len(marks) - 20),
)
def test_parts_are_disjoint_and_complete(seed: int, sizes: tuple[int, int], risks: list[bool]) -> None:
    questions = [Question(str(i), "题", "", "", ("答",), crisis=risk) for i, risk in enumerate(risks)]
    split = split_questions(questions, *sizes, seed)
    assert (len(split.test), len(split.val)) == sizes
    assert sorted(q.id for q in split.train + split.val + split.test) == sorted(q.id for q in questions)
    assert not any(question.crisis for question in split.val)


def test_order_of_input_does_not_matter(make_questions: MakeQuestions) -> None:
    questions = make_questions(50)
    split = split_questions(questions, 10, 5, 42)
    random.Random(0).shuffle(questions)
    assert split_questions(questions, 10, 5, 42) == split


def test_seed_matters(make_questions: MakeQuestions) -> None:
    questions = make_questions(50)
    assert split_questions(questions, 10, 5, 1).test != split_questions(questions, 10, 5, 2).test


def test_draw_is_the_same_everywhere() -> None:
    # A change here moves test questions into training for whoever split before.
    assert draw(42, "q001").hex()[:16] == "292f8e1751d7c9e9"
    assert draw(4, "2") != draw(42, "")


@pytest.mark.parametrize(("test_size", "val_size"), [(10, 1), (0, 10), (8, 2), (20, 0)])
def test_too_few(make_questions: MakeQuestions, test_size: int, val_size: int) -> None:
    with pytest.raises(ValueError, match=f"10 questions, 2 of them.*test_size {test_size}, val_size {val_size}"):
        split_questions(make_questions(10), test_size, val_size, 42)


def test_negative_size(make_questions: MakeQuestions) -> None:
    with pytest.raises(ValueError, match="test_size -1 and val_size 0, expected 0 or more"):
        split_questions(make_questions(10), -1, 0, 42)


def test_repeated_ids(make_questions: MakeQuestions) -> None:
    questions = make_questions(3)
    with pytest.raises(ValueError, match="3 questions with 2 ids"):
        seeded_order([*questions[:2], replace(questions[2], id="q000")], 42)
