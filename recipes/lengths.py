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
    """Of GRPO's prompts with the chat template, the first `COUNTED`; [] of files other than Parquet.

    Args:
        config: verl's.
        model: whose tokenizer counts.

    Raises:
        OSError: no such tokenizer.
    """
    if not str(config.data.train_files).endswith(".parquet"):
        return []
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    key = config.data.prompt_key
    prompts = pd.read_parquet(config.data.train_files, columns=[key])[key].head(COUNTED)
    kwargs: Any = OmegaConf.to_container(config.data.apply_chat_template_kwargs, resolve=True)
    return [
        len(
            tokenizer.apply_chat_template(
                [dict(message) for message in chat], add_generation_prompt=True, return_dict=False, **kwargs
            )
        )
        for chat in prompts
    ]


def response_lengths(common: Common, model: str) -> list[int]:
    """Of the SFT samples' outputs with their end mark, the first `COUNTED`; [] where there are none.

    Raises:
        OSError: no such tokenizer.
    """
    file = common.root / "data" / "sft.json"
    if not file.is_file():
        return []
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    samples = json.loads(file.read_text(encoding="utf-8"))[:COUNTED]
    if not samples:
        return []
    outputs = tokenizer([sample["output"] for sample in samples], add_special_tokens=False)["input_ids"]
    return [len(ids) + 1 for ids in outputs]
