"""Stage 4: GRPO with verl from the SFT model, rewarded by the CoE reward (section 3.3).

    make grpo PROFILE=tiny
    make grpo PROFILE=qwen3_8b ARGS="actor_rollout_ref.rollout.n=8"
    make grpo VARIANT=grpo_only                                           # profiles/variants.yaml
    make grpo ARGS="reward.custom_reward_function.path=/my/reward.py"     # docs/reward.md

Composes verl's configuration (`recipes.grpo_config`), checks what the run needs, and runs verl's V1 trainer under the
watchdog in a process of its own (`recipes.grpo_train`). Afterwards ``outputs/<profile>/grpo/`` is a Hugging Face model
with a card: the last one, or with ``recipe.hand_on=best`` that with the best validation (`recipes.grpo_handover`).
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
from common.manifest import Manifest
from common.records import METRICS_FILE, ROLLOUTS
from common.stage import Plan
from common.watchdog import Limits, Progress, run_watched
from recipes.grpo_alarms import AlarmWatch
from recipes.grpo_best import drop_later
from recipes.grpo_card import CARD_FILE
from recipes.grpo_checkpoints import prune, remove_checkpoints
from recipes.grpo_config import OUTAGE_FILE, compose_config, heldout_off, starts_worker, validates
from recipes.grpo_handover import check_choice, hand_on, to_change
from recipes.grpo_machine import check_machine
from recipes.grpo_resume import goes_on_from, recorded_steps, settle
from recipes.grpo_signal import SignalWatch, measure, no_signal
from recipes.grpo_static import static_lines
from recipes.preflight_checks import stop_at
from recipes.profile import Common, framework
from recipes.stage import Recipe, main

_ATTEMPT_FILE = "metrics.attempt.jsonl"
_ALARMS_FILE = "alarms.log"
_TENSORBOARD = "runs"
_OF_A_RUN = (METRICS_FILE, _ATTEMPT_FILE, _ALARMS_FILE, CARD_FILE)
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
    check_choice(config)
    if "file" not in config.trainer.logger:
        raise StageError(
            f"trainer.logger={list(config.trainer.logger)} is without file, from which progress, alarms, report and "
            "a resumed run read the steps. Add it: trainer.logger=[console,file,…]"
        )
    check_machine(config, problem)
    if not problem:
        stop_at(static_lines(common, config, decided, unknown="warning"), "grpo")
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
    # When a run is given up decides nothing of what it learns, nor does who looks on, nor what is kept of it.
    for key in ("signal", "alarms", "heldout", "keep_best", "hand_on"):
        del plain["recipe"][key]
    folder = Path(config.recipe.folder)
    return Plan(
        plain,
        inputs,
        lambda folder, resume: _train(config, decided, folder, resume),
        observers=(_HELDOUT,),
        unfinished=to_change(Manifest.find(folder), config, folder),
        reached=lambda folder: goes_on_from(Path(config.trainer.default_local_dir), _recorded(folder)),
    )


def _reward_model_files(folder: str) -> list[Path]:
    model = Path(folder)
    return [*_listed(model_files(model)), *(model / name for name in _REWARD_FILES)]


def _listed(files: Input) -> list[Path]:
    return [files] if isinstance(files, Path) else list(files)


def _train(config: DictConfig, decided: DataDecisions, folder: Path, resume: bool) -> dict[str, Any]:
    checkpoints = Path(config.trainer.default_local_dir)
    if not resume:
        remove_checkpoints(checkpoints)
        for name in (ROLLOUTS, _TENSORBOARD):
            shutil.rmtree(folder / name, ignore_errors=True)
        # The model of an earlier run too: this one may end without any.
        for file in (*_listed(model_files(folder)), *(folder / name for name in _OF_A_RUN)):
            file.unlink(missing_ok=True)
    recorded = _recorded(folder)
    merge_metrics(folder)
    reached = settle(checkpoints, folder, recorded)
    drop_later(checkpoints, reached)
    prune(checkpoints, config.trainer.max_actor_ckpt_to_keep)
    (folder / OUTAGE_FILE).unlink(missing_ok=True)
    resolved = folder / "config.yaml"
    write_text(resolved, OmegaConf.to_yaml(config, resolve=True))
    rollouts = config.data.train_batch_size * config.actor_rollout_ref.rollout.n
    steps = config.trainer.total_training_steps
    # A kill may come when all is done but the handing on.
    if reached != steps:
        reason = _run_verl(config, folder, resolved, rollouts)
        merge_metrics(folder)
        if reason:
            print(f"grpo: ended, {reason}", flush=True)
            return {"no_signal": reason}
        prune(checkpoints, config.trainer.max_actor_ckpt_to_keep)
    found = measure(folder, rollouts)
    reason = no_signal(found, config.recipe.signal.most_tied)
    if reason:
        print(f"grpo: {reason}; tables enter this run as that.", flush=True)
    return {**hand_on(config, decided, folder), "steps": steps, "tied": found.share, "no_signal": reason}


def _recorded(folder: Path) -> set[int] | None:
    """The steps that the stage's records tell of; None where the run keeps none."""
    if not (folder / METRICS_FILE).is_file():
        return None
    return recorded_steps(folder, METRICS_FILE) | recorded_steps(folder, _ATTEMPT_FILE)


def _run_verl(config: DictConfig, folder: Path, resolved: Path, rollouts: int) -> str:
    """Train; why the run was ended with nothing to learn and no model left, "" where it was not.

    Args:
        resolved: the configuration's file.
        rollouts: of a step.
    """
    starved = SignalWatch(folder, rollouts, config.recipe.signal.first_steps)
    alarms = AlarmWatch(
        folder / _ATTEMPT_FILE,
        config.recipe.alarms,
        lambda line: tqdm.write(f"grpo: {line}"),
        whole_lines(folder / METRICS_FILE),
        folder / _ALARMS_FILE,
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
    return starved.reason


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


RECIPE = Recipe("grpo", framework, plan, costly=True)

if __name__ == "__main__":
    main(RECIPE)
