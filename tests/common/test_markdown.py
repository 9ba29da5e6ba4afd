"""Markdown tables: cells that cannot break out of them."""

import pytest

from common.markdown import cell, table_text


def test_words_left_numbers_right() -> None:
    assert table_text(("A", "B", "N"), [("x", "y", "1")], left=2) == "| A | B | N |\n|---|---|---:|\n| x | y | 1 |\n"


def test_a_row_too_short_is_told() -> None:
    with pytest.raises(ValueError, match=r"table row \['x'\], expected 2 cells"):
        table_text(("A", "N"), [("x",)])


def test_markup_in_a_cell_is_text() -> None:
    assert cell("a|b\n<c> *d* $e$") == r"a\|b \<c\> \*d\* \$e\$"
