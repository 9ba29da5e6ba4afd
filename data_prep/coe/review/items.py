"""What is reviewed: chains with their post and response, and which reviewer sees which of them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from common.files import FileError, read_json_lines
from common.records.question import Question
from data_prep.coe.review.page import prediction, texts
from data_prep.split import draw
from reward_fns.coe_format import LAYERS

_TRIAL: Final = Path(__file__).with_name("trial.jsonl")


@dataclass(frozen=True, slots=True)
class Item:
    """A chain for review.

    Attributes:
        id: of the question; of a model's output one that tells nothing of the model.
        question: with title, description and topic.
        response: what the chain leads to.
        layers: as the teacher wrote them.
        provenance: where they come from.
        answer: what a trial's reviewer should come to; "" for all others.
        expected: a trial's decision; "" for all others.
    """

    id: str
    question: Question
    response: str
    layers: tuple[str, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    answer: str = ""
    expected: str = ""

    @property
    def trial(self) -> bool:
        """Whether its verdict is known, and none of the results."""
        return bool(self.expected)

    def task(self, number: int, trials: int) -> dict[str, Any]:
        """What Label Studio is given.

        Args:
            number: of the page, from 1.
            trials: how many pages the trial has.
        """
        notice = texts()["trial"].format(count=trials) if self.trial else ""
        data = {
            "item": self.id,
            "page": number,
            "post": self.question.post,
            "response": self.response,
            "notice": notice,
            "answer": self.answer,
        }
        return {"data": data, "predictions": [prediction(self.layers)]}


def read_items(path: Path) -> list[Item]:
    """The chains of a set, see `data_prep.coe.chains`.

    Raises:
        FileError: a line that is no chain; the message names it.
    """
    found = []
    for number, line in read_json_lines(path):
        try:
            layers = tuple(str(line["coe"][name]) for name in LAYERS)
            response = str(line["responses"][0]["text"])
            question = Question(
                id=str(line["id"]),
                title=str(line["title"]),
                description=str(line["description"]),
                topic=str(line.get("topic", "")),
                responses=(response,),
            )
        except (KeyError, IndexError, TypeError) as error:
            raise FileError(
                f"{path}:{number}: no {error}, expected a chain as `make coe` writes it. Correct the line."
            ) from error
        found.append(
            Item(
                question.id,
                question,
                response,
                layers,
                line.get("provenance") or {},
                str(line.get("answer", "")),
                str(line.get("expected", "")),
            )
        )
    return found


def trial() -> list[Item]:
    """The ten chains of the trial, whose verdicts are known."""
    return read_items(_TRIAL)


def owners(id: str, reviewers: Sequence[str], overlap: float, seed: int) -> list[str]:
    """Who reviews a chain: one reviewer, or two for a share of them; the first one's text counts.

    Args:
        overlap: the share that two reviewers see.
    """
    place = int.from_bytes(draw(seed, "reviewer", id)[:4], "big") % len(reviewers)
    twice = int.from_bytes(draw(seed, "overlap", id)[:4], "big") / 2**32 < overlap
    return [reviewers[(place + step) % len(reviewers)] for step in range(2 if twice and len(reviewers) > 1 else 1)]


def blind_id(*parts: str) -> str:
    """An id that tells nothing of the model whose output it is."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
