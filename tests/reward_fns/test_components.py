"""What is logged of a reply beside its cosine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_fns.coe_format import format_reward, partial_format_reward
from reward_fns.components import copy_overlap, distinct_1, distinct_2

POST = "我最近总是失眠，白天没有精神，工作也做不好。"


@pytest.mark.parametrize(
    ("answer", "overlap"),
    [
        (POST, 1.0),
        (POST.replace("，", "！ "), 1.0),  # marks and blanks hide nothing
        ("睡不着的夜里，先不逼自己入睡。", 0.0),
        ("我", 0.0),  # shorter than a piece
        ("我最近总是失眠，先不逼自己。", 6 / 11),
    ],
)
def test_copy_overlap(answer: str, overlap: float) -> None:
    assert copy_overlap(POST, answer) == pytest.approx(overlap)


def test_distinct_1() -> None:
    assert distinct_1("好 好\n睡") == pytest.approx(2 / 3)
    assert distinct_1(" ") == 0.0


def test_distinct_2() -> None:
    assert distinct_2("睡吧，睡吧") == pytest.approx(2 / 3)
    assert distinct_2("嗯") == 1.0


@given(st.text(max_size=50), st.text(max_size=50))
def test_shares_lie_between_0_and_1(question: str, answer: str) -> None:
    assert 0 <= copy_overlap(question, answer) <= 1
    assert 0 <= distinct_1(answer) <= 1
    assert 0 <= distinct_2(answer) <= 1


@given(
    st.lists(st.sampled_from(["<L1>", "</L1>", "<answer>", "</answer>", "</empathy_think>", "字", " "]), max_size=20)
)
def test_partial_format_never_reaches_a_valid_output(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert format_reward(text) == 0.0
    assert 0 <= partial_format_reward(text) < 1


def test_partial_format_counts_tags_in_order_and_takes_off_those_too_many() -> None:
    valid = "<empathy_think><L1>a</L1><L2>b</L2><L3>c</L3><L4>d</L4></empathy_think><answer>e</answer>"
    assert partial_format_reward(valid) == 1.0
    assert partial_format_reward("前面的话" + valid) == pytest.approx(11 / 12)
    assert partial_format_reward(valid + "<answer>") == pytest.approx(11 / 12)
    assert partial_format_reward("<answer>" * 1000) == 0.0
    assert partial_format_reward("没有标签") == 0.0
