"""Word overlap as a part of the encoder: TF-IDF of character n-grams, hashed, with weights learned from a corpus.

A response quotes its post, and a small encoder averages such quotes away: beside TF-IDF it ranks responses about the
same matter no better (docs/log.md), together they do. Grams are hashed so that no vocabulary has to be kept, and one
never met in the corpus weighs nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, diags_array
from sklearn.feature_extraction.text import HashingVectorizer

LEXICAL_FILE: Final = "lexical.npz"
_GRAMS: Final = (1, 3)
_BUCKETS: Final = 2**20
_NEVER_EMPTY: Final = 1e-12


class Lexical:
    """Texts to sparse vectors of length 1 (0 for a text without a known gram), `BUCKETS` wide."""

    def __init__(self, weights: npt.NDArray[np.float32], share: float) -> None:
        """Take the weight of each bucket, and how much the whole counts beside the encoder's 1."""
        self.weights, self.share = weights, share
        self._counter = HashingVectorizer(
            analyzer="char", ngram_range=_GRAMS, n_features=_BUCKETS, norm=None, alternate_sign=False
        )

    @classmethod
    def fit(cls, texts: Sequence[str], share: float) -> "Lexical":
        """Weights from a corpus: the logarithm of a gram's rarity, 0 for one that no text holds."""
        lexical = cls(np.zeros(_BUCKETS, dtype=np.float32), share)
        frequency = np.bincount(lexical._counter.transform(texts).indices, minlength=_BUCKETS)
        rarity = np.log((1 + len(texts)) / (1 + frequency)) + 1
        lexical.weights = np.where(frequency > 0, rarity, 0).astype(np.float32)
        return lexical

    def vectors(self, texts: Sequence[str]) -> csr_array:
        """A row a text."""
        counts = csr_array(self._counter.transform(texts), dtype=np.float32)
        counts.data = (1 + np.log(counts.data)) * self.weights[counts.indices]
        lengths = np.sqrt(counts.multiply(counts).sum(axis=1))
        return csr_array(diags_array(1 / np.maximum(lengths, _NEVER_EMPTY)) @ counts, dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write ``lexical.npz``."""
        np.savez(folder / LEXICAL_FILE, weights=self.weights, share=self.share)

    @classmethod
    def load(cls, folder: Path) -> "Lexical | None":
        """Read ``lexical.npz``; None where there is none.

        Raises:
            ValueError: not as `save` writes it.
        """
        file = folder / LEXICAL_FILE
        if not file.is_file():
            return None
        try:
            content = np.load(file, allow_pickle=False)
            return cls(content["weights"].reshape(_BUCKETS), float(content["share"]))
        except (KeyError, TypeError, ValueError, OSError, BadZipFile) as error:
            raise ValueError(f"{file}: {error}. Run `make reward-model` again.") from error
