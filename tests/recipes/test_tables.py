"""`make tables`: which stages it runs and how, what it keeps of them, and what it draws without any."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.errors import StageError
from common.manifest import Manifest
from eval.ledger import Entry, read_entries
from eval.metrics.protocols import Protocol
from eval.results import Result
from recipes import tables
from recipes.ledger_entries import settings_of
from tests.recipes.made import make_stage, make_variant

NO_SIGNAL = {"no_signal": "no signal: all 80 groups tie"}


def write_results(*models: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        for place, model in enumerate(models):
            for protocol in (Protocol("paper"), Protocol("zh")):
                scores = pd.DataFrame({"question_id": ["a", "b"], "sample": 0, "shown": "好", "fault": "", "navg": 0.2})
                result = Result.of(model, "sample", protocol.signature, scores)
                result.write(folder / f"{place}.{protocol.name}.json")

    return write


def write_grpo(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    (folder / "metrics.jsonl").write_text('{"step": 1, "data": {"critic/score/mean": 1.5}}\n')


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The stages that are started; each leaves what the next ones and the ledger read."""
    found: list[list[str]] = []

    def start(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        assert command[:2] == [sys.executable, "-m"]
        found.append(command[2:])
        given = dict(argument.split("=", 1) for argument in command[3:])
        root, name = Path(given["out"]), command[2].removeprefix("recipes.").replace("_", "-")
        variant = given["variant"]
        if variant != "main":
            # With its data at once; SFT's model is not looked at.
            silent = variant == "grpo_only"
            make_variant(root, variant, (lambda folder: None) if silent else write_grpo, NO_SIGNAL if silent else {})
        elif name == "grpo":
            make_stage(root, name, write_grpo)
        elif name == "eval":
            make_stage(root, name, write_results("base", "SFT+GRPO"))
        elif name == "generate":
            make_stage(root, name, lambda folder: (folder / "models.json").write_text("[]"))
        else:
            make_stage(root, name, lambda folder: None)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("recipes.tables.subprocess.run", start)
    return found


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    ledger = f"ledger={tmp_path / 'ledger.jsonl'}"
    return lambda *more: tables.run(["profile=tiny", f"out={tmp_path / 'out'}", "model=/base", ledger, *more])


def test_each_seed_is_a_run_with_its_variants(
    run: Callable[..., None], commands: list[list[str]], tmp_path: Path
) -> None:
    run("seeds=[42,1]", "args.grpo.trainer.total_training_steps=5", "args.data.tests=[/x/PsyQA.json]")
    out, shown = tmp_path / "out", []
    for module, *arguments in commands:
        given = dict(argument.split("=", 1) for argument in arguments)
        assert (given["profile"], given["model"], given["corpus"]) == ("tiny", "/base", "sample")
        assert given["out"] == str(out if given["seed"] == "42" else out / "seeds" / "1")
        shown.append((given["seed"], given["variant"], module.removeprefix("recipes.")))
        assert given.get("trainer.total_training_steps") == ("5" if module == "recipes.grpo" else None)
        assert given.get("tests") == ('["/x/PsyQA.json"]' if module == "recipes.data" else None)
        if module == "recipes.generate":
            # The variant without signal has no model to ask.
            assert json.loads(given["models"]) == ["base", "SFT", "SFT+GRPO", "w/o CoE", "base thinking"]
    one = [
        *(("main", stage) for stage in ("data", "sft", "reward_model", "heldout_reward_model", "grpo")),
        ("grpo_only", "grpo"),
        *(("without_coe", stage) for stage in ("data", "sft", "grpo")),
        *(("main", stage) for stage in ("generate", "eval")),
    ]
    # The report of the run in OUT comes last: it shows the tables.
    reports = [("1", "main", "report"), ("42", "main", "report")]
    assert shown == [(seed, *step) for seed in ("42", "1") for step in one] + reports


def test_what_was_run_is_kept_and_drawn(run: Callable[..., None], commands: list[list[str]], tmp_path: Path) -> None:
    run("seeds=[42]")
    entries = {entry.model: entry for entry in read_entries(tmp_path / "ledger.jsonl")}
    assert set(entries) == {"base", "SFT+GRPO", "GRPO only"}
    assert (entries["SFT+GRPO"].rewards, len(entries["SFT+GRPO"].results)) == ([1.5], 2)
    assert (entries["GRPO only"].no_signal, entries["GRPO only"].results) == (NO_SIGNAL["no_signal"], [])
    drawn = tmp_path / "out" / "tables" / "tables.md"
    before = drawn.read_text(encoding="utf-8")
    assert "seed 42: no signal: all 80 groups tie" in before
    # From the ledger alone, where no run is left.
    drawn.unlink()
    commands.clear()
    run("action=draw")
    assert drawn.read_text(encoding="utf-8") == before
    assert commands == []


def test_a_stage_that_fails_ends_it_and_keeps_what_came_before(
    run: Callable[..., None], commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    well = subprocess.run

    def start(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        failed = command[2] == "recipes.sft" and "seed=1" in command
        return subprocess.CompletedProcess(command, 1) if failed else well(command, **options)

    monkeypatch.setattr("recipes.tables.subprocess.run", start)
    with pytest.raises(StageError, match="seed 1: sft failed"):
        run("seeds=[42,1]")
    assert {entry.seed for entry in read_entries(tmp_path / "ledger.jsonl")} == {42}


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("seeds=[1,1]", "expected one or more, each once"),
        ("args.judge.x=1", "args.judge: expected of data, sft"),
        ("variant=grpo_only", "every variant is run. Leave VARIANT out"),
        ("action=show", "action=show: expected one of run, draw"),
        ("action=draw", "has no run of profile tiny. Run `make tables` first"),
    ],
)
def test_what_it_refuses(argument: str, message: str, run: Callable[..., None], commands: list[list[str]]) -> None:
    with pytest.raises(StageError, match=message):
        run(argument)
    assert commands == []


def test_a_run_of_another_seed_is_not_overwritten(
    run: Callable[..., None], commands: list[list[str]], tmp_path: Path
) -> None:
    run("seeds=[42]")
    commands.clear()
    with pytest.raises(StageError, match="holds a run of seed 42, and seed 1 would be made in its place"):
        run("seed=1", "seeds=[1]")
    assert commands == []


def test_runs_that_differ_in_their_seed_alone_have_one_digest(
    run: Callable[..., None], commands: list[list[str]], tmp_path: Path
) -> None:
    run("seeds=[42,1]")
    out = tmp_path / "out"
    for root in (out, out / "seeds" / "1"):
        made = Manifest.find(root / "grpo")
        assert made is not None
        config = {"lr": 1, "data": {"seed": root.name}, "path": f"{root.resolve()}/sft"}
        replace(made, config=config).write(root / "grpo")
    digests = {settings_of(root, "SFT+GRPO") for root in (out, out / "seeds" / "1")}
    assert len(digests) == 1
    made = Manifest.find(out / "grpo")
    assert made is not None
    replace(made, config={**made.config, "lr": 2}).write(out / "grpo")
    assert settings_of(out, "SFT+GRPO") not in digests
    assert settings_of(out, "SFT") == settings_of(out / "seeds" / "1", "SFT")


def test_a_broken_ledger_is_told_in_a_line(run: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_text("{\n")
    with pytest.raises(StageError, match=r"tables: .*ledger\.jsonl:1: not JSON"):
        run("action=draw")


def test_the_shipped_ledger_is_whole() -> None:
    """Whatever `make tables` has appended to it can be drawn."""
    for file in sorted(Path(tables.__file__).parents[1].glob("results/*.jsonl")):
        assert all(isinstance(entry, Entry) for entry in read_entries(file))
