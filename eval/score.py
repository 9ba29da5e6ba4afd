"""From a model's replies to a table with a row a reply: format, rewards and text metrics."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from eval.metrics import score_reply
from reward_fns.coe_format import CoEFormatError, extract_answer, parse

Cosines = Callable[[Sequence[str], Sequence[str]], list[float]]


@dataclass(frozen=True, slots=True)
class Scorer:
    """A reward model, as far as scoring needs it.

    Attributes:
        cosines: cos(E(q), E(a)) of questions and answers, see `reward_fns.reward_model.RewardModel`.
        threshold: T of Eq. 6.
    """

    cosines: Cosines
    threshold: float


class RepliesError(ValueError):
    """The replies do not fit the test set; the message names file and line or question."""


def read_replies(path: Path, test: pd.DataFrame) -> pd.DataFrame:
    """The replies of ``eval.generate``: columns question_id, sample, text.

    Raises:
        RepliesError: a malformed line, an unknown question, or questions without a reply.
    """
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            records.append({key: record[key] for key in ("question_id", "sample", "text")})
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise RepliesError(f"{path}:{number}: {error!r}, expected question_id, sample and text") from error
    found, expected = {record["question_id"] for record in records}, set(test["id"])
    if unknown := sorted(found - expected):
        raise RepliesError(f"{path}: replies to {unknown[:3]}, which are not in the test set. Generate them again.")
    if missing := sorted(expected - found):
        raise RepliesError(f"{path}: no reply to {len(missing)} questions, the first is {missing[0]}. Run `make eval`.")
    return pd.DataFrame(records)


def score_replies(replies: pd.DataFrame, test: pd.DataFrame, reward: Scorer, second: Scorer) -> pd.DataFrame:
    """One row a reply, with what the model was rewarded for and how the answer compares with the references.

    The text metrics read the answer, which is what a person would be shown. A reply without one shows nothing and
    scores 0: so does, by construction, a model that was never taught the format.

    Args:
        replies: of `read_replies`.
        test: ``test.parquet``: columns id, question, references.
        reward: what the model was trained by.
        second: what it was not trained by, see `recipes.second_scorer`.

    Returns:
        question_id, sample, text, violation ("" for a valid output), format, answer, reward (Eq. 3), cosine (0.0
        without an answer), second (as answer, by the second scorer), answer_chars, and the metrics of `score_reply`.
    """
    by_id = test.set_index("id")
    answers = [extract_answer(text) for text in replies["text"]]
    questions = [by_id.at[question_id, "question"] for question_id in replies["question_id"]]
    there = [index for index, answer in enumerate(answers) if answer is not None]
    pairs = [questions[index] for index in there], [str(answers[index]) for index in there]
    cosine_of = dict(zip(there, reward.cosines(*pairs), strict=True))
    second_of = dict(zip(there, second.cosines(*pairs), strict=True))
    rows = []
    for index, reply in enumerate(tqdm(replies.to_dict("records"), desc="score", unit="reply")):
        violation = _violation(str(reply["text"]))
        cosine = cosine_of.get(index, 0.0)
        format_score, answer_score = float(not violation), float(index in cosine_of and cosine > reward.threshold)
        answer = answers[index] or ""
        rows.append(
            {
                **reply,
                "violation": violation,
                "format": format_score,
                "answer": answer_score,
                "reward": format_score + answer_score,
                "cosine": cosine,
                "second": float(index in second_of and second_of[index] > second.threshold),
                "answer_chars": len(answer),
                **score_reply(answer, list(by_id.at[reply["question_id"], "references"])),
            }
        )
    return pd.DataFrame(rows)


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
