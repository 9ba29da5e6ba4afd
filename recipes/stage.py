"""How every recipe is run: from its profile and arguments to its folder.

With ``variant=…`` a stage runs in the variant's folder and with its overrides (`recipes.variants`).
"""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from common.decisions import check_model, read_decisions
from common.errors import StageError
from common.stage import Plan, run_stage
from recipes.profile import Common, Load, framework
from recipes.variants import MAIN, get_variant, share_stages

T = TypeVar("T")


@dataclass(frozen=True)
class Recipe(Generic[T]):
    """One stage.

    Attributes:
        name: of the make target and the folder.
        load: from ``key=value`` arguments to the common keys and the stage's own, such as `section` or `framework`.
        plan: what the stage does with them; stops where it cannot be done, before anything is touched.
        costly: a run takes hours on GPUs, see `common.stage`.
    """

    name: str
    load: Load[T]
    plan: Callable[[Common, T], Plan]
    costly: bool = False


def run(recipe: Recipe[Any], arguments: Sequence[str]) -> Path:
    """Do what the recipe says, or say that nothing has changed; returns the stage's folder."""
    common, own = recipe.load(_with_variant(recipe.name, arguments))
    if common.variant != MAIN:
        # Of the same base: a variant is compared with the main run.
        check_model(read_decisions(Path(common.out)), common.model, recipe.name)
        share_stages(Path(common.out), common.variant)
    plan = recipe.plan(common, own)
    folder = run_stage(
        recipe.name,
        common.root,
        common.seed,
        Path(recipe.plan.__code__.co_filename),
        plan,
        costly=recipe.costly,
        force=common.force,
        accept=common.accept,
        command=_command(recipe.name, common),
    )
    if plan.shows:
        print(f"{recipe.name}: {', '.join(str(folder / name) for name in plan.shows)}")
    return folder


def _with_variant(stage: str, arguments: Sequence[str]) -> Sequence[str]:
    """The arguments after the variant's overrides of the stage, if one is named.

    Raises:
        StageError: no such variant, or the stage is not one of its own.
    """
    common, _ = framework(arguments)
    if common.variant == MAIN:
        return arguments
    # A folder by its whole path: verl's workers need not start where the user does.
    folder = Path(common.model)
    variant = get_variant(common.variant, str(folder.resolve()) if folder.is_dir() else common.model)
    if stage not in variant.stages:
        raise StageError(
            f"{stage}: variant {common.variant} runs {', '.join(variant.stages) or 'no stage'} itself and shares the "
            f"rest with the main run. Leave VARIANT out: `make {stage}` serves both."
        )
    return [*variant.overrides.get(stage, []), *arguments]


def _command(stage: str, common: Common) -> str:
    """What the user types for this very run."""
    given = {"PROFILE": common.profile, "OUT": common.out, "SEED": common.seed, "CORPUS": common.corpus}
    given |= {} if common.variant == MAIN else {"VARIANT": common.variant}
    return " ".join([f"make {stage}", *(f"{key}={shlex.quote(str(value))}" for key, value in given.items())])


def main(recipe: Recipe[Any] | Callable[[list[str]], Any]) -> None:
    """Run a recipe from the command line; what a user can mend is told in a line, without a traceback."""
    try:
        run(recipe, sys.argv[1:]) if isinstance(recipe, Recipe) else recipe(sys.argv[1:])
    except StageError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on or begins again.", file=sys.stderr)
        sys.exit(130)
