"""The process in which verl runs; started by `recipes.grpo` with the composed configuration.

    python -m recipes.grpo_train outputs/tiny/grpo/config.yaml

verl's V1 task runner is extended. It starts the reward workers before the trainer, in the same Ray cluster, so that a
reward model that cannot load ends the run before any training; a reward function of the user's own has none unless it
asks for them (`recipes.grpo_config.starts_worker`). Each step's record gets the parts of its rewards
(`recipes.grpo_metrics`), that of a validation what a held-out reward model says (`recipes.grpo_heldout`), and a record
is written before an earlier checkpoint goes (`recipes.grpo_resume`). The best model that is saved and validated stays
(`recipes.grpo_best`).
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import ray
from omegaconf import DictConfig, OmegaConf
from verl.trainer.main_ppo import TaskRunnerV1, run_ppo
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.trainer.ppo.v1 import trainer_base
from verl.utils.config import validate_config
from verl.utils.device import auto_set_device

from common.files import write_json
from recipes.grpo_best import with_best
from recipes.grpo_config import heldout_off, starts_worker
from recipes.grpo_heldout import ACTOR_NAME, heldout_scorer, share_device, with_heldout
from recipes.grpo_metrics import with_reward_metrics
from recipes.grpo_resume import with_records_first
from reward_fns.options import RewardOptions
from reward_fns.reward_worker import RewardWorkerConfig, start_reward_workers

# What each reward worker did in the last attempt, in the stage's folder.
COUNTERS_FILE = "reward_workers.json"
# What a cluster of our own is started with.
_OWN_CLUSTER: Final = ("num_cpus", "num_gpus", "include_dashboard")
# Where verl's loggers write; see `recipes.grpo`.
_OF_THE_RUN: Final = ("VERL_FILE_LOGGER_PATH", "TENSORBOARD_DIR")
# By which hubs and loggers are told how to behave, alike on all nodes. No key, and no address, for it may hold a
# password: whoever sees the cluster, or a run's log, sees a job's variables.
_OF_THE_USER: Final = (
    *("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"),
    *("WANDB_MODE", "WANDB_ENTITY", "WANDB_PROJECT", "SWANLAB_MODE"),
)

# The class behind verl's Ray actor.
_TaskRunner: Any = getattr(TaskRunnerV1, "__ray_actor_class__")  # noqa: B009  # set by ray.remote, unknown to its types


class CoETaskRunner(_TaskRunner):
    """verl's task runner, with the reward worker beside it."""

    def run(self, config: DictConfig) -> Any:
        # Held here: the actors end with this process.
        self.reward_workers, heldout = _start_workers(config) if starts_worker(config) else ([], None)
        # By the mode's own name: verl compares it with "sync" in many places. And by the module's name: this class goes
        # to Ray's process by value, and the dictionary itself would go with it as a copy.
        mode, known = config.trainer.v1.trainer_mode, trainer_base.TRAINER_REGISTRY
        keep, config.trainer.max_actor_ckpt_to_keep = config.trainer.max_actor_ckpt_to_keep, None
        known[mode] = with_records_first(with_reward_metrics(known[mode]), keep)
        if heldout is not None:
            options: Any = OmegaConf.to_container(config.reward.custom_reward_function.reward_kwargs, resolve=True)
            known[mode] = with_heldout(known[mode], heldout_scorer(heldout, RewardOptions.of(options)))
        if config.recipe.keep_best:
            known[mode] = with_best(known[mode], Path(config.trainer.default_local_dir))
        result = super().run(config)
        counters = ray.get([worker.counters.remote() for worker in self.reward_workers], timeout=60)
        print(f"reward workers: {counters}")
        write_json(Path(config.recipe.folder) / COUNTERS_FILE, counters)
        return result


def join_cluster(config: DictConfig, environment: Mapping[str, str]) -> None:
    """Make the configuration fit a Ray cluster that already runs, which ``RAY_ADDRESS`` names, or start one of its own.

    Ray refuses to be told the slots of a cluster that it only joins. Its workers have their node's environment and not
    ours, so the run's own variables go with the job, and some of the user's (``HF_HUB_OFFLINE``, ``WANDB_MODE``), but
    no key and no token.

    Args:
        config: changed in place.
        environment: this process's.
    """
    ray_init = config.ray_kwargs.ray_init
    if not environment.get("RAY_ADDRESS"):
        # Unasked, Ray would join whatever cluster was last started on this machine.
        OmegaConf.update(config, "ray_kwargs.ray_init.address", "local", force_add=True)
        return
    for key in _OWN_CLUSTER:
        ray_init.pop(key, None)
    names = (*config.recipe.env, *_OF_THE_RUN, *_OF_THE_USER)
    named = {name: environment[name] for name in names if name in environment}
    OmegaConf.update(config, "ray_kwargs.ray_init.runtime_env.env_vars", named, force_add=True)


def _start_workers(config: DictConfig) -> tuple[list[Any], Any]:
    """The reward workers, and that of the held-out reward model or None."""
    settings: Any = OmegaConf.to_container(config.recipe.reward_worker)
    del settings["start"]
    workers = RewardWorkerConfig(**settings)
    if heldout_off(config):
        return start_reward_workers(workers), None
    workers, other = share_device(workers, config.recipe.heldout)
    # One after the other: the workers have a GPU before this one looks for room on it.
    started = start_reward_workers(workers)
    return started, start_reward_workers(other, ACTOR_NAME)[0]


def main(config_file: Path) -> None:
    """Run GRPO as verl's own entry point does."""
    config = OmegaConf.load(config_file)
    assert isinstance(config, DictConfig)
    join_cluster(config, os.environ)
    OmegaConf.set_struct(config, True)
    auto_set_device(config)
    validate_config(config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    run_ppo(config, task_runner_class=ray.remote(CoETaskRunner))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
