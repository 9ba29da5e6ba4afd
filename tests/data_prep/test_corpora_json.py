"""JSON lists decoded entry by entry: the same as all at once, and told by line where they are not JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data_prep.corpora import CorpusError, json_records, load_corpus


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"id": 1},\n{"id": 2', r"corpus:2: not JSON \(expecting ',' delimiter\)"),
        ('[{"id": 1},\n{"id": "', r"corpus:2: not JSON \(unterminated string starting at\)"),
        ('[{"id": 1},\n', r"corpus:2: not JSON \(expecting value\)"),
        ('[{"id": 1}\n', r"corpus:2: not JSON \(the file's end\)"),
        ('[{"id": 1}\n{"id": 2}]', r"corpus:2: not JSON \(no , or \]\)"),
        ('[{"id": 1}]\n[{"id": 2}]', r"corpus:2: not JSON \(something after the list's end\)"),
        ('[{"id": 1,\n"title": 2,\n"topic" 3}]', r"corpus:3: not JSON \(expecting ':' delimiter\)"),
        ("[\n\n{]", r"corpus:3: not JSON \(expecting property name enclosed in double quotes\)"),
        pytest.param("[" * 100_000, r"corpus:1: not JSON \(brackets nested too deep\)", id="nested"),
        pytest.param(f"[{'1' * 5000}]", r"corpus:1: not JSON \(a number of too many digits\)", id="digits"),
    ],
)
def test_a_list_that_is_not_json_to_its_end(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "corpus"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=f"{message}, expected one whole list of records.*fetch it again"):
        load_corpus(path, "psyqa")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9999, 9999) | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@example([0.5, 1e-30, -1], 1, None)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(json_values, max_size=5), st.integers(1, 40), st.sampled_from([None, 1]))
def test_a_list_reads_the_same_in_pieces_of_any_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[Any], piece: int, indent: int | None
) -> None:
    monkeypatch.setattr(json_records, "_CHUNK", piece)
    path = tmp_path / "corpus"
    text = json.dumps(values, ensure_ascii=False, indent=indent)
    path.write_text(text, encoding="utf-8")
    entries = list(json_records.read(path))
    assert [entry.value for entry in entries] == values
    ends = [len(json.dumps(values[:number], ensure_ascii=False, indent=indent)) for number in range(1, len(values))]
    if indent:
        # The first values alone, with a line end and a bracket, are as long as before a comma and a line end.
        starts = [2, *(text.count("\n", 0, end) + 1 for end in ends)]
        lines = [f"corpus: entry {number} (line {line})" for number, line in enumerate(starts, 1)]
        assert [entry.where for entry in entries] == lines[: len(entries)]
