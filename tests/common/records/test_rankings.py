"""Rankings from elsewhere: read where they say what ours say, else a message with file, line and remedy."""

import json
from pathlib import Path
from typing import Any

import pytest

from common.files import FileError
from common.records.rankings import Ranking, read_rankings, write_rankings

GOOD = {"rater": "anna", "question_id": "q1", "order": ["a", "b"]}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    rankings = [Ranking("anna", "q1", ("a", "b")), Ranking("ben", "q1", ("good", "bad"), attention=True, passed=False)]
    write_rankings(tmp_path / "r.jsonl", rankings)
    assert read_rankings(tmp_path / "r.jsonl") == rankings


def test_further_keys_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(json.dumps({**GOOD, "lead_time": 12.3}) + "\n", encoding="utf-8-sig")
    assert read_rankings(tmp_path / "r.jsonl") == [Ranking("anna", "q1", ("a", "b"))]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"order": [["a", "b"], "c"]}, r":1: order .* has ties.*Put one before the other"),
        ({"order": "a,b"}, r":1: order is 'a,b', expected a list"),
        ({"order": ["a", "a"]}, ":1: .*expected each model once"),
        ({"order": ["a"]}, ":1: .*two or more"),
        ({"order": ["a", 2]}, ":1: 2 is no name"),
        ({"rater": None}, ":1: None is no name"),
        ({"question_id": 7}, ":1: 7 is no name"),
        ({"attention": "false"}, ":1: attention is 'false', expected true or false"),
        ({"attention": True}, ":1: passed is None, expected true or false"),
        ({"attention": True, "passed": "no"}, ":1: passed is 'no'"),
    ],
)
def test_what_is_no_ranking_is_told_with_its_line_and_a_remedy(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    (tmp_path / "r.jsonl").write_text(json.dumps({**GOOD, **changes}) + "\n")
    with pytest.raises(FileError, match=rf"r\.jsonl{message}"):
        read_rankings(tmp_path / "r.jsonl")


def test_a_missing_key_and_a_line_twice_are_told(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(json.dumps({"rater": "anna", "order": ["a", "b"]}) + "\n")
    with pytest.raises(FileError, match=r"r\.jsonl:1: no question_id, expected .*Add it"):
        read_rankings(tmp_path / "r.jsonl")
    (tmp_path / "r.jsonl").write_text((json.dumps(GOOD) + "\n") * 2)
    with pytest.raises(FileError, match=r"r\.jsonl:2: anna has ranked question q1 twice. Keep one"):
        read_rankings(tmp_path / "r.jsonl")


@pytest.mark.parametrize(
    ("exported", "key"),
    [
        # As JSON: the order stands among the annotations.
        (
            {"id": 1, "annotations": [{"id": 1, "was_cancelled": False, "result": []}], "data": {"page": 1}},
            "annotations",
        ),
        # As JSON_MIN: flat, and the order under the name of its tag.
        ({"page": 1, "order": {"order": ["r2", "r1"]}, "id": 1, "annotator": 1, "annotation_id": 3}, "annotation_id"),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_label_studio_s_own_export_is_named(
    exported: dict[str, Any], key: str, indent: int | None, tmp_path: Path
) -> None:
    (tmp_path / "r.json").write_text(json.dumps([exported], indent=indent))
    with pytest.raises(FileError, match=rf"r\.json, entry 1: '{key}' .*Label Studio's own export.*ARGS=action=export"):
        read_rankings(tmp_path / "r.json")


def test_an_array_of_rankings_is_read(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps([GOOD, {**GOOD, "rater": "bo"}], indent=1), encoding="utf-8-sig")
    assert [ranking.rater for ranking in read_rankings(tmp_path / "r.json")] == ["anna", "bo"]
    (tmp_path / "r.json").write_text(json.dumps([GOOD, "b"]))
    with pytest.raises(FileError, match=r"r\.json, entry 2: str, expected"):
        read_rankings(tmp_path / "r.json")
    (tmp_path / "r.json").write_text(json.dumps([GOOD])[:-5])
    with pytest.raises(FileError, match=r"r\.json: not JSON"):
        read_rankings(tmp_path / "r.json")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.jsonl: .*No such file"):
        read_rankings(tmp_path / "none.jsonl")
