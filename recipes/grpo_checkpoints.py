"""verl's checkpoints of a run: which of them are whole, and what lies there beside them.

verl names the last whole one in a file that it writes when all else is written. It counts what it keeps in memory, so
a run that was killed leaves the checkpoints of each attempt, one that is half written, and folders whose model it has
taken away.
"""

import shutil
from pathlib import Path
from typing import Final

TRACKER: Final = "latest_checkpointed_iteration.txt"
_MODEL: Final = Path("actor", "huggingface", "config.json")


def whole_checkpoints(folder: Path) -> list[Path]:
    """The whole checkpoints in verl's folder, the oldest first; [] without any."""
    tracker = folder / TRACKER
    if not tracker.is_file():
        return []
    last = int(tracker.read_text(encoding="utf-8"))
    steps = {_step(path): path for path in folder.glob("global_step_*")}
    return [steps[step] for step in sorted(steps) if step <= last and (steps[step] / _MODEL).is_file()]


def last_step(folder: Path) -> int:
    """The step of the newest whole checkpoint in verl's folder, from which a run goes on; 0 without any."""
    whole = whole_checkpoints(folder)
    return _step(whole[-1]) if whole else 0


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rsplit("_", 1)[1])


def remove_checkpoints(folder: Path) -> None:
    """Remove all checkpoints, and nothing else: the folder may be a disk of the user's (trainer.default_local_dir)."""
    (folder / TRACKER).unlink(missing_ok=True)
    for path in folder.glob("global_step_*"):
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
    for path in removed:
        shutil.rmtree(path)
    return removed
