"""From a model's replies to a table with a row a reply: format, text metrics, and what the reward models say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
from tqdm import tqdm

from common.records.models import ReplyKind
from eval.metrics.protocols import Protocol
from eval.replies import shown
from reward_fns.coe_format import CoEFormatError, parse
from reward_fns.components import copy_overlap

Cosines = Callable[[Sequence[str], Sequence[str]], list[float]]


@dataclass(frozen=True, slots=True)
class RewardScorer:
    """A reward model, as far as scoring needs it.

    Attributes:
        cosines: cos(E(q), E(a)) of questions and answers, see `reward_fns.reward_model.RewardModel`.
        threshold: T of Eq. 6.
    """

    cosines: Cosines
    threshold: float


def score_replies(
    replies: pd.DataFrame, references: pd.DataFrame, protocol: Protocol, kind: ReplyKind, label: str = "score"
) -> pd.DataFrame:
    """One row a reply, with how what it shows compares with the references.

    A reply that shows nothing scores 0 in every figure: so does, by construction, a model that was never taught the
    format.

    Args:
        replies: of `common.records.replies.read_replies`, matching the references.
        references: of `common.records.references.read_references`.
        protocol: of the text metrics.
        kind: which part of a reply is shown.
        label: beside the progress bar.

    Returns:
        question_id, sample, text, shown, fault ("" for none), chars, the protocol's figures; with a column question
        among the references copy_overlap; with kind coe format (0 or 1, Eq. 4) and violation ("" for a valid output).
    """
    rows = []
    known = references.set_index("id")
    with tqdm(total=len(replies), desc=label, unit="reply", disable=None) as bar:
        for question_id, group in replies.groupby("question_id", sort=True):
            prepared = protocol.prepare(list(known.at[question_id, "references"]))
            for reply in group.itertuples():
                part, fault = shown(reply.text, kind)
                row = {
                    "question_id": question_id,
                    "sample": reply.sample,
                    "text": reply.text,
                    "shown": part,
                    "fault": fault,
                    "chars": len(part),
                    **protocol.score(part, prepared),
                }
                if "question" in known.columns:
                    row["copy_overlap"] = copy_overlap(str(known.at[question_id, "question"]), part)
                if kind == "coe":
                    violation = _violation(reply.text)
                    row |= {"violation": violation, "format": float(not violation)}
                rows.append(row)
            bar.update(len(group))
    return pd.DataFrame(rows)


def add_rewards(
    scores: pd.DataFrame, questions: pd.Series, reward: RewardScorer, heldout: RewardScorer
) -> pd.DataFrame:
    """The table with answer (Eq. 6), cosine (0 without an answer) and heldout_answer, and with kind coe reward (Eq. 3).

    Args:
        scores: of `score_replies`.
        questions: the posts, indexed by id.
        reward: what the model was trained by.
        heldout: what it was not trained by, see `recipes.heldout_reward_model`; ``heldout_answer`` is as ``answer``, by
            it.
    """
    there = scores[scores["fault"] == ""]
    pairs = [questions[question_id] for question_id in there["question_id"]], there["shown"].tolist()
    cosine, other = (pd.Series(scorer.cosines(*pairs), index=there.index, dtype=float) for scorer in (reward, heldout))
    passed, held = (
        (values > scorer.threshold).reindex(scores.index, fill_value=False).astype(float)
        for values, scorer in ((cosine, reward), (other, heldout))
    )
    total = {"reward": scores["format"] + passed} if "format" in scores else {}
    return scores.assign(
        answer=passed, **total, cosine=cosine.reindex(scores.index, fill_value=0.0), heldout_answer=held
    )


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
