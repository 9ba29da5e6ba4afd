"""Builds the encoder E as its training begins: which model, with what beside it, and what of it is trained."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from reward_fns.encoder import Encoder
from reward_fns.lexical import Lexical
from reward_fns.training.config import STATIC, RewardModelConfig

# How many texts the mean and the spread are taken from, about.
_WHITENED_FROM: Final = 2000
Vectors = npt.NDArray[np.float32]


def build_encoder(config: RewardModelConfig, tokenizer_from: str, texts: Sequence[str], seed: int) -> Encoder:
    """The encoder to train.

    Args:
        tokenizer_from: a model, whose tokenizer an embedding bag takes.
        texts: of the training side: what rarity, mean and spread are taken from.
        seed: of the embedding bag, and of layers that a named encoder has no weights for.

    Raises:
        ValueError: no parameter is as `RewardModelConfig.frozen` says, see `freeze`.
    """
    torch.manual_seed(seed)
    if config.encoder == STATIC:
        tokenizer = AutoTokenizer.from_pretrained(tokenizer_from, trust_remote_code=False)
        weights = _tfidf_projection(tokenizer, config.dimension, texts, seed)
        modules: list[torch.nn.Module] = [StaticEmbedding(tokenizer, embedding_weights=weights)]
        model = SentenceTransformer(modules=modules, device=config.device)
    else:
        # The checkpoint's own type may be bfloat16, in which most of a step of 2e-5 rounds away. `training.bf16` still
        # computes in it.
        model = SentenceTransformer(
            config.encoder,
            device=config.device,
            trust_remote_code=False,
            model_kwargs={"dtype": "float32"},
            config_kwargs=dict(config.encoder_config),
        )
    if config.whiten is not None:
        layer = _whitening(model, texts, config.whiten, config.tokens)
        model = SentenceTransformer(modules=[*model, layer], device=config.device)
    freeze(model, config.frozen)
    return Encoder(model, Lexical.fit(texts, config.lexical) if config.lexical else None)


@contextmanager
def cut_at(model: SentenceTransformer, tokens: int | None) -> Iterator[None]:
    """Within the block, longer texts are cut at so many tokens; None leaves the model's own limit."""
    own = model.max_seq_length
    if tokens is not None and own is not None:
        model.max_seq_length = tokens
    yield
    if tokens is not None and own is not None:
        model.max_seq_length = own


def _whitening(model: SentenceTransformer, texts: Sequence[str], power: float, tokens: int | None) -> Dense:
    """The linear layer of `RewardModelConfig.whiten`: embeddings of one language and subject all point the same way."""
    step = max(1, len(texts) // _WHITENED_FROM)
    with cut_at(model, tokens):
        vectors = torch.from_numpy(np.asarray(model.encode(list(texts[::step]), show_progress_bar=True)))
    mean = vectors.mean(dim=0)
    _, spread, axes = torch.linalg.svd(vectors - mean, full_matrices=False)
    weight = axes / (spread / spread.mean())[:, None] ** power
    return Dense(
        in_features=vectors.shape[1],
        out_features=len(weight),
        activation_function=torch.nn.Identity(),
        init_weight=weight,
        init_bias=-weight @ mean,
    )


def _tfidf_projection(tokenizer: PreTrainedTokenizerBase, dimension: int, texts: Sequence[str], seed: int) -> Vectors:
    """A random direction for each token, as long as the token is rare: a text's mean is its TF-IDF vector, projected.

    Cosines are kept to about 1 / sqrt(dimension) (Johnson and Lindenstrauss, 1984), so training begins where word
    counts leave off instead of from noise.
    """
    frequency = np.zeros(len(tokenizer))
    for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]:
        frequency[list(set(ids))] += 1
    rarity = np.log((1 + len(texts)) / (1 + frequency)) + 1
    # Not default_rng: results made with numpy's older generator stay the same.
    directions = np.random.RandomState(seed).standard_normal((len(tokenizer), dimension)) / dimension**0.5
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
