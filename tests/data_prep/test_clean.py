"""Cleaning: what it evens out, what it leaves out, and that nothing gets lost unaccounted."""

import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.clean import clean, normalise
from data_prep.corpora import load_corpus
from data_prep.record import Question, Rejected

LONG = "慢慢说，我在听。" * 13


def question(name: str, *responses: str, description: str | None = None, crisis: bool = False) -> Question:
    return Question(name, "怎么办？", name if description is None else description, "", responses, crisis=crisis)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u3000\u3000你好\u3000\u3000世界\u00a0。", "你好 世界 。"),
        ("一\r\n二\r三\u2028四", "一\n二\n三\n四"),
        ("一 \n\t二\n\n\n\n三", "一\n二\n\n三"),
        ("\ufeff零\u200b宽\u200e度\u2060", "零宽度"),
        ("零\u200d宽", "零宽"),
        ("👨\u200d👩\u200d👧一家", "👨\u200d👩\u200d👧一家"),
        ("标点，（全角）不变！", "标点，（全角）不变！"),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(" \t\r\n\u3000\u200b\u200d\ufeff👨")))


@given(TEXTS)
def test_normalise_never_lengthens_and_settles(text: str) -> None:
    once = normalise(text)
    assert len(once) <= len(text)
    assert normalise(once) == once
    visible = [char for char in text if unicodedata.category(char) not in ("Cf", "Cc", "Zs", "Zl", "Zp")]
    assert [char for char in once if char not in " \n\u200d" and unicodedata.category(char) != "Cc"] == visible


def test_short_responses_go_at_the_limit() -> None:
    kept = clean([question("a", "字" * 100, "字" * 101)], 100)
    assert kept.questions == [question("a", "字" * 101)]
    assert kept.rejected == [Rejected("a", "response", "not over 100 characters")]


def test_length_is_counted_after_normalising() -> None:
    assert clean([question("a", "字" * 100 + "\u3000" * 50)], 100).questions == []


def test_repeated_responses_go() -> None:
    kept = clean([question("a", LONG, f" {LONG}\n")])
    assert kept.questions == [question("a", LONG)]
    assert kept.rejected == [Rejected("a", "response", "repeated within the question")]


def test_repeated_questions_go_but_the_mark_of_risk_stays() -> None:
    first = question("a", LONG, description="同样的话")
    again = question("b", LONG, LONG + "一", description="同样\u200b的话", crisis=True)
    kept = clean([first, again])
    assert kept.questions == [replace(first, crisis=True)]
    assert kept.rejected == [
        Rejected("b", "response", "question left out: same post as a"),
        Rejected("b", "response", "question left out: same post as a"),
        Rejected("b", "question", "same post as a"),
    ]


def test_questions_without_response_or_title_go() -> None:
    untitled = replace(question("b", LONG), title="\u3000\u200b")
    kept = clean([question("a", "短"), untitled, question("c")])
    assert kept.questions == []
    assert [(item.id, item.reason) for item in kept.rejected if item.what == "question"] == [
        ("a", "no response left"),
        ("b", "no title"),
        ("c", "no response left"),
    ]


def test_chain_is_normalised() -> None:
    raw = replace(question("a", LONG), coe=(" 一", "二\u3000", "三", "四\r\n"))
    assert clean([raw]).questions[0].coe == ("一", "二", "三", "四")


@given(
    st.lists(
        st.builds(
            Question,
            id=st.uuids().map(str),
            title=st.sampled_from(["怎么办？", "\u200b"]),
            description=st.sampled_from(["", "甲", "乙", " 乙"]),
            topic=st.just(""),
            responses=st.lists(st.sampled_from(["短", LONG, LONG + " ", LONG + "一"])).map(tuple),
        )
    )
)
def test_all_that_came_in_is_kept_or_rejected(questions: list[Question]) -> None:
    cleaned = clean(questions)
    counts = cleaned.counts
    assert counts["questions_in"] == len(questions) == counts["questions_kept"] + counts["questions_rejected"]
    came = sum(len(question.responses) for question in questions)
    assert counts["responses_in"] == came == counts["responses_kept"] + counts["responses_rejected"]
    assert clean(cleaned.questions).questions == cleaned.questions


def test_real_corpora(psyqa_path: Path, smilechat_path: Path) -> None:
    assert len(clean(load_corpus(psyqa_path).questions).questions) == 100
    cleaned = clean(load_corpus(smilechat_path).questions)
    # Eight dialogues have no counsellor at all.
    assert 0 < cleaned.counts["questions_rejected"] < 10
    assert {item.reason for item in cleaned.rejected} == {"no response left", "not over 100 characters"}
