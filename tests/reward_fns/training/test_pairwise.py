"""Ranking a post's own response before negatives, beside TF-IDF, with intervals over questions."""

import re

import numpy as np
import pandas as pd
import pytest

from reward_fns.training.pairwise import Both, compare, ranked_right, render_pairwise, tfidf_cosines


def triplets() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"question_id": "a", "question": "失眠怎么办", "positive": "失眠时起来走走", "negative": "换个工作吧"},
            {"question_id": "a", "question": "失眠怎么办", "positive": "先别看手机", "negative": "换个工作吧"},
            {"question_id": "b", "question": "想换工作", "positive": "工作不急着换", "negative": "失眠时起来走走"},
            {"question_id": "b", "question": "想换工作", "positive": "先和家人谈", "negative": "想换工作"},
        ]
    ).assign(kind=["topic", "topic", "topic", "dressed"])


def by_length(rows: pd.DataFrame) -> Both:
    lengths = rows[["question", "positive", "negative"]].map(len)
    good, bad = (-(lengths["question"] - lengths[part]).abs() for part in ("positive", "negative"))
    return good.to_numpy(float), bad.to_numpy(float)


def test_tfidf_prefers_common_characters() -> None:
    good, bad = tfidf_cosines(triplets())
    assert good[0] > bad[0] == 0.0
    assert good[1] == bad[1] == 0.0
    assert good[2] > bad[2]
    assert bad[3] == pytest.approx(1.0)
    assert ranked_right(good, bad).tolist() == [1.0, 0.5, 1.0, 0.0]


def test_compare_reports_each_kind_beside_the_baseline() -> None:
    results = compare({"length": by_length(triplets())}, triplets(), 1)
    topic, dressed = results
    assert (topic.kind, topic.questions, topic.triplets) == ("topic", 2, 3)
    assert topic.accuracy["TF-IDF"] == pytest.approx(2.5 / 3)
    assert dressed.accuracy == {"TF-IDF": 0.0, "length": 0.0}
    assert set(topic.gain) == {"length"}
    mean, low, high = topic.gain["length"]
    assert mean == pytest.approx(topic.accuracy["length"] - topic.accuracy["TF-IDF"])
    assert low <= mean <= high
    assert 0 <= topic.auc["TF-IDF"] <= 1
    table = re.sub(" +", " ", render_pairwise(results))
    assert "| topic | hard | 2 | 3 | 0.833 /" in table
    assert "| dressed | hard | 1 | 1 |" in table


def test_the_interval_is_over_questions() -> None:
    # One question holds all the pairs that differ, so drawing questions moves the mean as a whole.
    many = pd.concat([triplets().iloc[[0]]] * 50 + [triplets().iloc[[2]].assign(question_id=str(i)) for i in range(5)])
    none = np.zeros(len(many)), np.zeros(len(many))
    (result,) = compare({"none": none}, many.reset_index(drop=True), 1)
    mean, low, high = result.gain["none"]
    assert (mean, low, high) == (-0.5, -0.5, -0.5)
