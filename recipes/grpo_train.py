"""The process in which verl runs; started by `recipes.grpo` with the composed configuration.

    python -m recipes.grpo_train outputs/tiny/grpo/config.yaml

verl's V1 task runner is extended by one thing: it starts the reward workers before the trainer, in the same Ray
cluster, so that a reward model that cannot load ends the run before any training. A reward function of the user's own
has none unless it asks for them (`recipes.grpo_config.starts_worker`).
"""

import sys
from pathlib import Path
from typing import Any

import ray
from omegaconf import DictConfig, OmegaConf
from verl.trainer.main_ppo import TaskRunnerV1, run_ppo
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config
from verl.utils.device import auto_set_device

from common.files import write_json
from recipes.grpo_config import starts_worker
from reward_fns.reward_worker import RewardWorkerConfig, start_reward_workers

# What each reward worker did in the last attempt, in the stage's folder.
COUNTERS_FILE = "reward_workers.json"

# The class behind verl's Ray actor.
_TaskRunner: Any = getattr(TaskRunnerV1, "__ray_actor_class__")  # noqa: B009  # set by ray.remote, unknown to its types


class CoETaskRunner(_TaskRunner):
    """verl's task runner, with the reward worker beside it."""

    def run(self, config: DictConfig) -> Any:
        # Held here: the actors end with this process.
        self.reward_workers = _start_workers(config) if starts_worker(config) else []
        result = super().run(config)
        counters = ray.get([worker.counters.remote() for worker in self.reward_workers], timeout=60)
        print(f"reward workers: {counters}")
        write_json(Path(config.recipe.folder) / COUNTERS_FILE, counters)
        return result


def _start_workers(config: DictConfig) -> list[Any]:
    settings: Any = OmegaConf.to_container(config.recipe.reward_worker)
    del settings["start"]
    return start_reward_workers(RewardWorkerConfig(**settings))


def main(config_file: Path) -> None:
    """Run GRPO as verl's own entry point does."""
    config = OmegaConf.load(config_file)
    assert isinstance(config, DictConfig)
    OmegaConf.set_struct(config, True)
    auto_set_device(config)
    validate_config(config, use_reference_policy=need_reference_policy(config), use_critic=need_critic(config))
    run_ppo(config, task_runner_class=ray.remote(CoETaskRunner))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
