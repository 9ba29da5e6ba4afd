"""verl's checkpoints of a run: which of them are whole, and what lies there beside them.

verl names the last whole one in a file that it writes when all else is written. It counts what it keeps in memory, so
a run that was killed leaves the checkpoints of each attempt, one that is half written, and folders whose model it has
taken away.
"""

import shutil
from pathlib import Path
from typing import Final

TRACKER: Final = "latest_checkpointed_iteration.txt"
# Before the step of the best model's folder, see `recipes.grpo_best`.
BEST: Final = "best_step_"
_MODEL: Final = Path("actor", "huggingface", "config.json")


def whole_checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints in verl's folder, the oldest first; [] without any."""
    tracker = folder / TRACKER
    if not tracker.is_file():
        return []
    steps = {step_of(path): path for path in folder.glob("global_step_*")}
    # A kill can leave the file empty; by then all else of the newest checkpoint is written.
    last = int(tracker.read_text(encoding="utf-8") or max(steps, default=0))
    return [steps[step] for step in sorted(steps) if step <= last and (steps[step] / _MODEL).is_file()]


def step_of(checkpoint: Path) -> int:
    """The step after which a checkpoint was written."""
    return int(checkpoint.name.rsplit("_", 1)[1])


def remove_checkpoints(folder: Path) -> None:
    """Remove all checkpoints, and nothing else: the folder may be a disk of the user's (trainer.default_local_dir)."""
    (folder / TRACKER).unlink(missing_ok=True)
    for pattern in ("global_step_*", f"{BEST}*", f".{BEST}*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path)


def prune(folder: Path, keep: int | None) -> list[Path]:
    """Remove what a killed run left beside its whole checkpoints, and of these all but the newest.

    Args:
        folder: verl's.
        keep: whole checkpoints; None or 0 for all.

    Returns:
        what was removed.
    """
    whole = whole_checkpoints(folder)
    kept = set(whole[-keep:] if keep else whole)
    removed = [path for path in sorted(folder.glob("global_step_*")) if path not in kept]
    # A copy of the best model that was not finished.
    removed += folder.glob(f".{BEST}*")
    for path in removed:
        shutil.rmtree(path)
    return removed
