"""The encoder E that the reward model is made of, before it is trained."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from transformers import AutoTokenizer, PreTrainedTokenizerBase

STATIC: Final = "static"
Vectors = npt.NDArray[np.float32]


def build_encoder(
    encoder: str, tokenizer_from: str, dimension: int, device: str, config: Mapping[str, Any], texts: Sequence[str]
) -> SentenceTransformer:
    """The encoder to train.

    Args:
        encoder: "static" for an embedding bag over the tokenizer of the model `tokenizer_from` (seconds on a CPU),
            otherwise a sentence-transformers model, by id or folder.
        dimension: of the embedding bag.
        config: changes to the encoder's own configuration; an embedding bag has none.
        texts: of the training side, by which an embedding bag is weighted.

    Raises:
        ValueError: such changes for an embedding bag.
    """
    if encoder != STATIC:
        return SentenceTransformer(encoder, device=device, trust_remote_code=False, config_kwargs=dict(config))
    if config:
        raise ValueError(f"encoder_config={dict(config)}: an embedding bag has no configuration. Name an encoder.")
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_from, trust_remote_code=False)
    weights = _tfidf_projection(tokenizer, dimension, texts)
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device=device)


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


def freeze(model: SentenceTransformer, patterns: Sequence[str]) -> None:
    """Keep parameters as they are in training: a CPU then trains the upper layers of a transformer in minutes.

    Args:
        patterns: regular expressions, searched for in the parameters' names.

    Raises:
        ValueError: a pattern that no parameter matches, or none is left to train; the message lists some names.
    """
    named = list(model.named_parameters())
    shown = ", ".join(name for name, _ in named[:3])
    for pattern in patterns:
        found = [parameter for name, parameter in named if re.search(pattern, name)]
        if not found:
            raise ValueError(f"frozen: no parameter's name holds {pattern!r}. They are called {shown} …")
        for parameter in found:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for _, parameter in named):
        raise ValueError(f"frozen={list(patterns)}: no parameter is left to train. They are called {shown} …")
