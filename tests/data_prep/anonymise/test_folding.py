"""Folding keeps every offset and touches nothing that recognisers read as Chinese."""

from hypothesis import given
from hypothesis import strategies as st

from data_prep.anonymise.folding import fold


def test_fold() -> None:
    assert fold("电话１３８－００，ｖｘ：ａｂ＿１＠②⓪") == "电话138-00，vx：ab_1@20"


@given(st.text())
def test_fold_keeps_offsets(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert fold(folded) == folded
