"""The best model of a GRPO run: that of the saved checkpoint whose validation has the highest mean reward.

It lies beside verl's checkpoints, as ``best_step_<N>/actor/huggingface`` with its figures in ``validation.json``, and
only its weights are kept: Adam's state and the sharded copy are for going on, which a run does from its last
checkpoint, and are three quarters of one (98 of 131 GB for 8 billion parameters). The files are hard links where the
disk allows it, so keeping them costs nothing until verl removes the checkpoint.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from common.files import write_json
from recipes.grpo_checkpoints import BEST, step_of, whole_checkpoints
from recipes.grpo_validation import REWARD, validation_figures
from recipes.lora import TRAINED

_FIGURES: Final = "validation.json"


@dataclass(frozen=True)
class Validated:
    """A saved model, and what its validation found.

    Attributes:
        step: after which it was saved.
        actor: the folder with ``huggingface`` in it, and what is known of LoRA beside it.
        figures: see `recipes.grpo_validation.validation_figures`; {} where the step was not validated.
    """

    step: int
    actor: Path
    figures: Mapping[str, float]

    def result(self) -> dict[str, Any]:
        """As a part of the stage's result."""
        return {"step": self.step, "validation": dict(self.figures)}


def find_best(checkpoints: Path) -> Validated | None:
    """The best model so far; None where no checkpoint has been validated."""
    found = [
        Validated(step_of(folder), folder / "actor", json.loads((folder / _FIGURES).read_text(encoding="utf-8")))
        for folder in checkpoints.glob(f"{BEST}*")
    ]
    # Of equals the earlier: less far from the SFT model.
    return max(found, key=lambda one: (one.figures[REWARD], -one.step), default=None)


def keep_best(checkpoints: Path, step: int, figures: Mapping[str, float]) -> bool:
    """Keep the model of the step's checkpoint if it is the best so far, beside the one that was; see `drop_worse`.

    Args:
        checkpoints: verl's folder.
        step: that has been validated; without a whole checkpoint of it nothing is kept.
        figures: of its validation.

    Returns:
        whether it was kept.
    """
    best, saved = find_best(checkpoints), {step_of(folder): folder for folder in whole_checkpoints(checkpoints)}
    if step not in saved or (best and best.figures[REWARD] >= figures[REWARD]):
        return False
    actor = saved[step] / "actor"
    unfinished, kept = checkpoints / f".{BEST}{step}", checkpoints / f"{BEST}{step}"
    for folder in (unfinished, kept):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(actor / "huggingface", unfinished / "actor" / "huggingface", copy_function=_link)
    if (actor / TRAINED).is_file():
        _link(actor / TRAINED, unfinished / "actor" / TRAINED)
    write_json(unfinished / _FIGURES, figures)
    # Whole at once: a kill leaves no half of it under its name.
    unfinished.rename(kept)
    return True


def drop_worse(checkpoints: Path) -> None:
    """Remove all but the best, once its step is on record: a run that was killed before would do the step again."""
    best = find_best(checkpoints)
    for folder in checkpoints.glob(f"{BEST}*"):
        if best and step_of(folder) != best.step:
            shutil.rmtree(folder)


def drop_later(checkpoints: Path, step: int) -> None:
    """Remove those of later steps than the one that a resumed run goes on from; it does these again."""
    for folder in checkpoints.glob(f"{BEST}*"):
        if step_of(folder) > step:
            shutil.rmtree(folder)


def with_best(trainer: type[Any], checkpoints: Path) -> type[Any]:
    """The trainer, a class of verl's V1, that keeps the best model among those it saves and then validates.

    Args:
        trainer: with all figures of a validation among what its ``_validate`` gives back.
        checkpoints: its folder of them.
    """

    class KeepBest(trainer):
        """Named so in verl's messages."""

        def on_step_begin(self) -> None:
            super().on_step_begin()
            drop_worse(checkpoints)

        def _validate(self) -> dict[str, float]:
            metrics: dict[str, float] = super()._validate()
            figures = validation_figures(metrics)
            if figures and keep_best(checkpoints, self.global_steps, figures):
                print(f"step {self.global_steps} is the best so far: reward {figures[REWARD]:.3f}", flush=True)
            return metrics

    return KeepBest


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Some network disks know no hard links.
        shutil.copy2(source, target)
