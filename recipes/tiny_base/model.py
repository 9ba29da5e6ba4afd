"""The shape of a small base: Qwen3's architecture with weights drawn from a seed."""

from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM


@dataclass(frozen=True)
class ShapeConfig:
    """Sizes of the model; it has as many token ids as its tokenizer, because verl masks more in vLLM only.

    Attributes:
        vocab: most tokens that a tokenizer made for it may have.
        positions: longest sequence, prompt and response together, in tokens.
    """

    layers: int = 6
    hidden: int = 256
    intermediate: int = 640
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    vocab: int = 8000
    positions: int = 2048


def build_model(shape: ShapeConfig, tokenizer: PreTrainedTokenizerFast, seed: int) -> Qwen3ForCausalLM:
    """Qwen3 in float32, embeddings tied, with weights drawn from `seed`."""
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(
        Qwen3Config(  # type: ignore[call-arg]  # transformers adds the common keys at run time
            vocab_size=len(tokenizer),
            hidden_size=shape.hidden,
            intermediate_size=shape.intermediate,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            head_dim=shape.head_dim,
            max_position_embeddings=shape.positions,
            tie_word_embeddings=True,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            dtype="float32",
        )
    )
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model
