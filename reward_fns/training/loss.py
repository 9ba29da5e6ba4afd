"""Eq. 5, the reward model's contrastive loss."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from reward_fns.encoder import Embedded, Encoder


def contrastive_loss(
    positive: Tensor, negative: Tensor, others: Tensor, asker: Tensor, margin: float, in_batch: float
) -> Tensor:
    """Eq. 5 over a batch: the mean over each row's explicit negative, and the mean over the batch's other answers.

    The paper does not say how much the in-batch negatives count. A plain mean over all pairs would give a batch of 64
    a share of 98 % to them, which are the easy ones, so their share is an argument.

    Args:
        positive: cos(E(q), E(a+)), of shape (batch,).
        negative: cos(E(q), E(a-)), same shape.
        others: row i, column j: cos of q_i and the positive of row j, of shape (batch, batch).
        asker: (batch,) integers, equal where two rows are about the same question: one's positive is then no
            negative of the other.
        margin: m.
        in_batch: share of the in-batch negatives in the loss, 0 to 1.

    Returns:
        a scalar: of max(0, cos(q, a-) - cos(q, a+) + m), (1 - in_batch) times the mean over the explicit negatives
        plus in_batch times the mean over the in-batch ones; the first alone where a batch holds none of these.
    """
    explicit = torch.relu(negative - positive + margin).mean()
    elsewhere = asker[:, None] != asker[None, :]
    if not elsewhere.any():
        return explicit
    from_batch = torch.relu(others - positive[:, None] + margin)[elsewhere].mean()
    return (1 - in_batch) * explicit + in_batch * from_batch


class ContrastiveEmpathyLoss(torch.nn.Module):
    """`contrastive_loss` in the form that the sentence-transformers trainer calls; a row's label is its number.

    Args:
        rows: the training data, with columns question_id, question, positive and negative, in the order of training.
        margin: m.
        in_batch: see `contrastive_loss`.
    """

    def __init__(self, encoder: Encoder, rows: pd.DataFrame, margin: float, in_batch: float) -> None:
        super().__init__()
        self.model = encoder.model
        self.margin, self.in_batch = margin, in_batch
        self.asker = torch.from_numpy(pd.factorize(rows["question_id"])[0])
        self.lexical: Embedded | None = None
        if encoder.lexical is not None:
            codes, texts = pd.factorize(rows[["question", "positive", "negative"]].to_numpy().ravel())
            no_dense = np.zeros((len(texts), 0), dtype=np.float32)
            self.lexical = Embedded(no_dense, encoder.lexical.vectors(list(texts)), encoder.lexical.share)
            self.places = codes.reshape(-1, 3)

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor) -> Tensor:
        # In float32 whatever the encoder computes in: differences of cosines are small.
        embedded = [self.model(part)["sentence_embedding"].float() for part in sentence_features]
        question, positive, negative = (torch.nn.functional.normalize(part, dim=-1) for part in embedded)
        own, explicit, others = (question * positive).sum(-1), (question * negative).sum(-1), question @ positive.T
        if self.lexical is not None:
            q, p, n = (self.lexical[column] for column in self.places[labels.cpu().numpy()].T)
            # These have no dense part, so what they give is the lexical part's share already.
            shares = q.cosines(p), q.cosines(n), q.all_cosines(p)
            own, explicit, others = (
                cosine / (1 + q.weight) + torch.from_numpy(share).to(cosine)
                for cosine, share in zip((own, explicit, others), shares, strict=True)
            )
        asker = self.asker[labels.cpu()].to(labels.device)
        return contrastive_loss(own, explicit, others, asker, self.margin, self.in_batch)
