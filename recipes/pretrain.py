"""The short pre-training of the tiny base: prose in markup, as every real base model has read.

A model with random weights learns from 200 samples which words end which layer, and closes the wrong one as soon as it
samples words of its own. So the base first reads stretches of posts, half of them shuffled, each between the opening
and closing mark of a tag drawn at random, and learns to close what was opened. The order of a valid output it never
sees, nor any response: its format rate is 0, and no reference is learnt.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tqdm import trange
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from reward_fns.coe_format import LAYERS

_TAGS = ("empathy_think", *LAYERS, "answer")


@dataclass(frozen=True)
class PretrainConfig:
    """How long and on what.

    Attributes:
        steps: optimiser steps; 0 leaves the weights random.
        batch: documents a step.
        length: tokens a document.
        longest_span: most tokens between two marks.
        learning_rate: of AdamW, after 20 steps of warm-up; falls linearly over the last third.
        prose_weight: weight of the next-token loss beside that of the closing marks.
    """

    steps: int = 400
    batch: int = 8
    length: int = 384
    longest_span: int = 80
    learning_rate: float = 3e-3
    prose_weight: float = 1.0


def pretrain(
    model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast, posts: Sequence[str], config: PretrainConfig, seed: int
) -> None:
    """Train `model` in place.

    Args:
        posts: prose without any tag.
    """
    draw = random.Random(seed)
    vocabulary = tokenizer.get_vocab()
    opening = [vocabulary[f"<{tag}>"] for tag in _TAGS]
    closing = torch.tensor([vocabulary[f"</{tag}>"] for tag in _TAGS])
    stream = [token for post in posts for token in tokenizer(post, add_special_tokens=False)["input_ids"]]
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=0.01)
    model.train()
    for step in trange(config.steps, desc="base", unit="step"):
        documents = [_document(stream, opening, closing.tolist(), config, draw) for _ in range(config.batch)]
        ids = torch.tensor(documents)
        for group in optimizer.param_groups:
            fall = min(1.0, 3 * (config.steps - step) / config.steps)
            group["lr"] = config.learning_rate * min(1.0, (step + 1) / 20) * fall
        logits, target = model(input_ids=ids).logits[:, :-1], ids[:, 1:]
        closes = torch.isin(target, closing)
        # Which tag is closed, given that one is; openings are drawn at random and teach nothing.
        which = torch.nn.functional.cross_entropy(
            logits[closes][:, closing], (target[closes][:, None] == closing).float().argmax(-1)
        )
        learnt = ~torch.isin(target, torch.tensor(opening))
        prose = torch.nn.functional.cross_entropy(logits[learnt], target[learnt])
        optimizer.zero_grad()
        (which + config.prose_weight * prose).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()


def _document(
    stream: Sequence[int], opening: Sequence[int], closing: Sequence[int], config: PretrainConfig, draw: random.Random
) -> list[int]:
    document: list[int] = []
    while len(document) < config.length:
        tag, span = draw.randrange(len(_TAGS)), draw.randint(3, config.longest_span)
        start = draw.randrange(len(stream) - span)
        content = list(stream[start : start + span])
        if draw.random() < 0.5:
            draw.shuffle(content)
        document += [opening[tag], *content, closing[tag]]
    return document[: config.length]
