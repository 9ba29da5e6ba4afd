"""LoRA from end to end on a CPU: SFT and GRPO train adapters, and each hands on a plain model that the next loads."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from common.code import REPO
from common.records.replies import unfinished_replies
from recipes.lora import ADAPTER

BASE = REPO / "recipes" / "tiny_base" / "model"


def recipe(root: Path, name: str, *arguments: str) -> None:
    command = [sys.executable, "-m", f"recipes.{name}", "profile=tiny", f"out={root}", *arguments]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """By name, as transformers loads them; nothing of the file is left over and nothing is missing."""
    loaded: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    model, told = loaded
    assert not any(told.values()), told
    found: dict[str, torch.Tensor] = model.state_dict()
    return found


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    """Weights that differ, of two models of one shape."""
    shapes = [{name: tensor.shape for name, tensor in model.items()} for model in (before, after)]
    assert shapes[0] == shapes[1]
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    # Far more than the rounding of a copy.
    return {name for name in before if not torch.allclose(before[name], after[name], rtol=0, atol=1e-6)}


@pytest.mark.slow
def test_adapters_are_trained_merged_loaded_and_served(tmp_path: Path) -> None:
    recipe(tmp_path, "data", "test_size=4")
    adapters = ("finetuning_type=lora", "lora_rank=8", "lora_target=all")
    recipe(tmp_path, "sft", *adapters, "learning_rate=3e-3", "warmup_steps=0", "max_steps=2")
    assert (tmp_path / "sft" / ADAPTER / "adapter_config.json").is_file()
    base, sft = weights(BASE), weights(tmp_path / "sft")
    linear = {name for name in base if name.endswith("_proj.weight")}
    assert moved(base, sft) == linear

    recipe(tmp_path, "reward_model")
    recipe(
        tmp_path,
        "grpo",
        "actor_rollout_ref.model.lora_rank=8",
        "actor_rollout_ref.model.lora.merge=true",
        "actor_rollout_ref.actor.optim.lr=1e-3",
        "actor_rollout_ref.actor.optim.lr_warmup_steps=0",
        "trainer.total_training_steps=1",
    )
    (checkpoint,) = (tmp_path / "grpo" / "checkpoints").glob("global_step_1")
    assert (checkpoint / "actor" / "lora_train_meta.json").is_file()
    assert moved(sft, weights(tmp_path / "grpo")) == linear

    recipe(tmp_path, "generate", "models=[SFT+GRPO]", "samples=1", "max_tokens=40")
    replies = unfinished_replies(tmp_path / "generate" / "sft_grpo.replies.jsonl")
    assert len(replies) == 4
    assert all(reply.text.strip() for reply in replies)
