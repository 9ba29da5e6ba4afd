"""Rows that stand below the models in tables: what replies score that say nothing to the post, and what people score.

"one character" is a full stop, "the post" gives the post back, "generic comfort" fits any post, "references" is each
reference against the question's others: people's, where people wrote them. A figure that pays one of the first three as
it pays people says little of a model. Baselines are compared with nobody, and nobody ranks them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from common.files import FileError
from common.records.replies import file_stem
from eval.metrics.protocols import Protocol
from eval.results import Result, score_replies

ONE_CHARACTER: Final = "。"
GENERIC_COMFORT: Final = (
    "谢谢你愿意把这些说出来，我能感受到你现在很不容易。请先照顾好自己，慢慢来，"
    "如果一直觉得难受，可以找信任的人聊聊，或者去找心理咨询师。"
)
HUMAN: Final = "references"
NAMES: Final = ("one character", "the post", "generic comfort", HUMAN)


@dataclass(frozen=True, slots=True)
class Baseline:
    """Replies that no model wrote.

    Attributes:
        name: in tables.
        replies: question_id, sample and text, as of `common.records.replies.read_replies`.
        references: what they are scored against, a row for each of their question_id.
        questions: the test set's question of each question_id.
        note: what a reader has to know, "" for nothing.
    """

    name: str
    replies: pd.DataFrame
    references: pd.DataFrame
    questions: dict[str, str]
    note: str = ""

    def scores(self, test: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
        """A row a reply, of `eval.results.score_replies`; the columns question_id are still `replies`'.

        Args:
            test: the whole test set.
            protocol: to score by.
        """
        label = f"{protocol.name} {self.name}"
        return score_replies(self.replies, self.references, protocol, "plain", label, weighing=test)

    def named(self, scores: pd.DataFrame) -> pd.DataFrame:
        """The table with the test set's own questions."""
        return scores.assign(question_id=scores["question_id"].map(self.questions))

    def result(self, test_set: str, signature: str, scores: pd.DataFrame) -> Result:
        """The result of a table of `named`, see `eval.results.Result.of`."""
        return Result.of(self.name, test_set, signature, scores, self.note, baseline=True)


def baselines(test: pd.DataFrame) -> list[Baseline]:
    """All that a test set allows: "the post" needs the posts, "references" two questions with two responses.

    Args:
        test: of `common.records.references.read_references`.
    """
    constant = {NAMES[0]: [ONE_CHARACTER] * len(test), NAMES[2]: [GENERIC_COMFORT] * len(test)}
    texts = {**constant, **({NAMES[1]: test["question"].tolist()} if "question" in test.columns else {})}
    itself = dict(zip(test["id"], test["id"], strict=True))
    made = [
        Baseline(name, pd.DataFrame({"question_id": test["id"], "sample": 0, "text": texts[name]}), test, itself)
        for name in NAMES
        if name in texts
    ]
    return [*made, human(test)] if (test["references"].str.len() > 1).sum() > 1 else made


def human(test: pd.DataFrame) -> Baseline:
    """Each human response against the question's others.

    Raises:
        FileError: fewer than two questions with two responses.
    """
    several = test[test["references"].str.len() > 1]
    if len(several) < 2:
        raise FileError(f"{len(several)} questions with two responses or more, expected two such questions")
    turns = pd.DataFrame(
        {**question, "id": f"{question['id']}/{place}", "of": question["id"], "sample": place, "text": own[place]}
        | {"references": own[:place] + own[place + 1 :]}
        for question in several.to_dict("records")
        for own in [list(question["references"])]
        for place in range(len(own))
    )
    return Baseline(
        HUMAN,
        turns[["id", "sample", "text"]].rename(columns={"id": "question_id"}),
        turns.drop(columns=["of", "sample", "text"]),
        dict(zip(turns["id"], turns["of"], strict=True)),
        f"each response against the others; {len(test) - len(several)} questions with one response left out",
    )


def check_names(models: Iterable[str]) -> None:
    """No model is called as a baseline is: their files would be the same.

    Raises:
        FileError: one is.
    """
    own = {file_stem(name) for name in NAMES}
    if taken := [name for name in models if file_stem(name) in own]:
        raise FileError(f"a model is called {taken[0]}, which is a baseline's name. Name it otherwise.")
