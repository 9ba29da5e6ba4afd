"""Which questions get a chain: of the training split, none at risk unless asked, by a seeded draw."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.files import FileError
from common.records.question import Question, from_table
from data_prep.coe.config import CoEConfig
from data_prep.split import draw


@dataclass(frozen=True, slots=True)
class Drawn:
    """A question with the response that its chain is for."""

    question: Question
    response: str


def training_questions(path: Path) -> list[Question]:
    """The training split of ``questions.parquet``, as `make data` wrote it.

    Raises:
        FileError: the file is another one.
    """
    try:
        table = pq.read_table(path)
        return list(from_table(table.filter(pc.field("split") == "train")))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FileError(f"{path}: {error}, expected the questions that `make data` wrote.") from error


def drawn(questions: Sequence[Question], config: CoEConfig, seed: int, flagged: Collection[str]) -> list[Drawn]:
    """All questions that may get a chain, in the order of the draw; near-duplicates count as one.

    The first n of them are the draw of n: at random, or with each topic's share.

    Args:
        questions: of the training split, treated.
        flagged: ids that reviewers called acute.

    Raises:
        ValueError: none is left.
    """
    able = [
        question
        for question in questions
        if (config.at_risk or not question.at_risk) and question.id not in flagged and question.responses
    ]
    ordered = sorted(able, key=lambda question: draw(seed, "coe", question.id))
    # The first of each group: its other posts are alike.
    ordered = list({question.group or question.id: question for question in reversed(ordered)}.values())[::-1]
    if not ordered:
        raise ValueError(
            f"coe: none of {len(questions)} training questions may get a chain: they are at risk or flagged. "
            "at_risk=true lets posts at risk in."
        )
    if config.stratified:
        ordered = _stratified(ordered)
    return [Drawn(question, _response(question, config.response, seed)) for question in ordered]


def _stratified(ordered: Sequence[Question]) -> list[Question]:
    """An order in which each beginning has every topic's share, as near as can be."""
    of_topic = defaultdict(list)
    for question in ordered:
        of_topic[question.topic].append(question)
    place = {
        question.id: (rank + 0.5) / len(members)
        for members in of_topic.values()
        for rank, question in enumerate(members)
    }
    return sorted(ordered, key=lambda question: place[question.id])


def _response(question: Question, which: str, seed: int) -> str:
    if which == "longest":
        return max(question.responses, key=len)
    if which == "first":
        return question.responses[0]
    return min(question.responses, key=lambda text: draw(seed, "coe response", question.id, text))
