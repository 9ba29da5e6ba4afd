"""LoRA's adapters merged into the weights that they were trained beside: every stage hands on a plain model.

What `make sft` and `make grpo` train with LoRA (LLaMA-Factory's ``finetuning_type=lora``, verl's ``lora_rank``) is
loaded by vLLM, transformers and the next stage like any other.
"""

import json
from pathlib import Path
from typing import Final

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

ADAPTER: Final = "adapter"
# What verl writes of a LoRA training beside its checkpoint.
TRAINED: Final = "lora_train_meta.json"


def merge_adapter(base: str, folder: Path) -> bool:
    """Turn a folder with PEFT's adapter, as LLaMA-Factory leaves it, into a whole model.

    Args:
        base: the model that the adapter was trained beside.
        folder: the adapter's files go to ``adapter`` in it.

    Returns:
        whether there was one.
    """
    files = sorted(folder.glob("adapter_*"))
    if not files:
        return False
    (folder / ADAPTER).mkdir(exist_ok=True)
    for file in files:
        file.replace(folder / ADAPTER / file.name)
    model = AutoModelForCausalLM.from_pretrained(base, dtype="auto", trust_remote_code=False)
    merged = PeftModel.from_pretrained(model, str(folder / ADAPTER)).merge_and_unload()
    merged.save_pretrained(folder)
    return True


def merge_checkpoint(actor: Path, target_modules: str | list[str], folder: Path) -> bool:
    """Write the whole model of a checkpoint that verl made with LoRA.

    verl saves base weights and adapters side by side, under names that no model has.

    Args:
        actor: of the checkpoint; its ``huggingface`` holds configuration, tokenizer and weights.
        target_modules: as verl was told.
        folder: where the model goes.

    Returns:
        whether the checkpoint was one of LoRA.
    """
    if not (actor / TRAINED).is_file():
        return False
    trained = json.loads((actor / TRAINED).read_text(encoding="utf-8"))
    source = actor / "huggingface"
    state = {name: value for file in sorted(source.glob("*.safetensors")) for name, value in load_file(file).items()}
    config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    model = AutoModelForCausalLM.from_config(config, dtype=next(iter(state.values())).dtype)
    lora = LoraConfig(r=trained["r"], lora_alpha=trained["lora_alpha"], target_modules=target_modules)
    adapted = get_peft_model(model, lora)
    missing, unexpected = adapted.load_state_dict(state, strict=False)
    # Tied embeddings are saved once.
    lost = [name for name in missing if "lm_head" not in name]
    if lost or unexpected:
        first = [*lost, *unexpected][0]
        raise ValueError(f"{source}: {len(lost)} weights are missing and {len(unexpected)} unknown, such as {first}")
    with torch.no_grad():
        adapted.merge_and_unload().save_pretrained(folder)
    return True
