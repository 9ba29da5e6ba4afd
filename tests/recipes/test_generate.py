"""`make generate` without vLLM: what it takes from `make data`, what it asks, and what it goes on with."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.errors import StageError
from common.manifest import Manifest, read_manifest
from common.records.replies import Reply, append_replies, read_models
from data_prep.prompts import PLAIN_PROMPT
from recipes.generate import RECIPE
from recipes.stage import run
from tests.recipes.made import DECIDED, decided_by, make_stage, make_variant


def write_model(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_text(folder.name)


def write_test(folder: Path) -> None:
    rows = [{"id": q, "question": "睡不着", "references": ["嗯。"], "prompt": []} for q in ("a", "b")]
    pd.DataFrame(rows).to_parquet(folder / "test.parquet")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The requests, each answered by a reply to every question in place of a process that runs vLLM."""
    found: list[dict[str, Any]] = []

    def answer(name: str, command: list[str], log: Path, limits: Any, **more: Any) -> None:
        request = json.loads(Path(command[-1]).read_text(encoding="utf-8"))
        found.append({**request, "module": command[-2], "had": Path(request["replies"]).is_file()})
        if not found[-1]["had"]:
            append_replies(Path(request["replies"]), [Reply(q, 0, "抱抱你。") for q in ("a", "b")])

    monkeypatch.setattr("eval.generation.run.run_watched", answer)
    return found


@pytest.fixture
def generate(tmp_path: Path) -> Callable[..., Path]:
    make_stage(tmp_path, "data", write_test)
    for name in ("base", "sft", "grpo"):
        make_stage(tmp_path, name, write_model, decided_by())
    make_stage(tmp_path, "data", write_test, decided_by(model=str(tmp_path / "base")))
    model = f"model={tmp_path / 'base'}"
    return lambda *more: run(RECIPE, ["profile=tiny", f"out={tmp_path}", model, "samples=1", "temperature=1", *more])


def test_models_are_asked_as_make_data_decided(
    generate: Callable[..., Path], asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    with pytest.raises(StageError, match="the environment has no DEEPSEEK_API_KEY"):
        generate("models=[base,SFT+GRPO,DeepSeek-R1]")
    assert not (tmp_path / "generate").exists()
    monkeypatch.setenv("DEEPSEEK_API_KEY", "secret")
    folder = generate("models=[base,SFT+GRPO,DeepSeek-R1]")
    base, formats, grpo, other = asked
    assert base["system"] == PLAIN_PROMPT
    for request in (formats, grpo):
        assert request["system"] == DECIDED.system_prompt
    for request in (base, formats, grpo):
        assert request["template_kwargs"] == {"enable_thinking": False}
        assert request["sampling"] == {"temperature": 1.0, "max_tokens": 448}
        assert request["engine"]["max_model_len"] == 896
    assert other["module"] == "eval.generation.endpoint"
    assert other["sampling"]["max_tokens"] == 8192
    assert "心理咨询师" in other["system"]
    assert "max_model_len" not in other["engine"]
    assert [(model.name, model.kind) for model in read_models(folder)] == [
        ("base", "plain"),
        ("SFT+GRPO", "coe"),
        ("DeepSeek-R1", "think"),
    ]
    assert read_models(folder)[0].files == ["base.replies.jsonl", "base.format.replies.jsonl"]
    assert Path(formats["replies"]) == folder / "base.format.replies.jsonl"
    assert [model.seen for model in read_models(folder)] == [[], [], []]
    made = read_manifest(folder, "generate")
    assert set(made.inputs) == {"test", "base", "SFT+GRPO"}
    assert made.config["max_tokens"] == 448


def test_what_the_base_has_read_marks_all_that_came_of_it(
    generate: Callable[..., Path], asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "base" / "README.md").write_text("---\ndatasets: [smilechat, psyqa, other]\n---\n", encoding="utf-8")
    models = read_models(generate("models=[base,SFT+GRPO,CBT-LLM]", "entries.CBT-LLM.model=/models/x"))
    assert [model.seen for model in models] == [["SMILECHAT", "PsyQA", "other"]] * 2 + [["PsyQA"]]


def test_nothing_is_generated_twice(
    generate: Callable[..., Path], asked: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate("models=[base,SFT]")
    make_stage(tmp_path, "data", write_test, decided_by(model=str(tmp_path / "base")))
    generate("models=[base,SFT]")
    assert len(asked) == 3
    assert "nothing has changed" in capsys.readouterr().out
    # Another model, or a model that has changed, leaves the others' replies.
    (tmp_path / "sft" / "model.safetensors").write_text("tfs")
    generate("models=[base,SFT,SFT+GRPO]")
    assert [request["had"] for request in asked[3:]] == [True, True, False, False]
    generate("models=[base,SFT,SFT+GRPO]", "force=true")
    assert not any(request["had"] for request in asked[7:])


def test_another_prompt_of_the_data_is_followed(
    generate: Callable[..., Path], asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    generate("models=[SFT]")
    make_stage(tmp_path, "data", write_test, decided_by(prompt="plain", system_prompt="普通", max_response_tokens=100))
    folder = generate("models=[SFT]")
    assert (asked[1]["system"], asked[1]["sampling"]["max_tokens"], asked[1]["had"]) == ("普通", 100, False)
    assert read_models(folder)[0].kind == "plain"


def test_the_base_with_its_reasoning_on(generate: Callable[..., Path], asked: list[dict[str, Any]]) -> None:
    folder = generate("models=[base thinking]", "thinking_tokens=200")
    (request,) = asked
    assert (request["system"], request["template_kwargs"]) == (PLAIN_PROMPT, {"enable_thinking": True})
    assert (request["sampling"]["max_tokens"], request["engine"]["max_model_len"]) == (200, 648)
    assert [(model.kind, model.files) for model in read_models(folder)] == [("think", ["base_thinking.replies.jsonl"])]


def test_a_base_for_data_without_chains_is_asked_for_no_format(
    generate: Callable[..., Path], asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    plain = decided_by(model=str(tmp_path / "base"), prompt="plain", system_prompt=PLAIN_PROMPT)
    make_stage(tmp_path, "data", write_test, plain)
    assert read_models(generate("models=[base]"))[0].files == ["base.replies.jsonl"]
    assert len(asked) == 1


def test_variants_that_are_trained_are_asked_as_they_were(
    generate: Callable[..., Path], asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    model = str(tmp_path / "base")
    bare = make_variant(tmp_path, "without_coe", write_model, model=model, prompt="plain", system_prompt="普通")
    make_variant(tmp_path, "grpo_only", lambda folder: None, {"no_signal": "no signal: all 80 groups tie"})
    folder = generate()
    assert [(one.name, one.kind) for one in read_models(folder)] == [
        ("base", "plain"),
        ("SFT", "coe"),
        ("SFT+GRPO", "coe"),
        ("w/o CoE", "plain"),
    ]
    assert (asked[-1]["system"], asked[-1]["model"]) == ("普通", str(bare))
    assert read_manifest(folder, "generate").result["own"]["w/o CoE"] == "variants/without_coe/grpo"
    with pytest.raises(StageError, match="GRPO only has no model to ask: no signal: all 80 groups tie"):
        generate("models=[GRPO only]")


@pytest.mark.parametrize("changed", ["seed", "prompts"])
def test_a_variant_of_another_split_stands_beside_no_run(
    changed: str, generate: Callable[..., Path], asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    """What it was trained on may be test questions now."""
    decided = decided_by(model=str(tmp_path / "base"))
    folder = make_variant(tmp_path, "without_coe", write_model, **decided["decided"])
    if changed == "prompts":
        (tmp_path / "data" / "grpo_train.parquet").write_text("another split")
    else:
        made = Manifest.find(folder)
        assert made is not None
        replace(made, seed=7).write(folder)
    assert "w/o CoE" not in [one.name for one in read_models(generate())]
    with pytest.raises(StageError, match=r"w/o CoE has no model to ask: .*(seed 7|other data)"):
        generate("models=[w/o CoE]")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("model=other", "prepared with model="),
        (
            "models=[nobody]",
            "models holds 'nobody', expected base, base thinking, SFT\\+GRPO, SFT, GRPO only",
        ),
        ("entries.DeepSeek-R1.kind=cot models=[DeepSeek-R1]", "kind=cot: expected one of coe, think, plain"),
    ],
)
def test_what_it_refuses(
    argument: str, message: str, generate: Callable[..., Path], asked: list[dict[str, Any]]
) -> None:
    with pytest.raises(StageError, match=message):
        generate(*argument.split())
    assert asked == []


def test_a_missing_stage_is_named(generate: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "grpo" / "manifest.json").unlink()
    with pytest.raises(StageError, match="Run `make grpo` again"):
        generate()
