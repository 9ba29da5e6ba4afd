"""verl's whole configuration for a profile, and whether this machine can run it.

verl_configs/grpo_<profile>.yaml comes over grpo_common.yaml, that over verl's ppo_trainer.yaml. The recipe fills in the
folders, the seed, what `make data` decided, and our reward's options.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from common.code import REPO
from common.decisions import DataDecisions
from common.errors import StageError
from common.manifest import stage_problem
from common.settings import check_types
from reward_fns.options import RewardOptions

CONFIGS: Path = REPO / "verl_configs"
REWARD_FUNCTION: Final = REPO / "reward_fns" / "coe_reward.py"
OUTAGE_FILE: Final = "reward_outage.txt"
_REWARD: Final = "reward.custom_reward_function"
_DECIDED: Final = ("max_prompt_tokens", "max_response_tokens", "max_tokens", "enable_thinking")
# CPU slots that verl reserves with each GPU (`ResourcePoolManager.max_colocate_count`).
_PER_GPU: Final = 3


def compose_config(profile: str, out: Path, seed: int, decided: DataDecisions, overrides: Sequence[str]) -> DictConfig:
    """verl's configuration, with `overrides` in hydra's grammar.

    Raises:
        StageError: an override that hydra, verl or our reward does not know; the message names it.
    """
    folder = (out / "grpo").resolve()
    ours = [
        "hydra.searchpath=[pkg://verl.trainer.config]",
        f"recipe.out={_quoted(out.resolve())}",
        f"recipe.folder={_quoted(folder)}",
        f"recipe.init_model={_quoted((out / 'sft').resolve())}",
        f"recipe.seed={seed}",
        *(f"recipe.{key}={getattr(decided, key)}" for key in _DECIDED),
    ]
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(CONFIGS), version_base=None):
            name = f"grpo_{profile}"
            paths = [text for text in overrides if text.startswith(f"{_REWARD}.path=")]
            path = compose(name, overrides=[*ours, *paths]).reward.custom_reward_function.path
            if path is None or Path(path) == REWARD_FUNCTION:
                ours += [f"{_REWARD}.path={_quoted(REWARD_FUNCTION)}", *_reward_defaults()]
            config = compose(name, overrides=[*ours, *overrides])
            if overrides:
                check_types(compose(name, overrides=ours), config, overrides)
        if uses_own_reward(config):
            given: Any = OmegaConf.to_container(config.reward.custom_reward_function.reward_kwargs, resolve=True)
            RewardOptions.of(given)
    except (HydraException, OmegaConfBaseException) as error:
        raise StageError(f"verl_configs/grpo_{profile}.yaml with {list(overrides)}: {error}") from error
    except ValueError as error:
        raise StageError(f"{_REWARD}.reward_kwargs: {error}") from error
    if config.data.max_prompt_length < decided.max_prompt_tokens:
        raise StageError(
            f"data.max_prompt_length={config.data.max_prompt_length}, but `make data` let prompts have "
            f"max_prompt_tokens={decided.max_prompt_tokens}, and verl would drop the longer ones. Use the same."
        )
    return config


def uses_own_reward(config: DictConfig) -> bool:
    """Whether the reward is the project's own, and not a function of the user's."""
    return Path(config.reward.custom_reward_function.path) == REWARD_FUNCTION


def starts_worker(config: DictConfig) -> bool:
    """Whether the reward model is served: for our own reward function unless told otherwise, else where asked for."""
    start = config.recipe.reward_worker.start
    return uses_own_reward(config) if start is None else bool(start)


def gpus_needed(config: DictConfig) -> int:
    """GPUs for the trainer and the reward workers; none where verl runs on a CPU."""
    trainer = 0 if config.trainer.device == "cpu" else config.trainer.n_gpus_per_node * config.trainer.nnodes
    worker = config.recipe.reward_worker
    # verl's workers get whole GPUs, so part of one for the reward model is another one.
    return int(trainer + (math.ceil(worker.num_gpus * worker.replicas) if starts_worker(config) else 0))


def cpu_slots_needed(config: DictConfig) -> int:
    """Slots that Ray has to have at once: verl's bundles, TransferQueue, reward workers, and two to start others."""
    worker = config.recipe.reward_worker
    storage = config.transfer_queue.backend.SimpleStorage.num_data_storage_units + 1
    bundles = _PER_GPU * config.trainer.n_gpus_per_node * config.trainer.nnodes
    return int(bundles + storage + 2 + (worker.num_cpus * worker.replicas if starts_worker(config) else 0))


def check_machine(config: DictConfig, problem: str = "") -> None:
    """Stop at once where the run cannot start.

    Args:
        problem: what else is missing.

    Raises:
        StageError: too few GPUs or CPU slots, no model, data or reward function; everything missing in one message.
    """
    missing, gpus = [problem] if problem else [], torch.cuda.device_count()
    if gpus < (needed := gpus_needed(config)):
        missing.append(
            f"{needed} GPUs ({config.trainer.n_gpus_per_node} train, the rest serve the reward model); "
            f"this machine has {gpus}"
        )
    slots = config.ray_kwargs.ray_init.num_cpus or os.cpu_count() or 1
    # A cluster that is joined has its own count.
    if "RAY_ADDRESS" not in os.environ and slots < (needed := cpu_slots_needed(config)):
        missing.append(f"{needed} CPU slots, Ray would have {slots} and wait for ever: ray_kwargs.ray_init.num_cpus")
    out = Path(config.recipe.out)
    paths = [(config.actor_rollout_ref.model.path, "sft"), (config.data.train_files, "data")]
    paths += [(config.recipe.reward_worker.model, "reward-model")] if starts_worker(config) else []
    for path, target in [*paths, (config.data.val_files, "data")]:
        if not Path(path).exists():
            missing.append(f"{path} (made by `make {target}`)")
        elif Path(path).is_relative_to(out / target) and (fault := stage_problem(out / target)):
            missing.append(f"a whole {path}: {fault} (`make {target}` makes it again)")
    if not Path(function := config.reward.custom_reward_function.path).is_file():
        missing.append(f"{function}, the file of the reward function (reward.custom_reward_function.path)")
    if missing:
        lines = "".join(f"\n  - {item}" for item in dict.fromkeys(missing))
        hint = "\nOn a machine without GPUs use PROFILE=tiny." if gpus < gpus_needed(config) else ""
        raise StageError(f"GRPO cannot start, missing are:{lines}{hint}")


def _reward_defaults() -> list[str]:
    """Every option of our reward, so that each can be overridden without a plus sign."""
    known = {"replicas": "${recipe.reward_worker.replicas}", "outage_file": f"${{recipe.folder}}/{OUTAGE_FILE}"}
    values = {field.name: known.get(field.name, field.default) for field in fields(RewardOptions)}
    return [f"+{_REWARD}.reward_kwargs.{key}={'null' if value is None else value}" for key, value in values.items()]


def _quoted(path: Path) -> str:
    """A path as hydra's grammar takes it: with spaces, Chinese or anything else in it."""
    escaped = str(path).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
