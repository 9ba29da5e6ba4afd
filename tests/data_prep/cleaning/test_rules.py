"""Replies that are only a greeting, and those that are more."""

import pytest

from data_prep.cleaning.rules import is_only_greeting


@pytest.mark.parametrize(
    "text",
    [
        "抱抱你",
        "楼主好！加油加油加油！！",
        "你好，谢谢你的信任。抱抱你，一切都会好起来的，相信自己！",
        "加油，你是最棒的！" * 20,
        "抱抱～～～ 😊 祝你幸福快乐。",
        "Hello，晚安。",
    ],
)
def test_greeting(text: str) -> None:
    assert is_only_greeting(text)


@pytest.mark.parametrize(
    "text",
    [
        "抱抱你，先去睡一觉。",
        "你好，听起来这段时间你一个人扛了很多。",
        "加油，" * 50 + "把想说的话写下来。",
        "分手就像一场感冒。",
        "……！",
        "",
    ],
)
def test_more_than_a_greeting(text: str) -> None:
    assert not is_only_greeting(text)
