"""Which questions become SFT samples and prompts: none held out elsewhere, none at risk in RL, none too long.

Lengths are counted in tokens by the real chat template, and what is over a limit is set aside: nothing is ever cut
short.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, Literal, TypeVar

from tqdm import tqdm
from transformers import PreTrainedTokenizerBase

from common.records.question import Question
from data_prep.config import DataConfig
from data_prep.prompts import chat_messages
from data_prep.split import draw
from data_prep.tally import Rejected, Tally
from data_prep.writers import SftSample
from reward_fns.coe_format import CoEFormatError, CoEOutput

# Questions that must not be trained on, by id: the reason, and the detail of it.
Barred = Mapping[str, tuple[str, str]]


def select_sft(
    questions: list[Question],
    barred: Barred,
    tokenizer: PreTrainedTokenizerBase,
    config: DataConfig,
    tally: Tally,
) -> list[SftSample]:
    """Every (question, chain, response) that may be trained on, shuffled and cut to ``sft_samples``.

    The chain of a question is written for its first response, so the first responses of all questions come before any
    second one.
    """
    samples: list[SftSample] = []
    rejected: list[Rejected] = []
    pairs = [(question, index) for question in questions for index in range(len(question.responses))]
    for question, index in sorted(pairs, key=lambda pair: (pair[1], draw(config.seed, "sft", pair[0].id, pair[1]))):
        detail = ""
        if question.id in barred:
            reason, detail = barred[question.id]
        elif question.coe is None:
            reason = "no chain"
        else:
            try:
                output = _output(question.coe, question.responses[index], config)
            except CoEFormatError as error:
                reason = f"no valid output: {error}"
            else:
                samples.append(SftSample(question.id, config.system_prompt, question.post, output))
                continue
        rejected.append(Rejected(question.id, "sft sample", reason, detail))
    fitting, too_long = split_sft(
        samples, tokenizer, config.template_kwargs, config.max_prompt_tokens, config.max_response_tokens
    )
    kept, surplus = fitting[: config.sft_samples], fitting[config.sft_samples :]
    rejected += too_long
    rejected += [Rejected(sample.question_id, "sft sample", "beyond sft_samples") for sample in surplus]
    tally.note("sft", len(pairs), len(kept), rejected)
    return kept


def select_prompts(
    stage: Literal["grpo_train", "grpo_val", "test"],
    questions: list[Question],
    barred: Barred,
    tokens: Mapping[str, int],
    config: DataConfig,
    tally: Tally,
) -> list[Question]:
    """The questions that become the stage's prompts.

    Args:
        tokens: of each question's prompt, by id.
    """
    what: Literal["rl prompt", "test prompt"] = "test prompt" if stage == "test" else "rl prompt"
    rejected: list[Rejected] = []
    allowed: list[Question] = []
    for question in questions:
        if question.id in barred:
            rejected.append(Rejected(question.id, what, *barred[question.id]))
        elif stage != "test" and question.crisis:
            rejected.append(Rejected(question.id, what, "asker at acute risk"))
        elif stage != "test" and question.at_risk and not config.risk_in_rl:
            detail = f"{question.risk_level}: {', '.join(question.risks)}"
            rejected.append(Rejected(question.id, what, "risk tags", detail))
        else:
            allowed.append(question)
    kept, too_long = _part(
        allowed,
        [tokens[question.id] for question in allowed],
        config.max_prompt_tokens,
        lambda question: (question.id, what, "prompt too long"),
    )
    rejected += too_long
    most = config.grpo_prompts if stage == "grpo_train" and config.grpo_prompts is not None else len(kept)
    rejected += [Rejected(question.id, what, "beyond grpo_prompts") for question in kept[most:]]
    tally.note(stage, len(questions), len(kept[:most]), rejected)
    return kept[:most]


def _output(coe: tuple[str, ...], response: str, config: DataConfig) -> str:
    return response if config.prompt == "plain" else CoEOutput(coe, response).render()


_BATCH: Final = 256

T = TypeVar("T")


def count_tokens(
    tokenizer: PreTrainedTokenizerBase,
    conversations: Iterable[list[dict[str, str]]],
    template_kwargs: Mapping[str, Any],
    *,
    prompt: bool,
) -> list[int]:
    """Tokens of each conversation as the chat template renders it.

    Args:
        template_kwargs: passed to the chat template; the paper trains Qwen3 with ``enable_thinking=False``.
        prompt: whether the opening of the assistant's turn is added, as before generation.

    Raises:
        ValueError: the tokenizer has no chat template.
    """
    if not tokenizer.chat_template:
        raise ValueError(f"tokenizer {tokenizer.name_or_path!r} has no chat template. Use that of a chat model.")
    counts: list[int] = []
    for batch in _batches(conversations):
        rendered = tokenizer.apply_chat_template(batch, tokenize=False, add_generation_prompt=prompt, **template_kwargs)
        # The template has written the special tokens already.
        counts += [len(tokens) for tokens in tokenizer(rendered, add_special_tokens=False)["input_ids"]]
    return counts


def prompt_tokens(
    questions: list[Question], tokenizer: PreTrainedTokenizerBase, config: DataConfig, what: str
) -> dict[str, int]:
    """The length of each question's prompt in tokens, by id.

    Args:
        what: whose questions they are, for the progress bar.
    """
    conversations = (chat_messages(config.system_prompt, question.post) for question in questions)
    counted = count_tokens(
        tokenizer, _progress(conversations, len(questions), what), config.template_kwargs, prompt=True
    )
    return {question.id: tokens for question, tokens in zip(questions, counted, strict=True)}


def split_sft(
    samples: list[SftSample],
    tokenizer: PreTrainedTokenizerBase,
    template_kwargs: Mapping[str, Any],
    max_prompt_tokens: int,
    max_response_tokens: int,
) -> tuple[list[SftSample], list[Rejected]]:
    """The samples whose prompt and response each fit, and the others with their lengths.

    The response is what the template adds to the prompt, its end mark with it: a reply longer than GRPO lets the
    model write must not be what it is taught to write.
    """
    prompts = _progress((sample.messages[:-1] for sample in samples), len(samples), "sft prompts")
    prompt_tokens = count_tokens(tokenizer, prompts, template_kwargs, prompt=True)
    kept, long_prompts = _part(
        list(zip(samples, prompt_tokens, strict=True)),
        prompt_tokens,
        max_prompt_tokens,
        lambda item: (item[0].question_id, "sft sample", "prompt too long"),
    )
    whole = _progress((sample.messages for sample, _ in kept), len(kept), "sft samples")
    whole_tokens = count_tokens(tokenizer, whole, template_kwargs, prompt=False)
    fitting, long_responses = _part(
        kept,
        [total - prompt for total, (_, prompt) in zip(whole_tokens, kept, strict=True)],
        max_response_tokens,
        lambda item: (item[0].question_id, "sft sample", "response too long"),
    )
    return [sample for sample, _ in fitting], long_prompts + long_responses


def _part(
    items: list[T],
    tokens: list[int],
    limit: int,
    describe: Callable[[T], tuple[str, Literal["sft sample", "rl prompt", "test prompt"], str]],
) -> tuple[list[T], list[Rejected]]:
    counted = list(zip(items, tokens, strict=True))
    return [item for item, count in counted if count <= limit], [
        Rejected(*describe(item), tokens=count, limit=limit) for item, count in counted if count > limit
    ]


def _progress(items: Iterable[T], total: int, desc: str) -> Iterator[T]:
    return iter(tqdm(items, total=total, desc=f"counting tokens, {desc}", disable=None))


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
