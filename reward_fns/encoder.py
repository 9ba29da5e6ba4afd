"""The encoder E of Eq. 5 and 6: a sentence-transformers model, with or without word overlap as a part of it.

With it, E(x) is the model's embedding beside the lexical vector, both of length 1 and weighed so that a cosine is
(cos_model + w · cos_lexical) / (1 + w): a cosine of E all the same, so Eq. 5 and 6 hold as they are written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack
from sentence_transformers import SentenceTransformer

from reward_fns.lexical import LEXICAL_FILE, Lexical

# From how many texts on a progress bar is shown.
_SHOWN: Final = 500


@dataclass(frozen=True, slots=True)
class Embedded:
    """Embeddings of texts, a row a text.

    Attributes:
        dense: the model's, of shape (texts, dimension), each of length 1.
        lexical: of shape (texts, buckets); None where E has no such part.
        weight: of the lexical part.
    """

    dense: npt.NDArray[np.float32]
    lexical: csr_array | None
    weight: float

    def __getitem__(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> "Embedded":
        """The rows asked for, in that order."""
        chosen = np.asarray(rows, dtype=np.int64)
        lexical = None if self.lexical is None else self.lexical[chosen]
        return Embedded(self.dense[chosen], lexical, self.weight)

    def cosines(self, other: "Embedded") -> npt.NDArray[np.float64]:
        """Row by row, of shape (texts,)."""
        dense = np.einsum("ij,ij->i", self.dense, other.dense).astype(np.float64)
        if self.lexical is None or other.lexical is None:
            return dense
        lexical = self.lexical.multiply(other.lexical).sum(axis=1)
        return (dense + self.weight * lexical) / (1 + self.weight)

    def all_cosines(self, other: "Embedded") -> npt.NDArray[np.float64]:
        """Each of these texts with each of the others, of shape (texts, others)."""
        dense = (self.dense @ other.dense.T).astype(np.float64)
        if self.lexical is None or other.lexical is None:
            return dense
        return (dense + self.weight * (self.lexical @ other.lexical.T).toarray()) / (1 + self.weight)


def stack(parts: Sequence[Embedded]) -> Embedded:
    """Rows of the same encoder, one after another."""
    lexical = None
    if parts[0].lexical is not None:
        lexical = csr_array(vstack([part.lexical for part in parts], format="csr"))
    return Embedded(np.concatenate([part.dense for part in parts]), lexical, parts[0].weight)


@dataclass(frozen=True, slots=True)
class Encoder:
    """E.

    Attributes:
        model: embeds texts.
        lexical: its lexical part; None for none.
    """

    model: SentenceTransformer
    lexical: Lexical | None = None

    def encode(self, texts: Sequence[str]) -> Embedded:
        """Embeddings, in the order of the texts."""
        shown = len(texts) > _SHOWN
        dense = np.asarray(self.model.encode(list(texts), normalize_embeddings=True, show_progress_bar=shown))
        if self.lexical is None:
            return Embedded(dense, None, 0.0)
        return Embedded(dense, self.lexical.vectors(texts), self.lexical.share)

    def save(self, folder: Path) -> None:
        """Write the sentence-transformers model, and the lexical part beside it."""
        self.model.save(str(folder), create_model_card=False)
        (folder / LEXICAL_FILE).unlink(missing_ok=True)
        if self.lexical is not None:
            self.lexical.save(folder)

    @classmethod
    def load(cls, folder: Path, device: str) -> "Encoder":
        """Read what `save` wrote; any sentence-transformers folder is an encoder without a lexical part.

        It computes in float32, whatever it was saved in: T is chosen on such cosines, and bfloat16 moves them by up to
        0.4 %, around a threshold that is hard.

        Raises:
            ValueError: the lexical part is damaged.
        """
        model = SentenceTransformer(
            str(folder), device=device, trust_remote_code=False, model_kwargs={"dtype": "float32"}
        )
        return cls(model, Lexical.load(folder))
