"""Manifests: skip what has not changed, redo what has, and never trust an unfinished stage."""

import json
from pathlib import Path
from typing import Any

import pytest

from recipes.stage import Common, StageError, fingerprint, require, run_stage


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
