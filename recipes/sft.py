"""Stage 2: supervised fine-tuning on the CoE samples with LLaMA-Factory (section 3.2).

    make sft PROFILE=tiny
    make sft PROFILE=qwen3_8b ARGS="num_train_epochs=2"

Composes llamafactory_configs/sft_<profile>.yaml with the overrides, whose keys are LLaMA-Factory's own, writes the
result to ``outputs/<profile>/sft/llamafactory.yaml`` and runs it under the watchdog in a process of its own
(`recipes.sft_train`). Afterwards the folder is a Hugging Face model, with the loss curve beside it.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from transformers import AutoConfig

from common.watchdog import Limits, Progress, run_watched
from data_prep.config import DataConfig
from recipes.stage import (
    COMMON_PREFIXES,
    REPO,
    Common,
    StageError,
    check_pairs,
    check_types,
    load_profile,
    main,
    require,
    run_stage,
    stage_problem,
)


def compose_config(common: Common, overrides: list[str]) -> tuple[DictConfig, DictConfig]:
    """LLaMA-Factory's arguments, and our own section ``recipe`` of the file.

    Raises:
        StageError: the profile has no SFT file.
    """
    path = require(REPO / "llamafactory_configs" / f"sft_{common.profile}.yaml", "help")
    _, data = load_profile([f"profile={common.profile}"], "data", DataConfig)
    check_pairs(overrides)
    without = OmegaConf.merge(
        OmegaConf.load(path),
        {
            "model_name_or_path": common.model,
            "dataset_dir": str(common.root / "data"),
            "output_dir": str(common.root / "sft"),
            "seed": common.seed,
            # `make data` has set aside every sample over this.
            "cutoff_len": data.max_prompt_tokens + data.max_response_tokens,
        },
    )
    config = OmegaConf.merge(without, OmegaConf.from_dotlist(overrides))
    check_types(without, config, overrides)
    assert isinstance(config, DictConfig)
    return config, config.pop("recipe")


def check_machine(common: Common, gpus: int) -> None:
    """Stop at once where the run cannot start.

    Raises:
        StageError: too few GPUs or no data; everything missing in one message.
    """
    missing = []
    if torch.cuda.device_count() < gpus:
        missing.append(f"{gpus} GPUs; this machine has {torch.cuda.device_count()}")
    data = common.root / "data"
    if not (data / "sft.json").is_file():
        missing.append(f"{data / 'sft.json'} (made by `make data`)")
    elif problem := stage_problem(data):
        missing.append(f"whole data: {problem} (`make data` makes it again)")
    if missing:
        lines = "".join(f"\n  - {item}" for item in missing)
        hint = "\nOn a machine without GPUs use PROFILE=tiny." if torch.cuda.device_count() < gpus else ""
        raise StageError(f"SFT cannot start, missing are:{lines}{hint}")


def read_progress(folder: Path) -> Progress | None:
    """The last logged step and its loss, from LLaMA-Factory's ``trainer_log.jsonl``."""
    file = folder / "trainer_log.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    complete = [line for line in lines if line.startswith("{") and line.endswith("}")]
    if not complete:
        return None
    record = json.loads(complete[-1])
    loss = record.get("loss")
    return Progress(record["current_steps"], record["total_steps"], "" if loss is None else f"loss={loss:.2f}")


def run(arguments: list[str]) -> None:
    """Fine-tune, or say that nothing has changed."""
    common_arguments = [argument for argument in arguments if argument.startswith(COMMON_PREFIXES)]
    overrides = [argument for argument in arguments if argument not in common_arguments]
    common, _ = load_profile(common_arguments, "data", DataConfig)
    config, ours = compose_config(common, overrides)
    check_machine(common, ours.gpus)
    inputs = {"data": common.root / "data", "base": Path(common.model)}
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    run_stage("sft", common, plain, inputs, lambda folder: _train(config, ours, folder))  # type: ignore[arg-type]


def _train(config: DictConfig, ours: DictConfig, folder: Path) -> dict[str, Any]:
    resolved = folder / "llamafactory.yaml"
    resolved.write_text(OmegaConf.to_yaml(config, resolve=True), encoding="utf-8")
    (folder / "trainer_log.jsonl").unlink(missing_ok=True)
    run_watched(
        "sft",
        [sys.executable, "-m", "recipes.sft_train", str(resolved)],
        folder / "train.log",
        Limits(ours.limits.total_s, ours.limits.idle_s),
        env=ours.env,
        progress=lambda: read_progress(folder),
    )
    _enable_cache(folder)
    metrics = json.loads((folder / "train_results.json").read_text(encoding="utf-8"))
    return {"train_loss": metrics["train_loss"], "seconds": metrics["train_runtime"]}


def _enable_cache(folder: Path) -> None:
    """Training leaves ``use_cache: false`` in config.json; generation with it would be quadratic."""
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    config.use_cache = True
    config.save_pretrained(folder)


if __name__ == "__main__":
    main(run)
