"""Rankings of replies, and the verdicts that the judge's follow from.

People and the judge write the same ``rankings.jsonl``, so that the same code analyses both. ``verdicts.jsonl`` of `make
judge` has a line for every answer of the judge, malformed ones too: those count as attempts, and what they used was
paid for.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TextIO

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
    """Read a file of `write_rankings`, or one like it from elsewhere: JSON Lines, or a JSON array of the same objects.

    Keys that are not ours are passed over.

    Raises:
        FileError: a malformed entry, ties, a model twice in an order, a rater's question twice, or Label Studio's own
            export; the message says what to do.
    """
    rankings: list[Ranking] = []
    seen: set[tuple[str, str]] = set()
    for where, record in _records(path):
        ranking = _ranking(record, where)
        if (ranking.rater, ranking.question_id) in seen and not ranking.attention:
            told = f"{ranking.rater} has ranked question {ranking.question_id} twice"
            raise FileError(f"{where}: {told}. Keep one of the lines.")
        seen.add((ranking.rater, ranking.question_id))
        rankings.append(ranking)
    return rankings


_EXPECTED: Final = 'expected {"rater": "anna", "question_id": "q1", "order": ["best model", "next", …]}'


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of the file, each with where it stands."""
    if not _is_array(path):
        yield from ((f"{path}:{number}", record) for number, record in read_json_lines(path))
        return
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileError(f"{path}: not JSON ({error}). Correct it, or write JSON Lines, a ranking a line.") from error
    for number, record in enumerate(content, start=1):
        where = f"{path}, entry {number}"
        if not isinstance(record, dict):
            raise FileError(f"{where}: {type(record).__name__}, {_EXPECTED}.")
        yield where, record


def _is_array(path: Path) -> bool:
    if not path.is_file():
        return False  # the reader of lines says so
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def _ranking(record: Mapping[str, Any], where: str) -> Ranking:
    if exported := _EXPORTED & record.keys():
        raise FileError(
            f"{where}: {min(exported)!r} is a key of Label Studio's own export, whose labels name no model. "
            "`make ranking ARGS=action=export` reads the study and writes rankings.jsonl."
        )
    if missing := [key for key in ("rater", "question_id", "order") if key not in record]:
        raise FileError(f"{where}: no {missing[0]}, {_EXPECTED}. Add it.")
    order = record["order"]
    if not isinstance(order, list):
        raise FileError(f"{where}: order is {order!r}, expected a list of the models, best first. {_EXPECTED}.")
    if any(isinstance(place, list) for place in order):
        raise FileError(
            f"{where}: order {order} has ties, which Win@1 and mean rank can't count. Put one before the other."
        )
    if len(order) < 2 or len(set(map(str, order))) < len(order):
        raise FileError(f"{where}: order {order}, expected each model once, two or more. Correct the line.")
    texts = [record["rater"], record["question_id"], *order]
    if odd := [text for text in texts if not isinstance(text, str) or not text.strip()]:
        raise FileError(f"{where}: {odd[0]!r} is no name, {_EXPECTED}. Write it as a text.")
    attention, passed = record.get("attention", False), record.get("passed")
    if not isinstance(attention, bool):
        raise FileError(f"{where}: attention is {attention!r}, expected true or false. Correct it or leave it out.")
    if not isinstance(passed, bool) and (attention or passed is not None):
        raise FileError(f"{where}: passed is {passed!r}, expected true or false of an attention check. Correct it.")
    return Ranking(record["rater"], record["question_id"], tuple(order), attention, passed)


# Keys that its exports as JSON and JSON_MIN have and a ranking does not.
_EXPORTED: Final = frozenset({"annotations", "annotation_id"})


# A is the reply shown first.
Choice = Literal["A", "B", "tie"]

CHOICES: Final = ("A", "B", "tie")
OVERALL: Final = "overall"
# What a verdict decides, in the order in which it is asked: the whole after its parts.
KEYS: Final = (*CRITERIA, OVERALL)


# Why an answer ended that holds no verdict: at the limit of tokens, or refused by the server or the model.
CUT: Final = "length"
REFUSED: Final = "refused"


class VerdictError(ValueError):
    """An answer that is no verdict; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models' replies to one question, in the order in which the judge reads them."""

    question_id: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the judge, a line of the file.

    Attributes:
        question_id: of which question.
        first: the model whose reply was A.
        second: the model whose reply was B.
        attempt: which answer to this comparison, from 1.
        verdict: a choice for each of KEYS; None of a malformed answer.
        problem: what is wrong with a malformed answer; "" of others.
        structured: whether the model was held to the schema.
        tokens_in: of the prompt.
        tokens_out: of the answer.
        finish_reason: why it ended: CUT, REFUSED, or in the server's words.
        estimated: the server told no tokens, and these are the most that it can have used.
    """

    question_id: str
    first: str
    second: str
    attempt: int
    verdict: dict[str, Choice] | None
    problem: str
    structured: bool
    tokens_in: int
    tokens_out: int
    finish_reason: str = ""
    estimated: bool = False

    @property
    def comparison(self) -> Comparison:
        """What it answers."""
        return Comparison(self.question_id, self.first, self.second)


def append_answer(file: TextIO, answer: Answer) -> None:
    """Write one line at once, so that a kill loses no answer that was paid for."""
    file.write(json.dumps(asdict(answer)) + "\n")
    file.flush()


def read_answers(path: Path) -> list[Answer]:
    """Read the file, of which half a last line is cut off first.

    Raises:
        FileError: a line that is no answer, or an attempt twice.
    """
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)
    found: dict[tuple[Comparison, int], Answer] = {}
    for number, record in read_json_lines(path):
        try:
            answer = Answer(**record)
            if answer.verdict is not None:
                check_verdict(answer.verdict)
        except (TypeError, VerdictError) as error:
            raise FileError(f"{path}:{number}: {error}, expected an answer of the judge. Remove the line.") from error
        if found.setdefault((answer.comparison, answer.attempt), answer) is not answer:
            raise FileError(f"{path}:{number}: this attempt stands there twice. Two runs at once? Remove the line.")
    return list(found.values())


def check_verdict(found: Any) -> dict[str, Choice]:
    """An object with a choice for each of KEYS, and nothing else.

    Raises:
        VerdictError: it is not; the message holds what was found, shortened.
    """
    if not isinstance(found, dict) or set(found) != set(KEYS):
        raise VerdictError(f"expected exactly the keys {', '.join(KEYS)}: {excerpt(repr(found))}")
    if wrong := [key for key, value in found.items() if value not in CHOICES]:
        raise VerdictError(f"{wrong[0]} is {excerpt(repr(found[wrong[0]]))}, expected A, B or tie")
    return dict(found)


def excerpt(text: str) -> str:
    """At most 200 characters of what was found."""
    return text if len(text) <= 200 else text[:200] + " …"
