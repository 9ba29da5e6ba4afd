"""The linear model over runs of characters: its features are scikit-learn's, it learns, and it is saved whole."""

import unicodedata
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from data_prep.linear import LinearModel, runs, weighted
from data_prep.linear.fit import Example, fit

TEXTS = ["我不想活了，真的很累。", "今天考试没考好，有点难过。", "累死了，今天加班到十点。"]


def examples() -> list[Example]:
    """Twenty of each class, one of them with a feature beside its runs."""
    found = [Example(runs(f"第{n}天，我不想活了。"), {"<told>": 0.5} if n == 0 else {}, True) for n in range(20)]
    return found + [Example(runs(f"第{n}天，我想去跑步。"), {}, False) for n in range(20)]


def test_the_features_are_those_of_scikit_learn() -> None:
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True)
    expected = vectoriser.fit_transform([unicodedata.normalize("NFKC", text) for text in TEXTS]).toarray()
    names = vectoriser.get_feature_names_out()
    rarity = dict(zip(names, vectoriser.idf_, strict=True))
    for row, text in zip(expected, TEXTS, strict=True):
        own = weighted(runs(text), rarity)
        assert [own.get(name, 0.0) for name in names] == pytest.approx(row.tolist())


def test_it_learns() -> None:
    model = fit(examples(), 20.0)
    assert model.score(runs("这天，我不想活了。")) > 0 > model.score(runs("这天，我想去跑步。"))
    assert model.score(runs("这天。"), {"<told>": 0.5}) > model.score(runs("这天。"))


def test_it_is_saved_whole(tmp_path: Path) -> None:
    model = fit(examples(), 20.0)._replace(threshold=0.25)
    model.save(tmp_path / "weights.safetensors")
    again = LinearModel.load(tmp_path / "weights.safetensors")
    assert again.rarity.keys() == model.rarity.keys()
    assert "<told>" not in again.rarity
    assert again.threshold == 0.25
    text = runs("这天，我不想活了。")
    assert again.score(text, {"<told>": 0.5}) == pytest.approx(model.score(text, {"<told>": 0.5}), abs=0.01)
