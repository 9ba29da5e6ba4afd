"""Whether this machine can run GRPO as it is configured: GPUs, Ray's CPU slots, and the files it begins with."""

import math
import os
import re
from pathlib import Path
from typing import Final

import torch
from omegaconf import DictConfig
from ray._private.utils import get_num_cpus

from common.errors import StageError
from common.manifest import stage_problem
from recipes.grpo_config import heldout_off, starts_worker

# CPU slots that verl reserves with each GPU (`ResourcePoolManager.max_colocate_count`).
_PER_GPU: Final = 3


def gpus_needed(config: DictConfig) -> int:
    """GPUs for the trainer and the reward workers; none where verl runs on a CPU."""
    trainer = 0 if config.trainer.device == "cpu" else config.trainer.n_gpus_per_node * config.trainer.nnodes
    worker = config.recipe.reward_worker
    # verl's workers get whole GPUs, so part of one for the reward model is another one.
    return int(trainer + (math.ceil(worker.num_gpus * worker.replicas) if starts_worker(config) else 0))


def cpu_slots_needed(config: DictConfig) -> int:
    """Slots that Ray has to have at once: verl's bundles, TransferQueue, reward workers, and two to start others."""
    worker = config.recipe.reward_worker
    served = (worker.replicas if starts_worker(config) else 0) + (0 if heldout_off(config) else 1)
    storage = config.transfer_queue.backend.SimpleStorage.num_data_storage_units + 1
    bundles = _PER_GPU * config.trainer.n_gpus_per_node * config.trainer.nnodes
    return int(bundles + storage + 2 + worker.num_cpus * served)


def check_machine(config: DictConfig, problem: str = "") -> None:
    """Stop at once where the run cannot start.

    Args:
        problem: what else is missing.

    Raises:
        StageError: too few GPUs or CPU slots, no model, data or reward function; everything missing in one message.
    """
    missing, gpus = [problem] if problem else [], torch.cuda.device_count()
    # A cluster that is joined has its own GPUs and slots.
    alone = not os.environ.get("RAY_ADDRESS")
    if short := alone and gpus < (needed := gpus_needed(config)):
        missing.append(
            f"{needed} GPUs ({config.trainer.n_gpus_per_node * config.trainer.nnodes} train, the rest serve the reward "
            f"model); this machine has {gpus}"
        )
    slots = config.ray_kwargs.ray_init.num_cpus or int(get_num_cpus())
    if alone and slots < (needed := cpu_slots_needed(config)):
        missing.append(f"{needed} CPU slots, Ray would have {slots} and wait for ever: ray_kwargs.ray_init.num_cpus")
    out = Path(config.recipe.out)
    paths = [(config.actor_rollout_ref.model.path, "sft"), (config.data.train_files, "data")]
    paths += [(config.recipe.reward_worker.model, "reward-model")] if starts_worker(config) else []
    paths += [] if heldout_off(config) else [(config.recipe.heldout, "heldout-reward-model")]
    for path, target in [*paths, (config.data.val_files, "data")]:
        if _is_hub_id(path):
            continue
        if not Path(path).exists():
            missing.append(f"{path} (made by `make {target}`)")
        elif Path(path).is_relative_to(out / target) and (fault := stage_problem(out / target)):
            missing.append(f"a whole {path}: {fault} (`make {target}` makes it again)")
    if not Path(function := config.reward.custom_reward_function.path).is_file():
        missing.append(f"{function}, the file of the reward function (reward.custom_reward_function.path)")
    if missing:
        lines = "".join(f"\n  - {item}" for item in dict.fromkeys(missing))
        hint = "\nOn a machine without GPUs use PROFILE=tiny." if short else ""
        raise StageError(f"GRPO cannot start, missing are:{lines}{hint}")


def _is_hub_id(path: str) -> bool:
    """Whether a model is named as on the hub, such as Qwen/Qwen3-8B, and is no folder here."""
    return re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", path) is not None and not Path(path).exists()
