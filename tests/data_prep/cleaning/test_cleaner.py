"""The whole of cleaning: each rule on and off, the account of what it did, that nothing gets lost."""

import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.records.question import Question
from data_prep.cleaning import RULES, Change, CleanedQuestion, Cleaner
from data_prep.cleaning.rules import TextRule
from data_prep.corpora import load_corpus
from data_prep.tally import Rejected

LONG = "慢慢说，我在听。" * 13
POST = "和妈妈吵架以后很难过"
ADVERT = "加我微信，免费领取情绪自救资料包。" * 8
TEXT_CASES = {
    "html": ("<b>先</b>", "先"),
    "urls": ("先http://example.com/a", "先"),
    "control_characters": ("先\u200b", "先"),
    "traditional": ("說", "说"),
    "repeated_characters": ("先！！！！！", "先！！！"),
    "whitespace": ("先\u3000先", "先 先"),
    "solicitation": ("有困惑，可以私信我。", ""),
}
RESPONSE_CASES = {
    "advertisement": ADVERT,
    "blank_response": "",
    "greeting_only": "抱抱你，加油！" * 20,
    "short_answer": "短",
    "repeated_response": LONG,
}
QUESTION_CASES = {
    "no_title": Question(id="a", title="\u3000\u200b", description=POST, topic="", responses=(LONG,)),
    "advertising_question": Question(
        id="a", title="诚招线上兼职，日结", description="手机即可操作，不收押金，无需经验", topic="", responses=(LONG,)
    ),
    "not_psychological": Question(
        id="a", title="Python报错怎么办", description="pandas读取csv文件乱码", topic="", responses=(LONG,)
    ),
    "no_response_left": Question(id="a", title="怎么办？", description=POST, topic="", responses=("短",)),
}


def question(*responses: str) -> Question:
    return Question(id="a", title="怎么办？", description=POST, topic="", responses=responses)


def clean(questions: list[Question], cleaner: Cleaner) -> tuple[list[Question], list[Rejected], list[Change]]:
    """What is kept, left out and changed of all questions."""
    results: list[CleanedQuestion] = [cleaner(question) for question in questions]
    kept = [result.question for result in results if result.question is not None]
    rejected = [item for result in results for item in result.rejected]
    return kept, rejected, [change for result in results for change in result.changes]


def test_every_rule_has_its_case() -> None:
    assert set(TEXT_CASES) | set(RESPONSE_CASES) | set(QUESTION_CASES) == set(RULES)


@pytest.mark.parametrize("name", TEXT_CASES)
def test_text_rules_on_and_off(name: str) -> None:
    before, after = (LONG + piece for piece in TEXT_CASES[name])
    result = Cleaner()(question(before))
    assert result.question == question(after)
    assert [(change.rule, change.where) for change in result.changes] == [(name, "response 1")]
    assert Cleaner(off=[name])(question(before)).question == question(before)


@pytest.mark.parametrize("name", RESPONSE_CASES)
def test_response_rules_on_and_off(name: str) -> None:
    asked = question(LONG, RESPONSE_CASES[name])
    others = {"solicitation", "short_answer"} - {name}
    result = Cleaner(off=others)(asked)
    assert result.question == question(LONG)
    assert [(item.what, item.reason) for item in result.rejected] == [("response", name)]
    assert result.rejected[0].detail.startswith("response 2: ")
    assert Cleaner(off=others | {name})(asked).question == asked


@pytest.mark.parametrize("name", QUESTION_CASES)
def test_question_rules_on_and_off(name: str) -> None:
    asked = QUESTION_CASES[name]
    result = Cleaner()(asked)
    assert result.question is None
    assert Rejected("a", "question", name) in result.rejected
    assert len(result.rejected) == 2
    others = {rule for rule in QUESTION_CASES if rule != name}
    assert Cleaner(off=others)(asked).question is None
    assert Cleaner(off=QUESTION_CASES)(asked).question is not None


def test_unknown_rule() -> None:
    with pytest.raises(ValueError, match=r"cleaning rule 'htlm' is unknown, expected some of \['html', "):
        Cleaner(off=["html", "htlm"])


def test_length_is_counted_after_mending() -> None:
    assert Cleaner()(question("字。" * 50 + "\u3000" * 50)).question is None
    assert Cleaner()(question("字。" * 50 + "字")).question is not None
    assert Cleaner(min_response_chars=101)(question("字。" * 50 + "字")).rejected[0] == Rejected(
        "a", "response", "short_answer", "response 1: 101 characters, expected more than 101"
    )


def test_an_excerpt_shows_the_place_and_little_else() -> None:
    [change] = Cleaner()(question("字。" * 200 + "<b>好</b>" + "书，" * 200)).changes
    assert change == Change(
        "html", "response 1", "字。" * 15 + "<b>好</b>" + "书，" * 11, "字。" * 15 + "好" + "书，" * 14 + "书"
    )


def test_a_late_change_reopens_the_early_rules() -> None:
    asked = question(f"{LONG}\n有困惑，可以私信我。 \n\n&amp;lt;br&amp;gt;好")
    assert Cleaner()(asked).question == question(f"{LONG}\n\n好")


def test_labels_and_chain_are_mended_but_their_tags_told() -> None:
    raw = replace(
        question(LONG), topic="家庭\u3000", subtopic="\u200b親子", coe=(" 一", "二\u3000", "<answer>", "四\r\n")
    )
    result = Cleaner()(raw)
    assert result.question == replace(question(LONG), topic="家庭", subtopic="亲子", coe=("一", "二", "<answer>", "四"))
    assert {change.where for change in result.changes} == {"topic", "subtopic", "layer 1", "layer 2", "layer 4"}


PIECES = [
    "<br>",
    "</b>",
    "&amp;",
    "lt;",
    "http://",
    "a.cn/",
    "後",
    "啊啊啊啊",
    "\u200b",
    " ",
    "\r\n",
    "可以私信我。",
    "QQ",
]
TEXTS = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text("一二三，。 <>&;/\n\u200b\u3000", max_size=5)), max_size=12
).map("".join)
QUESTIONS = st.builds(
    Question,
    id=st.uuids().map(str),
    title=st.one_of(st.sampled_from([POST, "Python报错怎么办"]), TEXTS),
    description=TEXTS,
    topic=TEXTS,
    responses=st.lists(
        st.one_of(st.sampled_from([LONG, LONG + " ", ADVERT, *RESPONSE_CASES.values()]), TEXTS.map(LONG.__add__))
    ).map(tuple),
)
OFF = st.sets(st.sampled_from(list(RULES)))


@given(st.lists(QUESTIONS, max_size=4), OFF)
def test_all_that_came_in_is_kept_or_rejected(questions: list[Question], off: set[str]) -> None:
    kept, rejected, changes = clean(questions, Cleaner(off))
    left_out = Counter(item.what for item in rejected)
    assert len(questions) == len(kept) + left_out["question"]
    came, left = (sum(len(question.responses) for question in part) for part in (questions, kept))
    assert came == left + left_out["response"]
    assert {item.reason.removeprefix("question left out: ") for item in rejected} <= set(RULES) - off
    assert {change.rule for change in changes} <= set(RULES) - off


@given(QUESTIONS, OFF)
def test_cleaning_settles_and_never_lengthens(asked: Question, off: set[str]) -> None:
    cleaner = Cleaner(off)
    result = cleaner(asked)
    if result.question is None:
        return
    again = cleaner(result.question)
    assert (again.question, again.rejected, again.changes) == (result.question, (), ())
    assert len(result.question.title) <= len(asked.title)
    assert len(result.question.description) <= len(asked.description)
    assert sum(map(len, result.question.responses)) <= sum(map(len, asked.responses))


def test_goes_to_another_process() -> None:
    cleaner = pickle.loads(pickle.dumps(Cleaner(off=["html"])))
    assert cleaner(question(LONG + "<b>")).question == question(LONG + "<b>")


def test_corpora_lose_only_what_their_faults_cost(
    psyqa_path: Path, smilechat_path: Path, empathy_qa_path: Path
) -> None:
    mending = {"solicitation": 1, "repeated_characters": 1}
    for path, mended, left_out in (
        (psyqa_path, {**mending, "whitespace": 1}, [("2001", "response", "short_answer")]),
        (smilechat_path, mending, [("15", "question", "no_response_left")]),
        (empathy_qa_path, {}, []),
    ):
        _, rejected, changes = clean(load_corpus(path).questions, Cleaner())
        assert [(item.id, item.what, item.reason) for item in rejected] == left_out
        found = Counter(change.rule for change in changes)
        assert found == {**mended, **{reason: 1 for _, _, reason in left_out}}
        assert all(isinstance(RULES[name], TextRule) for name in mended)


def test_sample_corpus_is_clean() -> None:
    questions = load_corpus(None).questions
    assert clean(questions, Cleaner()) == (questions, [], [])


def test_a_chain_of_any_length_is_cleaned_whole() -> None:
    chain = tuple(f"第{number}\u200b层" for number in range(5))
    cleaned = Cleaner()(replace(question(LONG), coe=chain)).question
    assert cleaned is not None
    assert cleaned.coe == tuple(layer.replace("\u200b", "") for layer in chain)
