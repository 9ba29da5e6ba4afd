"""Token lengths by the template, and what happens at the limit."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from transformers import PreTrainedTokenizerFast

from common.records.question import Question
from data_prep.config import DataConfig
from data_prep.prompts import chat_messages
from data_prep.selection import count_tokens, prompt_tokens, select_prompts, select_sft, split_sft
from data_prep.tally import Rejected, Tally
from data_prep.writers import SftSample
from reward_fns.coe_format import LAYERS

MakeQuestions = Callable[[int], list[Question]]
OFF = {"enable_thinking": False}


def tokens_of(tokenizer: PreTrainedTokenizerFast, post: str, **kwargs: bool) -> int:
    return count_tokens(tokenizer, [chat_messages("系统", post)], kwargs, prompt=True)[0]


def test_counts_what_generation_is_given(tokenizer: PreTrainedTokenizerFast) -> None:
    messages = chat_messages("系统", "怎么办？")
    given = tokenizer.apply_chat_template(
        messages, tokenize=True, add_generation_prompt=True, enable_thinking=False, return_dict=False
    )
    assert tokens_of(tokenizer, "怎么办？", enable_thinking=False) == len(given)


def test_template_switch_and_opening_count(tokenizer: PreTrainedTokenizerFast) -> None:
    thoughts = len(tokenizer.encode("<think>\n\n</think>\n\n", add_special_tokens=False))
    assert tokens_of(tokenizer, "在", **OFF) == tokens_of(tokenizer, "在") + thoughts
    [closed] = count_tokens(tokenizer, [chat_messages("系统", "在")], OFF, prompt=False)
    assert closed < tokens_of(tokenizer, "在")


def test_many_conversations_keep_their_order(tokenizer: PreTrainedTokenizerFast) -> None:
    conversations = [chat_messages("系统", "在" * n) for n in range(600)]
    counts = count_tokens(tokenizer, conversations, OFF, prompt=True)
    assert counts == [counts[0] + n * (counts[1] - counts[0]) for n in range(600)]


def test_prompts_at_the_limit(tokenizer: PreTrainedTokenizerFast) -> None:
    questions = [
        Question(id=name, title="在" * n, description="", topic="", responses=("答",))
        for name, n in (("a", 3), ("b", 4))
    ]
    config = DataConfig()
    tokens = prompt_tokens(questions, tokenizer, config, "test")
    assert tokens["b"] - tokens["a"] == tokens_of(tokenizer, "在" * 4, **OFF) - tokens_of(tokenizer, "在" * 3, **OFF)
    tally, limit = Tally(), tokens["a"]
    kept = select_prompts("test", questions, {}, tokens, replace(config, max_prompt_tokens=limit), tally)
    assert kept == questions[:1]
    assert tally.rejected == [
        ("test", Rejected("b", "test prompt", "prompt too long", tokens=tokens["b"], limit=limit))
    ]


def test_split_sft_at_both_limits(tokenizer: PreTrainedTokenizerFast) -> None:
    samples = [SftSample(name, "系统", "在" * n, "好" * m) for name, n, m in (("a", 3, 5), ("b", 4, 5), ("c", 3, 6))]
    prompt, whole = (
        tokens_of(tokenizer, "在" * 3, **OFF),
        count_tokens(tokenizer, [samples[0].messages], OFF, prompt=False)[0],
    )
    kept, rejected = split_sft(samples, tokenizer, OFF, prompt, whole - prompt)
    assert kept == samples[:1]
    assert [(item.id, item.reason, item.limit) for item in rejected] == [
        ("b", "prompt too long", prompt),
        ("c", "response too long", whole - prompt),
    ]
    assert all(item.tokens is not None and item.limit is not None and item.tokens > item.limit for item in rejected)


def test_nothing_to_count(tokenizer: PreTrainedTokenizerFast) -> None:
    assert prompt_tokens([], tokenizer, DataConfig(), "none") == {}
    assert split_sft([], tokenizer, OFF, 1, 1) == ([], [])


def test_tokenizer_without_template(tokenizer: PreTrainedTokenizerFast) -> None:
    bare = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer)
    with pytest.raises(ValueError, match="no chat template"):
        count_tokens(bare, [], OFF, prompt=True)


def test_a_chain_goes_with_its_first_response_before_any_second(
    tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    chain = tuple(f"层{number}" for number in range(len(LAYERS)))
    questions = [replace(one, coe=chain, responses=("第一个", "第二个")) for one in make_questions(5)]
    config = DataConfig(sft_samples=7, max_prompt_tokens=4000, max_response_tokens=4000)
    samples = select_sft(questions, {}, tokenizer, config, Tally())
    assert len({sample.question_id for sample in samples[:5]}) == 5
    assert ["第一个" in sample.output for sample in samples] == [True] * 5 + [False] * 2
