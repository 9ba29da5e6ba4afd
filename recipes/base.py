"""Stage 0 of the tiny profile: a base model built on the spot, since a laptop has no room for Qwen3-8B.

    make base PROFILE=tiny

A profile without a `base` section names a published model instead, and so may ``MODEL=``; this stage then has nothing
to do.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from common.errors import StageError
from common.stage import Plan
from recipes.stage import Common, Recipe, load_profile, main, run, section
from recipes.tiny_base.model import BaseConfig, build_base


def plan(common: Common, config: BaseConfig) -> Plan:
    """Build the model that the section describes."""
    return Plan(asdict(config), {}, lambda folder, resume: build_base(config, common.seed, folder))


RECIPE = Recipe("base", section("base", BaseConfig), plan)


def build_if_wanted(arguments: Sequence[str]) -> None:
    """Build the base, unless the profile or ``MODEL=`` names another model.

    Raises:
        StageError: no such corpus: part of `make data`, so a mistyped path is told before a minute is spent here.
    """
    common, config = load_profile(arguments, "base", BaseConfig)
    if common.corpus != "sample" and not Path(common.corpus).exists():
        raise StageError(f"{common.corpus}: no such file or folder. CORPUS= takes a path, or sample.")
    if config.layers == 0 or Path(common.model).resolve() != (common.root / "base").resolve():
        print(f"base: profile {common.profile} uses {common.model}; nothing to build.")
        return
    run(RECIPE, arguments)


if __name__ == "__main__":
    main(build_if_wanted)
