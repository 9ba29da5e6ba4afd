"""Stage 3: the reward model, trained by contrastive learning with sentence-transformers (Eq. 5).

    make reward-model PROFILE=tiny
    make reward-model PROFILE=qwen3_8b ARGS="encoder=BAAI/bge-m3 margin=0.2"
    make heldout-reward-model                                     # another one, for evaluation only

Afterwards ``outputs/<profile>/reward-model/`` holds the encoder, ``threshold.json`` with T of Eq. 6,
``heldout.parquet`` with the cosines that T was chosen on, a model card (``README.md``), ``curves.png``, TensorBoard's
logs (``trainer/``) and the encoder as its training began (``untrained/``).
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from common.errors import StageError
from common.hashing import Input, model_files, tokenizer_files
from common.manifest import require_stage
from common.stage import Plan
from recipes.profile import Common, section
from recipes.stage import Recipe, main
from reward_fns.training.config import STATIC, RewardModelConfig
from reward_fns.training.pipeline import make_reward_model, steps_done


def plan(common: Common, config: RewardModelConfig) -> Plan:
    """Train on the triplets of `make data`."""
    return training_plan("reward-model", common, config, common.seed, lambda triplets: triplets)


def training_plan(
    name: str,
    common: Common,
    config: RewardModelConfig,
    seed: int,
    prepare: Callable[[pd.DataFrame], pd.DataFrame],
) -> Plan:
    """The plan of a reward model that is trained on what `prepare` makes of the triplets.

    Raises:
        StageError: no data or no such device.
    """
    triplets = require_stage(common.root / "data", "data") / "triplets.parquet"
    check_device(config.device)
    inputs: dict[str, Input] = {"triplets": triplets}
    if config.encoder == STATIC:
        inputs["tokenizer"] = tokenizer_files(Path(common.model))
    else:
        inputs["encoder"] = model_files(Path(config.encoder))

    def work(folder: Path, resume: bool) -> Mapping[str, Any]:
        try:
            rows = prepare(pd.read_parquet(triplets))
            return make_reward_model(rows, config, common.model, seed, folder, resume)
        except ValueError as error:
            raise StageError(f"{name}: {error}") from error

    return Plan(config=asdict(config), inputs=inputs, work=work, shows=("README.md",), reached=steps_done)


def check_device(device: str) -> None:
    """Stop where torch has no such device.

    Raises:
        StageError: says what to write instead.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise StageError(f"device={device}: torch finds no CUDA device here. Write device=cpu.")


RECIPE = Recipe("reward-model", section("reward_model", RewardModelConfig), plan, costly=True)

if __name__ == "__main__":
    main(RECIPE)
