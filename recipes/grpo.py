"""Stage 4: GRPO with verl from the SFT model, rewarded by the CoE reward (section 3.3).

    make grpo PROFILE=tiny
    make grpo PROFILE=qwen3_8b ARGS="actor_rollout_ref.rollout.n=8"
    make grpo VARIANT=grpo_only                                           # profiles/variants.yaml
    make grpo ARGS="reward.custom_reward_function.path=/my/reward.py"     # docs/reward.md

Composes verl's configuration (`recipes.grpo_config`), checks what the run needs, and runs verl's V1 trainer under the
watchdog in a process of its own (`recipes.grpo_train`). Afterwards ``outputs/<profile>/grpo/`` is a Hugging Face model.
A killed run goes on from its last checkpoint, one that can learn nothing is ended (`recipes.grpo_signal`). All
overrides are verl's own hydra keys.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from common.decisions import DataDecisions, read_decisions
from common.errors import StageError
from common.files import whole_lines, write_json_lines, write_text
from common.hashing import Input, model_files
from common.records import METRICS_FILE, ROLLOUTS
from common.stage import Plan
from common.watchdog import Limits, Progress, run_watched
from recipes.grpo_alarms import AlarmWatch
from recipes.grpo_checkpoints import prune, remove_checkpoints, whole_checkpoints
from recipes.grpo_config import OUTAGE_FILE, compose_config, heldout_off, starts_worker, validates
from recipes.grpo_machine import check_machine
from recipes.grpo_preflight import grpo_lines
from recipes.grpo_resume import recorded_steps, settle
from recipes.grpo_signal import SignalWatch, measure, no_signal
from recipes.lora import merge_checkpoint
from recipes.machine import model_shape, read_machine
from recipes.preflight_checks import stop_at
from recipes.profile import Common, framework
from recipes.stage import Recipe, main

_ATTEMPT_FILE = "metrics.attempt.jsonl"
_TENSORBOARD = "runs"
_REWARD_FILES = ("threshold.json", "generic.json")
_HELDOUT = "heldout-reward-model"


def plan(common: Common, overrides: list[str]) -> Plan:
    """Compose and check, and say what is read."""
    problem = ""
    try:
        decided = read_decisions(common.root)
    except StageError as error:
        # Told together with what else is missing.
        decided, problem = DataDecisions("", "coe", "", False, 1, 1, common.model), str(error)
    config = compose_config(common.profile, common.root, common.seed, decided, overrides)
    check_machine(config, problem)
    _preflight(config)
    inputs: dict[str, Input] = {
        "sft": model_files(Path(config.actor_rollout_ref.model.path)),
        "prompts": [Path(config.data.train_files), Path(config.data.val_files)],
    }
    if starts_worker(config):
        inputs["reward-model"] = _reward_model_files(config.recipe.reward_worker.model)
    off = heldout_off(config)
    if not off:
        inputs[_HELDOUT] = _reward_model_files(config.recipe.heldout)
    elif validates(config):
        print(f"grpo: no held-out reward at validation: {off}", flush=True)
    plain: Any = OmegaConf.to_container(config, resolve=True)
    # When a run is given up decides nothing of what it learns, nor does who looks on.
    del plain["recipe"]["signal"], plain["recipe"]["alarms"], plain["recipe"]["heldout"]
    return Plan(plain, inputs, lambda folder, resume: _train(config, folder, resume), observers=(_HELDOUT,))


def _preflight(config: DictConfig) -> None:
    try:
        values, parameters = model_shape(config.actor_rollout_ref.model.path)
    except OSError:
        return  # a hub's, of which nothing is here yet
    stop_at(grpo_lines(config, values, parameters, read_machine(Path(config.trainer.default_local_dir), ())), "grpo")


def _reward_model_files(folder: str) -> list[Path]:
    model = Path(folder)
    return [*_listed(model_files(model)), *(model / name for name in _REWARD_FILES)]


def _listed(files: Input) -> list[Path]:
    return [files] if isinstance(files, Path) else list(files)


def _train(config: DictConfig, folder: Path, resume: bool) -> dict[str, Any]:
    checkpoints = Path(config.trainer.default_local_dir)
    if not resume:
        remove_checkpoints(checkpoints)
        for name in (ROLLOUTS, _TENSORBOARD):
            shutil.rmtree(folder / name, ignore_errors=True)
        # The model of an earlier run too: this one may end without any.
        for file in (*_listed(model_files(folder)), folder / METRICS_FILE, folder / _ATTEMPT_FILE):
            file.unlink(missing_ok=True)
    kept = (folder / METRICS_FILE).is_file() and "file" in config.trainer.logger
    merge_metrics(folder)
    settle(checkpoints, folder, recorded_steps(folder) if kept else None)
    prune(checkpoints, config.trainer.max_actor_ckpt_to_keep)
    (folder / OUTAGE_FILE).unlink(missing_ok=True)
    resolved = folder / "config.yaml"
    write_text(resolved, OmegaConf.to_yaml(config, resolve=True))
    rollouts, limits = config.data.train_batch_size * config.actor_rollout_ref.rollout.n, config.recipe.signal
    starved = SignalWatch(folder, rollouts, limits.first_steps)
    alarms = AlarmWatch(
        folder / _ATTEMPT_FILE,
        config.recipe.alarms,
        lambda line: tqdm.write(f"grpo: {line}"),
        whole_lines(folder / METRICS_FILE),
    )
    try:
        run_watched(
            "grpo",
            [sys.executable, "-m", "recipes.grpo_train", str(resolved)],
            folder / "train.log",
            Limits(config.recipe.limits.total_s, config.recipe.limits.idle_s),
            env={
                **config.recipe.env,
                "VERL_FILE_LOGGER_PATH": str(folder / _ATTEMPT_FILE),
                "TENSORBOARD_DIR": str(folder / _TENSORBOARD),
            },
            progress=lambda: read_progress(folder, config.trainer.total_training_steps),
            failure=lambda: reward_outage(folder) or starved() or alarms(),
        )
    except StageError:
        if not starved.reason:
            raise
        # The run is done, and what came of it is that there is nothing to learn: no model is left.
        merge_metrics(folder)
        print(f"grpo: ended, {starved.reason}", flush=True)
        return {"no_signal": starved.reason}
    merge_metrics(folder)
    prune(checkpoints, config.trainer.max_actor_ckpt_to_keep)
    found = measure(folder, rollouts)
    reason = no_signal(found, limits.most_tied)
    if reason:
        print(f"grpo: {reason}; tables enter this run as that.", flush=True)
    plain: Any = OmegaConf.to_container(config.actor_rollout_ref.model)
    return {
        "checkpoint": str(copy_model(checkpoints, folder, plain["target_modules"])),
        "steps": config.trainer.total_training_steps,
        "tied": found.share,
        "no_signal": reason,
    }


def read_progress(folder: Path, total: int) -> Progress | None:
    """The last finished step and its mean reward, from the file that verl's logger writes."""
    records = whole_lines(folder / _ATTEMPT_FILE)
    if not records:
        return None
    reward = records[-1]["data"].get("critic/score/mean")
    return Progress(int(records[-1]["step"]), total, "" if reward is None else f"reward={reward:.2f}")


def reward_outage(folder: Path) -> str:
    """Why no rewards can be had any more, "" while they can; verl itself would train on with what still got one."""
    file = folder / OUTAGE_FILE
    if not file.is_file():
        return ""
    told = file.read_text(encoding="utf-8").strip()
    return f"rewards cannot be had: {told} The checkpoints stay; `make grpo` goes on from the last."


def merge_metrics(folder: Path) -> None:
    """Add the steps of the last attempt to ``metrics.jsonl``; verl's logger starts its file anew at each start.

    The figures of a step that was done again after a resume replace its earlier ones. Where a resumed run validates the
    checkpoint before it goes on, the figures come to the record of the checkpoint's step.
    """
    attempt = folder / _ATTEMPT_FILE
    records: dict[int, dict[str, Any]] = {}
    for file in (folder / METRICS_FILE, attempt):
        for record in whole_lines(file):
            records[record["step"]] = records.get(record["step"], {}) | record["data"]
    write_json_lines(folder / METRICS_FILE, ({"step": step, "data": records[step]} for step in sorted(records)))
    attempt.unlink(missing_ok=True)


def copy_model(checkpoints: Path, folder: Path, target_modules: str | list[str] = "all-linear") -> Path:
    """Put the last checkpoint's Hugging Face model into the stage's folder; returns that of the checkpoint.

    Args:
        checkpoints: verl's folder of them.
        folder: the stage's.
        target_modules: of LoRA, where the run was one.

    Raises:
        StageError: there is no finished checkpoint.
    """
    whole = whole_checkpoints(checkpoints)
    if not whole:
        raise StageError(f"{checkpoints} holds no model, verl wrote none. See {folder / 'train.log'}")
    checkpoint = whole[-1] / "actor" / "huggingface"
    merged = merge_checkpoint(checkpoint.parent, target_modules, folder)
    for file in checkpoint.iterdir():
        if not (merged and ".safetensors" in file.name):
            shutil.copy2(file, folder / file.name)
    return checkpoint


RECIPE = Recipe("grpo", framework, plan, costly=True)

if __name__ == "__main__":
    main(RECIPE)
