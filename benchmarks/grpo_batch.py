"""What both sides of `benchmarks.grpo` are given: verl's composed configuration, its prompts, and dumped rollouts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig, OmegaConf
from transformers import PreTrainedTokenizerBase

from common.errors import StageError


@dataclass(frozen=True)
class Prompt:
    """One row of ``grpo_train.parquet``.

    Attributes:
        messages: role and content of each.
        question: the post, which the reward compares the answer with.
        ids: the tokens by the chat template, as verl builds them.
    """

    messages: list[dict[str, str]]
    question: str
    ids: list[int]


@dataclass(frozen=True)
class Rollout:
    """One output as verl dumped it.

    Attributes:
        prompt: what it answers.
        ids: the output's tokens; with the end mark, where the limit leaves room for it.
        reward: r of Eq. 3.
    """

    prompt: Prompt
    ids: list[int]
    reward: float


def load_config(file: Path) -> DictConfig:
    """The configuration that `benchmarks.grpo` has written, resolved."""
    config = OmegaConf.load(file)
    assert isinstance(config, DictConfig)
    return config


def template_kwargs(config: DictConfig) -> dict[str, Any]:
    """What verl passes to the chat template."""
    plain: Any = OmegaConf.to_container(config.data.apply_chat_template_kwargs)
    return plain


def read_prompts(config: DictConfig, tokenizer: PreTrainedTokenizerBase) -> dict[str, Prompt]:
    """The training prompts, by the text that verl's dump has of them."""
    prompts = {}
    for row in pd.read_parquet(config.data.train_files).to_dict("records"):
        messages = [{"role": message["role"], "content": message["content"]} for message in row["prompt"]]
        coded: Any = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=True, **template_kwargs(config)
        )
        ids = list(coded["input_ids"])
        text = str(tokenizer.decode(ids, skip_special_tokens=True))
        prompts[text] = Prompt(messages, str(row["extra_info"]["question"]), ids)
    return prompts


def read_rollouts(file: Path, prompts: Mapping[str, Prompt], tokenizer: Any, limit: int) -> list[Rollout]:
    """A step's outputs, group by group.

    verl dumps text without special tokens: the tokens are the text's, which need not be those that were sampled. Both
    sides of the benchmark get the same.

    Args:
        limit: of an output, in tokens.

    Raises:
        StageError: a prompt that is not in the training file: the dump is of other data.
    """
    rollouts = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["input"] not in prompts:
            raise StageError(
                f"{file}: a prompt is not among the {len(prompts)} of the data. Name the run's own folder."
            )
        ids = [*tokenizer.encode(row["output"], add_special_tokens=False), tokenizer.eos_token_id][:limit]
        rollouts.append(Rollout(prompts[row["input"]], ids, float(row["score"])))
    return sorted(rollouts, key=lambda rollout: rollout.prompt.question)


def prompts_of_step(file: Path, prompts: Mapping[str, Prompt]) -> list[Prompt]:
    """A step's prompts, each once, in the order of its dump."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [prompts[text] for text in dict.fromkeys(row["input"] for row in rows)]
