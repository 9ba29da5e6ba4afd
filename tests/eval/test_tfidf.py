"""TF-IDF beyond the post: what useless replies get of it, and that it is what it is called."""

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from data_prep.corpora import load_corpus
from eval.baselines import baselines, human
from eval.metrics.protocols import PROTOCOLS, Protocol
from eval.metrics.tfidf import MIN_QUESTIONS, Weights, dice
from eval.metrics.tokens import content_words
from eval.results import question_means, score_replies

# Two responses to each of 264 posts, written for this project: that real ones behave alike is what
# `python -m benchmarks.silence` measures on corpora that may not be passed on.
CORPUS = pd.DataFrame(
    {"id": one.id, "question": one.post, "references": list(one.responses)} for one in load_corpus(None).questions
)
ONE_REFERENCE = CORPUS.assign(references=CORPUS["references"].str[:1])


def means(test: pd.DataFrame) -> dict[str, pd.Series]:
    scored = {one.name: one.named(one.scores(test, Protocol("zh"))) for one in baselines(test)}
    return {name: question_means(table).mean() for name, table in scored.items()}


@pytest.fixture(scope="module")
def found() -> dict[str, pd.Series]:
    return means(CORPUS)


@pytest.mark.parametrize(("name", "part"), [("one character", 1 / 3), ("generic comfort", 1 / 3), ("the post", 1 / 2)])
def test_useless_replies_get_a_part_of_what_people_get(found: dict[str, pd.Series], name: str, part: float) -> None:
    people = found["references"]["tfidf"]
    assert people > 0.05
    assert found[name]["tfidf"] <= part * people
    # NAvg gives each of them over half of it, the full stop included: this is why there is the other figure.
    assert found[name]["navg"] > 0.5 * found["references"]["navg"]


def test_one_reference_a_question_is_enough() -> None:
    people = score_replies(
        pd.DataFrame({"question_id": CORPUS["id"], "sample": 0, "text": CORPUS["references"].str[1]}),
        ONE_REFERENCE,
        Protocol("zh"),
        "plain",
    )["tfidf"].mean()
    single = means(ONE_REFERENCE)
    assert "references" not in single
    assert max(single["one character"]["tfidf"], single["generic comfort"]["tfidf"]) <= people / 3
    assert single["the post"]["tfidf"] <= people / 2


def test_another_questions_response_gets_less_than_half() -> None:
    texts = CORPUS["references"].str[0].tolist()
    replies = pd.DataFrame({"question_id": CORPUS["id"], "sample": 0, "text": [texts[-1], *texts[:-1]]})
    wrong = score_replies(replies, CORPUS, Protocol("zh"), "plain")["tfidf"].mean()
    right = human(CORPUS).scores(CORPUS, Protocol("zh"))["tfidf"].mean()
    assert wrong < right / 2


def test_it_is_dices_coefficient_of_tf_idf_vectors() -> None:
    """The same by scikit-learn's counts and numpy, the post's words taken out and the probabilistic idf applied."""
    few = CORPUS.head(40)
    counter = CountVectorizer(analyzer=content_words)
    held = counter.fit_transform("".join(f"{text}\n" for text in own) for own in few["references"]).toarray() > 0
    documents = held.sum(axis=0)
    idf = np.maximum(0, np.log((len(few) - documents + 0.5) / (documents + 0.5)))
    weights = Weights.of(few["references"])
    assert weights is not None
    for post, (reply, reference) in zip(few["question"], few["references"], strict=True):
        beyond = weights.beyond(post)
        counts = counter.transform([reply, reference]).toarray() * (counter.transform([post]).toarray() == 0)
        ours, theirs = counts * idf
        expected = 2 * ours @ theirs / (ours @ ours + theirs @ theirs)
        assert dice(beyond.vector(reply), beyond.vector(reference)) == pytest.approx(expected, abs=1e-12)


def test_weights_of_words() -> None:
    weights = Weights(10, {"难过": 5, "失眠": 1, "父母": 3})
    assert weights.idf("难过") == 0.0  # half of the questions
    assert weights.idf("失眠") == weights.idf("没有人说过的词") > weights.idf("父母") > 0
    assert weights.beyond("和父母吵架").vector("父母，失眠。1. 2. 失眠") == {"失眠": 2 * weights.idf("失眠")}
    assert dice({}, {}) == 0.0


def test_without_posts_or_with_few_questions_or_by_the_paper_there_is_none() -> None:
    def figures(references: pd.DataFrame, protocol: Protocol) -> set[str]:
        replies = pd.DataFrame({"question_id": references["id"], "sample": 0, "text": "抱抱你。"})
        return set(score_replies(replies, references, protocol, "plain").columns)

    enough = CORPUS.head(MIN_QUESTIONS)
    assert "tfidf" in figures(enough, Protocol("zh"))
    assert "tfidf" not in figures(enough, Protocol("paper"))
    assert "tfidf" not in figures(enough.drop(columns="question"), Protocol("zh"))
    assert "tfidf" not in figures(enough.tail(-1), Protocol("zh"))
    # Each test set weighs by itself.
    halves = enough.assign(test_set=["a", "b"] * (MIN_QUESTIONS // 2))
    assert "tfidf" not in figures(halves, Protocol("zh"))
    assert "|tfidf:word-rjieba-" in Protocol("zh").signature
    assert "tfidf" not in Protocol("paper").signature
    assert "tfidf" not in PROTOCOLS["paper"]
