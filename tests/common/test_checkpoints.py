"""A kill while a checkpoint is written: the one before it is gone on from."""

from pathlib import Path

import pytest
from transformers.trainer_callback import TrainerState

from common.checkpoints import last_step, last_whole_checkpoint


def checkpoint(folder: Path, step: int, state: str | None = None) -> Path:
    made = folder / f"checkpoint-{step}"
    made.mkdir(parents=True)
    (made / "model.safetensors").write_text("weights")
    if state is None:
        TrainerState(global_step=step).save_to_json(str(made / "trainer_state.json"))
    elif state:
        (made / "trainer_state.json").write_text(state)
    return made


@pytest.mark.parametrize("state", ["", "{", '{"epoch": 1.0, "glob', '{"of another": "version"}'])
def test_an_unfinished_checkpoint_is_removed(state: str, tmp_path: Path) -> None:
    whole, half = checkpoint(tmp_path, 6), checkpoint(tmp_path, 12, state)
    assert last_whole_checkpoint(tmp_path) == str(whole)
    assert not half.exists()


def test_the_last_of_several_is_taken_and_none_where_there_is_none(tmp_path: Path) -> None:
    assert last_whole_checkpoint(tmp_path / "nowhere") is None
    assert last_whole_checkpoint(tmp_path) is None
    assert last_step(tmp_path) == 0
    checkpoint(tmp_path, 6)
    assert last_whole_checkpoint(tmp_path) == str(tmp_path / "checkpoint-6")
    newest = checkpoint(tmp_path, 12)
    assert last_whole_checkpoint(tmp_path) == str(newest)
    assert last_step(tmp_path) == 12
