"""How every recipe is run: from its profile and arguments to its folder.

A profile is three YAML files: in ``profiles``, ``llamafactory_configs`` and ``verl_configs``, each over a common one.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from omegaconf import OmegaConf

from common.code import REPO
from common.errors import StageError
from common.settings import build, check_pairs
from common.stage import Plan, run_stage

PROFILES = REPO / "profiles"
COMMON_PROFILE = "common"

T = TypeVar("T")


@dataclass(frozen=True)
class Common:
    """The keys that every stage takes, beside those of its own section of the profile.

    Attributes:
        profile: a file of ``profiles``.
        out: the folder that holds one sub-folder a stage.
        model: the base model, a Hugging Face id or a folder.
        corpus: "sample" for the corpus shipped with the project, else a path.
        seed: one seed for every stage.
        force: do the stage again although nothing has changed.
        accept: keep the stage's result although its code has changed.
    """

    profile: str
    out: str
    model: str
    corpus: str = "sample"
    seed: int = 42
    force: bool = False
    accept: bool = False

    @property
    def root(self) -> Path:
        return Path(self.out)


Load = Callable[[Sequence[str]], tuple[Common, T]]


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
    common, own = recipe.load(arguments)
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
    )
    if plan.shows:
        print(f"{recipe.name}: {', '.join(str(folder / name) for name in plan.shows)}")
    return folder


def main(recipe: Recipe[Any] | Callable[[list[str]], Any]) -> None:
    """Run a recipe from the command line; what a user can mend is told in a line, without a traceback."""
    try:
        run(recipe, sys.argv[1:]) if isinstance(recipe, Recipe) else recipe(sys.argv[1:])
    except StageError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on or begins again.", file=sys.stderr)
        sys.exit(130)


def section(name: str, schema: type[T]) -> Load[T]:
    """Loads the profile's section `name` as the dataclass `schema`; its keys are written without the section's name."""
    return lambda arguments: load_profile(arguments, name, schema)


@dataclass(frozen=True)
class NoSection:
    """A stage whose keys are its framework's own."""


def framework(arguments: Sequence[str]) -> tuple[Common, list[str]]:
    """Common keys, and the other arguments as they are: SFT's and GRPO's keys are their framework's own."""
    own = tuple(f"{field.name}=" for field in fields(Common))
    ours = [argument for argument in arguments if argument.startswith(own)]
    check_pairs([argument for argument in arguments if not argument.startswith("~")])
    common, _ = load_profile(ours, "", NoSection)
    return common, [argument for argument in arguments if argument not in ours]


def load_profile(arguments: Sequence[str], name: str, schema: type[T]) -> tuple[Common, T]:
    """Compose ``profiles/common.yaml``, the profile and ``key=value`` arguments, in this order.

    Returns:
        the common keys and the section, built and checked by the dataclass `schema`.

    Raises:
        StageError: unknown profile, key or value; the message names it.
    """
    check_pairs(arguments)
    try:
        overrides = OmegaConf.from_dotlist(list(arguments))
    except yaml.YAMLError as error:
        raise StageError(f"ARGS: {' '.join(arguments)!r} holds a value that is no YAML: {error}") from error
    profile = overrides.pop("profile", None)
    known = sorted({path.stem for path in PROFILES.glob("*.yaml")} - {COMMON_PROFILE})
    if profile not in known:
        raise StageError(f"profile={profile}: no such profile. Known: {', '.join(known)}. Write e.g. profile=tiny.")
    keys = {field.name for field in fields(Common)}
    values = OmegaConf.merge(
        *(OmegaConf.load(PROFILES / f"{part}.yaml") for part in (COMMON_PROFILE, profile)),
        {"profile": profile, **{str(key): value for key, value in overrides.items() if key in keys}},
    )
    own = {str(key): value for key, value in overrides.items() if key not in keys}
    where = f"profile {profile}, stage {name or 'common'}"
    # Resolved here: a section may point at a common key, such as ${out}.
    resolved: Any = OmegaConf.to_container(values, resolve=True)
    common = build(Common, {key: resolved[key] for key in keys if key in resolved}, where)
    return common, build(schema, OmegaConf.merge(resolved.get(name, {}), own), where)
