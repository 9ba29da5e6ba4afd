"""The leak report: what is found across sets, and what is then said of the questions that must not be trained on."""

import random

import pytest

from data_prep.duplicates import signatures
from data_prep.leaks import Texts, find_leaks, reasons_by_id


def make_text(seed: int) -> str:
    return "".join(chr(0x4E00 + random.Random(seed * 1000 + i).randrange(3000)) for i in range(200))


def texts(**by_id: str) -> Texts:
    return Texts(list(by_id), signatures(list(by_id.values())))


def test_near_duplicates_across_sets_are_found() -> None:
    test = texts(t1=make_text(1), t2=make_text(2))
    train = texts(a=make_text(3), b=make_text(2) + "谢谢", c=make_text(2))
    leaks = find_leaks({"test": test}, {"train": train}, "post", 0.5)
    assert [(leak.held_out, leak.other) for leak in leaks] == [("t2", "b"), ("t2", "c")]
    assert leaks[1].similarity == 1.0
    assert reasons_by_id(leaks)["c"] == ("post nearly the same as one of test", "of question t2, similarity 1.0")


def test_a_set_is_not_compared_with_itself() -> None:
    one = texts(a=make_text(1), b=make_text(1))
    assert find_leaks({"val": one}, {"val": one}, "post", 0.5) == []


def test_best_pair_of_two_questions_counts_once() -> None:
    held = Texts(["t", "t"], signatures([make_text(1), make_text(2)]))
    other = Texts(["a", "a"], signatures([make_text(1) + make_text(9)[:40], make_text(2)]))
    [leak] = find_leaks({"test": held}, {"sft": other}, "response", 0.5)
    assert (leak.held_out_set, leak.other_set, leak.part, leak.similarity) == ("test", "sft", "response", 1.0)


def test_every_member_of_a_crowd_is_found() -> None:
    held = Texts(["t0", "t1"], signatures([make_text(1)] * 2))
    crowd = Texts([f"a{i}" for i in range(100)], signatures([make_text(1)] * 100))
    assert {leak.other for leak in find_leaks({"test": held}, {"train": crowd}, "post", 0.8)} == set(crowd.ids)


def test_empty_sets() -> None:
    nothing = Texts([], signatures([]))
    assert find_leaks({"test": nothing}, {"train": texts(a=make_text(1))}, "post", 0.5) == []


def test_threshold_out_of_range() -> None:
    with pytest.raises(ValueError, match="threshold"):
        find_leaks({"test": texts(a="甲")}, {"train": texts(b="乙")}, "post", 0.3)
