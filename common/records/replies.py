"""What `make generate` leaves: ``models.json`` and, for each model in it, a file of replies as JSON Lines.

The runners of `eval.generation` write the replies, and everything that scores or ranks them reads both.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

import pandas as pd

from common.errors import StageError
from common.files import FileError, whole_lines, write_json, write_json_lines
from common.records.rows import id_of, read_rows

# What a whole output looks like: with CoE tags, with a ``<think>`` block before the reply, or the reply alone.
ReplyKind = Literal["coe", "think", "plain"]

KINDS: Final = get_args(ReplyKind)
MODELS_FILE: Final = "models.json"


@dataclass(frozen=True, slots=True)
class GeneratedModel:
    """One model that has replied to the test questions.

    Attributes:
        name: in tables.
        file: of its replies, beside ``models.json``.
        kind: which part of an output is the reply.
        seen: test sets that it may have been trained on.
        format_file: of its replies when it was asked for the Chain of Empathy, of which only the format is a figure; ""
            where `file` tells it, or it was never asked.
    """

    name: str
    file: str
    kind: ReplyKind
    seen: list[str] = field(default_factory=list)
    format_file: str = ""

    @property
    def files(self) -> list[str]:
        """All its files of replies."""
        return [self.file, *filter(None, [self.format_file])]


def file_stem(name: str) -> str:
    """How a model's files are called: "SFT+GRPO" → "sft_grpo"."""
    return re.sub(r"[^\w.-]+", "_", name.lower()).strip("_")


def write_models(folder: Path, models: Iterable[GeneratedModel]) -> None:
    """Write ``models.json`` into the folder of the replies."""
    write_json(folder / MODELS_FILE, [asdict(model) for model in models])


def read_models(folder: Path) -> list[GeneratedModel]:
    """Read ``models.json``.

    Raises:
        StageError: no such list, an unknown kind, a model twice, or none.
    """
    path = folder / MODELS_FILE
    try:
        models = [GeneratedModel(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise StageError(f"{path}: {error}, expected a list with name, file and kind. Run `make generate`.") from error
    names = [model.name for model in models]
    if not names or len(set(names)) < len(names):
        raise StageError(f"{path}: {names}, expected one or more models, each once. Run `make generate`.")
    if odd := [model for model in models if model.kind not in KINDS]:
        raise StageError(f"{path}: {odd[0].name} is of kind {odd[0].kind!r}, expected {', '.join(KINDS)}")
    return models


def reply_files(folder: Path) -> list[Path]:
    """``models.json`` and the files of replies that it names: what a reader of the replies reads.

    Raises:
        StageError: ``models.json`` is not as `make generate` writes it.
    """
    return [folder / MODELS_FILE, *(folder / name for model in read_models(folder) for name in model.files)]


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
        finish_reason: why it ended, as vLLM or the server calls it; "" where it does not say.
        refusal: why there is no text, in the server's or the model's words; "" of a reply.
    """

    question_id: str
    sample: int
    text: str
    prompt_tokens: int = 0
    tokens: int = 0
    finished: bool = True
    finish_reason: str = ""
    refusal: str = ""


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
    """Columns question_id, sample (0 where not told), text, finished where every row tells it, refusal where one does.

    Read from rows of these keys in any shape of `common.records.rows.read_rows`; other keys are passed over.

    Raises:
        FileError: no reply, a malformed row, or the same question and sample twice.
    """
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for where, record in read_rows(path):
        row = _row(record, where)
        if rows.setdefault((row["question_id"], row["sample"]), row) is not row:
            twice = f"question {row['question_id']} has sample {row['sample']} twice"
            raise FileError(f"{where}: {twice}. Number the samples.")
    if not rows:
        raise FileError(f"{path}: no replies, expected a JSON object a line with question_id and text")
    table = pd.DataFrame(list(rows.values()))
    known = table["finished"].notna().all()
    table = table.astype({"finished": bool}) if known else table.drop(columns="finished")
    return table if table["refusal"].any() else table.drop(columns="refusal")


# How a table writes what JSON has words for.
_FINISHED: Final = {True: True, False: False, None: None, "true": True, "false": False, "": None}


def _row(record: Mapping[str, Any], where: str) -> dict[str, Any]:
    if "predict" in record and "text" not in record:
        raise FileError(
            f"{where}: LLaMA-Factory's predictions (prompt, predict, label) don't say to which question they are. "
            "Write question_id and text (its predict) a line, in the order of the test set that it was given."
        )
    question_id, sample = id_of(record.get("question_id")), record.get("sample", 0)
    if question_id is None:
        found = record.get("question_id")
        raise FileError(f"{where}: question_id is {found!r}, expected a text or a whole number. Correct the line.")
    if isinstance(sample, str) and sample.isdecimal():
        sample = int(sample)
    if type(sample) is not int:
        raise FileError(f"{where}: sample is {sample!r}, expected an integer. Correct the line.")
    if not isinstance(text := record.get("text"), str):
        raise FileError(f"{where}: text is {text!r}, expected a text. Correct the line.")
    finished = record.get("finished")
    told = finished.strip().lower() if isinstance(finished, str) else finished
    if not isinstance(told, bool | str | None) or told not in _FINISHED:
        raise FileError(f"{where}: finished is {finished!r}, expected true or false. Correct the line.")
    # A table's empty cell is no text.
    refusal = found if isinstance(found := record.get("refusal"), str) else ""
    return {
        "question_id": question_id,
        "sample": sample,
        "text": text,
        "finished": _FINISHED[told],
        "refusal": refusal,
    }
