"""Questions that begin alike are one group, and no leak between sets is missed, neither before nor in the last look."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from transformers import PreTrainedTokenizerFast

from common.records.question import Question
from data_prep.duplicates import reasons_by_id, signatures
from data_prep.grouping import Grouped, deduplicate
from data_prep.leaks import LeakSearch
from data_prep.openings import AT_LEAST, Beginning, beginnings, common_beginnings, same_pairs
from data_prep.prepare import prepare
from data_prep.treatment import Treated
from tests.data_prep.small import CONFIG as SMALL
from tests.data_prep.small import corpus

MakeQuestions = Callable[[int], list[Question]]

TITLE = "和室友处不来，要不要换宿舍"
LONG = "我今年刚上大学，宿舍里一共四个人，开学到现在她们三个总是一起吃饭一起上课，从来不叫我，我也不知道哪里做错了。"

ANOTHER = "父母一直要我考公务员，可是我想去外地做设计，每次打电话都会吵起来，挂了电话我又觉得对不起他们。"


def question(name: str, title: str, description: str = "") -> Question:
    return Question(id=name, title=title, description=description, responses=(f"{name}的回答",))


def grouped(*questions: Question) -> Grouped:
    posts = signatures([one.post for one in questions])
    return Grouped(list(questions), posts, signatures([text for one in questions for text in one.responses]))


def test_a_title_is_known_by_its_letters() -> None:
    one, other = question("a", TITLE, "开头一。"), question("b", " 和室友处不来 要不要换宿舍？", "完全不同的开头。")
    assert beginnings(one) == beginnings(other) == {("title", "和室友处不来要不要换宿舍")}
    assert beginnings(question("c", "怎么办？")) == frozenset()


def test_an_opening_is_known_in_every_format() -> None:
    """One corpus has a title of its own above the text, another cuts the title from the text."""
    apart, cut = question("a", "人际", LONG), question("b", LONG[:21], LONG[21:] + "另外一段。")
    pairs, kinds = same_pairs([apart, cut])
    assert (pairs.tolist(), kinds) == ([[0, 1]], ["opening"])
    assert same_pairs([apart, question("c", "人际", LONG[:38])])[0].tolist() == []


def test_what_begins_alike_is_a_group() -> None:
    questions = [question("a", TITLE, "甲" * 20), question("b", TITLE, "乙" * 20), question("c", "别的一个长长的标题")]
    treated = [Treated(one, signatures=signatures([one.post, *one.responses]), emotions=("", "")) for one in questions]
    found, _ = deduplicate(treated, 0.5, 0.8)
    assert [one.group for one in found.questions] == ["a", "a", "c"]
    common: frozenset[Beginning] = frozenset({("title", "和室友处不来要不要换宿舍")})
    assert [one.group for one in deduplicate(treated, 0.5, 0.8, common)[0].questions] == ["a", "b", "c"]


def test_a_phrase_that_many_bear_tells_nothing() -> None:
    many = [question(str(i), "我现在到底应该怎么办呢", f"{i}号") for i in range(AT_LEAST + 1)]
    assert common_beginnings([many]) == {("title", "我现在到底应该怎么办呢")}
    assert common_beginnings([many[1:]]) == frozenset()
    others = [question(f"x{i}", f"第{i}个标题各不相同") for i in range(21_000)]
    assert common_beginnings([many + others]) == frozenset()


def test_a_leak_by_title_or_opening_is_told_as_such() -> None:
    held = grouped(question("t", TITLE, ANOTHER), question("u", "短", LONG))
    other = grouped(
        question("a", TITLE, ANOTHER[::-1]),
        question("b", "另", LONG + ANOTHER * 2 + ANOTHER[::-1]),
        question("c", "无关的问题一个"),
    )
    leaks = LeakSearch(0.5, 0.8).between({"test": held}, {"train": other})
    assert [(leak.held_out, leak.other, leak.part) for leak in leaks] == [("t", "a", "title"), ("u", "b", "opening")]
    assert reasons_by_id(leaks)["a"][0] == "title equal to one of test"
    with pytest.raises(RuntimeError, match=r"'test / train': 2"):
        LeakSearch(0.5, 0.8).check({"test": held}, {"train": other})
    assert LeakSearch(0.5, 0.8).between({"test": held}, {"test": other}) == []


def test_a_pair_that_is_alike_as_a_whole_is_told_once() -> None:
    held, other = grouped(question("t", TITLE, LONG)), grouped(question("a", TITLE, LONG))
    [leak] = LeakSearch(0.5, 0.8).between({"test": held}, {"train": other})
    assert (leak.part, leak.similarity) == ("post", 1.0)


CONFIG = replace(SMALL, test_size=12, val_size=4)


def test_as_many_as_are_asked_for_are_kept(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    """A third is too long; twins by title lie on one side."""
    made = [replace(one, crisis=False) for one in make_questions(90)]
    questions = [
        replace(one, title=f"第{i // 2}对标题是一样的", description=one.description * (30 if i % 3 == 0 else 1))
        for i, one in enumerate(made)
    ]
    further = [
        replace(one, id=f"x{one.id}", title=f"别{one.title}", description=f"{one.id}{one.description[::-1]}")
        for one in questions
    ]
    prepared = prepare(corpus(questions), None, {}, tokenizer, CONFIG, tmp_path, {"PsyQA": corpus(further)})
    assert {name: len(members) for name, members in prepared.tested.items()} == {"made up": 12, "PsyQA": 12}
    assert prepared.tally.stages["grpo_val"].kept == 4
    titles = {name: {one.title for one in part} for name, part in prepared.split.parts.items()}
    assert not titles["test"] & (titles["train"] | titles["val"])
    reasons = prepared.tally.reasons()
    assert "prompt too long" in reasons["grpo_train"]
    assert "test" not in reasons
    test = pd.read_parquet(tmp_path / "test.parquet")
    assert np.array_equal(test["test_set"].value_counts().sort_index(), [12, 12])


def test_a_corpus_of_which_nothing_is_left_says_why(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = [replace(one, responses=("加油！", "抱抱")) for one in make_questions(20)]
    with pytest.raises(ValueError, match=r"no question is left.*questions: 20 in, 0 kept \(20 no_response_left\)"):
        prepare(corpus(questions), None, {}, tokenizer, CONFIG, tmp_path)
