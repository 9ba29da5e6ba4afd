"""Settings from ``key=value`` arguments and YAML, checked against the dataclass that holds them.

A field made by `limited` or `one_of` says itself what it may hold; the dataclass calls `check` when it is made.
"""

from collections.abc import Collection, Sequence
from dataclasses import field, fields
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from common.code import REPO
from common.errors import StageError

T = TypeVar("T")

# In a profile: a path of the repository, such as ${repo:recipes/tiny_base/model}.
OmegaConf.register_new_resolver("repo", lambda path: str(REPO / path), replace=True)


def build(schema: type[T], values: Any, where: str) -> T:
    """A checked instance of the dataclass `schema`.

    Raises:
        StageError: unknown key, wrong type or a value that the dataclass itself refuses; the message starts with
            `where`.
    """
    node = OmegaConf.structured(schema)
    _unfreeze(node)
    try:
        return OmegaConf.to_object(OmegaConf.merge(node, values))  # type: ignore[return-value]
    except (OmegaConfBaseException, ValueError) as error:
        keys = ", ".join(field.name for field in fields(schema))  # type: ignore[arg-type]
        key = getattr(error, "full_key", None)
        named = f"{key}: " if key else ""
        raise StageError(f"{where}: {named}{str(error).splitlines()[0].rstrip('.')}. Known keys: {keys}.") from error


def _unfreeze(node: DictConfig) -> None:
    # A frozen dataclass makes a node that refuses what is merged into it, at every depth.
    OmegaConf.set_readonly(node, False)
    for key in node:
        if isinstance(child := node._get_node(key), DictConfig) and not child._is_none():
            _unfreeze(child)


def check_pairs(arguments: Sequence[str]) -> None:
    """Every argument has to be ``key=value``.

    Raises:
        StageError: one is not; the message names it.
    """
    for argument in arguments:
        if "=" not in argument:
            raise StageError(f'ARGS: {argument!r} is not key=value. Write e.g. ARGS="{argument}=1".')


def check_types(before: Any, after: Any, arguments: Sequence[str]) -> None:
    """Where a key held a number or a truth value, an override has to be one too.

    Args:
        before: the configuration without the overrides.
        after: with them.

    Raises:
        StageError: one is not; the message names the key.
    """
    for argument in arguments:
        key = argument.partition("=")[0].lstrip("+~")
        old, new = OmegaConf.select(before, key), OmegaConf.select(after, key)
        expected = "true or false" if isinstance(old, bool) else "a number" if isinstance(old, int | float) else ""
        is_bool = isinstance(new, bool)
        fits = is_bool if isinstance(old, bool) else isinstance(new, int | float) and not is_bool
        if expected and new is not None and not fits:
            raise StageError(f"{key}={new}: found {new!r}, expected {expected} (it is {old} without ARGS).")


def limited(default: Any, low: float, high: float = float("inf"), **more: Any) -> Any:
    """A field of a dataclass of options for a number from `low` to `high`; see `check`."""
    expected = f"{low:g} or more" if high == float("inf") else f"{low:g} to {high:g}"
    expected += ", or null for none" if default is None else ""

    def fits(value: Any) -> bool:
        return type(value) in (int, float) and low <= value <= high

    return field(default=default, metadata={"fits": fits, "expected": expected, **more})


def one_of(choices: Collection[str]) -> dict[str, Any]:
    """The metadata of a field for one of some words; see `check`."""
    return {"fits": choices.__contains__, "expected": f"one of {', '.join(choices)}"}


def check(options: Any) -> None:
    """Check a dataclass whose fields were made by `limited` and `one_of`.

    Raises:
        ValueError: a value that cannot be; the message names it.
    """
    for option in fields(options):
        value, fits = getattr(options, option.name), option.metadata.get("fits")
        if fits and not fits(value) and (value is not None or option.default is not None):
            raise ValueError(f"{option.name}={value}: expected {option.metadata['expected']}.")
