"""The tiny base: Qwen3's architecture, a byte-level BPE tokenizer of its own, and Qwen3's chat-template rules.

Random weights and a tokenizer trained on the sample corpus, then a short pre-training on posts in random markup
(`recipes.tiny_base.pretrain`).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from common.files import write_json
from common.records.question import Question
from data_prep.corpora import load_corpus
from data_prep.prompts import SYSTEM_PROMPTS
from recipes.tiny_base.pretrain import PretrainConfig, pretrain
from reward_fns.coe_format import TAG, CoEOutput

CHAT_TEMPLATE = Path(__file__).parent / "qwen3_chat_template.jinja"
# Qwen3's split before merging (contractions, words, single digits, punctuation, line ends, white space), but each CoE
# tag stays in one piece: as an ordinary token of its own it is learnt from 200 samples, and decoding keeps it.
_PRE_TOKENS = (
    TAG.pattern + r"|(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}<]?\p{L}+|\p{N}"
    r"| ?(?:[^\s\p{L}\p{N}<]+|<)[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PAD, _START, _END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"


@dataclass(frozen=True)
class BaseConfig:
    """The model that is built; `layers` 0 means that none is, and `model` names a published one.

    Attributes:
        vocab: most tokens that the tokenizer may have; the model has exactly as many as it got, because verl masks
            ids beyond the tokenizer in vLLM and not in the actor.
        head_dim: Qwen3 normalises queries and keys, so attention can be no sharper at first than exp(sqrt(head_dim)).
        initializer_range: standard deviation of the first weights; Qwen3's 0.02 is meant for wider layers.
        positions: longest sequence, prompt and response together, in tokens.
    """

    layers: int = 0
    hidden: int = 128
    intermediate: int = 384
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    initializer_range: float = 0.06
    vocab: int = 4096
    positions: int = 1024
    tie_embeddings: bool = True
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)


def training_texts(questions: Iterable[Question]) -> Iterable[str]:
    """What the tokenizer learns from: posts and outputs as the model will read and write them, system prompts too."""
    for question in questions:
        yield SYSTEM_PROMPTS["coe"]
        yield question.post
        for response in question.responses:
            yield CoEOutput(question.coe, response).render() if question.coe else response


def build_tokenizer(texts: Iterable[str], vocab: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with Qwen3's pre-tokenizer, special tokens and chat template."""
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


def build_model(config: BaseConfig, tokenizer: PreTrainedTokenizerFast, seed: int) -> Qwen3ForCausalLM:
    """Qwen3 in float32 with weights drawn from `seed`."""
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(
        Qwen3Config(  # type: ignore[call-arg]  # transformers adds the common keys at run time
            vocab_size=len(tokenizer),
            hidden_size=config.hidden,
            intermediate_size=config.intermediate,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.kv_heads,
            head_dim=config.head_dim,
            initializer_range=config.initializer_range,
            max_position_embeddings=config.positions,
            tie_word_embeddings=config.tie_embeddings,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            dtype="float32",
        )
    )
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


def build_base(config: BaseConfig, seed: int, folder: Path) -> dict[str, int]:
    """Build the base and write it into a folder as a Hugging Face model; gives its sizes."""
    questions = load_corpus(None, "sample").questions
    tokenizer = build_tokenizer(training_texts(questions), config.vocab)
    model = build_model(config, tokenizer, seed)
    pretrain(model, tokenizer, [question.post for question in questions], config.pretrain, seed)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    # Some loaders look for the template in tokenizer_config.json only, and not in the file beside it.
    settings_file = folder / "tokenizer_config.json"
    settings = json.loads(settings_file.read_text(encoding="utf-8"))
    write_json(settings_file, {**settings, "chat_template": tokenizer.chat_template}, indent=2)
    return {"parameters": sum(p.numel() for p in model.parameters()), "vocab": len(tokenizer)}
