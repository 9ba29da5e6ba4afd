"""Which questions become SFT samples and prompts: none held out elsewhere, none at risk in RL, none too long."""

from collections.abc import Mapping
from typing import Literal

from transformers import PreTrainedTokenizerBase

from common.records.question import Question
from data_prep.config import DataConfig
from data_prep.lengths import split_prompts, split_sft
from data_prep.rejected import Rejected
from data_prep.split import draw
from data_prep.tally import Tally
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
    """Every (question, chain, response) that may be trained on, shuffled and cut to ``sft_samples``."""
    samples: list[SftSample] = []
    rejected: list[Rejected] = []
    pairs = [(question, index) for question in questions for index in range(len(question.responses))]
    for question, index in sorted(pairs, key=lambda pair: draw(config.seed, "sft", pair[0].id, pair[1])):
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
    tokenizer: PreTrainedTokenizerBase,
    config: DataConfig,
    tally: Tally,
) -> list[Question]:
    """The questions that become the stage's prompts."""
    what: Literal["rl prompt", "test prompt"] = "test prompt" if stage == "test" else "rl prompt"
    rejected: list[Rejected] = []
    allowed: list[Question] = []
    for question in questions:
        if question.id in barred:
            rejected.append(Rejected(question.id, what, *barred[question.id]))
        elif stage != "test" and question.crisis:
            rejected.append(Rejected(question.id, what, "asker at acute risk"))
        elif stage != "test" and question.risks and not config.risk_in_rl:
            rejected.append(Rejected(question.id, what, "risk tags", ", ".join(question.risks)))
        else:
            allowed.append(question)
    kept, too_long = split_prompts(
        allowed, config.system_prompt, tokenizer, config.template_kwargs, config.max_prompt_tokens, what
    )
    rejected += too_long
    most = config.grpo_prompts if stage == "grpo_train" and config.grpo_prompts is not None else len(kept)
    rejected += [Rejected(question.id, what, "beyond grpo_prompts") for question in kept[most:]]
    tally.note(stage, len(questions), len(kept[:most]), rejected)
    return kept[:most]


def _output(coe: tuple[str, ...], response: str, config: DataConfig) -> str:
    return response if config.prompt == "plain" else CoEOutput(coe, response).render()
