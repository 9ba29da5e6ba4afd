"""LoRA from end to end on a CPU: SFT and GRPO train adapters, and each hands on a plain model that the next loads."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from common.code import REPO
from common.records.replies import unfinished_replies
from recipes.lora import ADAPTER

TINY = REPO / "recipes" / "tiny_base" / "model"
# Differs between the outputs of a group. After an SFT of seconds the project's own reward is 0 throughout, and groups
# that tie have no advantage.
REWARD = """
def compute_score(data_source, solution_str, ground_truth, extra_info, **_):
    return {"score": len(set(solution_str)) / 100}
"""


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


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The tiny base in float32.

    LLaMA-Factory leaves the frozen weights under an adapter in the base's own type. The tiny base's is bfloat16: 40 s a
    step on a processor without AVX-512, instead of 1.
    """
    folder = tmp_path / "base"
    AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32).save_pretrained(folder)
    AutoTokenizer.from_pretrained(TINY).save_pretrained(folder)
    return folder


@pytest.mark.spread
def test_adapters_are_trained_merged_loaded_and_served(base: Path, tmp_path: Path) -> None:
    model = f"model={base}"
    recipe(tmp_path, "data", model, "test_size=4")
    adapters = ("finetuning_type=lora", "lora_rank=8", "lora_target=all")
    recipe(tmp_path, "sft", model, *adapters, "learning_rate=3e-3", "warmup_steps=0", "max_steps=10")
    assert (tmp_path / "sft" / ADAPTER / "adapter_config.json").is_file()
    before, sft = weights(base), weights(tmp_path / "sft")
    linear = {name for name in before if name.endswith("_proj.weight")}
    assert moved(before, sft) == linear

    (reward := tmp_path / "reward.py").write_text(REWARD)
    recipe(
        tmp_path,
        "grpo",
        model,
        f"reward.custom_reward_function.path={reward}",
        "actor_rollout_ref.model.lora_rank=8",
        "actor_rollout_ref.model.lora.merge=true",
        "actor_rollout_ref.actor.optim.lr=1e-3",
        "actor_rollout_ref.actor.optim.lr_warmup_steps=0",
        "trainer.total_training_steps=2",
    )
    (checkpoint,) = (tmp_path / "grpo" / "checkpoints").glob("global_step_2")
    assert (checkpoint / "actor" / "lora_train_meta.json").is_file()
    assert moved(sft, weights(tmp_path / "grpo")) == linear

    recipe(tmp_path, "generate", model, "models=[SFT+GRPO]", "samples=1", "max_tokens=40")
    replies = unfinished_replies(tmp_path / "generate" / "sft_grpo.replies.jsonl")
    assert len(replies) == 4
    assert all(reply.text.strip() for reply in replies)
