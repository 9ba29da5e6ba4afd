"""Generic sentences and triplets: each kind is what it says, none comes from the question itself."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest

from data_prep.corpora import load_corpus
from data_prep.generic import mine_generic, split_sentences
from data_prep.negatives import KINDS, Triplet, TripletBuilder
from data_prep.record import Question

MakeQuestions = Callable[[int], list[Question]]


def test_split_sentences() -> None:
    assert split_sentences("你好。在吗？！“在的。”\n说吧……真的～好") == [
        "你好。",
        "在吗？！",
        "“在的。”",
        "说吧……",
        "真的～",
        "好",
    ]
    assert split_sentences(" \n") == []


def test_generic_sentence_recurs(make_questions: MakeQuestions) -> None:
    pool = mine_generic(make_questions(20), pool_size=3)
    assert pool[0].text == "我能理解你的感受。"
    assert pool[0].score == pytest.approx(1.0)
    assert [sentence.score for sentence in pool] == sorted((s.score for s in pool), reverse=True)


def test_generic_pool_has_no_variants() -> None:
    questions = [
        Question(str(i), "题", "", "", (f"{start}理解你现在的感受。{i}",))
        for i, start in enumerate(["我能够", "我可以", "我完全"])
    ]
    assert len(mine_generic(questions)) == 1


def test_generic_ignores_how_often_one_question_says_it() -> None:
    often = Question("a", "题", "", "", ("明天记得早点起来跑步。" * 30,))
    others = [Question(name, "题", "", "", ("慢慢来，不要着急好吗。",)) for name in "bc"]
    assert mine_generic([often, *others])[0].text == "慢慢来，不要着急好吗。"


def test_generic_on_real_data(psyqa_path: Path, smilechat_path: Path) -> None:
    psyqa = [sentence.text for sentence in mine_generic(load_corpus(psyqa_path).questions)]
    assert len(psyqa) == 200
    assert "我在，世界和我爱着你。" in psyqa[:5]
    smilechat = mine_generic(load_corpus(smilechat_path).questions)
    assert "理解你的感受" in smilechat[0].text
    assert smilechat[0].score > 0.3


def grouped(questions: list[Question]) -> list[Question]:
    """Each question a group of its own, every other response of the one emotion."""
    return [
        replace(q, group=q.id, response_emotions=tuple("乐哀"[i % 2] for i in range(len(q.responses))))
        for q in questions
    ]


@pytest.fixture(scope="module")
def rows(make_questions: MakeQuestions) -> list[Triplet]:
    return list(TripletBuilder(make_questions(40), 0.25, 42))


def test_every_response_has_one_row_of_each_kind(make_questions: MakeQuestions) -> None:
    questions = make_questions(40)
    triplets = TripletBuilder(questions, 0.25, 42)
    rows = list(triplets)
    assert len(rows) + len(triplets.rejected) == 3 * 80
    assert triplets.counts == Counter(f"{row.split}_{row.kind}" for row in rows)
    assert not any("in_batch" in item.reason or "generic" in item.reason for item in triplets.rejected)
    positives = Counter((row.question_id, row.positive, row.kind) for row in rows)
    assert set(positives.values()) == {1}
    texts = {question.id: question for question in questions}
    for row in rows:
        assert row.question == texts[row.question_id].post
        assert row.positive in texts[row.question_id].responses


def test_negatives_come_from_elsewhere(rows: list[Triplet], make_questions: MakeQuestions) -> None:
    questions = {question.id: question for question in make_questions(40)}
    for row in rows:
        own = "".join(questions[row.question_id].responses)
        parts = split_sentences(row.negative) if row.kind == "generic" else [row.negative]
        assert parts
        assert not any(part in own for part in parts)


def test_emotion_negatives_differ_in_emotion(rows: list[Triplet], make_questions: MakeQuestions) -> None:
    emotions = {
        text: emotion
        for question in make_questions(40)
        for text, emotion in zip(question.responses, question.response_emotions, strict=True)
    }
    checked = [row for row in rows if row.kind == "emotion"]
    assert checked
    for row in checked:
        assert emotions[row.positive] != emotions[row.negative]


def test_a_response_without_an_emotion_mismatches_nothing(make_questions: MakeQuestions) -> None:
    questions = [
        replace(question, response_emotions=("", "难过" if i else "")) for i, question in enumerate(make_questions(8))
    ]
    triplets = TripletBuilder(questions, 0.0, 42)
    assert not [row for row in triplets if row.kind == "emotion"]
    assert Counter(item.reason for item in triplets.rejected) == {"no emotion negative for a response": 16}


def test_negatives_never_come_from_the_same_group(make_questions: MakeQuestions) -> None:
    questions = [replace(question, group=f"g{i % 4}") for i, question in enumerate(make_questions(40))]
    owner = {text: question.group for question in questions for text in question.responses}
    group = {question.id: question.group for question in questions}
    checked = [row for row in TripletBuilder(questions, 0.5, 42) if row.kind != "generic"]
    assert checked
    assert all(owner[row.negative] != group[row.question_id] for row in checked)
    sides = {(group[row.question_id], row.split) for row in checked}
    assert len(sides) == 4


def test_sides_share_no_question_and_no_generic_sentence(rows: list[Triplet], make_questions: MakeQuestions) -> None:
    owner = {text: question.id for question in make_questions(40) for text in question.responses}
    members, negatives, sentences = defaultdict(set), defaultdict(set), defaultdict(set)
    for row in rows:
        members[row.split].add(row.question_id)
        if row.kind == "generic":
            sentences[row.split].update(split_sentences(row.negative))
        else:
            negatives[row.split].add(owner[row.negative])
    assert len(members["heldout"]) == 10
    assert len(members["train"]) == 30
    assert not members["train"] & members["heldout"]
    assert not sentences["train"] & sentences["heldout"]
    for side in ("train", "heldout"):
        assert negatives[side] <= members[side]


@pytest.mark.parametrize("fraction", [0.05, 0.95])
def test_both_sides_get_generic_sentences(psyqa_path: Path, fraction: float) -> None:
    triplets = TripletBuilder(grouped(load_corpus(psyqa_path).questions), fraction, 42)
    counts = Counter(f"{row.split}_{row.kind}" for row in triplets)
    for side in ("train", "heldout"):
        assert counts[f"{side}_generic"] == counts[f"{side}_in_batch"]


def test_same_seed_same_rows_whatever_the_order(rows: list[Triplet], make_questions: MakeQuestions) -> None:
    assert list(TripletBuilder(make_questions(40)[::-1], 0.25, 42)) == rows
    assert list(TripletBuilder(make_questions(40), 0.25, 43)) != rows


def test_text_that_two_questions_share_is_no_negative(make_questions: MakeQuestions) -> None:
    one, other = make_questions(2)
    same = replace(other, responses=one.responses)
    triplets = TripletBuilder([one, same], 0.0, 42)
    assert [row for row in triplets if row.kind != "generic"] == []
    assert Counter(item.reason for item in triplets.rejected)["no in_batch negative for a response"] == 4


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_fraction_out_of_range(make_questions: MakeQuestions, fraction: float) -> None:
    with pytest.raises(ValueError, match=f"heldout_fraction {fraction}, expected"):
        TripletBuilder(make_questions(4), fraction, 42)


@pytest.mark.parametrize(("count", "fraction", "side"), [(1, 0.0, "train"), (0, 0.0, "train"), (10, 0.1, "heldout")])
def test_a_side_with_one_question(make_questions: MakeQuestions, count: int, fraction: float, side: str) -> None:
    with pytest.raises(ValueError, match=f"group of questions on the {side} side"):
        TripletBuilder(make_questions(count), fraction, 42)


def test_real_corpora(psyqa_path: Path) -> None:
    triplets = TripletBuilder(grouped(load_corpus(psyqa_path).questions), 0.2, 42)
    rows = list(triplets)
    assert len(rows) + len(triplets.rejected) == 3 * 268
    assert len(triplets.rejected) < 10
    for kind in KINDS:
        lengths = [(len(row.positive), len(row.negative)) for row in rows if row.kind == kind]
        # Length must not tell a negative from a positive.
        assert mean(n for _, n in lengths) == pytest.approx(mean(p for p, _ in lengths), rel=0.1)
