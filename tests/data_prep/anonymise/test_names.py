"""Personal names: what tells one, what only looks like one, and how many of the labelled ones are found."""

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.anonymise.names import PersonalName
from data_prep.anonymise.segments import closed, is_word, open_to, segmented, word_list

LABELLED = Path("data_prep/anonymise/labelled")
_MARK = re.compile(r"\[\[(.+?)\|(.+?)\]\]")
RECOGNISER = PersonalName()


def names(text: str) -> list[str]:
    """The names that the recogniser finds, in order."""
    return [text[found.start : found.end] for found in RECOGNISER.analyze(text, ["姓名"])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("大家好，我叫沈佳禾，今年十七岁。", ["沈佳禾"]),
        ("我老公冯建业喝了酒就摔东西。", ["冯建业"]),
        ("班主任顾丽萍老师念了我的日记。", ["顾丽萍"]),
        ("我跟孟凡在一起七年。", ["孟凡"]),
        ("我是陶思远的妈妈，他来咨询过两次。", ["陶思远"]),
        ("我女儿欧阳静怡不肯洗头。", ["欧阳静怡"]),
        ("宿舍四个人，葛晨、丁若琳、庞可欣，再加一个我。", ["葛晨", "丁若琳", "庞可欣"]),
        ("谢谢您能看完。——谭永贵", ["谭永贵"]),
        ("给佘莉当完伴娘回来我就掉眼泪。", ["佘莉"]),
        ("患者林国栋，男，52岁。", ["林国栋"]),
        ("紧急联系人：操金凤（母亲）", ["操金凤"]),
        ("我叫扎西顿珠，在内地上学。", ["扎西顿珠"]),
        ("阿依古丽·买买提是班里唯一肯跟我同桌的女生。", ["阿依古丽·买买提"]),
    ],
)
def test_a_private_person_is_found(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "王阿姨说我这是闲的，李老师说我这是懒的。",
        "班主任周老师发个标点符号她都要分析半天。",
        "我特别喜欢周杰伦，初中的时候就靠《晴天》撑着。",
        "武志红老师的书里说过，这不是你的错。",
        "我最近在看余华的《活着》。",
        "欧文·亚隆说直视骄阳，我不行。",
        "他高中毕业就出去打工了，何况家里还有三张嘴。",
        "妈妈平时都很安静，老师常常表扬她。",
        "我很珍惜这段友谊，同学都知道。",
        "我叫什么不重要，反正说了你们也记不住。",
        "工友老冀从架子上掉了下来。",
    ],
)
def test_words_titles_and_the_well_known_stay(text: str) -> None:
    assert names(text) == []


def test_a_name_is_found_again_where_nothing_beside_it_tells_it() -> None:
    text = "我前男友叫贺子昂。后来听说贺子昂结婚了，贺子昂没有请我。"
    assert names(text) == ["贺子昂"] * 3


def test_a_name_that_is_a_word_is_not_replaced_where_it_is_the_word() -> None:
    text = "他叫成功，做什么都失败。别人的成功和他没有关系。"
    assert [found.start for found in RECOGNISER.analyze(text, ["姓名"])] == [2]


def test_a_sentence_with_a_placeholder_is_left_alone() -> None:
    assert names("我叫[姓名]，和张伟民在[单位]上班。我老公冯建业也在。") == ["冯建业"]


def test_closed_sentences_end_at_the_full_stop() -> None:
    text = "我是[学校2]的。好。"
    assert closed(text) == [(0, 8)]
    assert not open_to(closed(text), 0, 2)
    assert open_to(closed(text), 9, 10)


def test_words_cover_the_text() -> None:
    cut = segmented("我叫沈佳禾")
    assert "".join(cut.words) == "我叫沈佳禾"
    assert cut.starts[-1] == 5
    assert cut.words[cut.at(3)] == "沈佳禾"
    assert is_word("谢谢")


def test_an_unknown_section_is_told_by_name() -> None:
    with pytest.raises(KeyError, match=r"names.txt: no section \[nothing\]"):
        word_list("names.txt", "nothing")


@given(st.text(alphabet="我叫和是的，。王张李伟芳欧阳老师妈一·[]姓名12\n ", max_size=60))
def test_any_text_is_read_and_names_do_not_overlap(text: str) -> None:
    found = RECOGNISER.analyze(text, ["姓名"])
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(left.end <= right.start for left, right in itertools.pairwise(found))
    assert not found or RECOGNISER.may_match(text)


@pytest.mark.parametrize(("file", "bound"), [("tune.txt", 0.9), ("tune3.txt", 0.9)])
def test_labelled_names_are_found(file: str, bound: float) -> None:
    found = labelled = right = 0
    for line in (LABELLED / file).read_text(encoding="utf-8").splitlines():
        gold, text, last = set(), "", 0
        for mark in _MARK.finditer(line):
            text += line[last : mark.start()]
            if mark[1] == "姓名":
                gold.add((len(text), len(text) + len(mark[2])))
            text += mark[2]
            last = mark.end()
        text += line[last:]
        spans = {(one.start, one.end) for one in RECOGNISER.analyze(text, ["姓名"])}
        found, labelled, right = found + len(spans), labelled + len(gold), right + len(spans & gold)
    assert right / labelled >= bound
    assert right / found >= bound
