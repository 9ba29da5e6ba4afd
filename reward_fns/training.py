"""Trains the reward model: Eq. 5 on triplets and in-batch negatives, and T on held-out pairs."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor
from transformers import AutoTokenizer

from reward_fns.reward_model import Threshold

STATIC = "static"
# Two rows ask the same question where their cosine is this close to 1; float32 leaves about 1e-7.
_SAME_QUESTION = 1e-5
THRESHOLD_RULE = "largest true minus false positive rate on held-out pairs (Youden's J)"


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


def choose_threshold(model: SentenceTransformer, triplets: pd.DataFrame) -> Threshold:
    """T where true minus false positive rate is largest on the held-out questions' pairs.

    Raises:
        ValueError: no held-out row.
    """
    rows = triplets[triplets["split"] == "heldout"]
    if rows.empty:
        raise ValueError("triplets.parquet has no held-out row, so no threshold can be chosen; give it more questions")
    good = rows[["question", "positive"]].drop_duplicates().rename(columns={"positive": "answer"}).assign(kind="good")
    bad = rows[["question", "negative", "kind"]].drop_duplicates().rename(columns={"negative": "answer"})
    pairs = pd.concat([good, bad], ignore_index=True)
    cosine = torch.nn.functional.cosine_similarity(
        torch.from_numpy(model.encode(pairs["question"].tolist(), show_progress_bar=False)),
        torch.from_numpy(model.encode(pairs["answer"].tolist(), show_progress_bar=False)),
    ).numpy()
    label = (pairs["kind"] == "good").to_numpy()
    false_positive, true_positive, cuts = roc_curve(label, cosine)
    best = int(np.argmax(true_positive - false_positive))
    # Half-way to the next lower score: the cut itself is the cosine of a pair, and Eq. 6 asks for more than T.
    lower = cosine[cosine < cuts[best]]
    value = float((cuts[best] + lower.max()) / 2) if lower.size else float(cuts[best]) - 1e-6
    kinds = sorted(set(pairs["kind"]) - {"good"})
    auc = {kind: float(roc_auc_score(label[m := label | (pairs["kind"] == kind)], cosine[m])) for kind in kinds}
    return Threshold(
        value=value,
        rule=THRESHOLD_RULE,
        pairs=len(pairs),
        accuracy=float((true_positive[best] + 1 - false_positive[best]) / 2),
        auc=auc,
    )
