"""Baichuan-7B's checkpoints, such as CBT-LLM, as Llama checkpoints, which need no code from outside.

    python -m eval.generation.baichuan /models/CBT-LLM /models/cbt-llm-llama
    make generate ARGS="models=[SFT+GRPO,CBT-LLM] entries.CBT-LLM.model=/models/cbt-llm-llama"

The two architectures compute the same; Baichuan keeps query, key and value as one matrix, ``W_pack``, and its tokenizer
is a bare SentencePiece model. Its 13 B model (ALiBi instead of rotary positions) and Baichuan 2 (a normalised head) are
others and are refused. The source is read only: its own code is not run, and pickled weights are read as weights alone.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch
from google.protobuf.message import DecodeError
from safetensors.torch import load_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import SentencePieceExtractor

from common.files import FileError

_SHAPE: Final = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "max_position_embeddings",
    "rms_norm_eps",
)
_PACKED: Final = "self_attn.W_pack.weight"
_SHARDS: Final = ("*.safetensors", "pytorch_model*.bin")
_BAICHUAN_2_VOCABULARY: Final = 125696
# Piece types of SentencePiece: unknown, control, and named by the user.
_UNKNOWN, _CONTROL, _USER = 2, 3, 4


def convert(source: Path, target: Path) -> None:
    """Write a Llama checkpoint with its tokenizer.

    Args:
        source: a folder with config.json, weights and tokenizer.model of Baichuan-7B's layout.
        target: a folder, made where it is missing.

    Raises:
        FileError: not that layout; the message names the file.
    """
    config = llama_config(source / "config.json")
    weights = dict(_unpacked(source, config.hidden_size))
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    missing, unexpected = model.load_state_dict(weights, strict=False, assign=True)
    if missing or unexpected:
        odd = f"without {missing[0]}" if missing else f"with {unexpected[0]}"
        raise FileError(f"{source}: weights {odd}, expected those of Baichuan-7B")
    tokenizer = convert_tokenizer(source / "tokenizer.model", config.max_position_embeddings)
    model.config.dtype = weights["model.norm.weight"].dtype
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


def llama_config(path: Path) -> LlamaConfig:
    """The configuration of the Llama model that computes the same.

    Raises:
        FileError: not Baichuan-7B's.
    """
    try:
        own: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        shape = {key: own[key] for key in _SHAPE if key != "max_position_embeddings"}
    except (OSError, ValueError, KeyError) as error:
        raise FileError(f"{path}: {error!r}, expected the configuration of a Baichuan-7B checkpoint") from error
    if own["vocab_size"] == _BAICHUAN_2_VOCABULARY:
        raise FileError(f"{path}: {_BAICHUAN_2_VOCABULARY} tokens, so Baichuan 2, whose head is normalised; not read")
    if "max_position_embeddings" not in own:
        raise FileError(f"{path}: no max_position_embeddings, so ALiBi as in Baichuan-13B, which Llama has not")
    shape |= {
        "max_position_embeddings": own["max_position_embeddings"],
        "hidden_act": own.get("hidden_act", "silu"),
        "tie_word_embeddings": False,
        **{key: own.get(key) for key in ("pad_token_id", "bos_token_id", "eos_token_id")},
    }
    return LlamaConfig.from_dict(shape)


def convert_tokenizer(path: Path, max_tokens: int) -> PreTrainedTokenizerFast:
    """A SentencePiece BPE model as a fast tokenizer with the same ids, which begins a text with the mark of its start.

    Raises:
        FileError: not a BPE model of SentencePiece.
    """
    try:
        extractor = SentencePieceExtractor(str(path))
        extracted: Any = extractor.extract(BPE)
    except (OSError, DecodeError) as error:
        raise FileError(f"{path}: {error}, expected a SentencePiece model") from error
    spec, pieces = extractor.proto.normalizer_spec, extractor.proto.pieces
    names = [piece.piece for piece in pieces]
    unknown = next(piece.piece for piece in pieces if piece.type == _UNKNOWN)
    tokenizer = Tokenizer(
        BPE(
            extracted["vocab"],
            extracted["merges"],
            unk_token=unknown,
            fuse_unk=True,
            byte_fallback=extractor.proto.trainer_spec.byte_fallback,
        )
    )
    steps: list[Any] = [normalizers.Precompiled(spec.precompiled_charsmap)] if spec.precompiled_charsmap else []
    if spec.remove_extra_whitespaces:
        steps += [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    steps += [normalizers.Prepend("▁")] if spec.add_dummy_prefix else []
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    after: list[Any] = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*after, *([decoders.Strip(" ", 1, 0)] if spec.add_dummy_prefix else [])])
    special = [piece.piece for piece in pieces if piece.type in (_UNKNOWN, _CONTROL)]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in special])
    tokenizer.add_tokens([AddedToken(p.piece, normalized=False) for p in pieces if p.type == _USER])
    marks = {"bos_token": extractor.proto.trainer_spec.bos_piece, "eos_token": extractor.proto.trainer_spec.eos_piece}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=unknown,
        pad_token=unknown,
        model_max_length=max_tokens,
        clean_up_tokenization_spaces=False,
        **{mark: name for mark, name in marks.items() if name in names},
    )


def _unpacked(source: Path, hidden: int) -> Iterator[tuple[str, torch.Tensor]]:
    files = next((found for pattern in _SHARDS if (found := sorted(source.glob(pattern)))), [])
    if not files:
        raise FileError(f"{source}: neither {' nor '.join(_SHARDS)}, expected the weights of a Baichuan-7B checkpoint")
    for file in files:
        for name, tensor in _tensors(file).items():
            if name.endswith(_PACKED):
                if tensor.shape != (3 * hidden, hidden):
                    raise FileError(f"{file}: {name} has shape {tuple(tensor.shape)}, expected {(3 * hidden, hidden)}")
                for part, rows in zip("qkv", tensor.split(hidden), strict=True):
                    yield name.replace("W_pack", f"{part}_proj"), rows.contiguous()
            elif not name.endswith("rotary_emb.inv_freq"):  # Llama works it out
                yield name, tensor


def _tensors(file: Path) -> dict[str, torch.Tensor]:
    if file.suffix == ".safetensors":
        return load_file(file)
    loaded: dict[str, torch.Tensor] = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    return loaded


def main() -> None:
    """Convert one folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a folder with config.json, weights and tokenizer.model")
    parser.add_argument("target", type=Path, help="a new folder for the Llama checkpoint")
    options = parser.parse_args()
    if options.target.exists() and any(options.target.iterdir()):
        sys.exit(f"error: {options.target} is not empty. Name a new folder.")
    try:
        convert(options.source, options.target)
    except FileError as error:
        sys.exit(f"error: {error}")
    print(f"{options.target}: a Llama checkpoint; make generate ARGS=entries.CBT-LLM.model={options.target}")


if __name__ == "__main__":
    main()
