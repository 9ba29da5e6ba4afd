"""How a model is asked for replies: entries of ``models.yaml`` for the paper's baselines, and any of the user's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib.resources import files
from typing import Any

import yaml

from common.errors import StageError
from common.records.models import KINDS


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model.

    Attributes:
        model: a Hugging Face folder or id, or its name on a server.
        kind: which part of an output is the reply, see `common.records.models.ReplyKind`.
        system: "plain" for the counsellor's general instruction, "coe" for the prompt of the Chain of Empathy, "" for
            none, or a text.
        text_prompt: a whole prompt with ``{post}`` in it, for a model without a chat template.
        template_kwargs: for its chat template.
        sampling: what differs from the stage's.
        base_url: of an OpenAI-compatible server; "" for vLLM on this machine or Ray cluster.
        api_key_env: environment variable that holds the server's key.
        seen: test sets that it may have been trained on.
    """

    model: str
    kind: str = "plain"
    system: str = "plain"
    text_prompt: str = ""
    template_kwargs: dict[str, Any] = field(default_factory=dict)
    sampling: dict[str, Any] = field(default_factory=dict)
    base_url: str = ""
    api_key_env: str = ""
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            StageError: one that can't be; the message names the key.
        """
        if self.kind not in KINDS:
            raise StageError(f"{self.model}: kind {self.kind!r}, expected one of {list(KINDS)}")
        if self.text_prompt and "{post}" not in self.text_prompt:
            raise StageError(f"{self.model}: text_prompt {self.text_prompt!r} lacks {{post}}")
        if self.text_prompt and self.base_url:
            raise StageError(f"{self.model}: text_prompt is for vLLM; a server at base_url applies its own template")
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            raise StageError(f"{self.model}: base_url {self.base_url!r}, expected http://… or https://…")


def load_entries(changes: Mapping[str, Mapping[str, Any]]) -> dict[str, ModelEntry]:
    """The baselines by name, with changes to them and entries of the user's own.

    Args:
        changes: by model name, keys of `ModelEntry` that differ from ``models.yaml``, or those of a new model.

    Raises:
        StageError: an unknown key, a wrong value, or an entry without a model.
    """
    shipped: dict[str, dict[str, Any]] = yaml.safe_load(
        files("eval.generation").joinpath("models.yaml").read_text("utf-8")
    )
    known = {key.name for key in fields(ModelEntry)}
    entries = {}
    for name in {**shipped, **changes}:
        values = {**shipped.get(name, {}), **changes.get(name, {})}
        if unknown := sorted(set(values) - known):
            raise StageError(f"entries.{name}.{unknown[0]}: no such key, expected one of {sorted(known)}")
        if "model" not in values:
            raise StageError(f"entries.{name}: model is missing, expected a folder, an id or a name on a server")
        entries[name] = ModelEntry(**values)
    return entries
