"""Whole posts by two readers: agreement, the tags' shares with Wilson's interval, labels with faults."""

import json
from pathlib import Path
from typing import Any

import pytest

from data_prep.risk import RiskRules
from data_prep.risk.measure import main
from data_prep.risk.readers import compare, read_labels, report

TEXTS = {"acute": "我想自杀", "concern": "我想就这样消失", "none": "天气很好"}


def written(path: Path, levels: list[str], draw: str = "written", **changes: Any) -> Path:
    """A reader's file: post ``n`` has the text of ``TEXTS`` in order of its keys, again and again."""
    rows = [
        {"id": f"p:{n}", "level": level, "kinds": [], "draw": draw, "half": "dev"}
        | {"text": list(TEXTS.values())[n % 3]}
        | changes
        for n, level in enumerate(levels)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def rules() -> RiskRules:
    return RiskRules.load()


def test_the_report_counts_what_both_readers_say(rules: RiskRules, tmp_path: Path) -> None:
    first = read_labels(written(tmp_path / "a.jsonl", ["acute", "concern", "none", "acute"], "random"))
    second = read_labels(written(tmp_path / "b.jsonl", ["acute", "concern", "none", "none"], "random"))
    page = report(compare(rules, first, second, {}))
    assert "4 real posts. The readers agree on 3 levels" in page
    assert "the other 1 are left out" in page
    rows = {
        cells[0]: cells[1:] for line in page.splitlines() if (cells := line.strip("| ").replace(" ", "").split("|"))
    }
    # Wilson's interval of 1 in 1 begins at 1 / (1 + 1.96²).
    assert rows["acute"] == ["1", "1", "1.000", "0.207to1.000", "1"]
    assert rows["concern"] == ["1", "1", "1.000", "0.207to1.000", "0"]
    assert rows["none"] == ["1", "0", "0.000", "0.000to0.793", "0"]
    assert "Of 2 tagged posts, 2 are at risk (100.0%)" in page
    assert "Of 4 posts drawn at random the tags mark 3 (75.0%), the readers 3 and 2: 1.50 times the fewer." in page


def test_real_posts_are_found_by_their_id(rules: RiskRules, tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path / "a.jsonl", ["acute", "none"], "cues", text=""))
    judged = compare(rules, labels, labels, {"p:0": "我想自杀", "p:1": "天气很好"})
    assert [post.tag for post in judged] == ["acute", "none"]
    with pytest.raises(ValueError, match=r"no text for 1 posts, such as 'p:1'.*--corpus"):
        compare(rules, labels, labels, {"p:0": "我想自杀"})


def test_readers_of_different_posts_are_refused(rules: RiskRules, tmp_path: Path) -> None:
    first = read_labels(written(tmp_path / "a.jsonl", ["acute", "none"]))
    with pytest.raises(ValueError, match="labelled 2 and 1 posts"):
        compare(rules, first, first[:1], {})


@pytest.mark.parametrize("change", [{"level": "mild"}, {"draw": "some"}, {"half": "third"}, {"id": 7}, {"text": 1}])
def test_labels_with_faults(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"a.jsonl:1: .*Correct the line"):
        read_labels(written(tmp_path / "a.jsonl", ["acute"], **change))


def test_the_command_reads_posts_from_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = tmp_path / "corpus.jsonl"
    record = {"question": "我想自杀", "description": "", "keywords": "", "answers": [{"answer_text": "抱抱你。"}]}
    corpus.write_text(f"{json.dumps(record | {'questionID': 3})}\n", encoding="utf-8")
    files = [str(written(tmp_path / f"{name}.jsonl", ["acute"], "cues", text="", id="psyqa:3")) for name in "ab"]
    main(["--posts", *files, "--corpus", str(corpus), "--half", "dev"])
    assert "1 real posts. The readers agree on 1 levels" in capsys.readouterr().out
