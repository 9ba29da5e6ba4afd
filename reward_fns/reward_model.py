"""The reward model as it is used: an encoder E, the cosine of question and answer, and the rewards made of it (Eq. 6).

A reward model is a folder: a sentence-transformers model, ``threshold.json`` and ``generic.json``, all made by
`make reward-model`.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scipy.special import expit

from common.files import write_json
from reward_fns.encoder import Embedded, Encoder, stack
from reward_fns.judgement import Judgement

THRESHOLD_FILE = "threshold.json"
GENERIC_FILE = "generic.json"


@dataclass(frozen=True, slots=True)
class Threshold:
    """T of Eq. 6 with how it was chosen, and what the other modes need.

    Attributes:
        value: cosine above which an answer is rewarded.
        rule: how `value` follows from the held-out pairs.
        pairs: number of held-out (question, answer) pairs, good and bad.
        accuracy: share of held-out pairs on the right side of `value`, good and bad weighted equally.
        auc: area under the ROC curve by kind of negative.
        false_positive_rate: share of each kind of negative above `value`.
        true_positive_rate: share of the good pairs above `value`.
        slope, intercept: of the logistic curve that says how likely a pair with a cosine is a good one (Platt, 1999).
        margin: m of Eq. 5 that the encoder was trained with.
    """

    value: float
    rule: str
    pairs: int
    accuracy: float
    auc: dict[str, float]
    false_positive_rate: dict[str, float]
    true_positive_rate: float
    slope: float
    intercept: float
    margin: float

    def save(self, folder: Path) -> None:
        """Write ``threshold.json`` into the model's folder."""
        write_json(folder / THRESHOLD_FILE, asdict(self), indent=2)

    @classmethod
    def load(cls, folder: Path) -> "Threshold":
        """Read ``threshold.json``.

        Raises:
            FileNotFoundError: the folder holds none; `make reward-model` writes it.
            ValueError: it lacks a key, or its threshold is no cosine.
        """
        path = folder / THRESHOLD_FILE
        content = _read(path)
        try:
            threshold = cls(**content)
        except TypeError as error:
            raise ValueError(f"{path}: {error}. Run `make reward-model` again.") from error
        if not -1.0 <= threshold.value <= 1.0:
            raise ValueError(f"{path}: value is {threshold.value}, expected a cosine between -1 and 1")
        if not threshold.margin > 0:
            raise ValueError(f"{path}: margin is {threshold.margin}, expected a number above 0")
        return threshold


class RewardModel:
    """E, cosine and T, loaded from a folder."""

    def __init__(self, folder: Path, device: str = "cpu", cached: int = 1024) -> None:
        """Load everything.

        Args:
            cached: how many questions' embeddings are kept: a group's answers share theirs, and epochs repeat it.

        Raises:
            FileNotFoundError: the folder lacks T or the generic replies.
            ValueError: one of them is not as `make reward-model` writes it.
        """
        self.threshold = Threshold.load(folder)
        self._encoder = Encoder.load(folder, device)
        self._generic = self._encoder.encode(load_generic(folder))
        self._cached = cached
        self._known: OrderedDict[str, Embedded] = OrderedDict()
        self.hits = 0

    def judge(self, questions: Sequence[str], answers: Sequence[str]) -> list[Judgement]:
        """A judgement of each pair.

        Raises:
            ValueError: unequal numbers of questions and answers.
        """
        if len(questions) != len(answers):
            raise ValueError(f"{len(questions)} questions and {len(answers)} answers, expected as many of each")
        if not questions:
            return []
        known = {question: self._known[question] for question in set(questions) if question in self._known}
        self.hits += len(known)
        # Each text is encoded once, all of them in one go: the encoder sorts them by length.
        texts = [text for text in dict.fromkeys([*questions, *answers]) if text not in known]
        embedded = stack([*known.values(), *([self._encoder.encode(texts)] if texts else [])])
        place = {text: number for number, text in enumerate([*known, *texts])}
        asked = list(dict.fromkeys(questions))
        self._keep({question: embedded[[place[question]]] for question in asked})
        closest = embedded[[place[question] for question in asked]].all_cosines(self._generic).max(axis=1)
        generic = dict(zip(asked, closest.tolist(), strict=True))
        rows = embedded[[place[question] for question in questions]]
        cosines = rows.cosines(embedded[[place[answer] for answer in answers]]).tolist()
        stored = self.threshold
        return [
            Judgement(
                cosine=cosine,
                threshold=float(cosine > stored.value),
                dense=float(expit(stored.slope * cosine + stored.intercept)),
                margin=min(max((cosine - generic[question]) / stored.margin, 0.0), 1.0),
            )
            for question, cosine in zip(questions, cosines, strict=True)
        ]

    def cosines(self, questions: Sequence[str], answers: Sequence[str]) -> list[float]:
        """cos(E(q), E(a)) of each pair; see `judge`."""
        return [judgement.cosine for judgement in self.judge(questions, answers)]

    def _keep(self, vectors: dict[str, Embedded]) -> None:
        """Remember questions, and forget those that were asked longest ago."""
        for question, vector in vectors.items():
            self._known[question] = vector
            self._known.move_to_end(question)
        while len(self._known) > self._cached:
            self._known.popitem(last=False)


def save_generic(folder: Path, replies: Sequence[str]) -> None:
    """Write the generic replies that mode ``margin`` compares with."""
    write_json(folder / GENERIC_FILE, list(replies))


def load_generic(folder: Path) -> list[str]:
    """Read the generic replies.

    Raises:
        FileNotFoundError: the folder holds none; `make reward-model` writes them.
        ValueError: not a list of texts, or an empty one.
    """
    path = folder / GENERIC_FILE
    replies = _read(path)
    if not isinstance(replies, list) or not replies or not all(isinstance(reply, str) for reply in replies):
        raise ValueError(f"{path}: expected a list of texts, at least one. Run `make reward-model` again.")
    return replies


def _read(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. Run `make reward-model`.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: {error}. Run `make reward-model` again.") from error
