"""Trains the reward model's encoder with the trainer of sentence-transformers: Eq. 5 on the triplets of each epoch."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from datasets import Dataset
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
from torch.utils.data import SequentialSampler
from transformers import EarlyStoppingCallback

from common.checkpoints import last_whole_checkpoint
from reward_fns.encoder import Encoder
from reward_fns.training.building import cut_at
from reward_fns.training.config import RewardModelConfig
from reward_fns.training.loss import ContrastiveEmpathyLoss
from reward_fns.training.pairwise import ranked_right, triplet_cosines

# How often the dev triplets are ranked during the training; the best of these states is kept.
_EVALUATIONS: Final = 4
# Evaluations without a gain after which training stops.
_PATIENCE: Final = 2


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training went.

    Attributes:
        triplets: to train on, those set aside not among them.
        loss: mean over its steps.
        steps: made, of those planned fewer after an early stop.
        dev: accuracy on the dev triplets, mean over the kinds of negatives, of the state that was kept; None without.
        best_step: after which that state was reached.
    """

    triplets: int
    loss: float
    steps: int
    dev: float | None
    best_step: int | None


class PairwiseEvaluator(SentenceEvaluator):
    """The share of dev triplets ranked right, by kind and their mean, in the form that the trainer calls."""

    def __init__(self, triplets: pd.DataFrame, encoder: Encoder) -> None:
        super().__init__()
        self.triplets = triplets
        self.encoder = encoder
        self.primary_metric = "accuracy"

    def __call__(
        self, model: Any, output_path: str | None = None, epoch: float = -1, steps: int = -1
    ) -> dict[str, float]:
        del output_path, epoch, steps
        right = ranked_right(*triplet_cosines(replace(self.encoder, model=model), self.triplets))
        by_kind = pd.Series(right).groupby(self.triplets["kind"].to_numpy()).mean()
        return {f"accuracy_{kind}": float(value) for kind, value in by_kind.items()} | {
            "accuracy": float(by_kind.mean())
        }


class OneGpuArguments(SentenceTransformerTrainingArguments):
    """However many GPUs a node has, one trains.

    With several the Trainer would wrap the model in DataParallel and take as many times the batch, so that the steps,
    and with them the learning rate's schedule, would depend on the machine.
    """

    @property
    def n_gpu(self) -> int:
        """0 or 1."""
        return min(1, int(super().n_gpu))


class _InOrder(DefaultBatchSampler):
    """Batches as the rows come: they are shuffled already."""

    def __init__(self, dataset: Dataset, **arguments: Any) -> None:
        super().__init__(SequentialSampler(dataset), **arguments)


def split_dev(triplets: pd.DataFrame, dev_triplets: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows, and rows of other questions by which the best state is chosen.

    The held-out side is left alone: T and all that is reported come from it.

    Args:
        triplets: all of them.
        dev_triplets: how many rows to set aside at least, rounded up to whole questions; 0 for none.
        seed: of the draw.

    Raises:
        ValueError: no training row, or less than half would be left of them.
    """
    rows = triplets[(triplets["split"] == "train") & (triplets["kind"] != "in_batch")]
    if rows.empty:
        raise ValueError("triplets.parquet has no training row with an explicit negative, expected at least one")
    dev = take_questions(rows, dev_triplets, seed)
    if dev.sum() * 2 > len(rows):
        raise ValueError(f"dev_triplets={dev_triplets}: that is most of the {len(rows)} training triplets; lower it.")
    return rows[~dev].reset_index(drop=True), rows[dev].reset_index(drop=True)


def take_questions(rows: pd.DataFrame, triplets: int, seed: int) -> "pd.Series[bool]":
    """Marks the rows of as many questions, drawn by the seed, as it takes for so many triplets; none for 0."""
    counts = rows.groupby("question_id", sort=True).size().sample(frac=1, random_state=seed)
    chosen = counts.index[: int(np.searchsorted(counts.cumsum(), triplets)) + 1] if triplets else counts.index[:0]
    return rows["question_id"].isin(chosen)


def take_heldout(triplets: pd.DataFrame, at_most: int, seed: int) -> pd.DataFrame:
    """The held-out triplets; where there are more than `at_most`, whole questions drawn by the seed, about as many."""
    rows = triplets[triplets["split"] == "heldout"].reset_index(drop=True)
    return rows[take_questions(rows, at_most, seed)].reset_index(drop=True) if len(rows) > at_most else rows


def draw_epochs(triplets: pd.DataFrame, share: float, epochs: int, seed: int) -> pd.DataFrame:
    """The triplets in the order of training: each epoch draws its share of them anew.

    Raises:
        ValueError: nothing is drawn.
    """
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(epochs):
        order = rng.permutation(len(triplets))
        drawn.append(triplets.iloc[order[rng.random(len(order)) < share]])
    rows = pd.concat(drawn, ignore_index=True)
    if rows.empty:
        raise ValueError(f"epoch_share={share} draws none of the {len(triplets)} training triplets; raise it.")
    return rows


def train(
    encoder: Encoder,
    rows: pd.DataFrame,
    dev: pd.DataFrame,
    config: RewardModelConfig,
    seed: int,
    folder: Path,
    resume: bool = False,
) -> Trained:
    """Train the encoder's model; it is left in its best state.

    Args:
        rows: to train on, with columns question_id, question, positive, negative, kind.
        dev: to choose the best state by; empty for the last one.
        seed: of draws and of the trainer.
        folder: for checkpoints, and TensorBoard's logs (``runs``); nothing of another training is in it.
        resume: go on from the last checkpoint that a killed run left.

    Raises:
        ValueError: the epochs draw no row.
    """
    planned = draw_epochs(rows, config.epoch_share, config.epochs, seed)
    planned = planned.assign(label=range(len(planned)))
    choosing: dict[str, Any] = {"save_strategy": "steps", "save_steps": 1 / _EVALUATIONS, "save_total_limit": 2}
    if not dev.empty:
        choosing |= {"eval_strategy": "steps", "eval_steps": 1 / _EVALUATIONS, "load_best_model_at_end": True}
        choosing |= {"metric_for_best_model": "eval_accuracy", "greater_is_better": True}
        choosing |= {"restore_callback_states_from_checkpoint": True}  # so that patience outlives a kill
    with cut_at(encoder.model, config.tokens):
        trainer = SentenceTransformerTrainer(
            model=encoder.model,
            args=OneGpuArguments(
                output_dir=str(folder),
                num_train_epochs=1,
                seed=seed,
                batch_sampler=_InOrder,
                **{**choosing, **config.training},
            ),
            train_dataset=Dataset.from_pandas(
                planned[["question", "positive", "negative", "label"]], preserve_index=False
            ),
            loss=ContrastiveEmpathyLoss(encoder, planned, config.margin, config.in_batch),
            evaluator=None if dev.empty else PairwiseEvaluator(dev, encoder),
            callbacks=[] if dev.empty else [EarlyStoppingCallback(_PATIENCE)],
        )
        last = last_whole_checkpoint(folder) if resume else None
        result = trainer.train(resume_from_checkpoint=last)
    state = trainer.state
    best = (None, None) if dev.empty else (state.best_metric, state.best_global_step)
    return Trained(len(rows), float(result.training_loss), int(state.global_step), *best)


def generic_replies(triplets: pd.DataFrame, count: int) -> list[str]:
    """Generic replies of the training side, spread over all of them, for mode ``margin``.

    Raises:
        ValueError: there is none.
    """
    rows = triplets[(triplets["split"] == "train") & (triplets["kind"] == "generic")]
    replies = list(dict.fromkeys(rows["negative"]))
    if not replies:
        raise ValueError("triplets.parquet has no generic negative on the training side, expected at least one")
    return replies[:: max(1, len(replies) // count)][:count]
