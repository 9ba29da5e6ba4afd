"""A held-out reward model, for evaluation only: another split, the next seed and, where there is one, another encoder.

    make heldout-reward-model PROFILE=tiny
    make heldout-reward-model PROFILE=qwen3_8b ARGS="encoder=BAAI/bge-m3"

What GRPO gains by serving its readers, a reward model that it never sees gives it too; what it gains by a weakness of
its reward, less so. Keys as in `recipes.reward_model`. Afterwards ``outputs/<profile>/heldout-reward-model/`` is a
reward model like the first.
"""

from common.stage import Plan
from recipes.profile import Common, section
from recipes.reward_model import training_plan
from recipes.stage import Recipe, main
from reward_fns.training.config import RewardModelConfig
from reward_fns.training.resplit import resplit


def plan(common: Common, config: RewardModelConfig) -> Plan:
    """Train on the triplets of `make data`, split anew, with the next seed."""
    seed = common.seed + 1
    return training_plan("heldout-reward-model", common, config, seed, lambda triplets: resplit(triplets, seed))


RECIPE = Recipe("heldout-reward-model", section("heldout_reward_model", RewardModelConfig), plan, costly=True)

if __name__ == "__main__":
    main(RECIPE)
