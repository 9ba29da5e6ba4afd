"""`make ranking` without a server: what it refuses, what a begun study keeps, who may read the accounts."""

import json
import re
import stat
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.errors import StageError
from common.label_studio import accounts
from common.records.rankings import Ranking, write_rankings
from eval.tables import read_standings
from recipes.ranking import run
from tests.recipes.made import make_stage

MODELS = ("first", "second", "third")
QUESTIONS = tuple(f"q{number}" for number in range(6))
NO_SERVER = r"holds no Label Studio\. Run `make label-studio-env`"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    def data(folder: Path) -> None:
        columns = {"id": QUESTIONS, "test_set": "sample", "question": "最近睡不着。", "topic": "睡眠", "crisis": False}
        pd.DataFrame({**columns, "references": [["抱抱你。"]] * 6, "risk_level": "none", "risks": [[]] * 6}).to_parquet(
            folder / "test.parquet"
        )

    def generate(folder: Path) -> None:
        for place, model in enumerate(MODELS):
            lines = [{"question_id": question, "text": f"{model}的话"} for question in QUESTIONS]
            (folder / f"{place}.jsonl").write_text("\n".join(map(json.dumps, lines)))
        listed = [{"name": model, "file": f"{place}.jsonl", "kind": "plain"} for place, model in enumerate(MODELS)]
        (folder / "models.json").write_text(json.dumps(listed))

    make_stage(tmp_path, "data", data)
    make_stage(tmp_path, "generate", generate)
    return tmp_path


def start(out: Path, *arguments: str) -> dict[str, Any]:
    """The study as recorded by a start that finds no Label Studio."""
    with pytest.raises(StageError, match=NO_SERVER):
        run(["profile=tiny", f"out={out}", f"environment={out / 'absent'}", *arguments])
    content: dict[str, Any] = json.loads((out / "ranking" / "study.json").read_text(encoding="utf-8"))
    return content


def test_annotators_may_join_a_begun_study(out: Path) -> None:
    first = start(out, "annotators=[anna]", "questions=4", "attention_every=2")
    assert (first["seed"], first["questions"], first["attention_every"], first["annotators"]) == (42, 4, 2, ["anna"])
    joined = start(out, "annotators=[ben]", "questions=4", "attention_every=2")
    assert joined == {**first, "annotators": ["anna", "ben"]}


@pytest.mark.parametrize(("change", "named"), [("questions=3", "questions"), ("seed=7", "seed")])
def test_a_begun_study_is_never_changed(change: str, named: str, out: Path) -> None:
    before = start(out, "annotators=[anna]", "questions=4", "attention_every=0")
    with pytest.raises(StageError, match=rf"a study with other .*{named}.* has begun"):
        run(["profile=tiny", f"out={out}", "annotators=[anna]", "questions=4", "attention_every=0", change])
    assert json.loads((out / "ranking" / "study.json").read_text(encoding="utf-8")) == before


def test_an_export_needs_no_settings_again(out: Path) -> None:
    begun = start(out, "annotators=[anna]", "questions=3", "attention_every=3")
    with pytest.raises(StageError, match=NO_SERVER):
        run(["profile=tiny", f"out={out}", f"environment={out / 'absent'}", "action=export"])
    assert json.loads((out / "ranking" / "study.json").read_text(encoding="utf-8")) == begun


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("action=stop", "expected one of start, export, analyse"),
        ("annotators=[Anna]", "expected names of small letters and digits"),
        ("annotators=[anna,anna]", "expected each once"),
        ("checks_passed=1.5", "expected 0 to 1"),
        ("questions=0", "questions=0: expected 1 or more"),
        ("attention_every=-1", "attention_every=-1: expected 0 or more"),
        ("action=analyse", "which file"),
        ("action=export", "no study has begun"),
        ("annotators=[]", "no annotators"),
    ],
)
def test_what_it_refuses(argument: str, message: str, out: Path) -> None:
    with pytest.raises(StageError, match=message):
        run(["profile=tiny", f"out={out}", argument])


def test_accounts_are_their_owners_and_stay(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    anna = accounts(file, ["anna"])["anna"]
    both = accounts(file, ["anna", "ben"])
    assert both["anna"] == anna
    assert len({anna.password, anna.token, both["ben"].password, both["ben"].token}) == 4
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_rankings_of_a_file_reach_the_table_without_a_server(out: Path) -> None:
    write_rankings(out / "mine.jsonl", [Ranking(rater, "q0", MODELS) for rater in ("anna", "ben")])
    run(["profile=tiny", f"out={out}", "action=analyse", f"file={out / 'mine.jsonl'}"])
    test_set, models = read_standings(out / "ranking" / "ranking.json")
    figures = models["first"]
    assert test_set == "sample"
    assert (figures["win_1"].mean, figures["mean_rank"].mean) == (100.0, 1.0)
    assert "| first | 100.0" in re.sub(" +", " ", (out / "ranking" / "ranking.md").read_text(encoding="utf-8"))


def test_a_begun_study_keeps_its_results(out: Path) -> None:
    start(out, "annotators=[anna]", "questions=4", "attention_every=0")
    folder = out / "ranking"
    kept = {name: f"the study's {name}" for name in ("ranking.md", "ranking.json", "ranking.png", "rankings.jsonl")}
    for name, text in kept.items():
        (folder / name).write_text(text)
    write_rankings(out / "mine.jsonl", [Ranking(rater, "q0", MODELS) for rater in ("anna", "ben")])
    run(["profile=tiny", f"out={out}", "action=analyse", f"file={out / 'mine.jsonl'}"])
    assert {name: (folder / name).read_text() for name in kept} == kept
    assert read_standings(folder / "analysed" / "mine" / "ranking.json")[1]["first"]["win_1"].mean == 100.0


def test_an_analysis_counts_whom_it_used(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = [Ranking("anna", "q0", MODELS), Ranking("anna", "q5", MODELS, True, True)]
    bad = [Ranking("ben", question, MODELS[::-1]) for question in ("q0", "q1")]
    write_rankings(out / "mine.jsonl", [*good, *bad, Ranking("ben", "q5", MODELS, True, False)])
    run(["profile=tiny", f"out={out}", "action=analyse", f"file={out / 'mine.jsonl'}", "checks_passed=0.5"])
    told = capsys.readouterr().out
    assert "1 rankings of 1 questions by 1 raters." in told
    assert "Left out for failed attention checks: ben, 0 of 1 passed, 2 questions." in told
    assert "| ben " not in told
