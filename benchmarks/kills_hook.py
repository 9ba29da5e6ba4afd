"""Tells, in each of verl's workers, which states of optimizer and generators it has when a checkpoint was loaded.

Named as ``actor_rollout_ref.model.external_lib`` by `benchmarks.kills`, in place of the engine that it imports. verl's
checkpoint manager loads as ever; a line with the digests is added to ``loads.jsonl`` in the stage's folder.
"""

import functools
import json
from pathlib import Path
from typing import Any

from verl.utils.checkpoint.fsdp_checkpoint_manager import FSDPCheckpointManager

import recipes.verl_cpu.engine  # noqa: F401  # registers it
from benchmarks.loaded_state import LOADS_FILE, digest


def _telling(load: Any) -> Any:
    @functools.wraps(load)
    def load_checkpoint(self: Any, local_path: str | None, *args: Any, **kwargs: Any) -> None:
        load(self, local_path, *args, **kwargs)
        if local_path is None:
            return
        checkpoint = Path(local_path).parent
        told = {
            "step": int(checkpoint.name.rsplit("_", 1)[1]),
            "optimizer": digest(self.optimizer.state_dict()),
            "generators": digest(self.get_rng_state()),
        }
        with (checkpoint.parents[1] / LOADS_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")

    return load_checkpoint


FSDPCheckpointManager.load_checkpoint = _telling(  # type: ignore[method-assign]
    FSDPCheckpointManager.load_checkpoint
)
