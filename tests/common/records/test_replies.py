"""``models.json``: read as it was written, and what is wrong with it is named."""

import json
from pathlib import Path

import pytest

from common.errors import StageError
from common.records.replies import GeneratedModel, file_stem, read_models, reply_files, write_models


def test_models_are_read_as_they_were_written(tmp_path: Path) -> None:
    models = [GeneratedModel("SFT+GRPO", "sft_grpo.replies.jsonl", "coe"), GeneratedModel("x", "x", "think", ["PsyQA"])]
    write_models(tmp_path, models)
    assert read_models(tmp_path) == models
    assert [file.name for file in reply_files(tmp_path)] == ["models.json", "sft_grpo.replies.jsonl", "x"]
    assert file_stem("SFT+GRPO") == "sft_grpo"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected a list with name, file and kind"),
        (json.dumps([{"name": "a", "file": "a"}]), "'kind'"),
        (json.dumps([{"name": "a", "file": "a", "kind": "cot"}]), "a is of kind 'cot', expected coe, think, plain"),
        (json.dumps([{"name": "a", "file": "a", "kind": "coe"}] * 2), "each once"),
        ("[]", "one or more models"),
    ],
)
def test_what_is_wrong_is_named(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text(content, encoding="utf-8")
    with pytest.raises(StageError, match=rf"models\.json: .*{message}"):
        read_models(tmp_path)
