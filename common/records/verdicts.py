"""``verdicts.jsonl`` of `make judge`: a line for every answer of the judge, malformed ones too.

Those count as attempts, and what they used was paid for.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TextIO

from common.files import FileError, read_json_lines
from common.records.rankings import CRITERIA

# A is the reply shown first.
Choice = Literal["A", "B", "tie"]

CHOICES: Final = ("A", "B", "tie")
OVERALL: Final = "overall"
# What a verdict decides, in the order in which it is asked: the whole after its parts.
KEYS: Final = (*CRITERIA, OVERALL)


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
        path.write_bytes(content[: content.rfind(b"\n") + 1])
    found: dict[tuple[Comparison, int], Answer] = {}
    for number, record in read_json_lines(path):
        try:
            answer = Answer(**record)
            if answer.verdict is not None:
                check_verdict(answer.verdict)
        except (TypeError, VerdictError) as error:
            raise FileError(f"{path}:{number}: {error}, expected an answer of the judge. Remove the line.") from error
        if (answer.comparison, answer.attempt) in found:
            raise FileError(f"{path}:{number}: this attempt stands there twice. Two runs at once? Remove the line.")
        found[answer.comparison, answer.attempt] = answer
    return list(found.values())


def check_verdict(found: Any) -> dict[str, Choice]:
    """An object with a choice for each of KEYS, and nothing else.

    Raises:
        VerdictError: it is not; the message holds what was found, shortened.
    """
    if not isinstance(found, dict) or set(found) != set(KEYS):
        raise VerdictError(f"expected exactly the keys {', '.join(KEYS)}: {excerpt(repr(found))}")
    for key, value in found.items():
        if value not in CHOICES:
            raise VerdictError(f"{key} is {excerpt(repr(value))}, expected A, B or tie")
    return dict(found)


def excerpt(text: str) -> str:
    """At most 200 characters of what was found."""
    return text if len(text) <= 200 else text[:200] + " …"
