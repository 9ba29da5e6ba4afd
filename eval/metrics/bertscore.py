"""BERTScore of replies by a local encoder, through torchmetrics (Zhang et al., 2020, https://arxiv.org/abs/1904.09675).

The F1 of greedily matched token embeddings, without idf and without rescaling to a baseline. What it says hangs on the
encoder and the layer, so both are in the signature.
"""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pandas as pd
from torchmetrics.functional.text.bert import bert_score
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer

from eval.metrics.protocols import Policy

# Pairs compared together: torchmetrics keeps all their token embeddings at once.
_PAIRS: Final = 32


class BertScorer:
    """An encoder, loaded once for all models' replies."""

    def __init__(self, folder: Path, layer: int | None = None, device: str = "cpu", max_tokens: int = 512) -> None:
        """Load the encoder.

        Args:
            folder: of a Hugging Face encoder with its tokenizer.
            layer: whose embeddings are compared, from 1; the last where None.
            device: where it computes.
            max_tokens: of a text; the rest is cut off.

        Raises:
            ValueError: no such folder, or no such layer.
        """
        if not folder.is_dir():
            raise ValueError(f"{folder}: no folder, expected a local encoder for BERTScore")
        self._tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        self._model = AutoModel.from_pretrained(folder, trust_remote_code=False).eval()
        layers = int(self._model.config.num_hidden_layers)
        self._layer = layers if layer is None else layer
        if not 1 <= self._layer <= layers:
            raise ValueError(f"layer {layer} of {folder}, expected 1 to {layers}")
        self._device, self._max_tokens = device, max_tokens
        weights = hashlib.sha256(next(iter(self._model.parameters())).detach().numpy().tobytes()).hexdigest()[:8]
        self.signature = (
            f"bertscore:{folder.name}-{weights}-L{self._layer}-{max_tokens}-torchmetrics-{version('torchmetrics')}"
        )

    def score(self, scores: pd.DataFrame, references: pd.DataFrame, policy: Policy) -> list[float]:
        """F1 of each reply, over its references by the policy; 0 for a reply that shows nothing.

        Args:
            scores: a row a reply, with question_id and shown, of `eval.results.score_replies`.
            references: of `common.records.references.read_references`.
            policy: over the references of a question.
        """
        known = references.set_index("id")["references"]
        there = scores[scores["shown"] != ""]
        replies = enumerate(zip(there["question_id"], there["shown"], strict=True))
        owned = [(row, reply, text) for row, (question_id, reply) in replies for text in known[question_id]]
        pairs = [(reply, text) for _, reply, text in owned]
        values: list[float] = []
        with tqdm(total=len(pairs), desc="BERTScore", unit="pair", disable=None) as bar:
            for start in range(0, len(pairs), _PAIRS):
                piece = pairs[start : start + _PAIRS]
                values += self._f1(piece)
                bar.update(len(piece))
        over = pd.Series(values, index=[row for row, _, _ in owned], dtype=float).groupby(level=0)
        by_reply = over.max() if policy == "best" else over.mean()
        return pd.Series(by_reply.to_numpy(), index=there.index).reindex(scores.index, fill_value=0.0).tolist()

    def _f1(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        result = bert_score(
            [reply for reply, _ in pairs],
            [reference for _, reference in pairs],
            model=self._model,
            user_tokenizer=self._tokenizer,
            num_layers=self._layer,
            device=self._device,
            max_length=self._max_tokens,
            truncation=True,
        )
        return [float(value) for value in result["f1"]]
