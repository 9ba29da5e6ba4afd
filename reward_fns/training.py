"""Trains the reward model: Eq. 5 on triplets and in-batch negatives. T is chosen in `threshold`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from torch import Tensor
from transformers import AutoTokenizer

STATIC = "static"
# Two rows ask the same question where their cosine is this close to 1; float32 leaves about 1e-7.
_SAME_QUESTION = 1e-5


def contrastive_loss(question: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Eq. 5, averaged over each row's explicit negative and, as negatives (3), the other questions' positives.

    Args:
        question: E(q), of shape (batch, dimension).
        positive: E(a+), same shape.
        negative: E(a-), same shape.
        margin: m.

    Returns:
        a scalar: the mean of max(0, cos(q, a-) - cos(q, a+) + m) over all pairs of a question and a negative.
    """
    question, positive, negative = (torch.nn.functional.normalize(x, dim=-1) for x in (question, positive, negative))
    cos_positive = (question * positive).sum(-1, keepdim=True)
    cos_explicit = (question * negative).sum(-1, keepdim=True)
    # Row i, column j: q_i against the positive of row j, which is no negative where row j asks the same question.
    other = (question @ question.T).detach() < 1 - _SAME_QUESTION
    explicit = torch.relu(cos_explicit - cos_positive + margin).squeeze(-1)
    in_batch = torch.relu(question @ positive.T - cos_positive + margin)[other]
    return torch.cat([explicit, in_batch]).mean()


class ContrastiveEmpathyLoss(torch.nn.Module):
    """`contrastive_loss` in the form that the sentence-transformers trainer calls."""

    def __init__(self, model: SentenceTransformer, margin: float) -> None:
        super().__init__()
        self.model = model
        self.margin = margin

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor | None) -> Tensor:
        del labels
        question, positive, negative = (self.model(features)["sentence_embedding"] for features in sentence_features)
        return contrastive_loss(question, positive, negative, self.margin)


def build_encoder(encoder: str, tokenizer_from: str, dimension: int, device: str) -> SentenceTransformer:
    """The encoder to train.

    Args:
        encoder: "static" for an embedding bag over the tokenizer of the model `tokenizer_from` (seconds on a CPU),
            otherwise a sentence-transformers model, by id or folder.
        dimension: of the embedding bag.
    """
    if encoder != STATIC:
        return SentenceTransformer(encoder, device=device, trust_remote_code=False)
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_from, trust_remote_code=False)
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=dimension)], device=device)


def train(
    model: SentenceTransformer, triplets: pd.DataFrame, margin: float, arguments: Mapping[str, Any], folder: Path
) -> float:
    """Train `model` in place on the rows of split "train".

    Args:
        triplets: columns question, positive, negative, kind, split. Rows of kind "in_batch" are for measuring only:
            in training the batch itself brings them.
        arguments: passed on to SentenceTransformerTrainingArguments.
        folder: for the trainer's own files.

    Returns:
        the mean training loss.

    Raises:
        ValueError: no row to train on.
    """
    rows = triplets[(triplets["split"] == "train") & (triplets["kind"] != "in_batch")]
    if rows.empty:
        raise ValueError("triplets.parquet has no training row with an explicit negative, expected at least one")
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(folder),
            **arguments,
        ),
        train_dataset=Dataset.from_pandas(rows[["question", "positive", "negative"]], preserve_index=False),
        loss=ContrastiveEmpathyLoss(model, margin),
    )
    return float(trainer.train().training_loss)


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
