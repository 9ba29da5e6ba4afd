"""The variants of a run, by which the paper's Tables 3 and 4 compare: ``profiles/variants.yaml``.

A variant's folder holds the stages that it runs itself, and a link to the main run's for each of the others, so that
every stage finds what it reads where it always lies.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from omegaconf import OmegaConf

from common.code import REPO
from common.errors import StageError
from common.settings import build

FILE: Final = REPO / "profiles" / "variants.yaml"
MAIN: Final = "main"
FOLDER: Final = "variants"
# The stages that train, and what they read of each other; a variant may run any of them itself.
TRAINING: Final = ("data", "sft", "reward-model", "heldout-reward-model", "grpo")
_MOST_OVERRIDES: Final = 3


@dataclass(frozen=True)
class Variant:
    """One way to train.

    Attributes:
        row: its name in tables, and in the models of `make generate`.
        model: the stage whose model is meant.
        stages: those that it runs itself; the main run's are shared.
        overrides: by stage, in the stage's own grammar.
    """

    row: str
    model: str = "grpo"
    stages: list[str] = field(default_factory=list)
    overrides: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: an unknown stage, an override of a stage that is shared, or too many.
        """
        if odd := [name for name in (self.model, *self.stages) if name not in TRAINING]:
            raise ValueError(f"stage {odd[0]}: expected of {', '.join(TRAINING)}")
        if odd := [name for name in self.overrides if name not in self.stages]:
            raise ValueError(f"overrides.{odd[0]}: {odd[0]} is not of its stages, so it is the main run's")
        if odd := [text for text in self.overrides.get("data", []) if not text.startswith("prompt=")]:
            raise ValueError(f"overrides.data holds {odd[0]}, but its data are the main run's with another prompt=")
        if (count := sum(map(len, self.overrides.values()))) > _MOST_OVERRIDES:
            raise ValueError(f"{count} overrides, expected {_MOST_OVERRIDES} at most; more of them are another profile")


def load_variants(model: str = "") -> dict[str, Variant]:
    """All variants by name, the main run first.

    Args:
        model: the base model, for overrides that name it.

    Raises:
        StageError: an unknown key or a wrong value in the file, or two variants with one row.
    """
    content: Any = OmegaConf.to_container(OmegaConf.merge(OmegaConf.load(FILE), {"model": model}), resolve=True)
    del content["model"]
    found = {name: build(Variant, values, f"{FILE.name}: {name}") for name, values in content.items()}
    rows = [variant.row for variant in found.values()]
    if MAIN not in found or len(set(rows)) < len(rows):
        raise StageError(f"{FILE}: rows {', '.join(rows)}, expected {MAIN} among the variants, and a row for each.")
    if found[MAIN].stages or found[MAIN].overrides:
        raise StageError(f"{FILE}: {MAIN} has stages or overrides; it is the run itself. Give them to its stages.")
    return {MAIN: found.pop(MAIN), **found}


def get_variant(name: str, model: str = "") -> Variant:
    """One variant.

    Raises:
        StageError: none of this name.
    """
    if name not in (known := load_variants(model)):
        raise StageError(f"VARIANT={name}: no such variant, expected one of {', '.join(known)}, see {FILE}.")
    return known[name]


def variant_root(root: Path, name: str) -> Path:
    """The folder that holds a folder a stage: the main run's own for "main"."""
    return root if name == MAIN else root / FOLDER / name


def model_folders(root: Path) -> dict[str, Path]:
    """Where the model of each variant lies, by its row, whether it has been trained or not.

    Args:
        root: the main run's folder.
    """
    return {
        variant.row: (variant_root(root, name) if variant.model in variant.stages else root) / variant.model
        for name, variant in load_variants().items()
    }


def share_stages(root: Path, name: str) -> None:
    """Link the main run's stages into the variant's folder.

    Args:
        root: the main run's folder.

    Raises:
        StageError: a stage of its own lies where a link belongs.
    """
    folder, own = variant_root(root, name), get_variant(name).stages
    for stage in TRAINING:
        link, target = folder / stage, Path(os.path.relpath(root / stage, folder))
        if stage in own:
            if link.is_symlink():
                link.unlink()
        elif not link.is_symlink():
            if link.exists():
                raise StageError(f"{link} is a folder, but variant {name} shares the main run's {stage}. Remove it.")
            folder.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
