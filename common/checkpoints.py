"""Checkpoints of transformers' Trainer after a kill: one that was being written is no checkpoint."""

import json
import shutil
from pathlib import Path

from transformers.trainer_callback import TrainerState
from transformers.trainer_utils import get_last_checkpoint

# The last file that `Trainer._save_checkpoint` writes.
_LAST_WRITTEN = "trainer_state.json"


def last_whole_checkpoint(folder: Path) -> str | None:
    """The last whole checkpoint in a folder, None where there is none; unfinished ones are removed.

    Removed, and not passed over: a trainer that looks for its checkpoint by itself, as LLaMA-Factory's does, would take
    the newest folder.
    """
    for checkpoint in folder.glob("checkpoint-*"):
        if not _is_whole(checkpoint):
            shutil.rmtree(checkpoint)
    return get_last_checkpoint(str(folder)) if folder.is_dir() else None


def last_step(folder: Path) -> int:
    """The step of the last whole checkpoint, 0 where there is none; see `last_whole_checkpoint`."""
    checkpoint = last_whole_checkpoint(folder)
    return int(checkpoint.rsplit("-", 1)[1]) if checkpoint else 0


def _is_whole(checkpoint: Path) -> bool:
    try:
        TrainerState.load_from_json(str(checkpoint / _LAST_WRITTEN))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return False
    return True
