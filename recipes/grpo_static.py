"""What `make grpo` looks at before it starts, and `make preflight` prints: all that needs no model's weights.

Beside `recipes.grpo_preflight`: versions, one prompt for all stages, lengths. What the cards hold is `make preflight`'s
alone: a constant of the plan's formulas must not redo a run.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from omegaconf import DictConfig

from common.decisions import DataDecisions
from common.manifest import VERSIONS_OF
from recipes.grpo_preflight import grpo_lines
from recipes.lengths import prompt_lengths, response_lengths
from recipes.machine import model_shape, read_machine
from recipes.preflight_checks import Level, Line, length_line, lock_of, version_lines
from recipes.profile import Common
from recipes.prompts_agree import agree_line

# What to do where there is no model to look at; nothing is said after it.
NO_MODEL: Final = "MODEL=/folder names one that is here"


def static_lines(common: Common, config: DictConfig, decided: DataDecisions, unknown: Level = "stop") -> Iterator[Line]:
    """A line a check.

    Args:
        common: profile, folder and model.
        config: verl's, with our section ``recipe``.
        decided: by `make data`.
        unknown: how bad it is that the model is on a hub that cannot be asked; verl may know another way to it.
    """
    machine = read_machine(Path(config.trainer.default_local_dir), VERSIONS_OF)
    yield from version_lines(machine, lock_of(config.trainer.device, machine))
    policy = config.actor_rollout_ref.model.path
    # Before there is an SFT model, its base is as large.
    begun = policy != config.recipe.init_model or Path(policy, "config.json").is_file()
    model = policy if begun else common.model
    try:
        values, parameters = model_shape(model)
    except OSError as error:
        yield Line(unknown, f"model {model}: {str(error).splitlines()[0]}", NO_MODEL)
        return
    yield Line("ok", f"model {model}: {parameters / 1e9:.3g} billion parameters")
    yield from grpo_lines(config, values, parameters, machine)
    if (agreed := agree_line(common.root, decided, config)) is not None:
        yield agreed
    yield from _lengths(common, config, model)


def _lengths(common: Common, config: DictConfig, model: str) -> Iterator[Line]:
    limits = config.data.max_prompt_length, config.data.max_response_length
    try:
        prompts = prompt_lengths(config, model)
        outputs = response_lengths(common, model)
    except OSError as error:
        told = str(error).splitlines()[0]
        yield Line("warning", f"lengths: not counted, {told}", "make data anew, or name a model with its tokenizer")
        return
    if prompts:
        yield length_line("GRPO's prompts", prompts, limits[0])
    if outputs:
        yield length_line("SFT's outputs", outputs, limits[1])
