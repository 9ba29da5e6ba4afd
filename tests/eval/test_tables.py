"""Tables: every format says the same, the paper's rows stand beside its own protocol only, foreign names stay text."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from common.files import FileError
from eval.metrics.protocols import Protocol
from eval.results import Result, score_replies
from eval.statistics import Interval
from eval.tables import main, print_results, result_table

REFERENCES = pd.DataFrame({"id": ["a", "b", "c"], "references": [["抱抱你。"], ["说说看。"], ["慢慢来。"]]})


def result(model: str, protocol: Protocol, text: str = "抱抱你。", test_set: str = "PsyQA") -> Result:
    replies = pd.DataFrame({"question_id": ["a", "b", "c"], "sample": 0, "text": text})
    scores = score_replies(replies, REFERENCES, protocol, "plain")
    return Result.of(model, test_set, f"{protocol.signature}|kind:plain", scores)


def test_all_formats_hold_the_same_figures() -> None:
    table = result_table([result("mine", Protocol("zh")), result("theirs", Protocol("zh"), "好。")])
    cells = table.cells(table.rows[0], "{}")
    assert cells[table.columns.index("bleu_1")] == "0.500"
    for text in (table.markdown(), table.latex(), table.html()):
        for row in table.rows:
            for cell in table.cells(row, ""):
                assert cell in text
        assert "protocol:zh" in text.replace("\\", "")


def test_the_papers_rows_beside_its_protocol() -> None:
    table = result_table([result("mine", Protocol("paper"))], paper="2")
    assert [row.model for row in table.rows if row.test_set == "PsyQA"][-1] == "mine"
    assert len([row for row in table.rows if row.source == "paper"]) == 12
    text = re.sub(" +", " ", table.markdown())
    assert "| PsyQA | Empathy-R1 (paper) | – | 0.261 | 0.389 | 0.046 | 0.275 | 0.243 |" in text
    assert "CBT-LLM, PsyQA: it may have seen this test set." in text
    assert "CBT-LLM, Empathy-QA" not in text


def test_the_papers_rows_beside_another_protocol_are_refused() -> None:
    for protocol in (Protocol("zh"), Protocol("paper", "best")):
        with pytest.raises(FileError, match="protocol paper, mean over references"):
            result_table([result("mine", protocol)], paper="2")
    with pytest.raises(FileError, match="different protocols"):
        result_table([result("mine", Protocol("zh")), result("theirs", Protocol("paper"))])


def test_ranking_columns_stand_beside_the_metrics() -> None:
    wins = {("PsyQA", "mine"): {"win_1": Interval(44.3, 40.0, 48.0), "mean_rank": Interval(2.6, 2.5, 2.7)}}
    table = result_table([result("mine", Protocol("paper"))], wins, "2")
    assert table.cells(table.rows[-1])[table.columns.index("win_1")] == "44.3 (40.0 to 48.0)"
    assert table.cells(table.rows[-1])[table.columns.index("win_2")] == "–"


def test_a_ranking_of_other_models_is_refused() -> None:
    wins = {("PsyQA", "mine "): {"win_1": Interval(44.3, 40.0, 48.0)}}
    with pytest.raises(FileError, match="no result is of that name"):
        result_table([result("mine", Protocol("paper"))], wins)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)


def test_a_models_name_is_never_markup() -> None:
    table = result_table([result("<script>|x_y%&", Protocol("zh"))])
    tags = Tags()
    tags.feed(table.html())
    assert "script" not in tags.seen
    assert r"\<script\>\|x\_y%&" in table.markdown()
    assert r"x\_y\%\&" in table.latex()


def test_eight_models_stay_readable_on_a_narrow_terminal() -> None:
    names = [f"a model of some length {number}" for number in range(8)]
    console = Console(width=80, file=io.StringIO())
    results = [result(name, Protocol("zh")) for name in names]
    print_results(results, console)
    assert isinstance(console.file, io.StringIO)
    printed = console.file.getvalue()
    tables = [line for line in printed.splitlines() if line[:1] in "┃│"]
    assert all(len(line) <= 80 for line in tables)
    # No figure is broken over lines or cut off.
    drawn = result_table(results)
    assert printed.count(drawn.cells(drawn.rows[0])[drawn.columns.index("bleu_1")]) >= 8
    assert "…" not in printed


def test_the_command(tmp_path: Path) -> None:
    result("mine", Protocol("paper")).write(tmp_path / "mine.json")
    main(f"--results {tmp_path / 'mine.json'} --table 2 --out {tmp_path}".split())
    for suffix in ("md", "tex", "html"):
        assert "Empathy-R1" in (tmp_path / f"table2.{suffix}").read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        main(f"--results {tmp_path / 'mine.json'} --table 7 --out {tmp_path}".split())
