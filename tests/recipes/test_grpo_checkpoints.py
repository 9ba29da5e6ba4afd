"""What a killed run leaves beside its whole checkpoints goes, and the newest whole ones stay."""

from pathlib import Path

import pytest

from common.errors import StageError
from recipes.grpo_checkpoints import BEST, TRACKER, prune, remove_checkpoints, whole_checkpoints
from recipes.grpo_handover import copy_model, find_last


def checkpoint(folder: Path, step: int, *, model: bool = True) -> Path:
    made = folder / f"global_step_{step}"
    made.mkdir(parents=True)
    (made / "data.pt").write_bytes(b"x")
    if model:
        (made / "actor" / "huggingface").mkdir(parents=True)
        (made / "actor" / "huggingface" / "config.json").write_text(f'{{"step": {step}}}')
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three whole ones, one without its model, one that a kill left half written; the best, and half a best."""
    for step in (2, 4, 10):
        checkpoint(tmp_path, step)
    checkpoint(tmp_path, 1, model=False)
    checkpoint(tmp_path, 12)
    (tmp_path / f"{BEST}4").mkdir()
    (tmp_path / f".{BEST}10").mkdir()
    (tmp_path / TRACKER).write_text("10")
    return tmp_path


def test_what_verl_had_not_finished_is_none(folder: Path) -> None:
    assert [path.name for path in whole_checkpoints(folder)] == ["global_step_2", "global_step_4", "global_step_10"]
    assert whole_checkpoints(folder / "nothing") == []


@pytest.mark.parametrize(("keep", "left"), [(1, {10}), (2, {4, 10}), (None, {2, 4, 10}), (0, {2, 4, 10})])
def test_what_is_kept(keep: int | None, left: set[int], folder: Path) -> None:
    removed = prune(folder, keep)
    assert {int(path.name.rsplit("_", 1)[1]) for path in folder.glob("global_step_*")} == left
    assert len(removed) == 6 - len(left)
    assert [path.name for path in folder.glob(f"*{BEST}*")] == [f"{BEST}4"]
    assert prune(folder, keep) == []


def test_a_new_run_removes_checkpoints_and_nothing_else(folder: Path) -> None:
    (folder / "thesis.txt").write_text("mine")
    remove_checkpoints(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
    remove_checkpoints(folder / "nothing")


def test_the_newest_whole_one_is_handed_on(folder: Path, tmp_path: Path) -> None:
    handed = tmp_path / "grpo"
    handed.mkdir()
    copy_model(find_last(folder, handed).actor, handed)
    assert (handed / "config.json").read_text() == '{"step": 10}'
    with pytest.raises(StageError, match="holds no model, verl wrote none"):
        find_last(handed, handed)
