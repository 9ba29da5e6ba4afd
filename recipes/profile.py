"""From a profile and ``key=value`` arguments to settings.

A profile is three YAML files: in ``profiles``, ``llamafactory_configs`` and ``verl_configs``, each over a common one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml
from omegaconf import OmegaConf

from common.code import REPO
from common.errors import StageError
from common.settings import build, check_pairs
from recipes.variants import FILE as VARIANTS
from recipes.variants import MAIN, variant_root

PROFILES = REPO / "profiles"
COMMON_PROFILE = "common"

T = TypeVar("T")


def encoders(profile: str) -> list[str]:
    """Those of a profile's reward model and of its held-out one, as its file names them."""
    sections = yaml.safe_load((PROFILES / f"{profile}.yaml").read_text(encoding="utf-8"))
    return [str(sections[section]["encoder"]) for section in ("reward_model", "heldout_reward_model")]


@dataclass(frozen=True)
class Common:
    """The keys that every stage takes, beside those of its own section of the profile.

    Attributes:
        profile: a file of ``profiles``.
        out: the folder that holds one sub-folder a stage.
        model: the base model, a Hugging Face id or a folder.
        corpus: "sample" for the corpus shipped with the project, else a path.
        seed: one seed for every stage.
        variant: of `recipes.variants`; "main" for the run itself.
        force: do the stage again although nothing has changed.
        accept: keep the stage's result although its code has changed.
    """

    profile: str
    out: str
    model: str
    corpus: str = "sample"
    seed: int = 42
    variant: str = MAIN
    force: bool = False
    accept: bool = False

    @property
    def root(self) -> Path:
        """The folder that holds a folder a stage."""
        return variant_root(Path(self.out), self.variant)


Load = Callable[[Sequence[str]], tuple[Common, T]]


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


def framework_and(arguments: Sequence[str], schema: type[T], where: str) -> tuple[Common, T, list[str]]:
    """As `framework`, for a command that has keys of its own beside the framework's.

    Args:
        arguments: ``key=value``.
        schema: a dataclass of its own keys, which are written without a section.
        where: the command, for messages.

    Raises:
        StageError: a value that is no YAML or does not fit, or a missing key; the message names it.
    """
    keys = tuple(f"{field.name}=" for field in fields(schema))  # type: ignore[arg-type]
    common, rest = framework([each for each in arguments if not each.startswith(keys)])
    own = [each for each in arguments if each.startswith(keys)]
    try:
        return common, build(schema, OmegaConf.from_dotlist(own), where), rest
    except yaml.YAMLError as error:
        raise StageError(f"ARGS: {' '.join(own)!r} holds a value that is no YAML: {error}") from error


def profile_names() -> list[str]:
    """The profiles that can be named."""
    return sorted({path.stem for path in PROFILES.glob("*.yaml")} - {COMMON_PROFILE, VARIANTS.stem})


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
    if profile not in (known := profile_names()):
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
