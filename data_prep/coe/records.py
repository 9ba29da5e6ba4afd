"""What the teacher wrote: a line of JSON an answer, appended as it comes, so that a killed run goes on from it.

Every answer is kept, paid as it is: those that the checks refuse too. Answers of another teacher, request, prompt or
response stay in the file and are passed over; the ceiling counts them.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from common.files import FileError, whole_lines

FILE: Final = "teacher.jsonl"


class Fault(BaseModel):
    """A `data_prep.coe.checks.Problem`; or the check ``refused``, with the server's words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: str
    layer: str = ""
    detail: str = ""


class Answer(BaseModel):
    """One answer of the teacher.

    Attributes:
        asked: a hash of who was asked, how, and about what, so that an answer is to one request.
        question: the question's id.
        attempt: from 1.
        text: as the teacher wrote it; "" where the server refused.
        reasoning: what the server gives apart from it.
        layers: the chain; None where there is none.
        faults: what the checks found; a chain without any is accepted.
        tokens_in: of the prompt; `tokens_out` of the answer, its reasoning too.
        estimated: the server told no tokens, and these are the most that the call can have used.
        when: in ISO 8601.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: str
    question: str
    attempt: int
    text: str = ""
    reasoning: str = ""
    layers: tuple[str, ...] | None = None
    faults: tuple[Fault, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0
    estimated: bool = False
    when: str = ""

    @property
    def accepted(self) -> bool:
        """Whether it is a chain that passed the checks."""
        return self.layers is not None and not self.faults


def read_answers(path: Path) -> list[Answer]:
    """The answers of a file that may still be written; [] without one.

    Raises:
        FileError: the file is another one.
    """
    try:
        return [Answer.model_validate(line) for line in whole_lines(path)]
    except ValidationError as error:
        found = f"{error.error_count()} fields that are not as expected"
        raise FileError(f"{path}: {found}, expected a teacher's answers. Move it away.") from error


class AnswerFile:
    """The file, open for more; half a last line, of a run that was killed, is cut off first."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            whole, _, half = path.read_bytes().rpartition(b"\n")
            if half:
                os.truncate(path, len(whole) + 1 if whole else 0)
        self._file = path.open("a", encoding="utf-8")

    def add(self, answer: Answer) -> None:
        """Write an answer, through to the disk: it is paid."""
        self._file.write(answer.model_dump_json(exclude_defaults=True) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close it; what could not be written was told when it was added."""
        with suppress(OSError):
            self._file.close()


def tried(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    """The answers by what was asked, in order."""
    found: dict[str, list[Answer]] = {}
    for answer in answers:
        found.setdefault(answer.asked, []).append(answer)
    return found
