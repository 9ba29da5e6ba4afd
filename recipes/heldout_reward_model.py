"""A second scorer, for evaluation only: trained like the reward model, on another split, with another seed and encoder.

    make second-scorer PROFILE=tiny
    make second-scorer PROFILE=qwen3_8b ARGS="encoder=BAAI/bge-m3"

What GRPO gains by serving its readers, another scorer sees too; what it gains by a weakness of its reward, less so.
Keys as in `recipes.reward_model`. Afterwards ``outputs/<profile>/second-scorer/`` is a reward model like the first.
"""

from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from recipes.reward_model import RewardModelConfig, build_reward_model, check_config
from recipes.stage import load_profile, main, require_stage, run_stage
from reward_fns.training.resplit import resplit

STAGE = "second-scorer"


def run(arguments: list[str]) -> None:
    """Train the second scorer, or say that nothing has changed."""
    first, config = load_profile(arguments, "second_scorer", RewardModelConfig)
    check_config(config)
    common = replace(first, seed=first.seed + 1)
    triplets = require_stage(common.root / "data", "data") / "triplets.parquet"
    inputs = {"triplets": triplets, "base": Path(common.model)}
    run_stage(
        STAGE,
        common,
        asdict(config),
        inputs,
        lambda folder: build_reward_model(
            STAGE, common, config, resplit(pd.read_parquet(triplets), common.seed), folder
        ),
    )


if __name__ == "__main__":
    main(run)
