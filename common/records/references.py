"""Test questions with their human references: ``test.parquet`` of `make data`, or JSON Lines of anybody's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from common.files import FileError, read_json_lines

# Of ``test.parquet``: test_set is the set's name, question the whole post, prompt the chat to generate from, risks the
# rules that match.
TEST_COLUMNS: Final = (
    "id",
    "test_set",
    "title",
    "description",
    "question",
    "topic",
    "crisis",
    "risks",
    "emotion",
    "references",
    "prompt",
)


def read_references(path: Path, needed: Sequence[str] = ("id", "references")) -> pd.DataFrame:
    """A row a question: id and references, and what else the file tells, see `TEST_COLUMNS`.

    ``questions.parquet`` of `make data` serves as well: its responses are the references.

    Args:
        path: .parquet or .jsonl.
        needed: columns that have to be there.

    Raises:
        FileError: another format, a missing column, a malformed line, an id twice, or a question without a reference.
    """
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
        if "references" not in table.columns:
            table = table.rename(columns={"responses": "references"})
        wheres = [f"{path}, row {row}" for row in range(len(table))]
    elif path.suffix == ".jsonl":
        lines = list(read_json_lines(path))
        table, wheres = pd.DataFrame([record for _, record in lines]), [f"{path}:{number}" for number, _ in lines]
    else:
        raise FileError(f"{path}: expected .jsonl or .parquet")
    if table.empty:
        raise FileError(f"{path}: no questions")
    if missing := [name for name in needed if name not in table.columns]:
        raise FileError(f"{path}: no column {', '.join(missing)}, expected {', '.join(needed)}. Run `make data` again.")
    for where, question_id, references in zip(wheres, table["id"], table["references"], strict=True):
        if not isinstance(question_id, str) or not question_id.strip():
            raise FileError(f"{where}: id is {question_id!r}, expected a text. Correct the line.")
        if isinstance(references, str) or not hasattr(references, "__len__"):
            raise FileError(f"{where}: references is {references!r}, expected a list of texts")
        if not len(references) or not all(isinstance(text, str) and text.strip() for text in references):
            raise FileError(f"{where}: a reference is missing or blank, expected one text or more for each question")
    if not table["id"].is_unique:
        raise FileError(f"{path}: id {table.loc[table['id'].duplicated(), 'id'].iloc[0]} stands there twice")
    return table


def at_risk(questions: pd.DataFrame) -> pd.Series:
    """Which test questions the corpus marks as at acute risk, or a risk rule matches."""
    return questions["crisis"] | (questions["risks"].str.len() > 0)
