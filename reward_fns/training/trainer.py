"""Trains the reward model's encoder with the trainer of sentence-transformers: Eq. 5 on a schedule of triplets."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
from torch.utils.data import SequentialSampler
from transformers import EarlyStoppingCallback
from transformers.trainer_utils import get_last_checkpoint

from reward_fns.encoder import Embedded, Encoder
from reward_fns.training.loss import ContrastiveEmpathyLoss
from reward_fns.training.pairwise import accuracy_by_kind, encoder_scorer
from reward_fns.training.schedule import schedule

OWN_ARGUMENTS: Final = ("output_dir", "seed", "num_train_epochs", "batch_sampler", "load_best_model_at_end")
"""Arguments of the library's trainer that are set here."""
MODEL: Final = "model"
_SETTINGS: Final = "settings.json"
_TRAINED: Final = "trained.json"


@dataclass(frozen=True)
class Recipe:
    """How an encoder is trained.

    Attributes:
        margin: m of Eq. 5.
        in_batch: share of the in-batch negatives in the loss, see `loss.contrastive_loss`.
        mixture: by kind of negative, the share of its triplets that an epoch draws.
        curriculum: part of the training over which hard negatives come in, see `schedule.schedule`.
        hard_kinds: of negatives, those that the curriculum is for.
        epochs: passes over the triplets.
        seed: of draws and of the trainer.
        tokens: longest text in training, longer ones are cut; None for the encoder's own limit.
        evaluations: how often the dev triplets are ranked; the best of these states is kept.
        patience: evaluations without a gain after which training stops.
        arguments: further ones of SentenceTransformerTrainingArguments.
        begins_as: names what the encoder was built from; checkpoints of another one are not gone on from.
    """

    margin: float
    in_batch: float
    mixture: Mapping[str, float]
    curriculum: float
    hard_kinds: Sequence[str]
    epochs: int
    seed: int
    tokens: int | None
    evaluations: int
    patience: int
    arguments: Mapping[str, Any]
    begins_as: str


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training went.

    Attributes:
        loss: mean over its steps.
        steps: made, of those planned fewer after an early stop.
        dev: accuracy on the dev triplets, mean over the kinds of negatives, of the state that was kept; None without.
        best_step: after which that state was reached.
    """

    loss: float
    steps: int
    dev: float | None
    best_step: int | None


class RankingEvaluator(SentenceEvaluator):
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
        by_kind = accuracy_by_kind(encoder_scorer(replace(self.encoder, model=model)), self.triplets)
        return {f"accuracy_{kind}": value for kind, value in by_kind.items()} | {
            "accuracy": float(np.mean(list(by_kind.values())))
        }


class _InOrder(DefaultBatchSampler):
    """Batches as the rows come: the schedule has shuffled them."""

    def __init__(self, dataset: Dataset, **arguments: Any) -> None:
        super().__init__(SequentialSampler(dataset), **arguments)


def split_dev(triplets: pd.DataFrame, dev_triplets: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows, and rows of other questions by which a state, a margin or a seed is chosen.

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


def train(encoder: Encoder, rows: pd.DataFrame, dev: pd.DataFrame, recipe: Recipe, folder: Path) -> Trained:
    """Train the encoder's model and save the best state as ``model`` in `folder`.

    Killed and called again with the same recipe and rows, it goes on from the last checkpoint; a training that had
    ended is not done again.

    Args:
        rows: to train on, with columns question_id, question, positive, negative, kind.
        dev: to choose the best state by; empty for the last one.
        folder: also for checkpoints, which go once training has ended, and TensorBoard's logs (``runs``), which stay.

    Raises:
        ValueError: the mixture leaves no row.
    """
    planned = schedule(rows, recipe.mixture, recipe.curriculum, recipe.hard_kinds, recipe.epochs, recipe.seed)
    _keep_own_checkpoints(folder, recipe, planned)
    if (done := folder / _TRAINED).is_file():
        return Trained(**json.loads(done.read_text(encoding="utf-8")))
    model = encoder.model
    planned = planned.assign(label=range(len(planned)))
    choosing: dict[str, Any] = {"save_strategy": "steps", "save_steps": 1 / recipe.evaluations, "save_total_limit": 2}
    if not dev.empty:
        choosing |= {"eval_strategy": "steps", "eval_steps": 1 / recipe.evaluations, "load_best_model_at_end": True}
        choosing |= {"metric_for_best_model": "eval_accuracy", "greater_is_better": True}
    own_limit = model.max_seq_length
    if recipe.tokens is not None:
        model.max_seq_length = recipe.tokens
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(folder),
            num_train_epochs=1,
            seed=recipe.seed,
            batch_sampler=_InOrder,
            **{**choosing, **recipe.arguments},
        ),
        train_dataset=Dataset.from_pandas(planned[["question", "positive", "negative", "label"]], preserve_index=False),
        loss=_loss(encoder, recipe, planned),
        evaluator=None if dev.empty else RankingEvaluator(dev, encoder),
        callbacks=[] if dev.empty else [EarlyStoppingCallback(recipe.patience)],
    )
    last = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    result = trainer.train(resume_from_checkpoint=last)
    if recipe.tokens is not None:
        model.max_seq_length = own_limit
    state = trainer.state
    best = (None, None) if dev.empty else (state.best_metric, state.best_global_step)
    trained = Trained(float(result.training_loss), int(state.global_step), *best)
    encoder.save(folder / MODEL)
    (folder / _TRAINED).write_text(json.dumps(asdict(trained)) + "\n", encoding="utf-8")
    for checkpoint in folder.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    return trained


def discard_model(folder: Path) -> None:
    """Remove the model that `train` saved, whose best copy has gone to its place; the logs stay."""
    (folder / _TRAINED).unlink()
    shutil.rmtree(folder / MODEL)


def _loss(encoder: Encoder, recipe: Recipe, planned: pd.DataFrame) -> ContrastiveEmpathyLoss:
    asker = torch.from_numpy(pd.factorize(planned["question_id"])[0])
    codes, texts = pd.factorize(planned[["question", "positive", "negative"]].to_numpy().ravel())
    lexical = None
    if encoder.lexical is not None:
        no_dense = np.zeros((len(texts), 0), dtype=np.float32)
        lexical = Embedded(no_dense, encoder.lexical.vectors(list(texts)), encoder.weight)
    return ContrastiveEmpathyLoss(encoder.model, recipe.margin, recipe.in_batch, asker, lexical, codes.reshape(-1, 3))


def generic_replies(triplets: pd.DataFrame, count: int) -> list[str]:
    """Generic replies of the training side, spread over all of them, for mode ``margin``.

    Raises:
        ValueError: there is none.
    """
    rows = triplets[(triplets["split"] == "train") & (triplets["kind"] == "generic")]
    replies = list(dict.fromkeys(rows["negative"]))
    if not replies:
        raise ValueError("triplets.parquet has no generic negative on the training side, expected at least one")
    step = max(1, len(replies) // count)
    return replies[::step][:count]


def _keep_own_checkpoints(folder: Path, recipe: Recipe, planned: pd.DataFrame) -> None:
    """Remove what another recipe or other triplets left: going on from there would mix the two."""
    rows = int(pd.util.hash_pandas_object(planned, index=False).sum())
    settings = json.dumps({**asdict(recipe), "rows": rows}, sort_keys=True, default=str, indent=1)
    file = folder / _SETTINGS
    if not file.is_file() or file.read_text(encoding="utf-8") != settings:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        file.write_text(settings, encoding="utf-8")
