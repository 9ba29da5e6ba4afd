"""Stage 4: GRPO with verl from the SFT model, rewarded by the CoE reward (section 3.3).

    make grpo PROFILE=tiny
    make grpo PROFILE=qwen3_8b ARGS="actor_rollout_ref.rollout.n=8"

Composes verl_configs/grpo_<profile>.yaml over verl's defaults, checks what the run needs, and runs verl's V1 trainer
under the watchdog in a process of its own (`recipes.grpo_train`). Afterwards ``outputs/<profile>/grpo/`` is a Hugging
Face model. A killed run goes on from its last checkpoint. All overrides are verl's own hydra keys.
"""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from common.files import write_text
from common.watchdog import Limits, Progress, run_watched
from recipes.stage import (
    COMMON_PREFIXES,
    REPO,
    Common,
    StageError,
    check_pairs,
    check_types,
    fingerprint,
    load_profile,
    main,
    require,
    run_stage,
    stage_problem,
)
from reward_fns.guards import Guards
from reward_fns.modes import check_modes

METRICS_FILE = "metrics.jsonl"
OUTAGE_FILE = "reward_outage.txt"
_ATTEMPT_FILE = "metrics.attempt.jsonl"


@dataclass(frozen=True)
class NoSection:
    """GRPO takes no section of the profile: its keys are verl's."""


def compose_config(profile: str, out: Path, seed: int, overrides: list[str]) -> DictConfig:
    """verl's full configuration for a profile, with `overrides` in hydra's grammar.

    Raises:
        StageError: an override that hydra or verl does not know; the message names it.
    """
    folder = (out / "grpo").resolve()
    ours = [
        f"recipe.out={_quoted(out.resolve())}",
        f"recipe.folder={_quoted(folder)}",
        f"recipe.init_model={_quoted((out / 'sft').resolve())}",
        f"recipe.reward_function={_quoted(REPO / 'reward_fns' / 'coe_reward.py')}",
        f"recipe.seed={seed}",
    ]
    check_pairs([override for override in overrides if not override.startswith("~")])
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(REPO / "verl_configs"), version_base=None):
            config = compose(f"grpo_{profile}", overrides=[*ours, *overrides])
            if overrides:
                check_types(compose(f"grpo_{profile}", overrides=ours), config, overrides)
            return config
    except (HydraException, OmegaConfBaseException) as error:
        raise StageError(f"verl_configs/grpo_{profile}.yaml with {overrides}: {error}") from error


def check_machine(config: DictConfig) -> None:
    """Stop at once where the run cannot start.

    Raises:
        StageError: an unknown reward mode; too few GPUs, no SFT model, no data or no reward model, everything missing
            in one message.
    """
    wanted = config.reward.custom_reward_function.reward_kwargs
    try:
        check_modes(wanted.mode, wanted.format_mode)
        Guards(wanted.max_copy, wanted.min_distinct, wanted.min_chars, wanted.max_chars)
    except ValueError as error:
        raise StageError(f"reward.custom_reward_function.reward_kwargs.{error}") from error
    missing = []
    gpus = torch.cuda.device_count()
    if gpus < config.recipe.gpus:
        missing.append(
            f"{config.recipe.gpus} GPUs ({config.trainer.n_gpus_per_node} train, the rest serve the reward model); "
            f"this machine has {gpus}"
        )
    for path, target in (
        (config.actor_rollout_ref.model.path, "sft"),
        (config.data.train_files, "data"),
        (config.data.val_files, "data"),
        (config.recipe.reward_worker.model, "reward-model"),
    ):
        folder = Path(config.recipe.out) / target
        if not Path(path).exists():
            missing.append(f"{path} (made by `make {target}`)")
        elif Path(path).is_relative_to(folder) and (problem := stage_problem(folder)):
            missing.append(f"a whole {path}: {problem} (`make {target}` makes it again)")
    if missing:
        lines = "".join(f"\n  - {item}" for item in missing)
        hint = "\nOn a machine without GPUs use PROFILE=tiny." if gpus < config.recipe.gpus else ""
        raise StageError(f"GRPO cannot start, missing are:{lines}{hint}")


def _quoted(path: Path) -> str:
    """A path as hydra's grammar takes it: with spaces, Chinese or anything else in it."""
    escaped = str(path).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def merge_checkpoint(folder: Path) -> Path:
    """Put the last checkpoint's Hugging Face model into the stage's folder.

    Returns:
        the checkpoint it came from.

    Raises:
        StageError: there is no finished checkpoint.
    """
    steps = {int(path.name.rsplit("_", 1)[1]): path for path in folder.glob("checkpoints/global_step_*")}
    if not steps:
        raise StageError(f"{folder}/checkpoints holds no global_step_N, verl wrote none. See {folder}/train.log")
    checkpoint = steps[max(steps)] / "actor" / "huggingface"
    require(checkpoint / "config.json", "grpo")
    for file in checkpoint.iterdir():
        shutil.copy2(file, folder / file.name)
    return checkpoint


def merge_metrics(folder: Path) -> None:
    """Add the steps of the last attempt to ``metrics.jsonl``; verl's logger starts its file anew at each start.

    A step that was done again after a resume replaces its earlier record.
    """
    attempt = folder / _ATTEMPT_FILE
    records = {record["step"]: record for file in (folder / METRICS_FILE, attempt) for record in _read_metrics(file)}
    text = "".join(json.dumps(records[step], ensure_ascii=False) + "\n" for step in sorted(records))
    write_text(folder / METRICS_FILE, text)
    attempt.unlink(missing_ok=True)


def read_progress(folder: Path, total: int) -> Progress | None:
    """The last finished step and its mean reward, from the file that verl's logger writes.

    Raises:
        StageError: the reward worker is gone for good; verl itself would train on with what still got a reward.
    """
    outage = folder / OUTAGE_FILE
    if outage.is_file():
        raise StageError(
            f"grpo was ended, since rewards cannot be had: {outage.read_text(encoding='utf-8').strip()} See "
            f"{folder}/train.log. The checkpoints so far stay; `make grpo` goes on from the last."
        )
    records = _read_metrics(folder / _ATTEMPT_FILE)
    if not records:
        return None
    reward = records[-1]["data"].get("critic/score/mean")
    return Progress(int(records[-1]["step"]), total, "" if reward is None else f"reward={reward:.2f}")


def _read_metrics(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    # A kill can leave the last line half written.
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def run(arguments: list[str]) -> None:
    """Train, or say that nothing has changed."""
    common_arguments = [argument for argument in arguments if argument.startswith(COMMON_PREFIXES)]
    overrides = [argument for argument in arguments if argument not in common_arguments]
    common, _ = load_profile(common_arguments, None, NoSection)
    config = compose_config(common.profile, common.root, common.seed, overrides)
    check_machine(config)
    inputs = {
        "sft": common.root / "sft",
        "data": common.root / "data",
        "reward-model": common.root / "reward-model",
        "reward": REPO / "reward_fns" / "coe_reward.py",
    }
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    run_stage("grpo", common, plain, inputs, lambda folder: _train(common, config, folder))  # type: ignore[arg-type]


def _train(common: Common, config: DictConfig, folder: Path) -> dict[str, Any]:
    resolved = folder / "config.yaml"
    text = OmegaConf.to_yaml(config, resolve=True)
    identity = f"# {fingerprint(common.root / 'sft')} {fingerprint(common.root / 'data')}\n" + text
    if common.force or not resolved.is_file() or resolved.read_text(encoding="utf-8") != identity:
        # Another configuration or other inputs: an old checkpoint is not this run's.
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        (folder / METRICS_FILE).unlink(missing_ok=True)
        (folder / _ATTEMPT_FILE).unlink(missing_ok=True)
        resolved.write_text(identity, encoding="utf-8")
    merge_metrics(folder)
    (folder / OUTAGE_FILE).unlink(missing_ok=True)
    run_watched(
        "grpo",
        [sys.executable, "-m", "recipes.grpo_train", str(resolved)],
        folder / "train.log",
        Limits(config.recipe.limits.total_s, config.recipe.limits.idle_s),
        env={**config.recipe.env, "VERL_FILE_LOGGER_PATH": str(folder / _ATTEMPT_FILE)},
        progress=lambda: read_progress(folder, config.trainer.total_training_steps),
    )
    merge_metrics(folder)
    checkpoint = merge_checkpoint(folder)
    return {"checkpoint": str(checkpoint), "steps": config.trainer.total_training_steps}


if __name__ == "__main__":
    main(run)
