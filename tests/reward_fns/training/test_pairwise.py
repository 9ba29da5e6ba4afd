"""Ranking a post's own response before negatives, beside TF-IDF, with intervals over questions."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from reward_fns.training.pairwise import Cosines, compare, ranked_right, render_ranking, tfidf_scorer, triplet_cosines


def triplets() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"question_id": "a", "question": "失眠怎么办", "positive": "失眠时起来走走", "negative": "换个工作吧"},
            {"question_id": "a", "question": "失眠怎么办", "positive": "先别看手机", "negative": "换个工作吧"},
            {"question_id": "b", "question": "想换工作", "positive": "工作不急着换", "negative": "失眠时起来走走"},
            {"question_id": "b", "question": "想换工作", "positive": "先和家人谈", "negative": "想换工作"},
        ]
    ).assign(kind=["topic", "topic", "topic", "dressed"])


def by_length(texts: Sequence[str], left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> Cosines:
    lengths = np.array([len(text) for text in texts])
    return -np.abs(lengths[left] - lengths[right]).astype(float)


def test_tfidf_prefers_common_characters() -> None:
    good, bad = triplet_cosines(tfidf_scorer(), triplets())
    assert good[0] > bad[0] == 0.0
    assert good[1] == bad[1] == 0.0
    assert good[2] > bad[2]
    assert bad[3] == pytest.approx(1.0)
    assert ranked_right(good, bad).tolist() == [1.0, 0.5, 1.0, 0.0]


def test_compare_reports_each_kind_beside_the_baseline() -> None:
    results = compare({"TF-IDF": tfidf_scorer(), "length": by_length}, "TF-IDF", triplets(), ["topic", "dressed"], 1)
    topic, dressed = results
    assert (topic.kind, topic.questions, topic.triplets) == ("topic", 2, 3)
    assert topic.accuracy["TF-IDF"] == pytest.approx(2.5 / 3)
    assert dressed.accuracy == {"TF-IDF": 0.0, "length": 0.0}
    assert set(topic.gain) == {"length"}
    mean, low, high = topic.gain["length"]
    assert mean == pytest.approx(topic.accuracy["length"] - topic.accuracy["TF-IDF"])
    assert low <= mean <= high
    assert 0 <= topic.auc["TF-IDF"] <= 1
    table = render_ranking(results, "TF-IDF", ["dressed"])
    assert "| topic | easy | 2 | 3 | 0.833 /" in table
    assert "| dressed | hard | 1 | 1 |" in table


def test_the_interval_is_over_questions() -> None:
    # One question holds all the pairs that differ, so drawing questions moves the mean as a whole.
    many = pd.concat([triplets().iloc[[0]]] * 50 + [triplets().iloc[[2]].assign(question_id=str(i)) for i in range(5)])
    other = {"TF-IDF": tfidf_scorer(), "none": lambda texts, left, right: np.zeros(len(left))}
    (result,) = compare(other, "TF-IDF", many.reset_index(drop=True), ["topic"], 1)
    mean, low, high = result.gain["none"]
    assert (mean, low, high) == (-0.5, -0.5, -0.5)


def test_nothing_to_rank() -> None:
    with pytest.raises(ValueError, match="no triplet of the kinds emotion"):
        compare({"TF-IDF": tfidf_scorer()}, "TF-IDF", triplets(), ["emotion"], 1)
