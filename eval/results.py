"""What one model scored on one test set: a row a reply, and their sum as a file that tables and comparisons read.

Besides means with their intervals a result holds every question's value, so that any two results of the same questions
can be compared pair by pair later, by whoever has the files.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from common.files import FileError, write_json
from common.records.replies import ReplyKind
from eval.figures import figure
from eval.metrics.protocols import Protocol
from eval.metrics.tfidf import Weights
from eval.metrics.tokens import characters, distinct_1
from eval.replies import check_kind, shown_parts
from eval.statistics import Interval, mean_interval
from reward_fns.coe_format import CoEFormatError, parse
from reward_fns.components import copy_overlap

FORMAT = 4


@dataclass(frozen=True, slots=True)
class Result:
    """One model's figures.

    Attributes:
        model: its name in tables.
        test_set: the test set's name in tables.
        signature: of the protocol, see `eval.metrics.protocols.Protocol.signature`.
        samples: replies to each question; 0 where their number differs.
        faults: replies that showed nothing, by fault of `eval.replies.shown`; they scored 0.
        figures: mean over questions, with its 95 % interval over questions, by name.
        pooled: figures of all replies together, without an interval: distinct_1_corpus.
        by_question: a row a question, indexed by its id: each figure's mean over the replies.
        note: what a reader has to know, such as a test set that the model may have seen; "" for nothing.
        shown: the second reading, of figures of the text alone: over the replies that show something.
        shown_by_question: as `by_question`, in the second reading; a question whose replies show nothing has no row.
        baseline: it is no model, see `eval.baselines`: it stands below them in tables and is compared with none.
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
    shown: dict[str, Interval] = field(default_factory=dict)
    shown_by_question: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    baseline: bool = False

    def __post_init__(self) -> None:
        """Check that tables will show every figure.

        Raises:
            ValueError: one without an entry in `eval.figures.FIGURES`.
        """
        for key in (*self.figures, *self.pooled):
            figure(key)

    @classmethod
    def of(
        cls,
        model: str,
        test_set: str,
        signature: str,
        scores: pd.DataFrame,
        note: str = "",
        *,
        baseline: bool = False,
    ) -> "Result":
        """Sum up what `eval.results.score_replies` gave, and what was added to it.

        Args:
            model: its name.
            test_set: its name.
            signature: of what the replies were scored by.
            scores: a row a reply.
            note: see `note`.
            baseline: see `baseline`.
        """
        means = question_means(scores)
        counts = scores.groupby("question_id").size()
        faults = scores.loc[scores["fault"] != "", "fault"].value_counts().sort_index()
        there = question_means(scores[scores["fault"] == ""])
        there = there[[name for name in there if figure(str(name)).of_text]]
        return cls(
            model,
            test_set,
            signature,
            int(counts.iloc[0]) if counts.nunique() == 1 else 0,
            {str(name): int(count) for name, count in faults.items()},
            {name: mean_interval(means[name], figure(name).bounds, share=figure(name).share) for name in means},
            {"distinct_1_corpus": distinct_1_corpus(scores)},
            means,
            note,
            {
                name: mean_interval(there[name], figure(name).bounds, share=figure(name).share)
                for name in there
                if len(there)
            },
            there,
            baseline,
        )

    def plain(self) -> dict[str, Any]:
        """As values that JSON takes, see `of_plain`."""
        own = {key.name: getattr(self, key.name) for key in fields(self)}
        for key in ("figures", "shown"):
            own[key] = {name: asdict(one) for name, one in own[key].items()}
        for key in ("by_question", "shown_by_question"):
            own[key] = {"id": own[key].index.tolist(), **own[key].to_dict("list")}
        return own

    @classmethod
    def of_plain(cls, content: Mapping[str, Any]) -> "Result":
        """What `plain` gave.

        Raises:
            KeyError, TypeError, AttributeError, ValueError: something else.
        """
        own = dict(content)
        for key in ("figures", "shown"):
            own[key] = {name: Interval(**interval) for name, interval in own[key].items()}
        for key in ("by_question", "shown_by_question"):
            own[key] = pd.DataFrame(own[key]).set_index("id").rename_axis("question_id")
        return cls(**own)

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        write_json(path, {"format": FORMAT, **self.plain()})

    @classmethod
    def read(cls, path: Path) -> "Result":
        """Read a file of `write`.

        Raises:
            FileError: not such a file.
        """
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if (version := content.pop("format")) != FORMAT:
                raise FileError(f"{path}: format {version}, expected {FORMAT}. Score the replies again.")
            return cls.of_plain(content)
        except FileError:
            raise
        except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise FileError(f"{path}: {error}, expected a result of `python -m eval.metrics` or `make eval`") from error


def check_comparable(results: Sequence[Result]) -> None:
    """All results are of one protocol, and those of one test set of the same questions.

    Raises:
        FileError: none at all, mixed signatures, the same model twice on a test set, or other questions.
    """
    if not results:
        raise FileError("no results, expected the files of `python -m eval.metrics` or `make eval`")
    signatures = {result.signature: result.model for result in results}
    if len(signatures) > 1:
        shown = "; ".join(f"{model}: {signature}" for signature, model in signatures.items())
        raise FileError(f"results of different protocols can't share a table: {shown}. Score all of them alike.")
    names = Counter((result.test_set, result.model) for result in results)
    if twice := [name for name, count in names.items() if count > 1]:
        raise FileError(f"{twice[0][1]} stands there twice for {twice[0][0]}. Name the models apart.")
    first: dict[str, Result] = {}
    for result in sorted(results, key=lambda result: result.baseline):
        other = first.setdefault(result.test_set, result)
        mine, theirs = set(result.by_question.index), set(other.by_question.index)
        # People are compared with each other on the questions that several have answered.
        if difference := mine - theirs if result.baseline else mine ^ theirs:
            raise FileError(
                f"{result.model} and {other.model} were scored on other questions of {result.test_set}: "
                f"{len(difference)} are not in both, one is {min(difference)}. Score both on the same test set."
            )


def distinct_1_corpus(scores: pd.DataFrame) -> float:
    """Distinct characters among all replies' together, averaged over the samples: it falls with more text."""
    return float(
        scores.groupby("sample")["shown"].agg(lambda texts: distinct_1("".join(map(characters, texts)))).mean()
    )


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
    replies: pd.DataFrame,
    references: pd.DataFrame,
    protocol: Protocol,
    kind: ReplyKind,
    label: str = "score",
    weighing: pd.DataFrame | None = None,
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
        weighing: the test set whose references weigh words; that of `references` where None.

    Returns:
        question_id, sample, text, shown, fault ("" for none), visible (0 or 1), chars, the protocol's figures; cut (0
        or 1) where the replies tell whether they are finished; with a column question among the references
        copy_overlap, and by protocol zh, from `eval.metrics.tfidf.MIN_QUESTIONS` questions on, tfidf; with kind coe
        format (0 or 1, Eq. 4) and violation ("" for a valid output).

    Raises:
        FileError: replies of another kind, see `eval.replies.check_kind`.
    """
    check_kind(replies["text"].tolist(), kind, label)
    parts = replies.assign(part=shown_parts(replies, kind))
    rows = []
    known = references.set_index("id")
    weighs = protocol.weighs and "question" in known.columns
    weights = _weights(references if weighing is None else weighing) if weighs else {}
    with tqdm(total=len(replies), desc=label, unit="reply", disable=None) as bar:
        for question_id, group in parts.groupby("question_id", sort=True):
            row_of = known.loc[question_id]
            weighed = weights.get(row_of.get("test_set", ""))
            beyond = weighed.beyond(str(row_of["question"])) if weighed else None
            prepared = protocol.prepare(list(row_of["references"]), beyond)
            for reply in group.itertuples():
                part, fault = reply.part
                row = {
                    "question_id": question_id,
                    "sample": reply.sample,
                    "text": reply.text,
                    "shown": part,
                    "fault": fault,
                    "visible": float(not fault),
                    "chars": len(part),
                    **protocol.score(part, prepared),
                }
                if "finished" in replies:
                    row["cut"] = float(not reply.finished)
                if "question" in known.columns:
                    row["copy_overlap"] = copy_overlap(str(known.at[question_id, "question"]), part)
                if kind == "coe":
                    violation = _violation(reply.text)
                    row |= {"violation": violation, "format": float(not violation)}
                rows.append(row)
            bar.update(len(group))
    return pd.DataFrame(rows)


def _weights(questions: pd.DataFrame) -> dict[str, Weights | None]:
    """Weights by test set; of all questions, by "", where the table names no test set."""
    sets = questions.groupby("test_set") if "test_set" in questions.columns else [("", questions)]
    return {str(name): Weights.of(own["references"]) for name, own in sets}


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


def add_formats(scores: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """The table of a model that was asked for no format, with the format (Eq. 4) of what it writes when it is asked.

    Args:
        scores: of `score_replies`.
        asked: of `common.records.replies.read_replies`, as many replies to the same questions.
    """
    rates = asked.assign(format=[float(not _violation(text)) for text in asked["text"]])
    return scores.merge(
        rates[["question_id", "sample", "format"]], on=["question_id", "sample"], how="left", validate="one_to_one"
    )


def question_means(scores: pd.DataFrame) -> pd.DataFrame:
    """The mean over each question's replies of every numeric column, indexed and sorted by question."""
    return scores.drop(columns=["sample"]).set_index("question_id").select_dtypes("number").groupby(level=0).mean()


def _violation(text: str) -> str:
    try:
        parse(text)
    except CoEFormatError as error:
        return str(error)
    return ""
