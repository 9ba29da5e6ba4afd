"""What GRPO hands on: a Hugging Face folder with weights, tokenizer, chat template, generation configuration and card.

It is the last checkpoint's model, as the paper says nothing of choosing another, or with ``recipe.hand_on=best`` the
best one that was saved and validated (`recipes.grpo_best`). A finished run changes from one to the other in seconds.
"""

import shutil
from pathlib import Path
from typing import Any, Final

from omegaconf import DictConfig, OmegaConf

from common.decisions import DataDecisions
from common.errors import StageError
from common.files import whole_lines, write_text
from common.manifest import Manifest
from common.records import METRICS_FILE
from recipes.grpo_best import Validated, drop_worse, find_best
from recipes.grpo_card import CARD_FILE, render_card
from recipes.grpo_checkpoints import step_of, whole_checkpoints
from recipes.grpo_validation import validation_figures
from recipes.lora import merge_checkpoint

LAST: Final = "last"
BEST: Final = "best"


def check_choice(config: DictConfig) -> None:
    """Stop where the run could not hand on what it is asked for.

    Raises:
        StageError: says which key to change.
    """
    choice, trainer = config.recipe.hand_on, config.trainer
    if choice not in (LAST, BEST):
        raise StageError(f"recipe.hand_on={choice}: found neither {LAST} nor {BEST}. Write one of the two.")
    if choice == BEST and not (config.recipe.keep_best and trainer.test_freq > 0 and trainer.save_freq > 0):
        raise StageError(
            f"recipe.hand_on={BEST}: no model would be both saved and validated. Set trainer.test_freq, "
            "trainer.save_freq and recipe.keep_best=true, the first best a divisor of the second."
        )


def to_change(made: Manifest | None, config: DictConfig, folder: Path) -> str:
    """Why a finished run has to hand on its other model, "" where it has not.

    Args:
        made: its manifest, None without one.
        config: as it is now.
        folder: the stage's.
    """
    choice = config.recipe.hand_on
    if made is None or "handed_on" not in made.result or made.result["handed_on"] == choice:
        return ""
    checkpoints = Path(config.trainer.default_local_dir)
    if choice == BEST and find_best(checkpoints) is None:
        print(f"grpo: {checkpoints} has no best model, so the run goes on handing on its last.", flush=True)
        return ""
    if choice == LAST and not whole_checkpoints(checkpoints):
        print(f"grpo: {checkpoints} has no checkpoint, so the run goes on handing on its best model.", flush=True)
        return ""
    return f"{folder} is the {made.result['handed_on']} model and recipe.hand_on={choice}"


def hand_on(config: DictConfig, decided: DataDecisions, folder: Path) -> dict[str, Any]:
    """Put the model that is asked for into the stage's folder, with a card.

    Returns:
        for the manifest: which one it is, and step and validation of the last and of the best.

    Raises:
        StageError: there is no finished checkpoint, or none that was validated where the best is asked for.
    """
    checkpoints, choice = Path(config.trainer.default_local_dir), config.recipe.hand_on
    drop_worse(checkpoints)
    last, best = find_last(checkpoints, folder), find_best(checkpoints)
    chosen = last if choice == LAST else best
    if chosen is None:
        raise StageError(
            f"{checkpoints} holds no model that was saved and validated. recipe.hand_on={LAST} hands on the last."
        )
    modules: Any = OmegaConf.to_container(config.actor_rollout_ref.model)
    copy_model(chosen.actor, folder, modules["target_modules"])
    write_text(folder / CARD_FILE, render_card(config, decided, choice, last, best))
    return {
        "handed_on": choice,
        "checkpoint": str(chosen.actor / "huggingface"),
        LAST: last.result(),
        BEST: None if best is None else best.result(),
    }


def find_last(checkpoints: Path, folder: Path) -> Validated:
    """The newest whole checkpoint, with the figures that the stage's record has of its step.

    Raises:
        StageError: there is no finished checkpoint.
    """
    whole = whole_checkpoints(checkpoints)
    if not whole:
        raise StageError(f"{checkpoints} holds no model, verl wrote none. See {folder / 'train.log'}")
    step = step_of(whole[-1])
    told = [record["data"] for record in whole_lines(folder / METRICS_FILE) if record["step"] == step]
    return Validated(step, whole[-1] / "actor", validation_figures(told[-1] if told else {}))


def copy_model(actor: Path, folder: Path, target_modules: str | list[str] = "all-linear") -> None:
    """Put a checkpoint's Hugging Face model into the stage's folder, as a plain one.

    Args:
        actor: of the checkpoint.
        folder: the stage's.
        target_modules: of LoRA, where the run was one.
    """
    merged = merge_checkpoint(actor, target_modules, folder)
    for file in (actor / "huggingface").iterdir():
        if not (merged and ".safetensors" in file.name):
            shutil.copy2(file, folder / file.name)
