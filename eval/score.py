"""From a model's replies to a table with a row a reply: format, rewards and text metrics."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from eval.metrics import score_reply
from reward_fns.coe_format import CoEFormatError, extract_answer, parse

Cosines = Callable[[Sequence[str], Sequence[str]], list[float]]


class RepliesError(ValueError):
    """Replies and test set do not fit each other; the message names file and line or question."""


def read_replies(path: Path, test: pd.DataFrame) -> pd.DataFrame:
    """The replies of ``eval.generate``: columns question_id, sample, text.

    Raises:
        RepliesError: an empty file, a malformed line, an unknown question, a reply that stands there twice, or
            questions without a reply.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RepliesError(f"{path}: byte {error.start} is not UTF-8. Delete the file and run `make eval`.") from error
    if not content.strip():
        raise RepliesError(f"{path}: the file is empty, expected a reply a line. Run `make eval`.")
    expected = set(test["id"])
    line_of: dict[tuple[str, int], int] = {}
    records = []
    # Not splitlines: JSON leaves U+2028 and U+0085 in a reply as they are, and a sampled reply may hold them.
    for number, line in enumerate(content.removesuffix("\n").split("\n"), start=1):
        where = f"{path}:{number}"
        record = _record(line, where)
        question_id, sample = record["question_id"], record["sample"]
        if question_id not in expected:
            raise RepliesError(f"{where}: question {question_id!r} is not in the test set. Generate the replies again.")
        if (first := line_of.setdefault((question_id, sample), number)) != number:
            raise RepliesError(f"{where}: sample {sample} of question {question_id!r} stands in line {first} already.")
        records.append(record)
    if missing := sorted(expected - {question_id for question_id, _ in line_of}):
        raise RepliesError(f"{path}: no reply to {len(missing)} questions, the first is {missing[0]}. Run `make eval`.")
    return pd.DataFrame(records)


def _record(line: str, where: str) -> dict[str, Any]:
    wanted = "expected an object with question_id, sample and text"
    try:
        content = json.loads(line)
    except json.JSONDecodeError as error:
        raise RepliesError(f"{where}: {error}, {wanted}") from error
    if not isinstance(content, dict):
        raise RepliesError(f"{where}: found a {type(content).__name__}, {wanted}")
    record = {}
    for key, kind in (("question_id", str), ("sample", int), ("text", str)):
        value = content.get(key)
        if type(value) is not kind:  # isinstance would take true for a sample
            raise RepliesError(f"{where}: {key} is {value!r}, expected {kind.__name__}")
        record[key] = value
    return record


def score_replies(replies: pd.DataFrame, test: pd.DataFrame, cosines: Cosines, threshold: float) -> pd.DataFrame:
    """One row a reply, with what the model was rewarded for and how the answer compares with the references.

    The text metrics read the answer, which is what a person would be shown. A reply without one shows nothing and
    scores 0: so does, by construction, a model that was never taught the format.

    Args:
        replies: of `read_replies`.
        test: ``test.parquet``: columns id, question, references.
        cosines: cos(E(q), E(a)) of questions and answers, see `reward_fns.reward_model.RewardModel`.
        threshold: T of Eq. 6.

    Returns:
        question_id, sample, text, violation ("" for a valid output), format, answer, reward (Eq. 3), cosine (0.0
        without an answer), answer_chars, and the metrics of `score_reply`.

    Raises:
        RepliesError: a question stands in the test set twice.
        ValueError: a cosine that is no finite number, or not one to each answer.
    """
    repeated = test.loc[test["id"].duplicated(), "id"]
    if not repeated.empty:
        raise RepliesError(f"question {repeated.iloc[0]!r} stands in the test set twice. Run `make data` again.")
    by_id = test.set_index("id")
    answers = [extract_answer(text) for text in replies["text"]]
    questions = [by_id.at[question_id, "question"] for question_id in replies["question_id"]]
    there = [index for index, answer in enumerate(answers) if answer is not None]
    found = cosines([questions[index] for index in there], [str(answers[index]) for index in there])
    if len(found) != len(there):
        raise ValueError(f"{len(found)} cosines for {len(there)} answers, expected one to each")
    cosine_of = dict(zip(there, found, strict=True))
    for index, cosine in cosine_of.items():
        if not math.isfinite(cosine):  # it would pass for an answer below the threshold
            question_id = replies["question_id"].iloc[index]
            raise ValueError(f"question {question_id!r}: the cosine is {cosine}. Check the reward model.")
    rows = []
    for index, reply in enumerate(tqdm(replies.to_dict("records"), desc="score", unit="reply")):
        violation = _violation(str(reply["text"]))
        cosine = cosine_of.get(index, 0.0)
        format_score, answer_score = float(not violation), float(index in cosine_of and cosine > threshold)
        answer = answers[index] or ""
        rows.append(
            {
                **reply,
                "violation": violation,
                "format": format_score,
                "answer": answer_score,
                "reward": format_score + answer_score,
                "cosine": cosine,
                "answer_chars": len(answer),
                **score_reply(answer, list(by_id.at[reply["question_id"], "references"])),
            }
        )
    return pd.DataFrame(rows)


def write_scores(scores: pd.DataFrame, path: Path) -> None:
    """Replace `path`, a parquet file, atomically; `pandas.read_parquet` gives the same table back."""
    partial = path.with_name(f".{path.name}.partial")
    scores.to_parquet(partial, index=False)
    partial.replace(path)


def question_means(scores: pd.DataFrame) -> pd.DataFrame:
    """The mean over each question's replies of every numeric column, indexed and sorted by question."""
    numeric = scores.drop(columns=["sample"]).select_dtypes("number").columns
    return scores.groupby("question_id")[list(numeric)].mean().sort_index()


def _violation(text: str) -> str:
    try:
        parse(text)
    except CoEFormatError as error:
        return str(error)
    return ""
