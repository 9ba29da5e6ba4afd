"""JSON lists decoded entry by entry: the same as all at once, and told by line where they are not JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data_prep.corpora import CorpusError, load_corpus, rows


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('[{"id": 1},\n{"id": 2', 2),
        ('[{"id": 1},\n{"id": "', 2),
        ('[{"id": 1},\n', 2),
        ('[{"id": 1}\n', 2),
        ('[{"id": 1}\n{"id": 2}]', 2),
        ('[{"id": 1}]\n[{"id": 2}]', 2),
        ('[{"id": 1,\n"title": 2,\n"topic" 3}]', 3),
        ("[\n\n{]", 3),
        pytest.param("[" * 100_000, 1, id="nested"),
        pytest.param(f"[{'1' * 5000}]", 1, id="digits"),
    ],
)
def test_a_list_that_is_not_json_to_its_end(tmp_path: Path, content: str, line: int) -> None:
    path = tmp_path / "corpus"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=f"corpus:{line}: not JSON.*fetch it again"):
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
    monkeypatch.setattr(rows, "_CHUNK", piece)
    path = tmp_path / "corpus"
    text = json.dumps(values, ensure_ascii=False, indent=indent)
    path.write_text(text, encoding="utf-8")
    entries = list(rows.read(path))
    assert [entry.value for entry in entries] == values
    ends = [len(json.dumps(values[:number], ensure_ascii=False, indent=indent)) for number in range(1, len(values))]
    if indent:
        # The first values alone, with a line end and a bracket, are as long as before a comma and a line end.
        starts = [2, *(text.count("\n", 0, end) + 1 for end in ends)]
        lines = [f"corpus: entry {number} (line {line})" for number, line in enumerate(starts, 1)]
        assert [entry.where for entry in entries] == lines[: len(entries)]
