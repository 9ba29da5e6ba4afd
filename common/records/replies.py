"""A model's replies: JSON Lines that the runners of `eval.generation` write and everything that scores them reads."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from common.files import FileError, read_json_lines, whole_lines, write_json_lines


@dataclass(frozen=True, slots=True)
class Reply:
    """One line of the file.

    Attributes:
        question_id: of which question.
        sample: which of its replies, from 0.
        text: the whole output.
        prompt_tokens: length of the prompt.
        tokens: length of the output.
        finished: the output ended by itself.
    """

    question_id: str
    sample: int
    text: str
    prompt_tokens: int = 0
    tokens: int = 0
    finished: bool = True


def append_replies(path: Path, replies: Iterable[Reply]) -> None:
    """Add replies to the file."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(reply), ensure_ascii=False) + "\n" for reply in replies)


def write_replies(path: Path, replies: Iterable[Reply]) -> None:
    """Write the whole file anew."""
    write_json_lines(path, map(asdict, replies))


def unfinished_replies(path: Path) -> list[Reply]:
    """What is there of a file that is still being written, less half a last line; nothing without a file."""
    return [Reply(**line) for line in whole_lines(path)]


def read_replies(path: Path) -> pd.DataFrame:
    """Columns question_id, sample (0 where not told) and text, from JSON Lines of these keys; others are passed over.

    Raises:
        FileError: no reply, a malformed line, or the same question and sample twice.
    """
    rows: dict[tuple[str, int], dict[str, object]] = {}
    for number, record in read_json_lines(path):
        where = f"{path}:{number}"
        question_id, text, sample = record.get("question_id"), record.get("text"), record.get("sample", 0)
        if not isinstance(question_id, str) or not question_id.strip():
            raise FileError(f"{where}: question_id is {question_id!r}, expected a text. Correct the line.")
        if not isinstance(text, str):
            raise FileError(f"{where}: text is {text!r}, expected a text. Correct the line.")
        if not isinstance(sample, int) or isinstance(sample, bool):
            raise FileError(f"{where}: sample is {sample!r}, expected an integer. Correct the line.")
        if (question_id, sample) in rows:
            raise FileError(f"{where}: question {question_id} has sample {sample} twice. Number the samples.")
        rows[question_id, sample] = {"question_id": question_id, "sample": sample, "text": text}
    if not rows:
        raise FileError(f"{path}: no replies, expected a JSON object a line with question_id and text")
    return pd.DataFrame(list(rows.values()))
