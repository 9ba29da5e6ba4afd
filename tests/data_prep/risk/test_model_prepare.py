"""`make data` with a model as the risk tagger: its levels decide what becomes an RL prompt, and the report says so."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from transformers import PreTrainedTokenizerFast

from common.errors import StageError
from common.records.question import Question
from data_prep.prepare import prepare
from data_prep.report import write_report
from data_prep.risk.model import RiskTaggerConfig
from data_prep.risk.model.answers import FILE
from recipes.data import RECIPE
from tests.common.chat_server.served import served
from tests.data_prep.small import CONFIG as SMALL
from tests.data_prep.small import corpus

MakeQuestions = Callable[[int], list[Question]]

CONFIG = replace(SMALL, test_size=3, val_size=2)


def test_a_server_tags_and_a_second_run_asks_nothing(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    made = [replace(question, crisis=False) for question in make_questions(30)]
    safe = [replace(question, description=question.description + "今天去散步。") for question in made[10:]]
    questions = corpus([*made[:10], *safe])
    with served("good", tmp_path / "log") as server:
        keys = RiskTaggerConfig(tagger="server", model="m", base_url=server.url)
        config = replace(CONFIG, risk=keys)
        prepared = prepare(questions, None, {}, tokenizer, config, tmp_path / "data")
        assert prepared.model_tags
        assert prepared.model_tags.outcomes == {"read": 30}
        risky = {question.id for question in prepared.questions if question.risk_level == "concern"}
        assert risky == {question.id for question in made[:10]}
        assert prepared.risky_prompts == 0
        calls = server.calls
        assert prepare(questions, None, {}, tokenizer, config, tmp_path / "data").questions == prepared.questions
        assert server.calls == calls
    assert len((tmp_path / "data" / FILE).read_text().splitlines()) == 30
    test = pd.read_parquet(tmp_path / "data" / "test.parquet")
    assert set(test["risk_level"]) <= {"none", "concern"}
    write_report(prepared, config, tmp_path / "data")
    report = " ".join((tmp_path / "data" / "report.md").read_text(encoding="utf-8").split())
    assert "The levels are those of m. It decided 30 posts." in report
    assert "The model m tags posts" in (tmp_path / "data" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["risk.tagger=server", "risk.model=m", "risk.api_key_env=NO_SUCH_KEY"], "NO_SUCH_KEY"),
        (["risk.tagger=classifier", "risk.model=/no/such/model"], "risk.model=/no/such/model"),
    ],
)
def test_what_cannot_be_asked_is_told_before_the_work(
    keys: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    common, config = RECIPE.load(["profile=tiny", f"out={tmp_path}", *keys])
    with pytest.raises(StageError, match=words):
        RECIPE.plan(common, config).check(tmp_path)
    assert not list(tmp_path.iterdir())
