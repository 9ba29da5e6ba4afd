"""Near-duplicates: the estimate against the exact index, what counts as letters, pairs and groups."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.duplicates import (
    GRAM,
    PERMUTATIONS,
    Texts,
    alike_pairs,
    find_leaks,
    groups,
    jaccard,
    reasons_by_id,
    signatures,
)

LETTERS = [chr(0x4E00 + number) for number in range(0, 3000, 7)]


def make_text(seed: int, length: int = 400) -> str:
    return "".join(random.Random(seed).choices(LETTERS, k=length))


def edited(text: str, share: float) -> str:
    """The text with a stretch of it replaced, as large a share as asked for."""
    cut = int(len(text) * share)
    return make_text(len(text) + cut, cut) + text[cut:]


def exact_jaccard(one: str, other: str) -> float:
    grams = [{text[i : i + GRAM] for i in range(len(text) - GRAM + 1)} for text in (one, other)]
    return len(grams[0] & grams[1]) / len(grams[0] | grams[1])


def test_shape() -> None:
    assert signatures([]).shape == (0, PERMUTATIONS)
    assert signatures(["短", "", "一句长一点的话"]).shape == (3, PERMUTATIONS)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.4])
def test_estimate_is_near_the_exact_index(share: float) -> None:
    pairs = [(make_text(seed), edited(make_text(seed), share)) for seed in range(20)]
    rows = signatures([text for pair in pairs for text in pair])
    estimate = jaccard(rows, np.arange(40).reshape(-1, 2)).mean()
    assert estimate == pytest.approx(np.mean([exact_jaccard(*pair) for pair in pairs]), abs=0.03)


def test_signature_does_not_depend_on_the_batch() -> None:
    texts = [make_text(seed, 5 + seed) for seed in range(30)]
    alone = np.concatenate([signatures([text]) for text in texts])
    assert (signatures(texts) == alone).all()


def test_case_space_and_punctuation_do_not_count() -> None:
    rows = signatures(["我今天 很难过，App也不想看。", "我今天很难过app也不想看", "我今天很高兴app也不想看"])
    assert (rows[0] == rows[1]).all()
    assert (rows[0] != rows[2]).any()


def test_pairs_and_groups() -> None:
    base = make_text(1)
    texts = [base, make_text(2), edited(base, 0.05), make_text(3), edited(edited(base, 0.05)[::-1], 0.05)[::-1]]
    pairs = alike_pairs(signatures(texts), 0.8)
    assert [tuple(pair) for pair in pairs.tolist()][:1] == [(0, 2)]
    assert groups(len(texts), pairs).tolist() == [0, 1, 0, 3, 0]


def test_a_letter_sent_a_thousand_times_is_one_group() -> None:
    rows = signatures([make_text(5)] * 1000 + [make_text(6)])
    assert groups(1001, alike_pairs(rows, 0.9)).tolist() == [0] * 1000 + [1000]


def test_no_pairs() -> None:
    assert alike_pairs(signatures([]), 0.5).shape == (0, 2)
    assert groups(0, np.empty((0, 2), dtype=np.int64)).tolist() == []


@pytest.mark.parametrize("threshold", [0.39, 1.01])
def test_threshold_out_of_range(threshold: float) -> None:
    with pytest.raises(ValueError, match=r"expected 0\.4 to 1"):
        alike_pairs(signatures(["一二三四五六"]), threshold)


@given(st.lists(st.text(max_size=30), max_size=8))
def test_any_text_has_a_signature_and_equals_itself(texts: list[str]) -> None:
    rows = signatures([*texts, *texts])
    size = len(texts)
    assert (rows[:size] == rows[size:]).all()
    pairs = {tuple(pair) for pair in alike_pairs(rows, 1.0).tolist()}
    assert {(i, size + i) for i in range(size)} <= pairs


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


def test_leaks_threshold_out_of_range() -> None:
    with pytest.raises(ValueError, match="threshold"):
        find_leaks({"test": texts(a="甲")}, {"train": texts(b="乙")}, "post", 0.3)
