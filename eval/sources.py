"""What replies are made of: the test questions and the models, which generation reads and evaluation checks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from common.errors import StageError
from common.hashing import Input, model_files
from common.manifest import read_manifest
from common.stage import is_current

# The base, and the main run's stages in order: what a report compares first.
BASE: Final = "base"
CHAIN: Final = (BASE, "SFT", "SFT+GRPO")


def sources(root: Path, own: Mapping[str, str], local: Mapping[str, str]) -> dict[str, Input]:
    """What `make generate` reads, by name.

    Args:
        root: the folder that holds a folder a stage.
        own: folder below `root` of each model that the run has trained.
        local: folder or hub id of each other model that is not on a server.
    """
    folders = {**{name: root / path for name, path in own.items()}, **{name: Path(one) for name, one in local.items()}}
    return {"test": root / "data" / "test.parquet", **{name: model_files(path) for name, path in folders.items()}}


def require_current_replies(root: Path) -> Path:
    """The folder of `make generate`, if its replies are of today's models and to today's test questions.

    Raises:
        StageError: it is missing or not whole, or a model or the test set has changed since.
    """
    folder = root / "generate"
    made = read_manifest(folder, "generate")
    if not {"own", "local"} <= made.result.keys():
        raise StageError(f"{folder} was made by an older version. Run `make generate ARGS=force=true`.")
    if not is_current(made, sources(root, made.result["own"], made.result["local"]), root):
        raise StageError(
            f"{folder} holds replies of other models, or to other questions, than those that now lie in "
            f"{root}. Run `make generate` again."
        )
    return folder
