"""The whole way of the data: from a corpus to the files of every stage, with a count of all that was left out."""

import json
import logging
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from transformers import PreTrainedTokenizerBase

from data_prep.cleaning import MIN_RESPONSE_CHARS, Cleaned, Cleaner, clean
from data_prep.files import replacing
from data_prep.lengths import split_prompts, split_sft
from data_prep.negatives import build_triplets, count_rows
from data_prep.prompts import SYSTEM_PROMPTS
from data_prep.record import Question, Rejected
from data_prep.split import Split, draw, split_questions
from data_prep.writers import (
    SftSample,
    write_grpo_parquet,
    write_sft_json,
    write_test_parquet,
    write_triplets_parquet,
)
from reward_fns.coe_format import CoEFormatError, CoEOutput

logger = logging.getLogger(__name__)

_PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class DataConfig:
    """How the data is prepared. Sizes are counts of questions or samples, lengths tokens unless said otherwise.

    Attributes:
        seed: of every draw (the paper: 42).
        data_source: the corpus's name in verl's rows and metrics.
        prompt: a key of ``SYSTEM_PROMPTS``: "coe", or "plain" for the ``w/o CoE`` ablation (Table 4), whose SFT
            samples are the bare responses.
        sft_samples: how many SFT samples at most (the paper: 200).
        test_size: test questions (the paper: 2,000 of each corpus).
        val_size: GRPO validation prompts.
        grpo_prompts: GRPO training prompts at most; None for all.
        heldout_fraction: share of the training questions whose triplets evaluate the reward model.
        max_prompt_tokens: longest prompt (the paper: 1,024), by the chat template.
        max_response_tokens: longest response (the paper: 1,024), its end mark included.
        min_response_chars: human responses have to be longer than this, in characters (section 2).
        enable_thinking: passed to the chat template (the paper: off).
    """

    seed: int = 42
    data_source: str = "sample"
    prompt: str = "coe"
    sft_samples: int = 200
    test_size: int = 2000
    val_size: int = 100
    grpo_prompts: int | None = None
    heldout_fraction: float = 0.1
    max_prompt_tokens: int = 1024
    max_response_tokens: int = 1024
    min_response_chars: int = MIN_RESPONSE_CHARS
    enable_thinking: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: a value out of its range; the message names the key.
        """
        if self.prompt not in SYSTEM_PROMPTS:
            raise _bad_value("prompt", self.prompt, f"one of {sorted(SYSTEM_PROMPTS)}")
        if not self.data_source.strip():
            raise _bad_value("data_source", self.data_source, "a name")
        least = {
            "sft_samples": 1,
            "test_size": 1,
            "val_size": 1,
            "max_prompt_tokens": 1,
            "max_response_tokens": 1,
            "min_response_chars": 0,
        }
        for key, bound in least.items():
            if getattr(self, key) < bound:
                raise _bad_value(key, getattr(self, key), f"{bound} or more")
        if self.grpo_prompts is not None and self.grpo_prompts < 1:
            raise _bad_value("grpo_prompts", self.grpo_prompts, "1 or more, or null for all")
        if not 0 < self.heldout_fraction < 1:
            raise _bad_value("heldout_fraction", self.heldout_fraction, "a share above 0 and below 1")

    @property
    def system_prompt(self) -> str:
        """The text of ``prompt``."""
        return SYSTEM_PROMPTS[self.prompt]

    @property
    def template_kwargs(self) -> dict[str, bool]:
        """What every stage passes to the chat template."""
        return {"enable_thinking": self.enable_thinking}


@dataclass(frozen=True, slots=True)
class StageCount:
    """How many came into a step, and how many of them it kept; the rest is in ``rejected.jsonl``."""

    came_in: int
    kept: int
    rejected: int

    def __post_init__(self) -> None:
        """Check the sum.

        Raises:
            RuntimeError: kept and rejected are not all that came in, a bug of this package.
        """
        if self.came_in != self.kept + self.rejected:
            raise RuntimeError(f"{self.came_in} came in, {self.kept} kept, {self.rejected} rejected: report this bug.")


@dataclass(frozen=True, slots=True)
class DataReport:
    """What was made and left out.

    Attributes:
        stages: the steps in their order: "questions", "responses" (of the corpus, cleaned), "coe_questions",
            "coe_responses" (of the questions with chains), "sft", "grpo_train", "grpo_val", "triplets", "test".
        splits: questions in train, val and test.
        triplets: rows by side and kind.
        reasons: how often each reason stands in ``rejected.jsonl``, by step.
    """

    stages: dict[str, StageCount]
    splits: dict[str, int]
    triplets: dict[str, int]
    reasons: dict[str, dict[str, int]]


@dataclass(slots=True)
class _Account:
    stages: dict[str, StageCount] = field(default_factory=dict)
    rejected: list[tuple[str, Rejected]] = field(default_factory=list)

    def note(self, stage: str, came_in: int, kept: int, rejected: list[Rejected]) -> None:
        self.stages[stage] = StageCount(came_in, kept, len(rejected))
        self.rejected += [(stage, item) for item in rejected]

    def note_cleaned(self, prefix: str, cleaned: Cleaned) -> None:
        for stage, what in (("questions", "question"), ("responses", "response")):
            items = [item for item in cleaned.rejected if item.what == what]
            self.note(f"{prefix}{stage}", cleaned.counts[f"{stage}_in"], cleaned.counts[f"{stage}_kept"], items)

    def reasons(self) -> dict[str, dict[str, int]]:
        counts: dict[str, Counter[str]] = {}
        for stage, item in self.rejected:
            counts.setdefault(stage, Counter())[item.reason] += 1
        return {stage: dict(counter.most_common()) for stage, counter in counts.items()}


def prepare(
    questions: list[Question],
    coe_questions: list[Question],
    tokenizer: PreTrainedTokenizerBase,
    config: DataConfig,
    out_dir: Path,
) -> DataReport:
    """Clean, split, and write what each stage reads.

    Written to ``out_dir``: ``sft.json`` and ``dataset_info.json``, ``grpo_train.parquet``, ``grpo_val.parquet``,
    ``triplets.parquet``, ``test.parquet``, ``rejected.jsonl``. GRPO's training prompts may include questions of the
    SFT samples, never one of the test's or GRPO's validation.

    Args:
        questions: the corpus; from its training split come RL prompts and triplets.
        coe_questions: questions with reviewed chains, for SFT. May be the corpus itself: whatever has a post of its
            test or validation split is left out.

    Raises:
        ValueError: too few questions for the sizes, or a stage left without any data.
    """
    account = _Account()
    cleaner = Cleaner(min_response_chars=config.min_response_chars)
    cleaned = clean(questions, cleaner)
    account.note_cleaned("", cleaned)
    cleaned_coe = clean(coe_questions, cleaner)
    account.note_cleaned("coe_", cleaned_coe)
    split = split_questions(cleaned.questions, config.test_size, config.val_size, config.seed)

    samples = _sft_samples(cleaned_coe.questions, split, tokenizer, config, account)
    prompts = {
        "grpo_train": _prompts("grpo_train", split.train, tokenizer, config, account),
        "grpo_val": _prompts("grpo_val", split.val, tokenizer, config, account),
        "test": _prompts("test", split.test, tokenizer, config, account),
    }
    for stage in ("sft", *prompts):
        if not account.stages[stage].kept:
            raise ValueError(
                f"stage {stage}: nothing left of {account.stages[stage].came_in}, left out were "
                f"{account.reasons().get(stage, {})}. Raise the limits or add questions."
            )
    triplets = build_triplets(split.train, config.heldout_fraction, config.seed)
    account.note("triplets", len(triplets.rows) + len(triplets.rejected), len(triplets.rows), triplets.rejected)

    write_sft_json(out_dir / "sft.json", samples)
    grpo_splits: tuple[Literal["train", "val"], ...] = ("train", "val")
    for name in grpo_splits:
        members = prompts[f"grpo_{name}"]
        write_grpo_parquet(out_dir / f"grpo_{name}.parquet", members, config.system_prompt, config.data_source, name)
    write_triplets_parquet(out_dir / "triplets.parquet", triplets.rows)
    write_test_parquet(out_dir / "test.parquet", prompts["test"], config.system_prompt)
    with replacing(out_dir / "rejected.jsonl") as temporary:
        lines = (json.dumps({"stage": stage, **asdict(item)}, ensure_ascii=False) for stage, item in account.rejected)
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    splits = {"train": len(split.train), "val": len(split.val), "test": len(split.test)}
    report = DataReport(account.stages, splits, count_rows(triplets.rows), account.reasons())
    for stage, count in report.stages.items():
        logger.info("%s: %d in, %d kept, %d rejected", stage, count.came_in, count.kept, count.rejected)
    return report


def _sft_samples(
    coe_questions: list[Question],
    split: Split,
    tokenizer: PreTrainedTokenizerBase,
    config: DataConfig,
    account: _Account,
) -> list[SftSample]:
    """Every (question, chain, response) that may be trained on, shuffled and cut to ``sft_samples``."""
    held_out = {question.post: "validation" for question in split.val} | {q.post: "test" for q in split.test}
    samples: list[SftSample] = []
    rejected: list[Rejected] = []
    pairs = [(question, index) for question in coe_questions for index in range(len(question.responses))]
    for question, index in sorted(pairs, key=lambda pair: draw(config.seed, "sft", pair[0].id, pair[1])):
        if question.post in held_out:
            reason = f"question of the {held_out[question.post]} split"
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
        rejected.append(Rejected(question.id, "sft sample", reason))
    fitting, too_long = split_sft(
        samples, tokenizer, config.template_kwargs, config.max_prompt_tokens, config.max_response_tokens
    )
    kept, surplus = fitting[: config.sft_samples], fitting[config.sft_samples :]
    rejected += too_long
    rejected += [Rejected(sample.question_id, "sft sample", "beyond sft_samples") for sample in surplus]
    account.note("sft", len(pairs), len(kept), rejected)
    return kept


def _output(coe: tuple[str, str, str, str], response: str, config: DataConfig) -> str:
    return response if config.prompt == _PLAIN else CoEOutput(coe, response).render()


def _prompts(
    stage: Literal["grpo_train", "grpo_val", "test"],
    questions: list[Question],
    tokenizer: PreTrainedTokenizerBase,
    config: DataConfig,
    account: _Account,
) -> list[Question]:
    """The questions that become the stage's prompts: none at acute risk in GRPO, none too long."""
    what: Literal["rl prompt", "test prompt"] = "test prompt" if stage == "test" else "rl prompt"
    barred = [question for question in questions if question.crisis and stage != "test"]
    allowed = [question for question in questions if not question.crisis or stage == "test"]
    kept, rejected = split_prompts(
        allowed, config.system_prompt, tokenizer, config.template_kwargs, config.max_prompt_tokens, what
    )
    most = config.grpo_prompts if stage == "grpo_train" and config.grpo_prompts is not None else len(kept)
    rejected += [Rejected(question.id, what, "asker at acute risk") for question in barred]
    rejected += [Rejected(question.id, what, "beyond grpo_prompts") for question in kept[most:]]
    account.note(stage, len(questions), len(kept[:most]), rejected)
    return kept[:most]


def _bad_value(key: str, value: object, expected: str) -> ValueError:
    return ValueError(f"data config, key {key!r}: found {value!r}, expected {expected}. Correct the config.")
