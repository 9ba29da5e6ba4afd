"""The linear model over wordings: no writer is seen by the model that scores her, and what a rule names stays."""

import json
from pathlib import Path

import pytest

from common.records.risk import LEVELS, Level, Risk
from data_prep.risk import RiskRules
from data_prep.risk.wording import WordingTags
from data_prep.risk.wording import train as training
from data_prep.risk.wording.model import of_level, stays
from data_prep.risk.wording.train import LABELLED, Post, checked, left_out, seen_as

# Makes a post long enough for the model.
ORDINARY = (
    "我今年二十三岁，在一家公司做行政，工作不算忙，周末常常和同事一起去爬山，家里人对我也很好，就是有点拿不定主意。"
)


@pytest.fixture(scope="module")
def rules() -> RiskRules:
    return RiskRules.load()


@pytest.fixture(scope="module")
def tags(rules: RiskRules) -> WordingTags:
    return WordingTags(rules)


def test_a_writer_is_not_seen_by_the_model_that_scores_her() -> None:
    meant: list[tuple[str, Level]] = [("我不想活了", "acute"), ("我想去跑步", "none")]
    posts = [
        Post(f"{start}{n}号。", level, source) for source in ("a", "b", "c") for n in range(6) for start, level in meant
    ]
    seen = [seen_as(post, "none") for post in posts]
    scores = left_out(posts, seen, 20.0)
    assert all((score > 0) == (post.level != "none") for score, post in zip(scores, posts, strict=True))
    assert "| written | with the model |   1.000 |" in checked(
        posts, ["none"] * len(posts), [False] * len(posts), scores > 0
    )


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (f"我每天都在想怎么结束自己的生命，遗书都写好了，药也攒够了。{ORDINARY}", "acute"),
        (f"最近准备期末考试，压力有点大，晚上睡得晚，想问问怎么安排时间比较好。{ORDINARY}", "none"),
    ],
)
def test_plain_posts(tags: WordingTags, text: str, level: str) -> None:
    assert tags(text).level == level


def test_what_a_rule_names_stays_unless_the_model_is_sure_and_of_what_it_infers_the_model_decides(
    rules: RiskRules,
) -> None:
    named, inferred = rules.explain("我想自杀。"), rules.explain("外公在安排后事。")
    assert [match.named for match in named] == [True]
    assert {match.weight for match in inferred} == {"acute"}
    assert not any(match.named for match in inferred)
    assert stays(named, -1.9)
    assert not stays(named, -2.1)
    assert not stays(inferred, -0.7)
    assert not stays(rules.explain("今天天气不错。"), 0.0)


def test_what_a_rule_names_stays_a_concern(rules: RiskRules, tags: WordingTags) -> None:
    text = f"我想自杀。{ORDINARY}"
    assert rules(text).level == "acute"
    tags.threshold, before = 99.0, tags.threshold
    try:
        assert tags(text) == Risk("concern", rules(text).kinds)
    finally:
        tags.threshold = before


def test_a_post_that_only_the_model_finds_has_a_kind(rules: RiskRules, tags: WordingTags) -> None:
    text = f"今天天气不错，我去公园走了走。{ORDINARY}"
    assert rules(text) == Risk()
    tags.threshold, before = -99.0, tags.threshold
    try:
        assert tags(text) == Risk("concern", ("other",))
    finally:
        tags.threshold = before


def test_short_posts_are_the_rules_own(rules: RiskRules, tags: WordingTags) -> None:
    tags.threshold, before = -99.0, tags.threshold
    try:
        assert tags("我最近睡不好。") == rules("我最近睡不好。") == Risk()
    finally:
        tags.threshold = before


def test_the_level_is_a_feature() -> None:
    assert of_level("none") == {}
    assert of_level("acute").keys() == {"<acute>"}


def test_the_labelled_posts_are_whole() -> None:
    lines = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]
    assert len({line["id"] for line in lines}) == len(lines)
    assert {line["level"] for line in lines} == set(LEVELS)
    assert sum("text" in line for line in lines) == 3440


def test_posts_without_their_corpus_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no text for \d+ posts, such as 'smilechat:.*Name their corpus by --corpus"):
        training.main(["--out", str(tmp_path / "w")])
