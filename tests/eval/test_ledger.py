"""The ledger: a line a finished run, nothing twice, and tables that need nothing else."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from common.files import FileError
from eval.ledger import Entry, add_entries, read_entries
from eval.results import Result
from eval.statistics import Interval


def result(model: str = "SFT", test_set: str = "sample") -> Result:
    scores = pd.DataFrame(
        {
            "question_id": ["a", "a", "b", "b"],
            "sample": [0, 1, 0, 1],
            "text": "来信里的话",
            "shown": "回复里的话",
            "fault": ["", "no_answer", "", ""],
            "reward": [1.0, 0.0, 2.0, 1 / 3],
            "chars": [5, 0, 5, 5],
        }
    )
    return Result.of(model, test_set, "protocol:zh|v1", scores)


def entry(seed: int = 42, model: str = "SFT") -> Entry:
    return Entry("tiny", "sample", model, seed, "s1", "a1", "abc", "2026-11-28T10:00:00+0000", 61.5, [result(model)])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "results" / "tiny.jsonl"
    ranked = replace(entry(), rewards=[0.5, 1.0], rankings={"sample": {"win_1": Interval(40.0, 30.0, 50.0)}})
    silent = replace(entry(1, "GRPO only"), results=[], seconds=None, no_signal="no signal: all 80 groups tie")
    assert add_entries(file, [ranked, silent]) == 2
    first, second = read_entries(file)
    assert second == silent
    assert first.rankings == ranked.rankings
    assert first.results[0].faults == {"no_answer": 1}
    for key in ("by_question", "shown_by_question"):
        pd.testing.assert_frame_equal(getattr(first.results[0], key), getattr(ranked.results[0], key), atol=1e-5)
    assert first.results[0].shown_by_question["chars"].tolist() == [5.0, 5.0]


def test_nothing_is_told_twice_and_the_last_line_counts(tmp_path: Path) -> None:
    file = tmp_path / "tiny.jsonl"
    assert add_entries(file, [entry(), entry(1)]) == 2
    assert add_entries(file, [entry(), entry(1)]) == 0
    again = replace(entry(), commit="def")
    assert add_entries(file, [again, entry(1)]) == 1
    assert len(file.read_text().splitlines()) == 3
    assert [(one.seed, one.commit) for one in read_entries(file)] == [(1, "abc"), (42, "def")]
    # Of other settings it is another run, and replaces none.
    assert add_entries(file, [replace(entry(), settings="s2")]) == 1
    assert [(one.seed, one.settings) for one in read_entries(file)] == [(1, "s1"), (42, "s1"), (42, "s2")]


def test_it_holds_no_texts(tmp_path: Path) -> None:
    add_entries(tmp_path / "tiny.jsonl", [entry()])
    assert (tmp_path / "tiny.jsonl").read_text(encoding="utf-8").isascii()


@pytest.mark.parametrize("line", ["{", "[]", '{"format": 9}', '{"format": 1, "profile": "tiny"}'])
def test_a_line_of_another_kind_is_named(line: str, tmp_path: Path) -> None:
    file = tmp_path / "tiny.jsonl"
    add_entries(file, [entry()])
    with file.open("a") as out:
        out.write(line + "\n")
    with pytest.raises(FileError, match=r"tiny\.jsonl:2: "):
        read_entries(file)


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    assert read_entries(tmp_path / "tiny.jsonl") == []
