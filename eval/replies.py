"""Replies and references as they are read for scoring, and which part of a reply a person would be shown.

Both are JSON Lines; references may also be ``test.parquet`` of `make data`. What does not fit together is told before
anything is scored; a reply that shows nothing is counted and scores 0, and is never left out in silence.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args

import pandas as pd

from reward_fns.coe_format import extract_answer, has_visible_text

ReplyKind = Literal["coe", "think", "plain"]
"""What a whole output looks like: with CoE tags, with a ``<think>`` block before the reply, or the reply alone."""

KINDS: Final = get_args(ReplyKind)

_TAGGED: Final = re.compile(r"</?(?:empathy_think|L[1-4]|answer|think)>")


class RepliesError(ValueError):
    """Replies or references that can't be scored; the message names file and line or question, and what to do."""


def read_replies(path: Path) -> pd.DataFrame:
    """Columns question_id, sample (0 where not told) and text, from JSON Lines of these keys.

    Raises:
        RepliesError: no row, a malformed line, or the same question and sample twice.
    """
    rows, seen = [], set()
    for number, record in _json_lines(path):
        where = f"{path}:{number}"
        row = {
            "question_id": _text(record, "question_id", where),
            "sample": record.get("sample", 0),
            "text": _text(record, "text", where),
        }
        if not isinstance(row["sample"], int) or isinstance(row["sample"], bool):
            raise RepliesError(f"{where}: sample is {row['sample']!r}, expected an integer. Correct the line.")
        key = (row["question_id"], row["sample"])
        if key in seen:
            raise RepliesError(f"{where}: question {key[0]} has sample {key[1]} twice. Number the samples.")
        seen.add(key)
        rows.append(row)
    if not rows:
        raise RepliesError(f"{path}: no replies, expected a JSON object a line with question_id and text")
    return pd.DataFrame(rows)


def read_references(path: Path) -> pd.DataFrame:
    """A row a question: id and references, and what else the file tells (question, topic, crisis, risks …).

    ``questions.parquet`` of `make data` serves as well: its responses are the references.

    Raises:
        RepliesError: another format, a malformed line, an id twice, or a question without a reference.
    """
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
        if "references" not in table.columns:
            table = table.rename(columns={"responses": "references"})
        if missing := {"id", "references"} - set(table.columns):
            raise RepliesError(
                f"{path}: no column {sorted(missing)}, expected id and references, as `make data` writes"
            )
        wheres = [f"{path}, row {row}" for row in range(len(table))]
    elif path.suffix == ".jsonl":
        lines = list(_json_lines(path))
        table = pd.DataFrame([record for _, record in lines])
        wheres = [f"{path}:{number}" for number, _ in lines]
        for where, (_, record) in zip(wheres, lines, strict=True):
            _text(record, "id", where)
            if not isinstance(record.get("references"), list):
                raise RepliesError(f"{where}: references is {record.get('references')!r}, expected a list of texts")
    else:
        raise RepliesError(f"{path}: expected .jsonl or .parquet")
    if table.empty:
        raise RepliesError(f"{path}: no questions")
    if not table["id"].is_unique:
        raise RepliesError(f"{path}: id {table.loc[table['id'].duplicated(), 'id'].iloc[0]} stands there twice")
    for where, references in zip(wheres, table["references"], strict=True):
        if not len(references) or not all(isinstance(text, str) and has_visible_text(text) for text in references):
            raise RepliesError(f"{where}: a reference is missing or blank, expected one text or more for each question")
    return table


def check_match(replies: pd.DataFrame, references: pd.DataFrame, source: Path) -> None:
    """Every question has its replies, as many as the others, and no reply is to another question.

    Raises:
        RepliesError: they do not fit; the message names questions.
    """
    found, expected = set(replies["question_id"]), set(references["id"])
    if unknown := sorted(found - expected):
        raise RepliesError(
            f"{source}: replies to {len(unknown)} questions without references, the first is {unknown[0]}. "
            "Give the references of the same test set."
        )
    if missing := sorted(expected - found):
        raise RepliesError(
            f"{source}: no reply to {len(missing)} of {len(expected)} questions, the first is {missing[0]}. "
            "Generate them, or leave the questions out of the references."
        )
    counts = replies.groupby("question_id").size()
    if counts.nunique() > 1:
        raise RepliesError(
            f"{source}: {counts.idxmin()} has {counts.min()} replies and {counts.idxmax()} {counts.max()}, expected "
            "equally many. Generate the missing ones."
        )


def shown(text: str, kind: ReplyKind) -> tuple[str, str]:
    """What a person would be shown of a whole output, and what is wrong with it ("" where nothing is).

    Faults, with nothing shown: "no_answer" (kind coe: not exactly one ``<answer>``, see
    `reward_fns.coe_format.extract_answer`), "unfinished_reasoning" (kind think: the block does not end), "empty".

    Raises:
        RepliesError: kind plain, and the text holds tags: the wrong part would be scored.
    """
    if kind == "coe":
        answer = extract_answer(text)
        return (answer, "") if answer is not None else ("", "no_answer")
    if kind == "think":
        _, end, reply = text.rpartition("</think>")
        if not end and "<think>" in reply:
            return "", "unfinished_reasoning"
        text = reply
    elif tag := _TAGGED.search(text):
        raise RepliesError(
            f"a plain reply holds {tag.group()}. Say which part is shown: kind coe (what stands inside <answer>) or "
            "think (what comes after </think>)."
        )
    return (text.strip(), "") if has_visible_text(text) else ("", "empty")


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise RepliesError(f"{path}: {error}, expected a UTF-8 file of JSON Lines") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise RepliesError(f"{path}:{number}: not JSON ({error}). Correct or remove the line.") from error
        if not isinstance(record, dict):
            raise RepliesError(f"{path}:{number}: {type(record).__name__}, expected an object with named values")
        yield number, record


def _text(record: dict[str, Any], key: str, where: str) -> str:
    value = record.get(key)
    if not isinstance(value, str) or (key != "text" and not value.strip()):
        raise RepliesError(f"{where}: {key} is {value!r}, expected a text. Correct the line.")
    return value
