"""Stages as their recipes would leave them, made by hand."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from common.code import REPO
from common.decisions import DataDecisions
from common.hashing import Hashes, Input
from common.manifest import MANIFEST, Manifest, files_of
from data_prep.reprompt import PROMPT_FILES, SFT_FILES
from recipes.variants import get_variant, share_stages, variant_root

SHIPPED = REPO / "recipes" / "tiny_base" / "model"
DECIDED = DataDecisions("sample", "coe", "你是咨询师。", False, 448, 448, "base")


def make_stage(
    root: Path,
    name: str,
    work: Callable[[Path], object],
    result: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Input] | None = None,
) -> Path:
    """A finished stage: what `work` writes into its folder, and a manifest; of data with what it decided."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    work(folder)
    told = {**(DECIDED.result() if name == "data" else {}), **(result or {})}
    hashes = Hashes(root)
    digests = {key: hashes.of(source) for key, source in (inputs or {}).items()}
    made = Manifest(name, 42, {}, digests, {}, {}, "", "", seconds=0.0, result=told, files=files_of(folder))
    made.write(folder)
    return folder


def write_prompts(folder: Path) -> None:
    """One short prompt for each of GRPO's files, and one sample of SFT."""
    for name in PROMPT_FILES:
        pd.DataFrame({"prompt": [[{"role": "user", "content": "我很累。"}]]}).to_parquet(folder / name)
    (folder / "sft.json").write_text(json.dumps([{"output": "好好休息。"}]), encoding="utf-8")


def copy_tokenizer(folder: Path) -> None:
    """What the shipped base has beside its weights."""
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(SHIPPED / name, folder)


def decided_by(**changes: Any) -> dict[str, Any]:
    """The data stage's result with other decisions."""
    return {"decided": {**asdict(DECIDED), **changes}}


def make_variant(
    root: Path, name: str, work: Callable[[Path], object], result: Mapping[str, Any] | None = None, **decided: Any
) -> Path:
    """A variant's data, where it has its own, and its GRPO, of today's main run."""
    own, main = variant_root(root, name), root / "data"
    for file in (*SFT_FILES, *PROMPT_FILES):
        if not (main / file).is_file():
            (main / file).write_text(file)
    share_stages(root, name)
    if "data" in get_variant(name).stages:
        files = [main / file for file in (*SFT_FILES, *PROMPT_FILES)]

        def copy(folder: Path) -> None:
            for file in files:
                shutil.copyfile(file, folder / file.name)

        make_stage(own, "data", copy, decided_by(**decided), {"data": files})
    prompts = [own / "data" / f"grpo_{part}.parquet" for part in ("train", "val")]
    return make_stage(own, "grpo", work, result, {"prompts": prompts})
