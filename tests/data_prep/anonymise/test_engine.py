"""A question made anonymous as a whole: consistent, once for all, with a record that holds no value."""

import time
from dataclasses import asdict, fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.anonymise import patterned
from data_prep.anonymise.engine import Anonymiser, default_recognisers
from data_prep.anonymise.measure import LABELLED, read_labelled
from data_prep.anonymise.placeholders import ALL_TYPES, PATTERNED, Span, fold, placeholder

SENTENCES = [each.text for path in sorted(LABELLED.glob("tune*.txt")) for each in read_labelled(path)]

# Cues, marks, values, placeholders and what is nearly one.
WORDS = """
我叫 加微信 QQ 扣扣 电话 手机 座机 身份证 卡号 邮箱 网址 车牌 住在 老公 在 读 热线 备注 点com www. 群号 vx 高兴
抖音号 小红书 微博@ 网名 ID： 王者荣耀 学号 工号 病历号 护照 通行证 军官证 香港 台湾 澳门
[姓名] [姓名2] [电话] [QQ] [微信3] [地址] [QQ12345] [姓名
13874620591 138-7462-0591 一三八七四六二零五九一 １３８７４６２０５９１ 010-65528073 010-82951332 12356 666888 2023年
330106199108232745 6217003850027319465 2716093845 lin_xi0917 xinli.com/a lin@163.com 粤B·F20958
2021034567 A0371 E12345678 南字第0183746号 0912-345-678 91234567 A123456(3) A123456789 半糖不加冰
沈佳禾 欧阳静怡 罗文彬 临江市第三中学 恒越电子厂 云溪小区7栋2单元1103
"""
FRAGMENTS = st.sampled_from([*WORDS.split(), *"，。！：\n 一1是的我[]（）@.-/#+ "])
TEXT = st.one_of(st.lists(FRAGMENTS, max_size=12).map("".join), st.text(max_size=40))
PIECES = st.lists(
    st.one_of(
        st.sampled_from(SENTENCES),
        st.tuples(st.sampled_from(SENTENCES), st.integers(0, 60), st.integers(1, 30)).map(
            lambda cut: cut[0][cut[1] : cut[1] + cut[2]]
        ),
        FRAGMENTS,
    ),
    max_size=4,
).map("".join)


@pytest.fixture(scope="module")
def anonymiser() -> Anonymiser:
    return Anonymiser()


def test_the_same_value_has_the_same_placeholder_in_all_texts(anonymiser: Anonymiser) -> None:
    result = anonymiser(
        [
            "我叫沈佳禾，电话13874620591",
            "沈佳禾问的是别的事。打138-7462-0591，不是15927046381。",
            "回沈佳禾：我是罗文彬，15927046381是我的。",
        ]
    )
    assert result.texts == (
        "我叫[姓名]，电话[电话]",
        "[姓名]问的是别的事。打[电话]，不是[电话2]。",
        "回[姓名]：我是[姓名2]，[电话2]是我的。",
    )


def test_one_number_in_several_ways_of_writing(anonymiser: Anonymiser) -> None:
    texts = ["打13874620591或+86 138-7462-0591", "就是一三八七四六二零五九一，不是13874620592"]
    assert anonymiser(texts).texts == ("打[电话]或[电话]", "就是[电话]，不是[电话2]")


def test_an_account_is_replaced_where_it_stands_without_its_cue(anonymiser: Anonymiser) -> None:
    result = anonymiser(["加我微信lin_xi0917", "搜 lin_xi0917 就行，不是lin_xi09178"])
    assert result.texts == ("加我微信[微信]", "搜 [微信] 就行，不是[账号]")


def test_a_name_that_is_a_word_is_replaced_only_where_it_is_a_name(anonymiser: Anonymiser) -> None:
    result = anonymiser(["我叫宁静，今年十七", "这里夜里很宁静"])
    assert result.texts == ("我叫[姓名]，今年十七", "这里夜里很宁静")


def test_numbers_go_on_after_those_that_stand(anonymiser: Anonymiser) -> None:
    result = anonymiser(["之前写的是[电话2]，现在是13874620591", "[姓名]你好，我叫沈佳禾，电话15927046381"])
    assert result.texts == ("之前写的是[电话2]，现在是[电话3]", "[姓名]你好，我叫[姓名2]，电话[电话4]")


def test_record_of_what_was_found_holds_no_value(anonymiser: Anonymiser) -> None:
    texts = ["我叫沈佳禾，电话13874620591，微信lin_xi0917", "邮箱lin@163.com"]
    found = anonymiser(texts).found
    assert [each.name for each in fields(Span)] == ["start", "end", "type", "number"]
    assert {each.type for _, each in found} == {"姓名", "电话", "微信", "邮箱"}
    kept = str([asdict(each) for _, each in found])
    for index, each in found:
        assert texts[index][each.start : each.end] not in kept


def test_only_the_types_that_are_asked_for() -> None:
    texts = ["我叫沈佳禾，电话13874620591，微信lin_xi0917"]
    assert Anonymiser(types=["微信"])(texts).texts == ("我叫沈佳禾，电话13874620591，微信[微信]",)


@pytest.mark.parametrize("types", [[], ["电话", "护照"]])
def test_unknown_types_are_refused(types: list[str]) -> None:
    with pytest.raises(ValueError, match="expected some of"):
        Anonymiser(types=types)


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    patterned._endings.cache_clear()
    assert Anonymiser()(["看xinli.com，邮箱lin@xinli.cn"]).texts == ("看[网址]，邮箱[邮箱]",)


@pytest.mark.parametrize(
    "run", ["6" * 3000, "6217 " * 600, "ab1" * 1000, "a." * 1500, "1-" * 1500, "+1 (2" * 600, "微信a" * 900]
)
def test_long_runs_take_no_longer(run: str, anonymiser: Anonymiser) -> None:
    started = time.perf_counter()
    anonymiser([f"扣扣{run}x@"])
    assert time.perf_counter() - started < 2


def test_nothing_to_find() -> None:
    assert Anonymiser()([]).texts == ()
    assert Anonymiser()(["", "今天心情不好"]).texts == ("", "今天心情不好")


@settings(deadline=None, max_examples=150)
@given(texts=st.lists(st.one_of(TEXT, PIECES), min_size=1, max_size=3))
def test_anonymising_twice_changes_nothing_more(texts: list[str], anonymiser: Anonymiser) -> None:
    once = anonymiser(texts)
    twice = anonymiser(once.texts)
    assert twice.texts == once.texts
    assert twice.found == ()


@settings(deadline=None, max_examples=100)
@given(texts=st.lists(st.one_of(TEXT, PIECES), min_size=1, max_size=3))
def test_only_what_was_found_is_replaced(texts: list[str], anonymiser: Anonymiser) -> None:
    result = anonymiser(texts)
    rebuilt = list(texts)
    for index, each in sorted(result.found, reverse=True):
        assert each.type in ALL_TYPES
        text = rebuilt[index]
        rebuilt[index] = text[: each.start] + placeholder(each.type, each.number) + text[each.end :]
    assert tuple(rebuilt) == result.texts


TRIGGERED: list[Any] = [each for each in default_recognisers() if hasattr(each, "may_match")]


def _finds_only_where_it_may(recogniser: Any, text: str) -> None:
    if not recogniser.may_match(text):
        assert recogniser.analyze(text, recogniser.supported_entities, None) == []


@pytest.mark.parametrize("recogniser", TRIGGERED, ids=lambda each: each.name)
def test_trigger_is_necessary_on_labelled_sentences(recogniser: Any) -> None:
    for text in SENTENCES:
        _finds_only_where_it_may(recogniser, fold(text))


@settings(deadline=None, max_examples=300)
@given(text=st.one_of(TEXT, PIECES))
def test_trigger_is_necessary(text: str) -> None:
    for recogniser in TRIGGERED:
        _finds_only_where_it_may(recogniser, fold(text))


def test_triggers_spare_most_texts() -> None:
    text = "听起来你这段时间过得很辛苦，愿意的话，我们可以先从睡眠聊起。" * 20
    assert not any(each.may_match(text) for each in TRIGGERED if each.supported_entities[0] in PATTERNED)
