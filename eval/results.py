"""What one model scored on one test set: a JSON file that tables, the report and comparisons read.

Besides means with their intervals it holds every question's value, so that any two results of the same questions can be
compared pair by pair later, by whoever has the files.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from common.files import write_json
from eval.figures import figure
from eval.metrics.tokens import characters, distinct_1
from eval.score import question_means
from eval.statistics import Interval, bootstrap_mean

FORMAT = 2


class ResultError(ValueError):
    """Result files that can't be read or compared; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Result:
    """One model's figures.

    Attributes:
        model: its name in tables.
        test_set: the test set's name in tables.
        signature: of the protocol, see `eval.metrics.protocols.Protocol.signature`.
        samples: replies to each question; 0 where their number differs.
        faults: replies that showed nothing, by fault of `eval.replies.shown`; they scored 0.
        figures: mean over questions, with its 95 % bootstrap interval over questions, by name.
        pooled: figures of all replies together, without an interval: distinct_1_corpus.
        by_question: a row a question, indexed by its id: each figure's mean over the replies.
        note: what a reader has to know, such as a test set that the model may have seen; "" for nothing.
    """

    model: str
    test_set: str
    signature: str
    samples: int
    faults: dict[str, int]
    figures: dict[str, Interval]
    pooled: dict[str, float]
    by_question: pd.DataFrame = field(repr=False)
    note: str = ""

    def __post_init__(self) -> None:
        """Check that tables will show every figure.

        Raises:
            ValueError: one without an entry in `eval.figures.FIGURES`.
        """
        for key in (*self.figures, *self.pooled):
            figure(key)

    @classmethod
    def of(cls, model: str, test_set: str, signature: str, scores: pd.DataFrame, seed: int, note: str = "") -> "Result":
        """Sum up what `eval.score.score_replies` gave, and what was added to it.

        Args:
            model: its name.
            test_set: its name.
            signature: of what the replies were scored by.
            scores: a row a reply.
            seed: of the bootstrap.
            note: see `note`.
        """
        means = question_means(scores)
        counts = scores.groupby("question_id").size()
        faults = scores.loc[scores["fault"] != "", "fault"].value_counts().sort_index()
        return cls(
            model,
            test_set,
            signature,
            int(counts.iloc[0]) if counts.nunique() == 1 else 0,
            {str(name): int(count) for name, count in faults.items()},
            {name: bootstrap_mean(means[name], seed) for name in means},
            {"distinct_1_corpus": distinct_1_corpus(scores)},
            means,
            note,
        )

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        own = {key.name: getattr(self, key.name) for key in fields(self)}
        figures = {name: asdict(interval) for name, interval in self.figures.items()}
        values = {"id": self.by_question.index.tolist(), **self.by_question.to_dict("list")}
        write_json(path, {"format": FORMAT, **own, "figures": figures, "by_question": values})

    @classmethod
    def read(cls, path: Path) -> "Result":
        """Read a file of `write`.

        Raises:
            ResultError: not such a file.
        """
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if (version := content.pop("format")) != FORMAT:
                raise ResultError(f"{path}: format {version}, expected {FORMAT}. Score the replies again.")
            content["by_question"] = pd.DataFrame(content["by_question"]).set_index("id").rename_axis("question_id")
            content["figures"] = {name: Interval(**interval) for name, interval in content["figures"].items()}
            return cls(**content)
        except ResultError:
            raise
        except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise ResultError(
                f"{path}: {error}, expected a result of `python -m eval.metrics` or `make eval`"
            ) from error


def check_comparable(results: Sequence[Result]) -> None:
    """All results are of one protocol, and those of one test set of the same questions.

    Raises:
        ResultError: none at all, mixed signatures, the same model twice on a test set, or other questions.
    """
    if not results:
        raise ResultError("no results, expected the files of `python -m eval.metrics` or `make eval`")
    signatures = {result.signature: result.model for result in results}
    if len(signatures) > 1:
        shown = "; ".join(f"{model}: {signature}" for signature, model in signatures.items())
        raise ResultError(f"results of different protocols can't share a table: {shown}. Score all of them alike.")
    first: dict[str, Result] = {}
    seen: set[tuple[str, str]] = set()
    for result in results:
        if (result.test_set, result.model) in seen:
            raise ResultError(f"{result.model} stands there twice for {result.test_set}. Name the models apart.")
        seen.add((result.test_set, result.model))
        other = first.setdefault(result.test_set, result)
        if difference := set(result.by_question.index) ^ set(other.by_question.index):
            raise ResultError(
                f"{result.model} and {other.model} were scored on other questions of {result.test_set}: "
                f"{len(difference)} are not in both, one is {min(difference)}. Score both on the same test set."
            )


def distinct_1_corpus(scores: pd.DataFrame) -> float:
    """Distinct characters among all replies' together, averaged over the samples: it falls with more text."""
    pooled = scores.groupby("sample")["shown"].agg(lambda texts: distinct_1("".join(map(characters, texts))))
    return float(pooled.mean())
