"""``models.json`` of `make generate`: whose replies lie beside it, and what an output of each model looks like."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from common.errors import StageError
from common.files import write_json

# What a whole output looks like: with CoE tags, with a ``<think>`` block before the reply, or the reply alone.
ReplyKind = Literal["coe", "think", "plain"]

KINDS: Final = get_args(ReplyKind)
MODELS_FILE: Final = "models.json"


@dataclass(frozen=True, slots=True)
class GeneratedModel:
    """One model that has replied to the test questions.

    Attributes:
        name: in tables.
        file: of its replies, beside ``models.json``.
        kind: which part of an output is the reply.
        seen: test sets that it may have been trained on.
    """

    name: str
    file: str
    kind: ReplyKind
    seen: list[str] = field(default_factory=list)


def file_stem(name: str) -> str:
    """How a model's files are called: "SFT+GRPO" → "sft_grpo"."""
    return re.sub(r"[^\w.-]+", "_", name.lower()).strip("_")


def write_models(folder: Path, models: Iterable[GeneratedModel]) -> None:
    """Write ``models.json`` into the folder of the replies."""
    write_json(folder / MODELS_FILE, [asdict(model) for model in models])


def read_models(folder: Path) -> list[GeneratedModel]:
    """Read ``models.json``.

    Raises:
        StageError: no such list, an unknown kind, a model twice, or none.
    """
    path = folder / MODELS_FILE
    try:
        models = [GeneratedModel(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise StageError(f"{path}: {error}, expected a list with name, file and kind. Run `make generate`.") from error
    names = [model.name for model in models]
    if not names or len(set(names)) < len(names):
        raise StageError(f"{path}: {names}, expected one or more models, each once. Run `make generate`.")
    for model in models:
        if model.kind not in KINDS:
            raise StageError(f"{path}: {model.name} is of kind {model.kind!r}, expected {', '.join(KINDS)}")
    return models


def reply_files(folder: Path) -> list[Path]:
    """``models.json`` and the files of replies that it names: what a reader of the replies reads.

    Raises:
        StageError: ``models.json`` is not as `make generate` writes it.
    """
    return [folder / MODELS_FILE, *(folder / model.file for model in read_models(folder))]
