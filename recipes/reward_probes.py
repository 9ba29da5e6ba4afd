"""Attacks on the trained reward model: which useless answers it would pay for, without and with guards.

    make reward-probes PROFILE=tiny
    make reward-probes ARGS="max_copy=0.4 min_distinct=0.5 min_chars=60 max_chars=900"

Afterwards ``outputs/<profile>/reward-probes/probes.md`` has a row a probe. The guards that serve are given to GRPO as
``reward.custom_reward_function.reward_kwargs.max_copy=…`` and so on.
"""

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from common.files import write_text
from recipes.stage import Common, StageError, load_profile, main, require_stage, run_stage
from reward_fns.guards import Guards
from reward_fns.reward_model import RewardModel
from reward_fns.training.probes import GENUINE, ProbeResult, heldout_questions, run_probes


@dataclass(frozen=True)
class ProbesConfig:
    """The guards to try, see `reward_fns.guards.Guards`, on how many questions at most, and where the encoder runs."""

    max_copy: float | None = 0.45
    min_distinct: float | None = 0.4
    min_chars: int | None = 40
    max_chars: int | None = None
    questions: int = 200
    device: str = "cpu"


def run(arguments: list[str]) -> None:
    """Probe the reward model, or say that nothing has changed."""
    common, config = load_profile(arguments, "reward_probes", ProbesConfig)
    try:
        guards = Guards(config.max_copy, config.min_distinct, config.min_chars, config.max_chars)
    except ValueError as error:
        raise StageError(str(error)) from error
    if config.questions < 1:
        raise StageError(f"questions={config.questions}: expected 1 or more.")
    triplets = require_stage(common.root / "data", "data") / "triplets.parquet"
    model = require_stage(common.root / "reward-model", "reward-model")
    inputs = {"triplets": triplets, "reward-model": model}
    run_stage(
        "reward-probes",
        common,
        asdict(config),
        inputs,
        lambda folder: _probe(common, config, guards, triplets, model, folder),
    )


def _probe(
    common: Common, config: ProbesConfig, guards: Guards, triplets: Path, model: Path, folder: Path
) -> dict[str, Any]:
    try:
        reward_model = RewardModel(model, config.device)
        questions = heldout_questions(pd.read_parquet(triplets))
        chosen = random.Random(common.seed).sample(questions, min(config.questions, len(questions)))
        results = run_probes(reward_model, chosen, guards, common.seed)
    except (FileNotFoundError, ValueError) as error:
        raise StageError(f"reward-probes: {error}") from error
    table = render(results, guards, reward_model.threshold.value)
    write_text(folder / "probes.md", table)
    write_text(folder / "probes.json", json.dumps([asdict(result) for result in results], indent=1) + "\n")
    print(table)
    return {result.name: result.guarded for result in results}


def render(results: list[ProbeResult], guards: Guards, threshold: float) -> str:
    """The results as Markdown, the genuine responses first."""
    limits = ", ".join(f"{name} {value:g}" for name, value in asdict(guards).items() if value is not None)
    lines = [
        "# Attacks on the reward",
        "",
        f"Share of answers above T = {threshold:.3f} on {results[0].answers} held-out questions, and of those that",
        f"also keep the guards ({limits or 'none set'}). A probe is useless to the asker, so its share should be near",
        "0; what genuine responses lose to the guards is their price.",
        "",
        "| answer | what it is | above T | with guards |",
        "|---|---|---:|---:|",
    ]
    for result in results:
        name = f"**{result.name}**" if result.name == GENUINE else result.name
        lines.append(f"| {name} | {result.what} | {result.passed:.1%} | {result.guarded:.1%} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(run)
