"""Tokens of the prompts and outputs that `make data` left, counted as GRPO and SFT read them."""

import json
from typing import Any, Final

import pandas as pd
from omegaconf import DictConfig, OmegaConf
from transformers import AutoTokenizer

from recipes.profile import Common

# Rows that are counted.
COUNTED: Final = 2000


def prompt_lengths(config: DictConfig, model: str) -> list[int]:
    """Of GRPO's prompts with the chat template, the first `COUNTED`.

    Args:
        config: verl's.
        model: whose tokenizer counts.
    """
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    prompts = pd.read_parquet(config.data.train_files, columns=["prompt"])["prompt"].head(COUNTED)
    kwargs: Any = OmegaConf.to_container(config.data.apply_chat_template_kwargs, resolve=True)
    return [
        len(
            tokenizer.apply_chat_template(
                [dict(message) for message in chat], add_generation_prompt=True, return_dict=False, **kwargs
            )
        )
        for chat in prompts
    ]


def response_lengths(common: Common) -> list[int]:
    """Of the SFT samples' outputs with their end mark, the first `COUNTED`."""
    tokenizer = AutoTokenizer.from_pretrained(common.model, trust_remote_code=False)
    samples = json.loads((common.root / "data" / "sft.json").read_text(encoding="utf-8"))[:COUNTED]
    outputs = tokenizer([sample["output"] for sample in samples], add_special_tokens=False)["input_ids"]
    return [len(ids) + 1 for ids in outputs]
