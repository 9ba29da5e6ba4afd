"""Rows of CSV that an open quote takes in are counted, however few; the lines of a real cell are no rows."""

import csv
import io
from pathlib import Path

import pytest

from data_prep.corpora import CorpusError, load_corpus
from data_prep.corpora.csv_rows import rows_of
from data_prep.corpora.records import RecordError

HEADER = "title,description,responses\n"
POST = "我最近总是睡不好，夜里两三点就醒，白天没有力气"
REPLY = "听起来你这段时间真的很不容易，先允许自己累一累，再把最急的事写下来。"


def row(number: int, before: str = "", after: str = "") -> str:
    return f"第{number}次睡不着怎么办,{POST},{before}{REPLY}{after}\n"


def read(lines: list[str], header: str = HEADER) -> list[list[str] | RecordError]:
    return [row for _, row in rows_of(iter([header, *lines]), ",", "a.csv")][1:]


@pytest.mark.parametrize("taken_in", [1, 2, 3, 40])
@pytest.mark.parametrize("place", [0, 5, 50])
def test_an_open_quote_costs_its_own_row_alone(taken_in: int, place: int) -> None:
    lines = [row(number) for number in range(100)]
    lines[place], lines[place + taken_in] = row(place, before='"'), row(place + taken_in, after='"')
    found = read(lines)
    assert len(found) == 100
    assert [number for number, cells in enumerate(found) if isinstance(cells, RecordError)] == [place]
    assert f"the lines to {place + taken_in + 2} would stand in one cell" in str(found[place])


def test_an_open_quote_before_commas_costs_its_own_row_alone() -> None:
    lines = [row(number) for number in range(40)]
    lines[20] = f'第20次睡不着怎么办,"夜里醒来, 白天没有力气, 一直这样,{REPLY}\n'
    lines[21] = f'第21次睡不着怎么办,{POST}",{REPLY}\n'
    assert [number for number, cells in enumerate(read(lines)) if isinstance(cells, RecordError)] == [20]


def test_a_file_of_open_quotes_is_not_read_as_a_third_of_its_rows(tmp_path: Path) -> None:
    lines = [row(number, before='"' * (number % 3 == 0), after='"' * (number % 3 == 2)) for number in range(99)]
    (tmp_path / "a.csv").write_text(HEADER + "".join(lines), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"33 of 99 records are bad.*a\.csv:2: found a quote that is not closed"):
        load_corpus(tmp_path / "a.csv")


@pytest.mark.parametrize(
    "cell",
    [
        "我的清单,周一,跑步\n我的清单,周二,游泳\n我的清单,周三,睡觉\n",
        "他说, 没事\n我说, 有事",
        "第一段,有逗号\n\n第二段,也有,两个\n第三段",
        "\n1,2,3\n4,5,6\n7,8,9",
    ],
)
@pytest.mark.parametrize("columns", [("title", "description", "responses"), ("title", "responses")])
def test_lines_of_a_cell_that_are_unlike_the_rows_stay_in_it(cell: str, columns: tuple[str, ...]) -> None:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns, extrasaction="ignore")
    for number in range(40):
        said = cell if number >= 20 else ""
        title = f"第{number}次睡不着怎么办"
        writer.writerow({"title": title, "description": said + POST, "responses": said + REPLY})
    found = read(file.getvalue().splitlines(keepends=True), ",".join(columns) + "\n")
    assert [cells for cells in found if isinstance(cells, RecordError)] == []
    assert len(found) == 40


def test_paragraphs_with_a_comma_each_stay_in_their_cell() -> None:
    rows = [
        f'Title {number},"First things first, of day {number}\nthen what came, in the evening"\n'
        for number in range(60)
    ]
    found = read("".join(rows).splitlines(keepends=True), "title,responses\n")
    assert [cells for cells in found if isinstance(cells, RecordError)] == []
    assert len(found) == 60


def test_a_short_cell_with_line_ends_among_longer_ones_is_one() -> None:
    lines = [row(number) for number in range(40)]
    lines[0] = f'"Well, hello, friend\nYes, okay, fine",{POST},{REPLY}\n'
    found = read("".join(lines).splitlines(keepends=True))
    assert [cells for cells in found if isinstance(cells, RecordError)] == []
