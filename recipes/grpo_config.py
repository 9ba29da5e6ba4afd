"""verl's whole configuration for a profile.

verl_configs/grpo_<profile>.yaml comes over grpo_common.yaml, that over verl's ppo_trainer.yaml. The recipe fills in the
folders, the seed, what `make data` decided, and our reward's options.
"""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from common.code import REPO
from common.decisions import DataDecisions
from common.errors import StageError
from common.settings import check_types
from reward_fns.options import RewardOptions

CONFIGS: Path = REPO / "verl_configs"
REWARD_FUNCTION: Final = REPO / "reward_fns" / "coe_reward.py"
OUTAGE_FILE: Final = "reward_outage.txt"
_REWARD: Final = "reward.custom_reward_function"
_DECIDED: Final = ("max_prompt_tokens", "max_response_tokens", "max_tokens", "enable_thinking")


def compose_config(profile: str, out: Path, seed: int, decided: DataDecisions, overrides: Sequence[str]) -> DictConfig:
    """verl's configuration, with `overrides` in hydra's grammar.

    Raises:
        StageError: an override that hydra, verl or our reward does not know; the message names it.
    """
    folder = (out / "grpo").resolve()
    ours = [
        "hydra.searchpath=[pkg://verl.trainer.config]",
        f"recipe.out={quoted(out.resolve())}",
        f"recipe.folder={quoted(folder)}",
        f"recipe.init_model={quoted((out / 'sft').resolve())}",
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
                ours += [f"{_REWARD}.path={quoted(REWARD_FUNCTION)}", *_reward_defaults(decided)]
            config = compose(name, overrides=[*ours, *overrides])
            if overrides:
                check_types(compose(name, overrides=ours), config, overrides)
        if uses_own_reward(config):
            given: Any = OmegaConf.to_container(config.reward.custom_reward_function.reward_kwargs, resolve=True)
            _check_format(RewardOptions.of(given).format_mode, decided)
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


def validates(config: DictConfig) -> bool:
    """Whether the run validates: before its first step, while it trains, or both."""
    return bool(config.trainer.val_before_train or config.trainer.test_freq > 0)


def heldout_off(config: DictConfig) -> str:
    """Why no held-out reward model scores the validation outputs; "" where one does."""
    if not validates(config):
        return "the run does not validate (trainer.test_freq)"
    if config.recipe.heldout is None:
        return "recipe.heldout=null"
    if not (uses_own_reward(config) and starts_worker(config)):
        return "the reward is a function of your own, and another model's figure would not be comparable"
    folder = Path(config.recipe.heldout)
    return "" if folder.is_dir() else f"{folder} is not there (`make heldout-reward-model` makes it)"


def _check_format(mode: str, decided: DataDecisions) -> None:
    """The reward pays for the format that the prompts ask for, and for none where they ask for none."""
    if (mode == "none") == (decided.kind == "plain"):
        return
    raise ValueError(
        f"format_mode={mode} with the prompt {decided.prompt!r} of `make data`: "
        + (
            "these prompts ask for the format, and without r_format nothing would hold the model to it. Leave "
            "format_mode out, or run `make data ARGS=prompt=plain`."
            if mode == "none"
            else "these prompts ask for no format, so every output would get 0. Leave format_mode out, or run "
            "`make data ARGS=prompt=coe`."
        )
    )


def _reward_defaults(decided: DataDecisions) -> list[str]:
    """Every option of our reward, so that each can be overridden without a plus sign."""
    known: dict[str, Any] = {"format_mode": "none"} if decided.kind == "plain" else {}
    known |= {"replicas": "${recipe.reward_worker.replicas}", "outage_file": f"${{recipe.folder}}/{OUTAGE_FILE}"}
    values = {field.name: known.get(field.name, field.default) for field in fields(RewardOptions)}
    return [f"+{_REWARD}.reward_kwargs.{key}={'null' if value is None else value}" for key, value in values.items()]


def quoted(path: Path) -> str:
    """A path as hydra's grammar takes it: with spaces, Chinese or anything else in it."""
    escaped = str(path).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
