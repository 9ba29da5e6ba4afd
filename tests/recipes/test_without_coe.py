"""The model without the Chain of Empathy (section 4.3.2), by LoRA: one key of `make data`, and every stage follows.

SFT and GRPO train adapters, and each hands on a plain model that the next one, transformers and vLLM load.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from common.code import REPO
from common.manifest import read_manifest
from common.records.replies import read_models
from data_prep.prompts import PLAIN_PROMPT
from eval.results import Result
from recipes.grpo_validation import validation_figures
from recipes.lora import ADAPTER
from reward_fns.coe_format import TAG
from reward_fns.reward_model import Threshold

TINY = REPO / "recipes" / "tiny_base" / "model"


def recipe(root: Path, name: str, *arguments: str) -> None:
    command = [sys.executable, "-m", f"recipes.{name}", "profile=tiny", f"out={root}", *arguments]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr


def check_handed_on(folder: Path) -> None:
    """A Hugging Face folder by transformers' own loaders, whose tokenizer asks as the model was trained."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    ends = GenerationConfig.from_pretrained(folder).eos_token_id
    assert tokenizer.eos_token_id in (ends if isinstance(ends, list) else [ends])
    messages = [{"role": "system", "content": PLAIN_PROMPT}, {"role": "user", "content": "最近总是睡不着。"}]
    prompt = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, enable_thinking=False, return_tensors="pt", return_dict=True
    )
    reply = model.generate(**prompt, max_new_tokens=8, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert tokenizer.decode(reply, skip_special_tokens=True).strip()
    card = ModelCard.load(folder / "README.md")
    assert card.data.pipeline_tag == "text-generation"
    assert PLAIN_PROMPT in card.text
    assert "held-out model" in card.text


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


@pytest.mark.slow
def test_every_stage_follows_and_the_reward_varies(base: Path, tmp_path: Path) -> None:
    model = f"model={base}"
    recipe(tmp_path, "data", model, "prompt=plain", "test_size=8")
    samples = json.loads((tmp_path / "data" / "sft.json").read_text(encoding="utf-8"))
    assert {sample["system"] for sample in samples} == {PLAIN_PROMPT}
    assert not any(TAG.search(sample["output"]) for sample in samples)
    adapters = ("finetuning_type=lora", "lora_rank=8", "lora_target=all")
    recipe(tmp_path, "sft", model, *adapters, "learning_rate=3e-3", "warmup_steps=0", "max_steps=20")
    assert (tmp_path / "sft" / ADAPTER / "adapter_config.json").is_file()
    before, sft = weights(base), weights(tmp_path / "sft")
    linear = {name for name in before if name.endswith("_proj.weight")}
    assert moved(before, sft) == linear
    recipe(tmp_path, "reward_model")
    recipe(
        tmp_path,
        "heldout_reward_model",
        "encoder=static",
        "tokens=null",
        "whiten=null",
        "training.learning_rate=0.0025",
    )
    recipe(
        tmp_path,
        "grpo",
        model,
        "actor_rollout_ref.model.lora_rank=8",
        "actor_rollout_ref.model.lora.merge=true",
        "actor_rollout_ref.actor.optim.lr=1e-3",
        "actor_rollout_ref.actor.optim.lr_warmup_steps=0",
        "trainer.total_training_steps=1",
        "trainer.test_freq=1",
        # Of 32 replies of so young a model none may reach T, and GRPO learns nothing where all rewards are equal.
        "reward.custom_reward_function.reward_kwargs.mode=dense",
    )
    (rollouts,) = (tmp_path / "grpo" / "rollouts").glob("*.jsonl")
    scores = [json.loads(line)["score"] for line in rollouts.read_text(encoding="utf-8").splitlines()]
    # With r_format in it every one of them would be 0, and there would be nothing to learn.
    assert len(scores) == 32
    assert len(set(scores)) > 16
    # A reply that shows nothing has 0.
    assert all(0 <= score < 1 for score in scores)
    (line,) = (tmp_path / "grpo" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    step = json.loads(line)["data"]
    assert step["reward/answer"] == pytest.approx(sum(scores) / len(scores))
    assert step["reward/format"] == 0.0
    assert 0 < step["reward/shown"] <= 1
    assert 0 <= step["reward/tied"] < 1
    assert step["reward/wait_s_longest"] >= step["reward/wait_s"] > 0
    # Validated, by a reward model that it was not trained by too, and handed on as others load it.
    validated = validation_figures(step)
    assert 0 <= validated["heldout_answer"] <= 1
    assert validated["reward"] == pytest.approx(validated["answer"])
    made = read_manifest(tmp_path / "grpo", "grpo")
    assert "heldout-reward-model" in made.inputs
    assert made.result["last"] == made.result["best"] == {"step": 1, "validation": validated}
    assert [start["from_step"] for start in made.starts] == [0]
    (checkpoint,) = (tmp_path / "grpo" / "checkpoints").glob("global_step_1")
    assert (checkpoint / "actor" / "lora_train_meta.json").is_file()
    assert moved(sft, weights(tmp_path / "grpo")) == linear
    check_handed_on(tmp_path / "grpo")
    # Loaded by vLLM.
    recipe(tmp_path, "generate", model, "samples=1", "models=[SFT,SFT+GRPO]")
    assert [model.kind for model in read_models(tmp_path / "generate")] == ["plain", "plain"]
    recipe(tmp_path, "eval")
    threshold = Threshold.load(tmp_path / "reward-model").value
    for stem in ("sft", "sft_grpo"):
        result = Result.read(tmp_path / "eval" / f"{stem}.zh.json")
        # Of eight replies of a model of 20 steps none may reach T: that each is judged by it is what holds.
        rows = result.by_question
        assert len(rows) == 8
        assert rows["cosine"].between(-1, 1).all()
        assert (rows["answer"] == (rows["cosine"] > threshold)).all()
        assert "format" not in result.figures
        assert result.test_set == "sample"
    recipe(tmp_path, "report")
