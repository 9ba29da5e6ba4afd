"""Baselines stand below the models, are files like theirs, and are compared with nobody."""

import json
from pathlib import Path

import pandas as pd
import pytest

from common.files import FileError
from eval.baselines import NAMES, baselines, check_names, human
from eval.metrics.__main__ import main
from eval.metrics.protocols import Protocol
from eval.results import Result, check_comparable
from eval.tables import result_table

TEST = pd.DataFrame(
    {
        "id": ["a", "b", "c"],
        "question": ["最近很难过", "和父母吵架", "睡不着"],
        "references": [
            ["你这段时间一定很难过。", "愿意说出来就好。"],
            ["一起想办法。", "先歇一歇。", "抱抱你。"],
            ["早点睡。"],
        ],
    }
)


@pytest.fixture
def scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, str]:
    rows = TEST.to_dict("records")
    (tmp_path / "set.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    replies = [{"question_id": question, "text": "听起来很难过。"} for question in TEST["id"]]
    (tmp_path / "mine.json").write_text(json.dumps(replies, ensure_ascii=False), encoding="utf-8")
    main(f"--hypotheses {tmp_path}/mine.json --references {tmp_path}/set.json --out {tmp_path}/out".split())
    return tmp_path, capsys.readouterr().out


def test_they_are_results_below_the_models(scored: tuple[Path, str]) -> None:
    folder, printed = scored
    found = {path.name: Result.read(path) for path in (folder / "out").glob("*.json")}
    assert set(found) == {
        *("mine.zh.json", "one_character.zh.json", "the_post.zh.json", "generic_comfort.zh.json", "references.zh.json")
    }
    assert [name for name, one in found.items() if not one.baseline] == ["mine.zh.json"]
    check_comparable(list(found.values()))
    table = result_table(sorted(found.values(), key=lambda one: one.model))
    assert table.rows[0].label == "mine"
    assert {row.label for row in table.rows[1:]} == {f"{name} (baseline)" for name in NAMES}
    assert '<span class="baseline">the post (baseline)</span>' in table.html()
    assert "| one character (baseline) " in table.markdown()
    assert any("NAvg pays for saying next to nothing" in note for note in table.notes)
    assert any(note.startswith("set: 3 questions × 1 replies; 95 %") for note in table.notes)
    assert "one character" in printed
    assert found["one_character.zh.json"].figures["distinct_1"].mean == 1.0
    assert found["the_post.zh.json"].figures["copy_overlap"].mean == 1.0
    assert "copy_overlap" in found["references.zh.json"].figures
    assert len(pd.read_parquet(folder / "out" / "references.zh.parquet")) == 5


def test_they_can_be_left_out(scored: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = scored
    command = f"--references {folder}/set.json --no-baselines --json".split()
    main([*command, "--hypotheses", f"{folder}/mine.json"])
    assert [json.loads(line)["model"] for line in capsys.readouterr().out.splitlines()] == ["mine"]
    main(command)
    assert [json.loads(line)["model"] for line in capsys.readouterr().out.splitlines()] == ["references"]


def test_a_test_set_allows_some_of_them() -> None:
    assert [one.name for one in baselines(TEST)] == [*NAMES]
    assert [one.name for one in baselines(TEST.drop(columns="question"))] == [NAMES[0], NAMES[2], "references"]
    assert [one.name for one in baselines(TEST.head(1))] == [*NAMES[:3]]
    with pytest.raises(FileError, match="1 questions with two responses or more"):
        human(TEST.head(1))


def test_no_model_is_called_as_they_are() -> None:
    check_names(["SFT", "reference"])
    with pytest.raises(FileError, match="a model is called References, which is a baseline's name"):
        check_names(["SFT", "References"])


def test_people_are_scored_against_the_others_by_the_whole_test_sets_weights() -> None:
    """The responses of a question that one person answered weigh words too."""
    more = pd.concat([TEST, *(TEST.tail(1).assign(id=f"d{number}") for number in range(7))])
    scores = human(more).scores(more, Protocol("zh"))
    assert len(scores) == 5
    assert "tfidf" in scores
