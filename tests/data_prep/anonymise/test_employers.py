"""Employers that everybody knows are masked where a sentence is about work there, and stay elsewhere."""

import pytest

from data_prep.anonymise.employers import KnownEmployer


def found(text: str) -> list[str]:
    recogniser = KnownEmployer()
    results = recogniser.analyze(text, ["单位"]) if recogniser.may_match(text) else []
    return [text[each.start : each.end] for each in results]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我在立讯上夜班，每天都很累。", "立讯"),
        ("大学毕业后进了比亚迪，渴望独立。", "比亚迪"),
        ("从海底捞辞职以后一直没有找到工作。", "海底捞"),
        ("我被杭州的海康威视录了，她不同意。", "海康威视"),
        ("在中芯国际工作三年了。", "中芯国际"),
    ],
)
def test_where_somebody_works(text: str, name: str) -> None:
    assert found(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "周末我们去海底捞吃火锅，他一句话也不说。",
        "我买了一台格力空调。",
        "他开的是比亚迪。",
        # No words of their own here.
        "很难找到完美的工作环境。",
        "可以在生活中通过工作认识自己。",
        "每天进步一点点，工作也会好起来。",
    ],
)
def test_what_is_bought_and_what_is_a_word_stay(text: str) -> None:
    assert found(text) == []
