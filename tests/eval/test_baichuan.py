"""A tiny checkpoint of Baichuan-7B's layout, made from a Llama whose answers are known."""

import json
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from common.files import FileError
from eval.generation.baichuan import convert, convert_tokenizer

SENTENCES = [
    "最近总是睡不好，白天上班也没有精神。",
    "Human: 我和妈妈吵架了，心里很难受\nAssistant: 听起来你很委屈。",
    "I can't sleep at night, 12356",
    "朋友考上了研究生，我没有考上，心里很嫉妒。",
]
# Spaces at the ends, several of them, new lines, full width, and characters that no training sentence held.
TEXTS = [
    *SENTENCES,
    "  两个 空格  ",
    "a  b\n\n c",
    "ＡＢＣ１２３",
    "饕餮🙂é",
    "",
    "<s>不是标记</s>",
    "Human: \nAssistant: ",
]
SHAPE = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}


def train_tokenizer(folder: Path, **spec: Any) -> Path:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20),
        model_prefix=str(folder / "tokenizer"),
        model_type="bpe",
        vocab_size=420,
        byte_fallback=True,
        minloglevel=2,
        hard_vocab_limit=False,
        **spec,
    )
    return folder / "tokenizer.model"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LlamaForCausalLM]:
    """The checkpoint's folder, its weights pickled in two shards as on the hub, and the model they come from."""
    folder = tmp_path_factory.mktemp("baichuan")
    size = sentencepiece.SentencePieceProcessor(
        model_file=str(train_tokenizer(folder, add_dummy_prefix=False, remove_extra_whitespaces=False))
    ).get_piece_size()
    torch.manual_seed(0)
    shape: dict[str, Any] = {**SHAPE, "vocab_size": size, "max_position_embeddings": 128, "rms_norm_eps": 1e-6}
    config = LlamaConfig.from_dict(shape)
    model = LlamaForCausalLM(config).eval()
    weights = model.state_dict()
    packed = {
        name: tensor
        for name, tensor in weights.items()
        if not name.endswith(("q_proj.weight", "k_proj.weight", "v_proj.weight"))
    }
    for layer in range(2):
        stem = f"model.layers.{layer}.self_attn"
        packed[f"{stem}.W_pack.weight"] = torch.cat([weights[f"{stem}.{part}_proj.weight"] for part in "qkv"])
        packed[f"{stem}.rotary_emb.inv_freq"] = torch.ones(8)
    names = sorted(packed)
    for number, own in enumerate((names[:9], names[9:]), 1):
        torch.save({name: packed[name] for name in own}, folder / f"pytorch_model-{number:05}-of-00002.bin")
    described = {
        **shape,
        "model_type": "baichuan",
        "auto_map": {"AutoModelForCausalLM": "modeling_baichuan.BaiChuanForCausalLM"},
        "hidden_act": "silu",
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    (folder / "config.json").write_text(json.dumps(described), encoding="utf-8")
    return folder, model


def test_the_converted_model_computes_the_same(made: tuple[Path, LlamaForCausalLM], tmp_path: Path) -> None:
    source, model = made
    convert(source, tmp_path / "llama")
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "llama", trust_remote_code=False).eval()
    ids = torch.arange(3, 40)[None]
    with torch.no_grad():
        assert torch.equal(loaded(ids).logits, model(ids).logits)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "llama", trust_remote_code=False)
    assert (loaded.config.eos_token_id, tokenizer.eos_token, tokenizer.eos_token_id) == (2, "</s>", 2)
    assert not (tmp_path / "llama" / "modeling_baichuan.py").exists()


@pytest.mark.parametrize(
    "spec",
    [
        {"add_dummy_prefix": False, "remove_extra_whitespaces": False, "normalization_rule_name": "identity"},
        {"add_dummy_prefix": False, "remove_extra_whitespaces": False},
        {"add_dummy_prefix": True, "remove_extra_whitespaces": False},
    ],
    ids=["identity", "nfkc", "prefix"],
)
def test_the_tokenizer_gives_sentencepiece_s_ids(spec: dict[str, object], tmp_path: Path) -> None:
    path = train_tokenizer(tmp_path, **spec)
    own = sentencepiece.SentencePieceProcessor(model_file=str(path))
    tokenizer = convert_tokenizer(path, 128)
    for text in TEXTS:
        if "<s>" in text:  # SentencePiece reads a mark in a text as text, a chat's tokenizer as the mark
            continue
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert ids == own.encode(text), text
        assert tokenizer.decode(ids) == own.decode(own.encode(text))


def test_other_layouts_are_refused(made: tuple[Path, LlamaForCausalLM], tmp_path: Path) -> None:
    source, _ = made
    described = json.loads((source / "config.json").read_text(encoding="utf-8"))

    def refused(changed: dict[str, object], message: str) -> None:
        (tmp_path / "config.json").write_text(json.dumps(changed), encoding="utf-8")
        with pytest.raises(FileError, match=message):
            convert(tmp_path, tmp_path / "llama")
        assert not (tmp_path / "llama").exists()

    refused({**described, "vocab_size": 125696}, "Baichuan 2")
    refused({key: value for key, value in described.items() if key != "max_position_embeddings"}, "ALiBi")
    refused({"model_type": "qwen3"}, "vocab_size")
    refused(described, r"neither \*\.safetensors nor")
    save_file({"model.layers.0.self_attn.W_pack.weight": torch.zeros(8, 8)}, tmp_path / "model.safetensors")
    refused(described, r"shape \(8, 8\), expected \(192, 64\)")
    save_file({"model.norm.weight": torch.zeros(64)}, tmp_path / "model.safetensors")
    refused(described, "without model.embed_tokens.weight")
    (tmp_path / "tokenizer.model").write_bytes(b"no model")
    with pytest.raises(FileError, match="expected a SentencePiece model"):
        convert_tokenizer(tmp_path / "tokenizer.model", 128)
