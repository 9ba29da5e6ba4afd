"""Rankings of replies: people and the judge write the same JSON Lines, so that the same code analyses both."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from common.files import FileError, read_json_lines, write_json_lines

# What one holistic ranking goes by (section 4.2.2 of the paper).
CRITERIA: Final = ("fluency", "identification", "comforting", "suggestion")

RANKINGS_FILE: Final = "rankings.jsonl"


@dataclass(frozen=True, slots=True)
class Ranking:
    """One rater's order of one question's replies.

    Attributes:
        rater: an annotator's or judge's name.
        question_id: of which question.
        order: the models, best first, each once; without ties.
        attention: an item whose right order is known, for checking that the rater reads; never analysed.
        passed: of an attention item: whether it was put as it should be; None of others.
    """

    rater: str
    question_id: str
    order: tuple[str, ...]
    attention: bool = False
    passed: bool | None = None


def write_rankings(path: Path, rankings: Iterable[Ranking]) -> None:
    """JSON Lines, a ranking a line."""
    write_json_lines(path, map(asdict, rankings))


def read_rankings(path: Path) -> list[Ranking]:
    """Read a file of `write_rankings`.

    Raises:
        FileError: a malformed line, a model twice in an order, or a rater's question twice.
    """
    rankings: list[Ranking] = []
    seen: set[tuple[str, str]] = set()
    for number, record in read_json_lines(path):
        try:
            ranking = Ranking(**{**record, "order": tuple(record["order"])})
        except (KeyError, TypeError) as error:
            raise FileError(f"{path}:{number}: {error!r}, expected rater, question_id and order") from error
        if len(set(ranking.order)) < len(ranking.order) or len(ranking.order) < 2:
            raise FileError(f"{path}:{number}: order {list(ranking.order)}, expected each model once, two or more")
        if (ranking.rater, ranking.question_id) in seen and not ranking.attention:
            raise FileError(f"{path}:{number}: {ranking.rater} has ranked question {ranking.question_id} twice")
        seen.add((ranking.rater, ranking.question_id))
        rankings.append(ranking)
    return rankings
