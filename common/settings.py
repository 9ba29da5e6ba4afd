"""Settings from ``key=value`` arguments and YAML, checked against the dataclass that holds them."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from common.errors import StageError

T = TypeVar("T")


def build(schema: type[T], values: Any, where: str) -> T:
    """A checked instance of the dataclass `schema`.

    Raises:
        StageError: unknown key, wrong type or a value that the dataclass itself refuses; the message starts with
            `where`.
    """
    node = OmegaConf.structured(schema)
    OmegaConf.set_readonly(node, False)
    try:
        return OmegaConf.to_object(OmegaConf.merge(node, values))  # type: ignore[return-value]
    except (OmegaConfBaseException, ValueError) as error:
        keys = ", ".join(field.name for field in fields(schema))  # type: ignore[arg-type]
        key = getattr(error, "full_key", None)
        named = f"{key}: " if key else ""
        raise StageError(f"{where}: {named}{str(error).splitlines()[0].rstrip('.')}. Known keys: {keys}.") from error


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
