"""The split: sizes, disjointness, independence of order, no one at risk in validation."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.records.question import Question
from data_prep.split import draw, seeded_order, split_questions

MakeQuestions = Callable[[int], list[Question]]


@given(
    seed=st.integers(),
    sizes=st.tuples(st.integers(0, 10), st.integers(0, 10)),
    groups=st.lists(st.integers(0, 50), min_size=60, max_size=80).filter(lambda names: len(set(names)) > 35),
    risky=st.sets(st.integers(0, 79), max_size=10),
)
def test_parts_are_disjoint_and_complete_and_hold_whole_groups(
    seed: int, sizes: tuple[int, int], groups: list[int], risky: set[int]
) -> None:
    questions = [
        Question(
            id=str(i),
            title="题",
            description="",
            topic="",
            responses=("答",),
            risk_level="concern" if i in risky else "none",
            group=str(group),
        )
        for i, group in enumerate(groups)
    ]
    # Groups of one fill up whatever the others leave open.
    questions += [
        Question(id=f"s{i}", title="题", description="", topic="", responses=("答",), group=f"s{i}") for i in range(25)
    ]
    split = split_questions(questions, *sizes, seed)
    assert (len(split.test), len(split.val)) == sizes
    assert sorted(q.id for part in split.parts.values() for q in part) == sorted(q.id for q in questions)
    assert not any(question.at_risk for question in split.val)
    members = [{question.group for question in part} for part in split.parts.values()]
    assert sum(map(len, members)) == len(set.union(*members))


@pytest.mark.parametrize("seed", range(20))
def test_sizes_come_out_even_with_groups(make_questions: MakeQuestions, seed: int) -> None:
    questions = [replace(question, group=f"g{i // 3}", crisis=False) for i, question in enumerate(make_questions(60))]
    questions[50:] = [replace(question, group=question.id) for question in questions[50:]]
    split = split_questions(questions, 10, 5, seed)
    assert (len(split.test), len(split.val), len(split.train)) == (10, 5, 45)


def test_a_group_with_a_risky_post_is_not_validated_on(make_questions: MakeQuestions) -> None:
    questions = [
        replace(question, crisis=False, group="same" if i < 6 else question.id)
        for i, question in enumerate(make_questions(12))
    ]
    questions[0] = replace(questions[0], risk_level="concern")
    assert not any(question.group == "same" for question in split_questions(questions, 0, 6, 42).val)


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
    with pytest.raises(ValueError, match=rf"10 questions \(2 at risk\).*test_size={test_size}, val_size={val_size}"):
        split_questions(make_questions(10), test_size, val_size, 42)


def test_negative_size(make_questions: MakeQuestions) -> None:
    with pytest.raises(ValueError, match="test_size -1 and val_size 0, expected 0 or more"):
        split_questions(make_questions(10), -1, 0, 42)


def test_repeated_ids(make_questions: MakeQuestions) -> None:
    questions = make_questions(3)
    with pytest.raises(ValueError, match="3 questions with 2 ids"):
        seeded_order([*questions[:2], replace(questions[2], id="q000")], 42)


def test_what_is_only_trained_on_is_never_held_out(make_questions: MakeQuestions) -> None:
    questions = make_questions(30)
    # A near-duplicate of such a question is held out no more than the question itself.
    questions = [replace(one, train_only=i < 10, group=f"g{i % 15}") for i, one in enumerate(questions)]
    split = split_questions(questions, 6, 2, seed=1)
    kept_in = {one.group for one in questions if one.train_only}
    assert len(split.test) == 6
    assert kept_in.isdisjoint(one.group for one in (*split.test, *split.val))
    assert kept_in <= {one.group for one in split.train}


def test_what_is_too_long_is_trained_on_and_its_group_with_it(make_questions: MakeQuestions) -> None:
    questions = [replace(question, group=f"g{i // 2}", crisis=False) for i, question in enumerate(make_questions(40))]
    too_long = {question.id for question in questions[:20:2]}
    split = split_questions(questions, 12, 6, 42, too_long=too_long)
    assert (len(split.test), len(split.val)) == (12, 6)
    assert {question.id for question in questions[:20]} <= {question.id for question in split.train}
    with pytest.raises(ValueError, match=r"40 questions \(10 too long for max_prompt_tokens\).*20 can be tested on"):
        split_questions(questions, 22, 6, 42, too_long=too_long)


def test_what_is_alike_to_a_held_out_question_is_not_validated_on(make_questions: MakeQuestions) -> None:
    questions = [replace(question, group=question.id, crisis=False) for question in make_questions(20)]
    alike = {question.id for question in questions[:15]}
    split = split_questions(questions, 0, 5, 42, not_for_val=alike)
    assert {question.id for question in split.val} == {question.id for question in questions[15:]}
