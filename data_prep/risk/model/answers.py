"""What a model has said of posts, kept: a line of JSON an answer, under a hash of the post, without its words.

The file lies in the folder of `make data`. A run that was killed, met an outage, or has a larger corpus asks for what
is not there yet. Answers of another model, prompt or request stay in the file and are not read.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from common.files import FileError, whole_lines
from common.records.risk import Kind, Level

FILE: Final = "risk_answers.jsonl"

# An answer that could be read; one that could not, each time; a post that the server's filter does not let pass.
Outcome = Literal["read", "unreadable", "refused"]


class Said(BaseModel):
    """What the model says of a post, as it is asked to: nothing else counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    level: Level
    kinds: list[Kind]


class Answer(BaseModel):
    """A line of the file.

    Attributes:
        asked: a hash of who was asked and how.
        post: a hash of the post.
        said: None unless the outcome is "read".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: str
    post: str
    outcome: Outcome
    said: Said | None = None


class Answers:
    """The answers to one way of asking, read from the file and added to it."""

    def __init__(self, path: Path, asked: Mapping[str, object]) -> None:
        """Read what is there; half a last line, of a run that was killed, is cut off.

        Raises:
            FileError: the file is another one.
        """
        self._path, self._asked = path, _hash(json.dumps(asked, ensure_ascii=False, sort_keys=True))
        try:
            lines = [Answer.model_validate(line) for line in whole_lines(path)]
        except ValidationError as error:
            found = f"{error.error_count()} fields that are not as expected"
            raise FileError(f"{path}: {found}, expected answers of a risk tagger. Move it away.") from error
        self._found = {line.post: line for line in lines if line.asked == self._asked}
        if path.is_file():
            whole, _, half = path.read_bytes().rpartition(b"\n")
            if half:
                with path.open("rb+") as file:
                    file.truncate(len(whole) + 1 if whole else 0)

    def __len__(self) -> int:
        return len(self._found)

    def get(self, post: str) -> Answer | None:
        """The answer on a post."""
        return self._found.get(_hash(post))

    def add(self, post: str, outcome: Outcome, said: Said | None = None) -> None:
        """Keep an answer, at once."""
        answer = Answer(asked=self._asked, post=_hash(post), outcome=outcome, said=said)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(answer.model_dump_json() + "\n")
        self._found[answer.post] = answer


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
