"""The short pre-training of the tiny base: prose in markup, as every real base model has read.

A model with random weights learns from 200 samples which words end which layer, and closes the wrong one, or opens one
inside another, as soon as it samples words of its own. So the base first reads sentences of posts, half of them
shuffled, each stretch between the opening and closing mark of a tag drawn at random, and learns what holds of any
markup: what is open can be closed, at the end of a sentence, and nothing opens before. The order of a valid output it
never sees, nor any response: its format rate is 0, and no reference is learnt.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy
from tqdm import trange
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from reward_fns.coe_format import TAG_NAMES

_NONE_OPEN = -1
_SENTENCE = re.compile(r"[^。！？]+[。！？]+")


@dataclass(frozen=True)
class PretrainConfig:
    """How long and on what.

    Attributes:
        steps: optimiser steps; 0 leaves the weights random.
        batch: documents a step.
        length: tokens a document.
        sentences: most sentences between two marks.
        learning_rate: of AdamW, after 20 steps of warm-up; falls linearly over the last third.
        stray_margin: how unlikely all opening marks together shall be inside a stretch, in nats: with 350 tokens to
            sample, a mass of a thousandth each would spoil three outputs of ten.
    """

    steps: int = 300
    batch: int = 4
    length: int = 384
    sentences: int = 3
    learning_rate: float = 3e-3
    stray_margin: float = 11.0


def pretrain(
    model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast, posts: Sequence[str], config: PretrainConfig, seed: int
) -> None:
    """Train `model` in place.

    Args:
        posts: prose without any tag.

    Raises:
        ValueError: no post has a whole sentence.
    """
    draw = random.Random(seed)
    vocabulary = tokenizer.get_vocab()
    opening = torch.tensor([vocabulary[f"<{tag}>"] for tag in TAG_NAMES])
    closing = torch.tensor([vocabulary[f"</{tag}>"] for tag in TAG_NAMES])
    sentences = [
        tokenizer(sentence, add_special_tokens=False)["input_ids"]
        for post in posts
        for sentence in _SENTENCE.findall(post)
    ]
    if not sentences:
        raise ValueError("no post has a sentence that ends in one of 。！？, so the base has nothing to read.")
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=0.01)
    model.train()
    for step in trange(config.steps, desc="base", unit="step"):
        documents = [
            _document(sentences, opening.tolist(), closing.tolist(), config, draw) for _ in range(config.batch)
        ]
        ids = torch.tensor([tokens for tokens, _ in documents])
        open_tag = torch.tensor([tags for _, tags in documents])
        for group in optimizer.param_groups:
            fall = min(1.0, 3 * (config.steps - step) / config.steps)
            group["lr"] = config.learning_rate * min(1.0, (step + 1) / 20) * fall
        loss = _loss(model(input_ids=ids).logits, ids, open_tag, opening, closing, config.stray_margin)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()


def _loss(
    logits: torch.Tensor,
    ids: torch.Tensor,
    open_tag: torch.Tensor,
    opening: torch.Tensor,
    closing: torch.Tensor,
    stray_margin: float,
) -> torch.Tensor:
    """Prose, which mark would close, that one opens where none is open, and that none does where one is.

    Args:
        logits: (documents, length, vocabulary).
        ids: (documents, length).
        open_tag: (documents, length): after each token, the index of the open tag, or `_NONE_OPEN`.
    """
    logits, target, inside = logits[:, :-1], ids[:, 1:], open_tag[:, :-1]
    log_p = logits.log_softmax(-1)
    opens, within = torch.isin(target, opening), inside != _NONE_OPEN
    prose = cross_entropy(logits[~opens], target[~opens])
    # Asked at every token of a stretch, not only at its end: eighty times the signal for the same reading.
    which = cross_entropy(logits[within][:, closing], inside[within])
    # Which tag opens is drawn at random and teaches nothing; that one does is learnt.
    some = -log_p[opens][:, opening].logsumexp(-1).mean()
    word = within & ~torch.isin(target, closing)
    stray = torch.relu(log_p[word][:, opening].logsumexp(-1) + stray_margin).mean()
    return prose + which + some + stray


def _document(
    sentences: Sequence[list[int]],
    opening: Sequence[int],
    closing: Sequence[int],
    config: PretrainConfig,
    draw: random.Random,
) -> tuple[list[int], list[int]]:
    tokens: list[int] = []
    tags: list[int] = []
    while len(tokens) < config.length:
        tag, start = draw.randrange(len(TAG_NAMES)), draw.randrange(len(sentences))
        chosen = sentences[start : start + draw.randint(1, config.sentences)]
        content = [token for sentence in chosen for token in sentence]
        if draw.random() < 0.5:
            words, end = content[:-1], content[-1:]
            draw.shuffle(words)
            content = words + end
        tokens += [opening[tag], *content, closing[tag]]
        tags += [tag] * (len(content) + 1) + [_NONE_OPEN]
    return tokens[: config.length], tags[: config.length]
