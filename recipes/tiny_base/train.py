"""Pre-training of a small base by transformers' trainer, on packed rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset, Sampler, SequentialSampler
from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM, Trainer, TrainingArguments

from common.checkpoints import last_whole_checkpoint
from recipes.tiny_base.mix import Messages
from recipes.tiny_base.optimizer import MuonAdamW

Rows = npt.NDArray[np.uint16]
_CHATS_A_BATCH: Final = 512


@dataclass(frozen=True)
class TrainConfig:
    """How long and how fast.

    Attributes:
        steps: optimiser steps; null for one pass over the corpus.
        length: tokens of a row; the model is for prompts and responses of as many together.
        batch: rows a step.
        micro_batch: rows at once.
        learning_rate: AdamW's, for embeddings and norms.
        muon_learning_rate: Muon's, for matrices.
        warmup_steps: in which the rates rise to their full height, which they keep until half way and then fall to 0.
        bf16: autocast to bfloat16; null where the hardware multiplies in it: a GPU, or a CPU with AVX-512.
        compile: torch.compile, which takes some time before the first step.
        save_steps: a killed run goes on from here.
        eval_steps: between two looks at the held-out rows.
        log_steps: between two lines of the log.
    """

    steps: int | None = None
    length: int = 768
    batch: int = 10
    micro_batch: int = 5
    learning_rate: float = 3e-3
    muon_learning_rate: float = 0.02
    warmup_steps: int = 100
    bf16: bool | None = None
    compile: bool = True
    save_steps: int = 200
    eval_steps: int = 200
    log_steps: int = 50


class PackedRows(Dataset[dict[str, torch.Tensor]]):
    """Rows of token ids, each its own target."""

    def __init__(self, rows: Rows) -> None:
        """Hold the rows, shape (rows, length + 1)."""
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        row = torch.from_numpy(self._rows[index].astype(np.int64))
        return {"input_ids": row, "labels": row}


class _InOrder(Trainer):
    """Rows as they lie: their documents were shuffled before they were packed."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        rows: Any = self.train_dataset
        return SequentialSampler(rows)


def pack(chats: Iterable[Messages], tokenizer: PreTrainedTokenizerFast, length: int) -> Rows:
    """The chats by the tokenizer's template, one after the other, a pad token after each, cut into rows.

    Returns:
        shape (rows, length + 1): a row's last token is the next one's first, so that each is once a target. What is
        left over at the end is dropped.

    Raises:
        ValueError: less than one row.
    """
    tokens = np.concatenate([np.array([], dtype=np.uint16), *_token_ids(chats, tokenizer)])
    count = (len(tokens) - 1) // length
    if count < 1:
        raise ValueError(f"{len(tokens)} tokens, expected a row of {length + 1}. Bring a larger corpus.")
    return np.lib.stride_tricks.sliding_window_view(tokens, length + 1)[: count * length : length].copy()


def _token_ids(chats: Iterable[Messages], tokenizer: PreTrainedTokenizerFast) -> Iterator[npt.NDArray[np.uint16]]:
    told = [tokenizer.apply_chat_template(chat, tokenize=False, enable_thinking=False) for chat in chats]
    texts = [f"{text}{tokenizer.pad_token}" for text in told]
    for start in range(0, len(texts), _CHATS_A_BATCH):
        for ids in tokenizer(texts[start : start + _CHATS_A_BATCH], add_special_tokens=False)["input_ids"]:
            yield np.array(ids, dtype=np.uint16)


def rate(step: int, total: int, warmup: int) -> float:
    """The share of the full learning rate at a step: up, level until half way, then down to a fiftieth."""
    done = step / total
    return min(1.0, (step + 1) / warmup) * (1.0 if done < 0.5 else max(0.02, 2 * (1 - done)))


def multiplies_bfloat16() -> bool:
    """Whether bfloat16 is faster here than float32: without AVX-512 oneDNN computes it some 40 times slower."""
    return torch.cuda.is_available() or torch.backends.cpu.get_cpu_capability() == "AVX512"


def train(
    model: Qwen3ForCausalLM, rows: Rows, heldout: Rows | None, config: TrainConfig, seed: int, folder: Path
) -> list[dict[str, float]]:
    """Train `model` in place, from the last checkpoint in `folder` where there is one.

    Returns:
        what was logged: step, loss, held-out loss, in nats a token; the last held-out loss is the trained model's.
    """
    total = config.steps or len(rows) // config.batch
    optimizer = MuonAdamW(model, config.learning_rate, config.muon_learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, total, config.warmup_steps))
    trainer = _InOrder(
        model,
        TrainingArguments(
            output_dir=str(folder),
            max_steps=total,
            per_device_train_batch_size=config.micro_batch,
            per_device_eval_batch_size=config.micro_batch,
            gradient_accumulation_steps=config.batch // config.micro_batch,
            max_grad_norm=1.0,
            bf16=multiplies_bfloat16() if config.bf16 is None else config.bf16,
            torch_compile=config.compile,
            use_cpu=not torch.cuda.is_available(),
            save_steps=config.save_steps,
            save_total_limit=1,
            eval_strategy="no" if heldout is None else "steps",
            eval_steps=config.eval_steps,
            logging_steps=config.log_steps,
            prediction_loss_only=True,
            dataloader_pin_memory=torch.cuda.is_available(),
            report_to="none",
            seed=seed,
        ),
        train_dataset=PackedRows(rows),
        eval_dataset=None if heldout is None else PackedRows(heldout),
        optimizers=(optimizer, schedule),
    )
    trainer.train(resume_from_checkpoint=last_whole_checkpoint(folder))
    if heldout is not None:
        trainer.evaluate()
    return list(trainer.state.log_history)
