"""Further corpora with columns of their own: the keys `reads`."""

import csv
import re
from pathlib import Path

import pytest

from common.errors import StageError
from data_prep.corpora import CorpusError
from data_prep.further import check_reads, further, named
from recipes.data import load

HEADER = ("编号", "标题x", "正文x", "回复x", "级别x")
ROWS = [
    (str(i), f"问题{i}", f"我最近睡不好{i}", "先把闹钟放远一点，晚上少看手机。", "高" if i % 2 else "低")
    for i in range(4)
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "posts.v2.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([HEADER, *ROWS])
    return path


READS = [
    f"reads.posts.{pair}"
    for pair in (
        "encoding=gb18030",
        "columns.title=标题x",
        "columns.description=正文x",
        "columns.responses=回复x",
        "columns.crisis=级别x",
        "crisis_values=[高]",
    )
]


@pytest.mark.parametrize("key", ["tests", "exclude", "train_on"])
def test_a_further_table_is_read_by_its_own_columns(key: str, table: Path) -> None:
    _, config = load(["profile=tiny", f"{key}=[{table}]", *READS])
    check_reads(config)
    (name, corpus), *_ = further(key, config).items()
    assert name == named(table, config) == "posts"
    assert [question.title for question in corpus.questions] == [row[1] for row in ROWS]
    assert [question.crisis for question in corpus.questions] == [row[4] == "高" for row in ROWS]


def test_the_line_that_is_told_reads_it(table: Path, tmp_path: Path) -> None:
    utf8 = tmp_path / "more.csv"
    utf8.write_text(table.read_text(encoding="gb18030"), encoding="utf-8")
    _, config = load(["profile=tiny", f"exclude=[{utf8}]"])
    with pytest.raises(CorpusError, match=r'ARGS="reads\.more\.columns\.title=') as raised:
        further("exclude", config)
    line = re.findall(r'ARGS="([^"]+)"', str(raised.value))[0]
    _, config = load(["profile=tiny", f"exclude=[{utf8}]", *(pair.strip("'") for pair in line.split())])
    assert len(further("exclude", config)["more"].questions) == len(ROWS)


def test_a_name_that_is_no_corpus_s_stops(table: Path) -> None:
    _, config = load(["profile=tiny", f"tests=[{table}]", "train_on=[]", "reads.post.columns.title=标题x"])
    with pytest.raises(ValueError, match=r"reads\.post: no corpus of this name, expected one of \['posts'\]"):
        check_reads(config)


def test_a_key_that_is_none_stops() -> None:
    with pytest.raises(StageError, match="column"):
        load(["profile=tiny", "reads.post.column=x"])
