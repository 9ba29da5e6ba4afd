"""The view of a text and the way back from it."""

from hypothesis import given
from hypothesis import strategies as st

from data_prep.anonymise.placeholders import MarkedText, Span, fold, placeholder


def test_first_placeholder_has_no_number() -> None:
    assert [placeholder("姓名", number) for number in (1, 2, 10)] == ["[姓名]", "[姓名2]", "[姓名10]"]


def test_view_and_back() -> None:
    marked = MarkedText("我是[姓名]，电话１３８，[QQ2]")
    assert [(span.type, span.number) for span in marked.standing] == [("姓名", 1), ("QQ", 2)]
    view = marked.view()
    assert len(view) == len("我是，电话138，") + 2
    at = view.index("138")
    located = marked.locate(at, at + 3)
    assert located is not None
    assert marked.text[slice(*located)] == "１３８"
    assert marked.locate(at, len(view)) is None
    assert marked.locate(1, 3) is None


def test_view_is_the_same_before_and_after_replacing() -> None:
    marked = MarkedText("[电话]或者12345，或者678")
    marked.replace(Span(6, 11, "电话", 2))
    assert marked.result() == "[电话]或者[电话2]，或者678"
    assert MarkedText(marked.result()).view() == marked.view()


def test_what_is_no_placeholder() -> None:
    # A bracketed QQ number is a value, not a placeholder with a long number.
    assert MarkedText("[QQ2716093845][电话号码][姓名 2]").standing == []


def test_free() -> None:
    marked = MarkedText("ab[QQ]cd")
    assert marked.free(0, 2)
    assert marked.free(6, 8)
    assert not marked.free(1, 3)
    assert not marked.free(5, 7)


def test_fold() -> None:
    assert fold("电话１３８－００，ｖｘ：ａｂ＿１＠②⓪") == "电话138-00，vx：ab_1@20"


@given(st.text())
def test_fold_keeps_offsets(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert fold(folded) == folded
