"""A killed GRPO run goes on at the newest checkpoint whose step is on record, and loses or doubles no step.

verl saves a step's checkpoint first and logs the step last, and hands the weights to vLLM between the two. A run that
is killed between them would go on after a step without a record. And verl removes the last checkpoint before the new
one counts: a run that is killed there would have none. So verl keeps all here, and old ones go when the next step
begins.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from common.files import whole_lines, write_json_lines, write_text
from common.records import METRICS_FILE, ROLLOUTS
from recipes.grpo_checkpoints import TRACKER, prune, step_of, whole_checkpoints

# Only a record of a whole step has it; a validation's, of a run that validates first, has not.
_OF_A_STEP = "training/global_step"


def recorded_steps(folder: Path, name: str = METRICS_FILE) -> set[int]:
    """The steps that a file of records in the stage's folder tells of."""
    return {record["step"] for record in whole_lines(folder / name) if _OF_A_STEP in record["data"]}


def goes_on_from(checkpoints: Path, recorded: Collection[int] | None) -> int:
    """The step of the newest checkpoint that is whole and on record; 0 without any. See `settle` for the arguments."""
    steps = [step_of(path) for path in whole_checkpoints(checkpoints)]
    return max((step for step in steps if recorded is None or step in recorded), default=0)


def settle(checkpoints: Path, folder: Path, recorded: Collection[int] | None) -> int:
    """Make the newest checkpoint whose step is on record the one that verl goes on with, and forget what came after it.

    Args:
        checkpoints: verl's folder of them.
        folder: the stage's.
        recorded: steps on record; None where the run keeps no record, and verl's own word is taken.

    Returns:
        the step after which the run goes on; 0 for its beginning.
    """
    last = goes_on_from(checkpoints, recorded)
    if last:
        write_text(checkpoints / TRACKER, str(last))
    else:
        (checkpoints / TRACKER).unlink(missing_ok=True)
    metrics = folder / METRICS_FILE
    if metrics.is_file():
        write_json_lines(metrics, [record for record in whole_lines(metrics) if record["step"] <= last])
    for rollouts in (folder / ROLLOUTS).glob("*.jsonl"):
        if int(rollouts.stem) > last:
            rollouts.unlink()
    return last


def with_records_first(trainer: type[Any], keep: int | None) -> type[Any]:
    """The trainer, a class of verl's V1, whose checkpoints go only when a later one is on record.

    Args:
        trainer: verl's configuration of it must keep all (``trainer.max_actor_ckpt_to_keep=null``).
        keep: whole checkpoints; None or 0 for all.
    """

    class RecordsFirst(trainer):
        """Named so in verl's messages."""

        def on_step_begin(self) -> None:
            super().on_step_begin()
            prune(Path(self.config.trainer.default_local_dir), keep)

        def _dump_generations(self, *args: Any, **kwargs: Any) -> None:
            super()._dump_generations(*args, **kwargs)
            # verl writes them in a thread; the record that follows says that they are there.
            for future in self._dump_futures:
                future.result()

    return RecordsFirst
