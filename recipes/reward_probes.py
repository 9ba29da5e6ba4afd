"""Attacks on the trained reward model: which useless answers it would pay for, without and with guards.

    make reward-probes PROFILE=tiny
    make reward-probes ARGS="max_copy=0.4 min_distinct_2=0.5 min_chars=60 max_chars=900"

Afterwards ``outputs/<profile>/reward-probes/probes.md`` has a row a probe. The guards that serve are given to GRPO as
``reward.custom_reward_function.reward_kwargs.max_copy=…`` and so on.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from common.errors import StageError
from common.files import write_json, write_text
from common.hashing import model_files
from common.manifest import require_stage
from common.records import PROBES_FILE
from common.settings import limited
from common.stage import Plan
from recipes.profile import Common, section
from recipes.stage import Recipe, main
from reward_fns.options import Guards
from reward_fns.reward_model import GENERIC_FILE, THRESHOLD_FILE, RewardModel
from reward_fns.training.probes import heldout_questions, render_probes, run_probes


@dataclass(frozen=True)
class ProbesConfig(Guards):
    """The guards to try, see `reward_fns.options.Guards`.

    Attributes:
        questions: on how many held-out questions at most.
        device: of the encoder.
    """

    questions: int = limited(200, 1)
    device: str = "cpu"


def plan(common: Common, config: ProbesConfig) -> Plan:
    """Probe the reward model with held-out questions."""
    triplets = require_stage(common.root / "data", "data") / "triplets.parquet"
    model = require_stage(common.root / "reward-model", "reward-model")

    def work(folder: Path, resume: bool) -> Mapping[str, Any]:
        try:
            reward_model = RewardModel(model, config.device)
            questions = heldout_questions(pd.read_parquet(triplets), config.questions, common.seed)
            results = run_probes(reward_model, questions, config, common.seed)
        except (FileNotFoundError, ValueError) as error:
            raise StageError(f"reward-probes: {error}") from error
        table = render_probes(results, config, reward_model.threshold.value)
        write_text(folder / "probes.md", table)
        rows = [asdict(result) for result in results]
        write_json(folder / PROBES_FILE, {"threshold": reward_model.threshold.value, "probes": rows})
        print(table)
        return {result.name: result.guarded for result in results}

    inputs = {
        "triplets": triplets,
        "encoder": model_files(model),
        "threshold": model / THRESHOLD_FILE,
        "generic": model / GENERIC_FILE,
    }
    return Plan(config=asdict(config), inputs=inputs, work=work, shows=("probes.md",))


RECIPE = Recipe("reward-probes", section("reward_probes", ProbesConfig), plan)

if __name__ == "__main__":
    main(RECIPE)
