"""The reward model as it is used: an encoder E, the cosine of question and answer, and the stored threshold T (Eq. 6).

A reward model is a folder: a sentence-transformers model and ``threshold.json``, both made by `make reward-model`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

THRESHOLD_FILE = "threshold.json"


@dataclass(frozen=True, slots=True)
class Threshold:
    """T of Eq. 6 with how it was chosen.

    Attributes:
        value: cosine above which an answer is rewarded.
        rule: how `value` follows from the held-out pairs.
        pairs: number of held-out (question, answer) pairs, good and bad.
        accuracy: share of held-out pairs on the right side of `value`, good and bad weighted equally.
        auc: area under the ROC curve by kind of negative.
    """

    value: float
    rule: str
    pairs: int
    accuracy: float
    auc: dict[str, float]

    def save(self, folder: Path) -> None:
        """Write ``threshold.json`` into the model's folder."""
        (folder / THRESHOLD_FILE).write_text(json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Threshold":
        """Read ``threshold.json``.

        Raises:
            FileNotFoundError: the folder holds none; `make reward-model` writes it.
            ValueError: it lacks a key, or its threshold is no cosine.
        """
        path = folder / THRESHOLD_FILE
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: no reward without a threshold. Run `make reward-model`.")
        try:
            threshold = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path}: {error}. Run `make reward-model` again.") from error
        if not -1.0 <= threshold.value <= 1.0:
            raise ValueError(f"{path}: value is {threshold.value}, expected a cosine between -1 and 1")
        return threshold


class RewardModel:
    """E, cosine and T, loaded from a folder."""

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        self.threshold = Threshold.load(folder)
        self._encoder = SentenceTransformer(str(folder), device=device, trust_remote_code=False)

    def cosines(self, questions: Sequence[str], answers: Sequence[str]) -> list[float]:
        """cos(E(q), E(a)) of each pair.

        Raises:
            ValueError: unequal numbers of questions and answers.
        """
        if len(questions) != len(answers):
            raise ValueError(f"{len(questions)} questions and {len(answers)} answers, expected as many of each")
        if not questions:
            return []
        # A group's answers share their question: each text is encoded once.
        texts = list(dict.fromkeys([*questions, *answers]))
        vectors = self._encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        vector_of = dict(zip(texts, vectors, strict=True))
        return [float(np.dot(vector_of[q], vector_of[a])) for q, a in zip(questions, answers, strict=True)]
