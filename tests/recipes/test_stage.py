"""Manifests: skip what has not changed, redo what has, and never trust an unfinished stage."""

import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from recipes.stage import (
    Common,
    StageError,
    check_types,
    fingerprint,
    load_profile,
    main,
    require,
    require_stage,
    run_stage,
)


class Work:
    def __init__(self, fails: bool = False) -> None:
        self.calls = 0
        self.fails = fails

    def __call__(self, folder: Path) -> dict[str, Any]:
        self.calls += 1
        if self.fails:
            raise StageError("no")
        (folder / "result.txt").write_text("done")
        return {"rows": 3}


def common(tmp_path: Path, **changes: Any) -> Common:
    return Common(profile="tiny", out=str(tmp_path), model="base", **changes)


def test_unchanged_stage_is_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "input.txt"
    source.write_text("a")
    work = Work()
    for _ in range(2):
        run_stage("data", common(tmp_path), {"n": 1}, {"source": source}, work)
    assert work.calls == 1
    assert "nothing has changed" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "data" / "manifest.json").read_text())
    assert manifest["result"] == {"rows": 3}
    assert manifest["inputs"]["source"] == fingerprint(source)
    assert {"versions", "seed", "git_commit", "seconds", "config"} <= set(manifest)


def test_a_value_that_is_no_yaml_is_told() -> None:
    with pytest.raises(StageError, match=r"'profile=tiny frozen=\[a,\[' holds a value that is no YAML"):
        load_profile(["profile=tiny", "frozen=[a,["], None, Common)


@pytest.mark.parametrize("change", ["input", "config", "seed", "force"])
def test_any_change_does_it_again(change: str, tmp_path: Path) -> None:
    source = tmp_path / "input.txt"
    source.write_text("a")
    work = Work()
    run_stage("data", common(tmp_path), {"n": 1}, {"source": source}, work)
    if change == "input":
        source.write_text("b")
    run_stage(
        "data",
        common(tmp_path, seed=7 if change == "seed" else 42, force=change == "force"),
        {"n": 2 if change == "config" else 1},
        {"source": source},
        work,
    )
    assert work.calls == 2


def test_a_failed_run_leaves_no_manifest(tmp_path: Path) -> None:
    run_stage("data", common(tmp_path), {}, {}, Work())
    with pytest.raises(StageError):
        run_stage("data", common(tmp_path, force=True), {}, {}, Work(fails=True))
    assert not (tmp_path / "data" / "manifest.json").exists()
    again = Work()
    run_stage("data", common(tmp_path), {}, {}, again)
    assert again.calls == 1


def test_a_stage_s_fingerprint_is_its_manifest_s_id(tmp_path: Path) -> None:
    folder = run_stage("data", common(tmp_path), {}, {}, Work())
    assert fingerprint(folder) == json.loads((folder / "manifest.json").read_text())["id"]


def test_a_folder_s_fingerprint_follows_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = fingerprint(tmp_path)
    (tmp_path / "b").write_text("2")
    assert fingerprint(tmp_path) != before


def test_missing_input_names_its_target(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"triplets\.parquet is missing\. Run `make data` first"):
        require(tmp_path / "triplets.parquet", "data")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("gone", "result.txt is gone"),
        ("short", "has 2 bytes, its stage wrote 4"),
        ("manifest", "no whole manifest.json"),
    ],
)
def test_a_damaged_stage_is_refused_and_made_again(damage: str, message: str, tmp_path: Path) -> None:
    work = Work()
    folder = run_stage("data", common(tmp_path), {}, {}, work)
    assert require_stage(folder, "data") == folder
    if damage == "gone":
        (folder / "result.txt").unlink()
    elif damage == "short":
        (folder / "result.txt").write_text("do")
    else:
        (folder / "manifest.json").write_text('{"id": "ab')
    with pytest.raises(StageError, match=f"{message}.*make data"):
        require_stage(folder, "data")
    run_stage("data", common(tmp_path), {}, {}, work)
    assert work.calls == 2
    assert require_stage(folder, "data") == folder


def test_an_unfinished_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"is missing.*make sft"):
        require_stage(tmp_path / "sft", "sft")
    with pytest.raises(StageError):
        run_stage("sft", common(tmp_path), {}, {}, Work(fails=True))
    with pytest.raises(StageError, match=r"not finished.*make sft"):
        require_stage(tmp_path / "sft", "sft")


def test_checkpoints_and_logs_may_be_cleared(tmp_path: Path) -> None:
    def work(folder: Path) -> None:
        (folder / "checkpoints").mkdir(exist_ok=True)
        (folder / "checkpoints" / "step").write_text("1")
        (folder / "train.log").write_text("1")

    folder = run_stage("grpo", common(tmp_path), {}, {}, work)
    (folder / "checkpoints" / "step").unlink()
    (folder / "train.log").unlink()
    assert require_stage(folder, "grpo") == folder


@pytest.mark.parametrize(
    ("value", "message"), [("abc", "a.n=abc: found 'abc', expected a number"), (True, "expected a number"), (3, None)]
)
def test_a_number_stays_a_number(value: Any, message: str | None) -> None:
    def check() -> None:
        check_types(OmegaConf.create({"a": {"n": 1}}), OmegaConf.create({"a": {"n": value}}), [f"a.n={value}"])

    if message is None:
        check()
    else:
        with pytest.raises(StageError, match=message):
            check()


def test_interrupted_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    def stage(arguments: list[str]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        main(stage)
    assert stopped.value.code == 130
    assert "interrupted" in capsys.readouterr().err
