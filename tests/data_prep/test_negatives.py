"""Generic sentences and triplets: each kind is what it says, none comes from the question itself."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

from common.records.question import Question
from common.records.triplets import HARD, KINDS, Triplet
from data_prep.corpora import load_corpus
from data_prep.generic import mine_generic, split_sentences
from data_prep.negatives import TripletBuilder, find_neighbours

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
    assert next(iter(pool)) == "我能理解你的感受。"
    assert next(iter(pool.values())) == pytest.approx(1.0)
    assert list(pool.values()) == sorted(pool.values(), reverse=True)


def test_generic_pool_has_no_variants() -> None:
    questions = [
        Question(id=str(i), title="题", description="", topic="", responses=(f"{start}理解你现在的感受。{i}",))
        for i, start in enumerate(["我能够", "我可以", "我完全"])
    ]
    assert len(mine_generic(questions)) == 1


def test_generic_ignores_how_often_one_question_says_it() -> None:
    often = Question(id="a", title="题", description="", topic="", responses=("明天记得早点起来跑步。" * 30,))
    others = [
        Question(id=name, title="题", description="", topic="", responses=("慢慢来，不要着急好吗。",)) for name in "bc"
    ]
    assert next(iter(mine_generic([often, *others]))) == "慢慢来，不要着急好吗。"


def test_generic_sentences_of_corpora(psyqa_path: Path, smilechat_path: Path) -> None:
    assert len(mine_generic(load_corpus(None).questions)) == 200
    psyqa = mine_generic(load_corpus(psyqa_path).questions)
    # Nine of the twelve questions have a reply that ends so.
    assert next(iter(psyqa)) == "愿你也被自己好好对待。"
    assert next(iter(psyqa.values())) == pytest.approx(9 / 12)
    assert list(psyqa.values())[1] < 0.2
    smilechat = mine_generic(load_corpus(smilechat_path).questions)
    assert next(iter(smilechat)) == "我能理解你的感受。"
    assert next(iter(smilechat.values())) == pytest.approx(6 / 9)


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
    assert len(rows) + len(triplets.rejected) == 5 * 60 + 6 * 20
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
        if row.kind == "dressed":
            continue
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
    missing = Counter(item.reason for item in triplets.rejected)
    assert missing["no emotion negative for a response"] == missing["no topic_emotion negative for a response"] == 16


def test_negatives_never_come_from_the_same_group(make_questions: MakeQuestions) -> None:
    questions = [replace(question, group=f"g{i % 4}") for i, question in enumerate(make_questions(40))]
    owner = {text: question.group for question in questions for text in question.responses}
    group = {question.id: question.group for question in questions}
    checked = [row for row in TripletBuilder(questions, 0.5, 42) if row.kind not in ("generic", "dressed")]
    assert checked
    assert all(owner[row.negative] != group[row.question_id] for row in checked)
    sides = {(group[row.question_id], row.split) for row in checked}
    assert len(sides) == 4


def test_sides_share_no_question_and_no_generic_sentence(rows: list[Triplet], make_questions: MakeQuestions) -> None:
    owner = {text: question.id for question in make_questions(40) for text in question.responses}
    members, negatives, sentences = defaultdict(set), defaultdict(set), defaultdict(set)
    for row in rows:
        members[row.split].add(row.question_id)
        if row.kind == "dressed":
            continue
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
def test_both_sides_get_generic_sentences(fraction: float) -> None:
    triplets = TripletBuilder(grouped(load_corpus(None).questions), fraction, 42)
    counts = Counter(f"{row.split}_{row.kind}" for row in triplets)
    for side in ("train", "heldout"):
        assert counts[f"{side}_generic"] > 0
    assert counts["heldout_generic"] == counts["heldout_in_batch"]


def test_same_seed_same_rows_whatever_the_order(rows: list[Triplet], make_questions: MakeQuestions) -> None:
    assert list(TripletBuilder(make_questions(40)[::-1], 0.25, 42)) == rows
    assert list(TripletBuilder(make_questions(40), 0.25, 43)) != rows


def test_text_that_two_questions_share_is_no_negative(make_questions: MakeQuestions) -> None:
    one, other = make_questions(2)
    same = replace(other, responses=one.responses)
    triplets = TripletBuilder([one, same], 0.0, 42)
    assert [row for row in triplets if row.kind not in ("generic", "dressed")] == []
    assert Counter(item.reason for item in triplets.rejected)["no topic negative for a response"] == 4


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_fraction_out_of_range(make_questions: MakeQuestions, fraction: float) -> None:
    with pytest.raises(ValueError, match=f"heldout_fraction {fraction}, expected"):
        TripletBuilder(make_questions(4), fraction, 42)


@pytest.mark.parametrize(("count", "fraction", "side"), [(1, 0.0, "train"), (0, 0.0, "train"), (10, 0.1, "heldout")])
def test_a_side_with_one_question(make_questions: MakeQuestions, count: int, fraction: float, side: str) -> None:
    with pytest.raises(ValueError, match=f"group of questions on the {side} side"):
        TripletBuilder(make_questions(count), fraction, 42)


def test_the_sample_corpus() -> None:
    questions = grouped(load_corpus(None).questions)
    responses = sum(len(question.responses) for question in questions)
    triplets = TripletBuilder(questions, 0.2, 42)
    rows = list(triplets)
    heldout = sum(row.kind == "in_batch" for row in rows)
    assert len(rows) + len(triplets.rejected) == 5 * responses + heldout
    assert 0.15 * responses < heldout < 0.25 * responses
    # Its topics have four questions at most, so some have no other on their side; nothing else is missing.
    assert {item.reason for item in triplets.rejected} == {
        "no topic negative for a response",
        "no topic_emotion negative for a response",
    }
    assert len(triplets.rejected) < 0.3 * responses
    for kind in KINDS:
        lengths = [(len(row.positive), len(row.negative)) for row in rows if row.kind == kind]
        # Length must not tell a negative from a positive.
        assert mean(n for _, n in lengths) == pytest.approx(mean(p for p, _ in lengths), rel=0.1)


def test_hard_negatives_are_about_the_same_matter(psyqa_path: Path) -> None:
    questions = grouped(load_corpus(psyqa_path).questions)
    rows = list(TripletBuilder(questions, 0.0, 42))
    owner = {text: item for item in questions for text in item.responses}
    emotion = {
        text: label for item in questions for text, label in zip(item.responses, item.response_emotions, strict=True)
    }
    topic = {item.id: item.topic for item in questions}
    for row in rows:
        if row.kind in ("topic", "topic_emotion"):
            assert owner[row.negative].id != row.question_id
            assert owner[row.negative].topic == topic[row.question_id] != ""
        if row.kind == "topic_emotion":
            assert emotion[row.negative] != emotion[row.positive]

    def shared(kind: str) -> float:
        """The mean share of a post's pairs of characters that the negative holds too."""
        pairs = [(find_words(row.question), row.negative) for row in rows if row.kind == kind]
        return mean(sum(pair in text for pair in own) / len(own) for own, text in pairs)

    assert set(HARD) <= {row.kind for row in rows}
    assert shared("dressed") > 1.5 * shared("generic")
    assert shared("topic") > shared("emotion")


def test_dressed_sentences_are_parted_between_the_sides(make_questions: MakeQuestions) -> None:
    rows = [row for row in TripletBuilder(make_questions(40), 0.25, 42) if row.kind == "dressed"]
    assert {row.split for row in rows} == {"train", "heldout"}
    for row in rows:
        leads = ("说到", "关于", "你写到的", "面对") if row.split == "train" else ("提起", "看到你说的", "在", "也好")
        assert any(lead in row.negative for lead in leads)
        # It speaks of what the post is about.
        assert any(word in row.negative for word in find_words(row.question))


def test_several_negatives_about_the_same_matter() -> None:
    questions = grouped(load_corpus(None).questions)
    rows = [row for row in TripletBuilder(questions, 0.0, 42, topic_negatives=5) if row.kind == "topic"]
    by_response = Counter((row.question_id, row.positive) for row in rows)
    assert max(by_response.values()) == 5
    assert mean(by_response.values()) > 4
    assert len({(row.positive, row.negative) for row in rows}) == len(rows)


def find_words(post: str) -> set[str]:
    return {a + b for a, b in pairwise(post) if (a + b).isalpha()}


def question(name: str, post: str, topic: str = "") -> Question:
    return Question(id=name, title=post, description="", topic=topic, responses=("回应",), group=name)


POSTS = [
    question("a", "最近失眠，吃了安眠药还是失眠，第二天上课没有精神"),
    question("b", "连续一个月失眠，安眠药也没有用"),
    question("c", "男朋友提出分手，我很想挽回"),
    question("d", "分手以后还能挽回男朋友吗"),
    question("e", "天气晴朗"),
]


def test_neighbours_share_telling_words() -> None:
    around = dict(zip("abcde", find_neighbours(POSTS, 2), strict=True))
    assert around["a"].nearest[0] == 1
    assert around["c"].nearest[0] == 3
    assert around["e"].nearest == []
    assert {"失眠", "上课"} <= set(around["a"].words)


def test_a_group_is_no_neighbour_of_itself() -> None:
    grouped = [replace(item, group="ab" if item.id in "ab" else item.id) for item in POSTS]
    around = find_neighbours(grouped, 5)
    assert 1 not in around[0].nearest
    assert 0 not in around[0].nearest


def test_labelled_topics_part_neighbours() -> None:
    labelled = [replace(item, topic=topic) for item, topic in zip(POSTS, ["睡眠", "药物", "", "", ""], strict=True)]
    around = find_neighbours(labelled, 5)
    assert 1 not in around[0].nearest
    assert around[2].nearest[0] == 3


def test_size_and_order() -> None:
    questions = [replace(item, group=item.id) for item in load_corpus(None).questions]
    few, many = find_neighbours(questions, 3), find_neighbours(questions, 20)
    assert max(len(item.nearest) for item in few) == 3
    for short, long in zip(few, many, strict=True):
        assert short.nearest == long.nearest[: len(short.nearest)]
        assert len(short.words) <= 6
    assert find_neighbours([], 3) == []


def test_posts_without_words() -> None:
    around = find_neighbours([question("a", "？？"), question("b", "！！")], 2)
    assert [item.nearest for item in around] == [[], []]
    assert [item.words for item in around] == [[], []]
