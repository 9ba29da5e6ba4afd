"""The tokenizer of a small base: byte-level BPE with Qwen3's split, special tokens and chat template."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from common.files import write_json
from reward_fns.coe_format import TAG

CHAT_TEMPLATE = Path(__file__).parent / "qwen3_chat_template.jinja"
# Qwen3's split before merging (contractions, words, single digits, punctuation, line ends, white space), but each CoE
# tag stays in one piece: as an ordinary token of its own it is learnt from 200 samples, and decoding keeps it.
_PRE_TOKENS: Final = (
    TAG.pattern + r"|(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}<]?\p{L}+|\p{N}"
    r"| ?(?:[^\s\p{L}\p{N}<]+|<)[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PAD, _START, _END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"


def build_tokenizer(texts: Iterable[str], vocab: int) -> PreTrainedTokenizerFast:
    """A tokenizer of at most `vocab` tokens, learnt from the texts."""
    bpe = Tokenizer(models.BPE())
    bpe.normalizer = normalizers.NFC()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PRE_TOKENS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    thinking = ("<think>", "</think>")
    trainer = trainers.BpeTrainer(
        vocab_size=vocab - len(thinking),
        min_frequency=2,
        special_tokens=[_PAD, _START, _END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    # As in Qwen3: single tokens, and yet ordinary text that decoding keeps.
    bpe.add_tokens([AddedToken(token, special=False, normalized=False) for token in thinking])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=_END,
        pad_token=_PAD,
        additional_special_tokens=[_START],
        chat_template=CHAT_TEMPLATE.read_text(encoding="utf-8"),
        clean_up_tokenization_spaces=False,
        model_max_length=131072,
    )


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write it into a model's folder."""
    tokenizer.save_pretrained(folder)
    # Some loaders look for the template in tokenizer_config.json only, and not in the file beside it.
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    write_json(file, {**settings, "chat_template": tokenizer.chat_template}, indent=2)
