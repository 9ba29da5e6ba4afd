"""Eq. 5, the reward model's contrastive loss."""

from collections.abc import Iterable

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor


def contrastive_loss(
    question: Tensor, positive: Tensor, negative: Tensor, asker: Tensor, margin: float, in_batch: float
) -> Tensor:
    """Eq. 5 over a batch: the mean over each row's explicit negative, and the mean over the batch's other answers.

    The paper does not say how much the in-batch negatives count. A plain mean over all pairs would give a batch of 64
    a share of 98 % to them, which are the easy ones, so their share is an argument.

    Args:
        question: E(q), of shape (batch, dimension).
        positive: E(a+), same shape.
        negative: E(a-), same shape.
        asker: (batch,) integers, equal where two rows are about the same question: one's positive is then no
            negative of the other.
        margin: m.
        in_batch: share of the in-batch negatives in the loss, 0 to 1.

    Returns:
        a scalar: of max(0, cos(q, a-) - cos(q, a+) + m), (1 - in_batch) times the mean over the explicit negatives
        plus in_batch times the mean over the in-batch ones; the first alone where a batch holds none of these.
    """
    question, positive, negative = (torch.nn.functional.normalize(x, dim=-1) for x in (question, positive, negative))
    cos_positive = (question * positive).sum(-1, keepdim=True)
    explicit = torch.relu((question * negative).sum(-1, keepdim=True) - cos_positive + margin).mean()
    # Row i, column j: q_i against the positive of row j.
    other = asker[:, None] != asker[None, :]
    if not other.any():
        return explicit
    others = torch.relu(question @ positive.T - cos_positive + margin)[other].mean()
    return (1 - in_batch) * explicit + in_batch * others


class ContrastiveEmpathyLoss(torch.nn.Module):
    """`contrastive_loss` in the form that the sentence-transformers trainer calls."""

    def __init__(self, model: SentenceTransformer, margin: float, in_batch: float) -> None:
        super().__init__()
        self.model = model
        self.margin = margin
        self.in_batch = in_batch

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor) -> Tensor:
        # In float32 whatever the encoder computes in: differences of cosines are small.
        question, positive, negative = (self.model(part)["sentence_embedding"].float() for part in sentence_features)
        return contrastive_loss(question, positive, negative, labels, self.margin, self.in_batch)

    def get_config_dict(self) -> dict[str, float]:
        """What the trainer notes of the loss."""
        return {"margin": self.margin, "in_batch": self.in_batch}
