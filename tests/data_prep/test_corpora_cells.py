"""Lists in a cell: whatever is written into one comes back, in JSON's, Python's and numpy's form."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.corpora.cells import begins_list, read_list

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)


@given(st.lists(texts, min_size=1, max_size=4))
def test_a_list_comes_back(values: list[str]) -> None:
    array = np.array([*values, None], dtype=object)[:-1]
    for cell in (json.dumps(values), str(values), str(array), repr(array), str([array])[1:-1]):
        assert begins_list(cell)
        assert read_list(cell) == values


@given(st.lists(st.dictionaries(texts, texts | st.integers() | st.none(), min_size=1, max_size=2), min_size=1))
def test_a_list_of_objects_comes_back(values: list[dict[str, object]]) -> None:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    for cell in (json.dumps(values), str(values), str(array)):
        assert begins_list(cell)
        assert read_list(cell) == values


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("[]", []),
        ("[('问', '答') ('又问', '又答')]", [("问", "答"), ("又问", "又答")]),
        ("[array(['一', '二'], dtype=object)\n array(['三'], dtype=object)]", [["一", "二"], ["三"]]),
        ("['一' \"二's\"]", ["一", "二's"]),
        ("('一, 又一', \"二's\")", ["一, 又一", "二's"]),
        (" ('一',)\n", ["一"]),
    ],
)
def test_forms(cell: str, values: list[object]) -> None:
    assert begins_list(cell)
    assert read_list(cell) == values


@pytest.mark.parametrize("cell", ["['一', '二", "['一' ... '二']", "['一'] 二", '["一", 二]', "[" * 50_000 + "'"])
def test_no_whole_list(cell: str) -> None:
    assert begins_list(cell)
    with pytest.raises(ValueError, match="not a whole list"):
        read_list(cell)


@pytest.mark.parametrize(
    "text",
    [
        "[抱抱] 早点休息。",
        "[图片]",
        "[[抱抱]] 你好",
        "[一, 二] 三",
        "[抱抱, 会好的]",
        "好",
        "",
        "(一)",
        "(一, 二)",
        "('一')",
        "('一' '二')",
        "('一', '二') 三",
        "('一', 二)",
        "array 是什么",
    ],
)
def test_texts(text: str) -> None:
    assert not begins_list(text)


@pytest.mark.parametrize("text", ["[" + "," * 200_000, "('" + "," * 200_000, "(" + "'一'," * 100_000 + "二"])
def test_a_long_text_that_is_no_list_takes_no_time(text: str) -> None:
    assert not begins_list(text)
