"""What LoRA trained is handed on as a plain model that computes the same."""

import json
from pathlib import Path

import pytest
import torch
from accelerate import init_empty_weights
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from common.code import REPO
from recipes.lora import ADAPTER, merge_adapter, merge_checkpoint

BASE = str(REPO / "recipes" / "tiny_base" / "model")
IDS = torch.arange(5, 25)[None]


@pytest.fixture
def adapted() -> PeftModel:
    """The base with an adapter that changes something."""
    torch.manual_seed(0)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32),
        LoraConfig(r=4, lora_alpha=16, target_modules="all-linear"),
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    assert isinstance(model, PeftModel)
    return model.eval()


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=IDS).logits
    return found


def plain(folder: Path) -> torch.nn.Module:
    model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert not any("lora" in name for name, _ in model.named_parameters())
    return model.eval()


def test_an_adapter_of_sft(adapted: PeftModel, tmp_path: Path) -> None:
    assert not merge_adapter(BASE, tmp_path)
    adapted.save_pretrained(str(tmp_path))
    assert merge_adapter(BASE, tmp_path)
    assert (tmp_path / ADAPTER / "adapter_config.json").is_file()
    # The base's own type is bfloat16.
    assert torch.allclose(logits(plain(tmp_path)), logits(adapted), atol=0.2)
    assert not torch.allclose(logits(plain(Path(BASE))), logits(adapted), atol=0.5)


def test_a_checkpoint_of_verl(adapted: PeftModel, tmp_path: Path) -> None:
    actor, folder = tmp_path / "actor", tmp_path / "grpo"
    # As verl/utils/checkpoint/fsdp_checkpoint_manager.py saves it.
    config = AutoConfig.from_pretrained(BASE)
    with init_empty_weights():
        empty = AutoModelForCausalLM.from_config(config)
    state = {name: value for name, value in adapted.state_dict().items() if "lm_head" not in name}
    empty.to_empty(device="cpu").save_pretrained(actor / "huggingface", state_dict=state)
    assert not merge_checkpoint(actor, "all-linear", folder)
    (actor / "lora_train_meta.json").write_text(json.dumps({"r": 4, "lora_alpha": 16, "task_type": "CAUSAL_LM"}))
    assert merge_checkpoint(actor, "all-linear", folder)
    assert torch.allclose(logits(plain(folder)), logits(adapted), atol=1e-4)
