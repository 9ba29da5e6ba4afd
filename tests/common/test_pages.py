"""Pages of Markdown: what comes from outside stays text, and a table's cells cannot break out of it."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from common.pages import Markdown, escape, page, table


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "pages_of_a_test"
    (folder / "templates").mkdir(parents=True)
    (folder / "__init__.py").touch()
    template = "# {{ name }}\n\n{% for one in many %}\n- {{ one }}\n{% endfor %}\n\n{{ table(['A', 'N'], rows) }}"
    (folder / "templates" / "one.md.jinja").write_text(template, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


def test_words_left_numbers_right() -> None:
    drawn = table(("A", "B", "N"), [("x", "y", 1), ("来信", "", "001")], left=2)
    heads, line, first, second = drawn.splitlines()
    assert [cell.strip() for cell in heads.strip("|").split("|")] == ["A", "B", "N"]
    assert [cell.endswith(":") for cell in line.strip("|").split("|")] == [False, False, True]
    assert [cell.strip() for cell in first.strip("|").split("|")] == ["x", "y", "1"]
    assert [cell.strip() for cell in second.strip("|").split("|")] == ["来信", "", "001"]


def test_a_table_without_rows_has_its_headings() -> None:
    assert len(table(("A", "N"), []).splitlines()) == 2


def test_a_row_too_short_is_told() -> None:
    with pytest.raises(ValueError, match=r"table row \['x'\], expected 2 cells"):
        table(("A", "N"), [("x",)])


def test_markup_in_a_cell_is_text_unless_it_is_ours() -> None:
    drawn = table(("A", "N"), [("a|b\n<c> *d* $e$", Markdown("**1**"))])
    assert r"a\|b \<c\> \*d\* \$e\$" in drawn
    assert "**1**" in drawn


def test_values_of_a_page_are_text(package: str) -> None:
    shown = page(package, "one", name="*a* | <b>", many=[Markdown("`code`"), "`x`"], rows=[("_y_", 2)])
    assert shown.startswith("# \\*a\\* \\| \\<b\\>\n\n- `code`\n- \\`x\\`\n\n|")
    assert r"\_y\_" in shown
    assert shown.endswith("|\n")


def test_a_value_that_is_not_there_is_an_error(package: str) -> None:
    with pytest.raises(UndefinedError, match="name"):
        page(package, "one", many=[], rows=[])


def test_control_characters_become_pictures() -> None:
    assert escape("零\x00一\x1b\x7f\t\n") == "零␀一␛␡\t\n"
    assert "\x00" not in table(["前", "后"], [["a\x00b", Markdown("c")]])
