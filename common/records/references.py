"""Test questions with their human references: ``test.parquet`` of `make data`, or anybody's table of them."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from common.files import FileError
from common.records.question import Question
from common.records.rows import id_of, read_rows

# Of ``test.parquet``: test_set is the set's name, question the whole post, prompt the chat to generate from, risk_level and
# risks the tags of data_prep.risk.
TEST_COLUMNS: Final = (
    "id",
    "test_set",
    "title",
    "description",
    "question",
    "topic",
    "crisis",
    "risk_level",
    "risks",
    "emotion",
    "references",
    "prompt",
)
# What a heading that somebody chose looks like.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]{0,39}")


def read_references(path: Path, needed: Sequence[str] = ("id", "references")) -> pd.DataFrame:
    """A row a question: id and references, and what else the file tells, see `TEST_COLUMNS`.

    ``questions.parquet`` of `make data` serves as well: its responses are the references, and title and description
    the question.

    Args:
        path: .parquet, or rows in any shape of `common.records.rows.read_rows`; there an id may be a whole number, and
            references one text, or a list written into a cell.
        needed: columns that have to be there.

    Raises:
        FileError: a missing column, a malformed row, an id twice, or a question without a reference.
    """
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
        if "references" not in table.columns:
            table = table.rename(columns={"responses": "references"})
        if "question" not in table.columns and {"title", "description"} <= set(table.columns):
            table["question"] = [
                Question(id="", title=title, description=description, responses=()).post
                for title, description in zip(table["title"], table["description"], strict=True)
            ]
        wheres = [f"{path}, row {row}" for row in range(len(table))]
    else:
        rows = list(read_rows(path))
        table, wheres = pd.DataFrame([record for _, record in rows]), [where for where, _ in rows]
        if "id" in table:
            table["id"] = [value if (told := id_of(value)) is None else told for value in table["id"]]
        if "references" in table:
            table["references"] = [_as_list(value) for value in table["references"]]
    if table.empty:
        raise FileError(f"{path}: no questions")
    if missing := [name for name in needed if name not in table.columns]:
        raise FileError(f"{path}: no column {', '.join(missing)}. {_remedy(path, list(table.columns), needed)}")
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


def _remedy(path: Path, found: Sequence[object], needed: Sequence[str]) -> str:
    """What to do about missing columns; of a table without a header the first row is text of a person, never shown."""
    if path.suffix == ".parquet":
        return f"Expected {', '.join(needed)}. Run `make data` again."
    names = [name for name in map(str, found) if _NAME.fullmatch(name)]
    others = len(found) - len(names)
    told = ", ".join([*names, *([f"{others} without a plain name (is the header missing?)"] if others else [])])
    return f"Found {told}; expected {', '.join(needed)}. Rename the columns."


def _as_list(value: Any) -> Any:
    """One reference as a list; a list in a cell, as JSON or as Python writes it, as that list."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            found = ast.literal_eval(value.strip())
        except (SyntaxError, ValueError):
            return [value]
        return found if isinstance(found, list) else [value]
    return [value]


def risk_levels(questions: pd.DataFrame) -> pd.Series:
    """The level of each test question's risk: acute where the corpus marks it so, else that of the tags."""
    return questions["risk_level"].mask(questions["crisis"].astype(bool), "acute")


def at_risk(questions: pd.DataFrame) -> pd.Series:
    """Which test questions are at risk of any level."""
    return risk_levels(questions) != "none"
