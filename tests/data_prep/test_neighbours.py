"""Questions about the same matter, and the words that say so."""

from dataclasses import replace

from common.records.question import Question
from data_prep.corpora import load_corpus
from data_prep.neighbours import find_neighbours


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
