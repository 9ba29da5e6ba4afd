"""Builds the encoder E as its training begins: which model, with what beside it, and what of it is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from reward_fns.encoder import Encoder
from reward_fns.lexical import Lexical

STATIC: Final = "static"
_WHITENED_FROM: Final = 2000
"""How many texts the mean and the spread are taken from, about."""
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to begin with.

    Attributes:
        encoder: "static" for an embedding bag over the base's tokenizer (seconds on a CPU), otherwise a
            sentence-transformers model, by id or folder.
        dimension: of the embedding bag.
        config: changes to the encoder's own configuration; an embedding bag has none.
        whiten: adds a linear layer that takes the training texts' mean off and divides each principal axis by its
            spread to this power: 0 for the mean alone, 1 for equal spread; None for no layer.
        tokens: longest text that mean and spread are taken from, longer ones are cut; None for the encoder's limit.
        lexical: weight of word overlap beside the encoder's 1, see `reward_fns.lexical`; 0 for none.
        frozen: parts of the names of parameters that stay as they are.
    """

    encoder: str
    dimension: int
    config: Mapping[str, Any]
    whiten: float | None
    tokens: int | None
    lexical: float
    frozen: Sequence[str]


def build_encoder(plan: Plan, tokenizer_from: str, device: str, texts: Sequence[str]) -> Encoder:
    """The encoder to train.

    Args:
        tokenizer_from: a model, whose tokenizer an embedding bag takes.
        texts: of the training side: what rarity, mean and spread are taken from.

    Raises:
        ValueError: a key does not fit the encoder; the message names it.
    """
    if plan.encoder == STATIC:
        if plan.config:
            raise ValueError(f"encoder_config={dict(plan.config)}: an embedding bag has none. Name an encoder.")
        tokenizer = AutoTokenizer.from_pretrained(tokenizer_from, trust_remote_code=False)
        weights = _tfidf_projection(tokenizer, plan.dimension, texts)
        modules: list[torch.nn.Module] = [StaticEmbedding(tokenizer, embedding_weights=weights)]
        model = SentenceTransformer(modules=modules, device=device)
    else:
        config = dict(plan.config)
        model = SentenceTransformer(plan.encoder, device=device, trust_remote_code=False, config_kwargs=config)
    if plan.whiten is not None:
        model = SentenceTransformer(modules=[*model, _whitening(model, texts, plan)], device=device)
    freeze(model, plan.frozen)
    return Encoder(model, Lexical.fit(texts), plan.lexical) if plan.lexical else Encoder(model)


def _whitening(model: SentenceTransformer, texts: Sequence[str], plan: Plan) -> Dense:
    """The linear layer of `Plan.whiten`: raw embeddings of one language and subject all point much the same way."""
    step = max(1, len(texts) // _WHITENED_FROM)
    limit = model.max_seq_length
    if plan.tokens is not None:
        model.max_seq_length = plan.tokens
    vectors = torch.from_numpy(np.asarray(model.encode(list(texts[::step]), show_progress_bar=True)))
    if plan.tokens is not None:
        model.max_seq_length = limit
    mean = vectors.mean(dim=0)
    _, spread, axes = torch.linalg.svd(vectors - mean, full_matrices=False)
    weight = axes / (spread / spread.mean())[:, None] ** (plan.whiten or 0.0)
    return Dense(
        in_features=vectors.shape[1],
        out_features=len(weight),
        activation_function=torch.nn.Identity(),
        init_weight=weight,
        init_bias=-weight @ mean,
    )


def _tfidf_projection(tokenizer: PreTrainedTokenizerBase, dimension: int, texts: Sequence[str]) -> Vectors:
    """A random direction for each token, as long as the token is rare: a text's mean is its TF-IDF vector, projected.

    Cosines are kept to about 1 / sqrt(dimension) (Johnson and Lindenstrauss, 1984), so training begins where word
    counts leave off instead of from noise. Draws come from numpy's global state, which the caller seeds.
    """
    frequency = np.zeros(len(tokenizer))
    for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]:
        frequency[list(set(ids))] += 1
    rarity = np.log((1 + len(texts)) / (1 + frequency)) + 1
    directions = np.random.standard_normal((len(tokenizer), dimension)) / dimension**0.5
    return (directions * rarity[:, None]).astype(np.float32)


def toward_start(trained: Encoder, start: Encoder, share: float) -> Encoder:
    """The trained encoder with its weights part of the way back to those that training began with.

    What a small corpus teaches costs some of what the encoder knew; in between the two there is often less of the cost
    than of the gain (Wortsman et al., 2022, https://arxiv.org/abs/2109.01903).

    Args:
        trained: changed in place.
        start: the same encoder before its training.
        share: of the weights at the start, 0 to 1.
    """
    begun = start.model.state_dict()
    mixed = {
        name: torch.lerp(weight, begun[name].to(weight), share) if weight.is_floating_point() else weight
        for name, weight in trained.model.state_dict().items()
    }
    trained.model.load_state_dict(mixed)
    return trained


def freeze(model: SentenceTransformer, parts: Sequence[str]) -> None:
    """Keep parameters as they are in training: a CPU then trains the upper layers of a transformer in minutes.

    Args:
        parts: of the parameters' names, such as "embeddings" or "layer.0."; whose name holds one is frozen.

    Raises:
        ValueError: a part that no parameter's name holds, or none is left to train; the message lists some names.
    """
    named = list(model.named_parameters())
    shown = ", ".join(name for name, _ in named[:3])
    for part in parts:
        found = [parameter for name, parameter in named if part in name]
        if not found:
            raise ValueError(f"frozen: no parameter's name holds {part!r}. They are called {shown} …")
        for parameter in found:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for _, parameter in named):
        raise ValueError(f"frozen={list(parts)}: no parameter is left to train. They are called {shown} …")
