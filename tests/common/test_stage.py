"""A stage is skipped when nothing has changed, done again when something has, and never thrown away for code alone."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.errors import StageError
from common.manifest import Manifest, read_manifest, require_stage
from common.stage import Plan, is_current, run_stage


class Work:
    """Counts its calls, and notes whether it was told to go on."""

    def __init__(self, fails: bool = False) -> None:
        self.calls = 0
        self.fails = fails
        self.resumed = False

    def __call__(self, folder: Path, resume: bool) -> dict[str, Any]:
        self.calls += 1
        self.resumed = resume
        if self.fails:
            raise StageError("no")
        (folder / "result.txt").write_text("done")
        return {"rows": 3}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """The stage's entry point."""
    file = tmp_path / "entry.py"
    file.write_text('"""An entry."""\nLIMIT = 1\n')
    return file


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What the stage reads."""
    file = tmp_path / "input.txt"
    file.write_text("a")
    return file


def start(
    tmp_path: Path,
    code: Path,
    work: Work,
    source: Path | None = None,
    *,
    config: dict[str, Any] | None = None,
    seed: int = 42,
    command: str = "",
    **flags: bool,
) -> Path:
    inputs = {} if source is None else {"source": source}
    return run_stage(
        "sft", tmp_path / "out", seed, code, Plan(config or {"n": 1}, inputs, work), command=command, **flags
    )


def test_unchanged_stage_is_skipped(
    tmp_path: Path, code: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = Work()
    for _ in range(2):
        folder = start(tmp_path, code, work, source)
    assert work.calls == 1
    assert "nothing has changed" in capsys.readouterr().out
    manifest = read_manifest(folder, "sft")
    assert manifest.result == {"rows": 3}
    assert manifest.files == {"result.txt": 4}
    assert str(code) in manifest.code
    assert {"torch", "verl"} <= manifest.versions.keys()


@pytest.mark.parametrize("change", ["input", "config", "seed", "force", "code"])
def test_any_change_does_it_again(change: str, tmp_path: Path, code: Path, source: Path) -> None:
    work = Work()
    start(tmp_path, code, work, source)
    if change == "input":
        source.write_text("b")
    if change == "code":
        code.write_text("LIMIT = 2\n")
    config = {"n": 2 if change == "config" else 1}
    start(tmp_path, code, work, source, config=config, seed=7 if change == "seed" else 42, force=change == "force")
    assert (work.calls, work.resumed) == (2, False)


def test_what_is_read_is_known_by_its_bytes(tmp_path: Path, code: Path, source: Path) -> None:
    work = Work()
    start(tmp_path, code, work, source)
    source.unlink()
    source.write_text("a")
    start(tmp_path, code, work, source)
    assert work.calls == 1


def test_words_about_code_are_no_code(tmp_path: Path, code: Path) -> None:
    work = Work()
    start(tmp_path, code, work)
    code.write_text('"""Another docstring."""\n\n# A comment.\nLIMIT    = 1\n')
    start(tmp_path, code, work)
    assert work.calls == 1


def test_a_costly_stage_stops_when_code_alone_has_changed(tmp_path: Path, code: Path, source: Path) -> None:
    work = Work()
    folder = start(tmp_path, code, work, source, costly=True)
    code.write_text("LIMIT = 2\n")
    with pytest.raises(StageError) as stopped:
        start(tmp_path, code, work, source, costly=True)
    for told in (str(code), "make sft ARGS=force=true", "make sft ARGS=accept=true"):
        assert told in str(stopped.value)
    with pytest.raises(StageError, match="make sft OUT=x SEED=1 ARGS=accept=true"):
        start(tmp_path, code, work, source, costly=True, command="make sft OUT=x SEED=1")
    assert work.calls == 1
    assert require_stage(folder, "sft") == folder
    start(tmp_path, code, work, source, costly=True, accept=True)
    start(tmp_path, code, work, source, costly=True)
    assert work.calls == 1
    assert read_manifest(folder, "sft").accepted[0]["changed"] == [str(code)]
    code.write_text("LIMIT = 3\n")
    start(tmp_path, code, work, source, costly=True, force=True)
    assert work.calls == 2


def test_accept_does_not_hide_other_settings(tmp_path: Path, code: Path) -> None:
    work = Work()
    start(tmp_path, code, work, costly=True)
    start(tmp_path, code, work, costly=True, accept=True, config={"n": 5})
    assert work.calls == 2


@pytest.mark.parametrize("change", ["nothing", "code", "config", "force"])
def test_an_unfinished_run_is_gone_on_with_only_if_it_is_the_same(change: str, tmp_path: Path, code: Path) -> None:
    with pytest.raises(StageError):
        start(tmp_path, code, Work(fails=True), costly=True)
    begun = Manifest.find(tmp_path / "out" / "sft")
    assert begun is not None
    assert begun.seconds is None
    with pytest.raises(StageError, match="not finished"):
        require_stage(tmp_path / "out" / "sft", "sft")
    again = Work()
    if change == "code":
        code.write_text("LIMIT = 2\n")
        with pytest.raises(StageError, match="accept=true"):
            start(tmp_path, code, again, costly=True)
        start(tmp_path, code, again, costly=True, accept=True)
    else:
        start(tmp_path, code, again, costly=True, force=change == "force", config={"n": 2 if change == "config" else 1})
    assert again.calls == 1
    assert again.resumed == (change in ("nothing", "code"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("gone", "result.txt is gone"),
        ("short", "has 2 bytes, its stage wrote 4"),
        ("manifest", "no whole manifest.json"),
    ],
)
def test_a_damaged_stage_is_refused_and_made_again(damage: str, message: str, tmp_path: Path, code: Path) -> None:
    work = Work()
    folder = start(tmp_path, code, work)
    if damage == "gone":
        (folder / "result.txt").unlink()
    elif damage == "short":
        (folder / "result.txt").write_text("do")
    else:
        (folder / "manifest.json").write_text('{"id": "ab')
    with pytest.raises(StageError, match=f"{message}.*make sft"):
        require_stage(folder, "sft")
    start(tmp_path, code, work)
    assert work.calls == 2
    assert require_stage(folder, "sft") == folder


def test_every_start_is_kept(tmp_path: Path, code: Path) -> None:
    reached = 0

    def begin(work: Work, force: bool = False) -> list[Any]:
        plan = Plan({}, {}, work, reached=lambda folder: reached)
        with suppress(StageError):
            run_stage("grpo", tmp_path / "out", 42, code, plan, force=force)
        made = Manifest.find(tmp_path / "out" / "grpo")
        assert made is not None
        assert all({"when", "commit", "from_step"} == set(start) for start in made.starts)
        assert made.starts[-1]["when"] == made.started
        return [start["from_step"] for start in made.starts]

    assert begin(Work(fails=True)) == [0]
    reached = 4
    assert begin(Work(fails=True)) == [0, 4]
    reached = 6
    assert begin(Work()) == begin(Work()) == [0, 4, 6]
    # From the beginning: another run.
    assert begin(Work(), force=True) == [0]


def test_a_finished_result_is_completed_where_it_is_not_what_is_asked_for(tmp_path: Path, code: Path) -> None:
    work = Work()

    def once(unfinished: str) -> Manifest:
        plan = Plan({}, {}, work, unfinished=unfinished)
        return read_manifest(run_stage("grpo", tmp_path / "out", 42, code, plan), "grpo")

    replace(once(""), seconds=100.0).write(tmp_path / "out" / "grpo")
    once("")
    assert (work.calls, work.resumed) == (1, False)
    completed = once("it is the last model")
    assert (work.calls, work.resumed) == (2, True)
    assert completed.seconds is not None
    assert completed.seconds >= 100.0
    assert len(completed.starts) == 2


def test_another_observer_makes_nothing_stale(tmp_path: Path, code: Path, source: Path) -> None:
    work, eye = Work(), tmp_path / "eye.txt"
    eye.write_text("a")

    def once(**inputs: Path) -> Manifest:
        plan = Plan({}, inputs, work, observers=("eye",))
        return read_manifest(run_stage("grpo", tmp_path / "out", 42, code, plan), "grpo")

    used = once(source=source, eye=eye).inputs["eye"]
    eye.write_text("b")
    assert once(source=source, eye=eye).inputs["eye"] == used
    assert once(source=source).inputs["eye"] == used
    assert work.calls == 1
    source.write_text("b")
    assert once(source=source, eye=eye).inputs["eye"] != used
    assert work.calls == 2


def test_a_stage_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"is missing.*make sft"):
        require_stage(tmp_path / "sft", "sft")


def test_checkpoints_and_logs_may_be_cleared(tmp_path: Path, code: Path) -> None:
    removable = ("checkpoints/step", "checkpoint-4/weights", "trainer/runs", "train.log")

    def work(folder: Path, resume: bool) -> None:
        for name in removable:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("1")

    folder = run_stage("grpo", tmp_path, 42, code, Plan({}, {}, work))
    for name in removable:
        (folder / name).unlink()
    assert require_stage(folder, "grpo") == folder


def test_current_is_what_was_read(tmp_path: Path, code: Path, source: Path) -> None:
    folder = start(tmp_path, code, Work(), source)
    made = read_manifest(folder, "sft")
    assert is_current(made, {"source": source}, tmp_path / "out")
    source.write_text("b")
    assert not is_current(made, {"source": source}, tmp_path / "out")


def test_a_manifest_can_be_read_by_others(tmp_path: Path, code: Path) -> None:
    folder = start(tmp_path, code, Work())
    record = json.loads((folder / "manifest.json").read_text())
    assert {"stage", "seed", "config", "inputs", "code", "versions", "git_commit", "started", "seconds"} <= set(record)
