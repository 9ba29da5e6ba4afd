"""A model's shape, counted on the real module without its weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import torch
import yaml
from torch import nn
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, PretrainedConfig

from common.errors import StageError

SHAPES: Final = Path(__file__).with_name("shapes.yaml")
ENCODERS: Final = Path(__file__).with_name("encoders.yaml")


@dataclass(frozen=True)
class Shape:
    """What decides bytes and operations.

    Attributes:
        name: of the model.
        parameters: all of them, a tied head once.
        root: those outside the layers: embedding, head, last norm. FSDP2 keeps them whole while it trains.
        layers: how many.
        layer: parameters of one.
        largest: of the largest weight in a layer.
        hidden, intermediate: widths of the residual stream and of the MLP.
        queries, keys: widths of all query and of all key heads together.
        heads: of the queries.
        vocabulary: rows of the head; 0 for an encoder, which has none.
        tied: whether head and embedding are one.
        positions: tokens of the longest row that it can read; 0 where its configuration does not tell.
        adapter_widths: inputs plus outputs of all linear maps in the layers; LoRA of rank r has r times as many.
    """

    name: str
    parameters: int
    root: int
    layers: int
    layer: int
    largest: int
    hidden: int
    intermediate: int
    queries: int
    keys: int
    heads: int
    vocabulary: int
    tied: bool
    positions: int
    adapter_widths: int

    @property
    def computing(self) -> int:
        """Parameters that each token is multiplied with: all but the embedding, which is looked up."""
        head = self.vocabulary * self.hidden
        return self.layers * self.layer + head

    def kv_bytes(self, element: int = 2) -> int:
        """Bytes of keys and values a token: vLLM's ``FullAttentionSpec.page_size_bytes`` over its block, all layers."""
        return 2 * self.layers * self.keys * element


def shape_of(config: PretrainedConfig, name: str, encoder: bool = False) -> Shape:
    """Count a model of this configuration; nothing is allocated.

    Args:
        config: the model's.
        name: its name.
        encoder: it embeds texts and has no head.

    Raises:
        StageError: no decoder of equal layers, or widths that the configuration does not tell.
    """
    with torch.device("meta"):
        model = (AutoModel if encoder else AutoModelForCausalLM).from_config(config)
    stacks = [each for each in model.modules() if isinstance(each, nn.ModuleList) and len(each) == _layers(config)]
    if not stacks:
        raise StageError(f"{name}: a {config.model_type} has no plain stack of layers, and is not planned for.")
    layer = stacks[0][0]
    sizes = [parameter.numel() for parameter in layer.parameters()]
    total = sum(parameter.numel() for parameter in model.parameters())
    linear = [each for each in layer.modules() if isinstance(each, nn.Linear)]
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    groups = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    return Shape(
        name=name,
        parameters=total,
        root=total - len(stacks[0]) * sum(sizes),
        layers=len(stacks[0]),
        layer=sum(sizes),
        largest=max(sizes),
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        queries=config.num_attention_heads * head_dim,
        keys=groups * head_dim,
        heads=config.num_attention_heads,
        vocabulary=0 if encoder else config.vocab_size,
        tied=bool(config.tie_word_embeddings),
        positions=int(getattr(config, "max_position_embeddings", 0)),
        adapter_widths=len(stacks[0]) * sum(each.in_features + each.out_features for each in linear),
    )


def _layers(config: PretrainedConfig) -> int:
    return int(getattr(config, "num_hidden_layers", 0))


@cache
def find_shape(model: str) -> Shape:
    """The shape of a model in a folder, in ``shapes.yaml``, or on the hub.

    Raises:
        StageError: it is in none of them.
    """
    if not Path(model).is_dir() and (config := published(model, SHAPES)) is not None:
        return shape_of(config, model)
    try:
        return shape_of(AutoConfig.from_pretrained(model, trust_remote_code=False), model)
    except OSError as error:
        raise StageError(
            f"model={model}: {str(error).splitlines()[0]} Give MODEL= a folder, or one of "
            f"{', '.join(sorted(_known(SHAPES)))}."
        ) from error


@cache
def find_encoder(model: str) -> Shape | None:
    """The shape of an encoder in a folder or in ``encoders.yaml``; None where it is in neither."""
    if Path(model, "config.json").is_file():
        return shape_of(AutoConfig.from_pretrained(model, trust_remote_code=False), model, encoder=True)
    config = published(model, ENCODERS)
    return shape_of(config, model, encoder=True) if config is not None else None


def published(model: str, file: Path) -> PretrainedConfig | None:
    """The configuration of a model in ``shapes.yaml`` or ``encoders.yaml``; None where it is not in that file."""
    values = _known(file).get(model)
    return None if values is None else AutoConfig.for_model(**values)


@cache
def _known(file: Path) -> Mapping[str, Mapping[str, Any]]:
    known: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return known
