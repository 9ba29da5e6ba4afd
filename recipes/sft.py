"""Stage 2: supervised fine-tuning on the CoE samples with LLaMA-Factory (section 3.2).

    make sft PROFILE=tiny
    make sft PROFILE=qwen3_8b ARGS="num_train_epochs=2"

Composes llamafactory_configs/sft_<profile>.yaml over sft_common.yaml with the overrides, whose keys are LLaMA-Factory's
own, writes the result to ``outputs/<profile>/sft/llamafactory.yaml`` and runs it under the watchdog in a process of its
own (`recipes.sft_train`). Afterwards the folder is a Hugging Face model, with the loss curve beside it.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from transformers import AutoConfig

from common.checkpoints import last_step, last_whole_checkpoint
from common.code import REPO
from common.decisions import DataDecisions, check_model, read_decisions
from common.errors import StageError
from common.files import whole_lines, write_text
from common.hashing import model_files
from common.manifest import VERSIONS_OF
from common.settings import check_types
from common.stage import Plan
from common.watchdog import Limits, Progress, run_watched
from recipes.lengths import response_lengths
from recipes.lora import merge_adapter
from recipes.machine import model_shape, read_machine
from recipes.preflight_checks import length_line, lock_of, sft_lines, stop_at, version_lines
from recipes.profile import Common, framework
from recipes.sft_card import CARD_FILE, render_card
from recipes.stage import Recipe, main

CONFIGS = REPO / "llamafactory_configs"


def compose_config(common: Common, decided: DataDecisions, overrides: list[str]) -> tuple[DictConfig, DictConfig]:
    """LLaMA-Factory's arguments, and our own section ``recipe`` of the files.

    Raises:
        StageError: the profile has no SFT file, or a number's override is none.
    """
    path = CONFIGS / f"sft_{common.profile}.yaml"
    if not path.is_file():
        raise StageError(f"{path} is missing: profile {common.profile} has no SFT. Write one over sft_common.yaml.")
    without = OmegaConf.merge(
        OmegaConf.load(CONFIGS / "sft_common.yaml"),
        OmegaConf.load(path),
        {
            "model_name_or_path": common.model,
            "dataset_dir": str(common.root / "data"),
            "output_dir": str(common.root / "sft"),
            "seed": common.seed,
            "enable_thinking": decided.enable_thinking,
            # `make data` has set aside every sample over this.
            "cutoff_len": decided.max_tokens,
        },
    )
    config = OmegaConf.merge(without, OmegaConf.from_dotlist(overrides))
    check_types(without, config, overrides)
    assert isinstance(config, DictConfig)
    if config.cutoff_len < decided.max_tokens:
        raise StageError(
            f"cutoff_len={config.cutoff_len}, but `make data` let samples have {decided.max_tokens} tokens, and "
            "LLaMA-Factory would cut the longer ones silently. Use as many, or prepare the data with lower limits."
        )
    return config, config.pop("recipe")


def plan(common: Common, overrides: list[str]) -> Plan:
    """Compose and check, and say what is read."""
    decided = read_decisions(common.root)
    check_model(decided, common.model, "sft")
    config, ours = compose_config(common, decided, overrides)
    if (found := torch.cuda.device_count()) < ours.gpus:
        raise StageError(
            f"SFT cannot start: it needs {ours.gpus} GPUs, this machine has {found}. On a machine without GPUs use "
            "PROFILE=tiny."
        )
    try:
        _, parameters = model_shape(common.model)
        machine = read_machine(common.root, VERSIONS_OF)
        lock = lock_of("cuda" if ours.gpus else "cpu", machine)
        outputs = response_lengths(common, common.model)
        lengths = [length_line("SFT's outputs", outputs, decided.max_response_tokens)] if outputs else []
        stop_at([*version_lines(machine, lock), *sft_lines(config, ours.gpus, parameters, machine), *lengths], "sft")
    except OSError:
        pass  # a hub's, of which nothing is here yet
    data = common.root / "data"
    inputs = {"sft": [data / "sft.json", data / "dataset_info.json"], "base": model_files(Path(common.model))}
    plain: Any = OmegaConf.to_container(config, resolve=True)
    return Plan(plain, inputs, lambda folder, resume: _train(config, ours, decided, folder, resume), reached=last_step)


def _train(config: DictConfig, ours: DictConfig, decided: DataDecisions, folder: Path, resume: bool) -> dict[str, Any]:
    # LLaMA-Factory goes on from whatever checkpoint it finds, and refuses a folder with a model and no checkpoint.
    if not (resume and last_whole_checkpoint(folder)):
        for checkpoint in folder.glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
        for weights in folder.glob("*.safetensors*"):
            weights.unlink()
    resolved = folder / "llamafactory.yaml"
    write_text(resolved, OmegaConf.to_yaml(config, resolve=True))
    (folder / "trainer_log.jsonl").unlink(missing_ok=True)
    run_watched(
        "sft",
        [sys.executable, "-m", "recipes.sft_train", str(resolved)],
        folder / "train.log",
        Limits(ours.limits.total_s, ours.limits.idle_s),
        env=environment(ours),
        progress=lambda: read_progress(folder),
    )
    merge_adapter(config.model_name_or_path, folder)
    _enable_cache(folder)
    metrics = json.loads((folder / "train_results.json").read_text(encoding="utf-8"))
    write_text(folder / CARD_FILE, render_card(config, decided, metrics))
    return {"train_loss": metrics["train_loss"], "seconds": metrics["train_runtime"]}


def environment(ours: DictConfig) -> dict[str, str]:
    """With as many processes as GPUs asked for: LLaMA-Factory takes all it sees, and batches grow with them."""
    own = {name: str(value) for name, value in ours.env.items()}
    return {"NPROC_PER_NODE": str(ours.gpus), **own} if ours.gpus else own


def read_progress(folder: Path) -> Progress | None:
    """The last logged step and its loss, from LLaMA-Factory's ``trainer_log.jsonl``."""
    records = whole_lines(folder / "trainer_log.jsonl")
    if not records:
        return None
    loss = records[-1].get("loss")
    note = "" if loss is None else f"loss={loss:.2f}"
    return Progress(records[-1]["current_steps"], records[-1]["total_steps"], note)


def _enable_cache(folder: Path) -> None:
    """Training leaves ``use_cache: false`` in config.json; generation with it would be quadratic."""
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    config.use_cache = True
    config.save_pretrained(folder)


RECIPE = Recipe("sft", framework, plan, costly=True)

if __name__ == "__main__":
    main(RECIPE)
