"""The tiny base: Qwen3's architecture, a tokenizer that keeps the tags, a pre-training that learns to close them."""

import pytest
import torch
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

from data_prep.corpora import load_corpus
from recipes.tiny_base.model import BaseConfig, build_model, build_tokenizer, training_texts
from recipes.tiny_base.pretrain import PretrainConfig, pretrain
from reward_fns.coe_format import LAYERS, CoEOutput

TAGS = [f"<{slash}{name}>" for name in ("empathy_think", *LAYERS, "answer") for slash in ("", "/")]
SMALL = BaseConfig(layers=1, hidden=32, intermediate=64, heads=2, kv_heads=1, head_dim=16, vocab=600, positions=256)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer(training_texts(load_corpus(None, "sample").questions[:20]), SMALL.vocab)


@pytest.fixture
def model(tokenizer: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    return build_model(SMALL, tokenizer, seed=1)


def test_any_text_survives_the_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    text = CoEOutput(("难过。", "自责？", "“被理解”", "先共情"), "a <3 b\n\n  c，123 emoji 🙂 繁體").render()
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("before", ["", "。", "字", ")", "\n"])
def test_a_tag_is_one_ordinary_token_wherever_it_stands(
    tag: str, before: str, tokenizer: PreTrainedTokenizerFast
) -> None:
    ids = tokenizer(before + tag + "字", add_special_tokens=False)["input_ids"]
    assert tokenizer.convert_tokens_to_ids(tag) in ids
    assert tokenizer.convert_tokens_to_ids(tag) not in tokenizer.all_special_ids


def test_special_tokens_are_qwen3_s(tokenizer: PreTrainedTokenizerFast) -> None:
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|im_end|>", "<|endoftext|>")
    for token in ("<think>", "</think>", "<|im_start|>"):
        assert len(tokenizer(token, add_special_tokens=False)["input_ids"]) == 1
    # As in Qwen3, the think marks are text that decoding keeps.
    assert tokenizer.decode(tokenizer("<think>")["input_ids"], skip_special_tokens=True) == "<think>"


def test_model_and_tokenizer_have_the_same_size(model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    assert model.config.vocab_size == len(tokenizer) == model.state_dict()["model.embed_tokens.weight"].shape[0]


def test_seed_decides_the_weights(model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    weight = model.lm_head.weight
    assert torch.equal(weight, build_model(SMALL, tokenizer, seed=1).lm_head.weight)
    assert not torch.equal(weight, build_model(SMALL, tokenizer, seed=2).lm_head.weight)


def test_pretraining_learns_the_marks(model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """On stretches not read before: the mark that closes is the one that was opened, and none opens within."""
    posts = [question.post for question in load_corpus(None, "sample").questions[:20]]
    pretrain(model, tokenizer, posts, PretrainConfig(steps=300, length=96, sentences=1), seed=0)
    closing = torch.tensor([tokenizer.convert_tokens_to_ids(tag) for tag in TAGS if tag.startswith("</")])
    opening = torch.tensor([tokenizer.convert_tokens_to_ids(tag) for tag in TAGS if not tag.startswith("</")])
    for tag in (tag for tag in TAGS if not tag.startswith("</")):
        ids = torch.tensor([tokenizer(f"{tag}你好吗", add_special_tokens=False)["input_ids"]])
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, -1]
        assert tokenizer.decode(closing[logits[closing].argmax()]) == tag.replace("<", "</")
        assert logits.softmax(-1)[opening].sum() < 1e-3


def test_pretraining_refuses_posts_without_a_sentence(
    model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    with pytest.raises(ValueError, match="no post has a sentence"):
        pretrain(model, tokenizer, ["没有句号"], PretrainConfig(steps=1), seed=0)
