"""What replies are made of: the test questions and the models, which generation reads and evaluation checks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from common.errors import StageError
from common.hashing import Input, model_files
from common.manifest import read_manifest
from common.stage import is_current

# Names of this run's models, and the stages that the trained ones come from.
STAGES: Final = {"SFT": "sft", "SFT+GRPO": "grpo"}
OWN: Final = ("base", *STAGES)


def sources(root: Path, models: Mapping[str, str]) -> dict[str, Input]:
    """What `make generate` reads, by name.

    Args:
        root: the folder that holds a folder a stage.
        models: folder or hub id of each model that is not on a server; those of `STAGES` are the run's.
    """
    folders = {name: root / STAGES[name] if name in STAGES else Path(model) for name, model in models.items()}
    return {"test": root / "data" / "test.parquet", **{name: model_files(path) for name, path in folders.items()}}


def require_current_replies(root: Path) -> Path:
    """The folder of `make generate`, if its replies are of today's models and to today's test questions.

    Raises:
        StageError: it is missing or not whole, or a model or the test set has changed since.
    """
    folder = root / "generate"
    made = read_manifest(folder, "generate")
    if not is_current(made, sources(root, made.result["local"]), root):
        raise StageError(
            f"{folder} holds replies of other models, or to other questions, than those now in {root}/sft, "
            f"{root}/grpo and {root}/data. Run `make generate` again."
        )
    return folder
