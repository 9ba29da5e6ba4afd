"""The numbers of a corpus that the paper's Table 1 gives, and what the plots and the dataset card need beside them.

All lengths are in characters as Python counts them: Chinese signs, Latin letters, punctuation and line ends alike, each
one. Tokens are the business of ``selection.py``; nothing here reads or writes a file.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from common.pages import Markdown, escape, table
from common.records.question import Question

# Bars of every length histogram; the last takes everything from its lower edge up.
BINS: Final = 60

# Width of a bar in characters; the same for every corpus, so that two pictures compare.
TITLE_BIN: Final = 2

DESCRIPTION_BIN: Final = 25
ANSWER_BIN: Final = 50


@dataclass(frozen=True, slots=True)
class Table1Column:
    """One corpus as Table 1 describes it; lengths are mean characters.

    Attributes:
        main_topics: None where the corpus has none.
        subtopics: None where the corpus has none.
        question_chars: of the title; the table calls it "question".
    """

    questions: int
    answers: int
    main_topics: int | None
    subtopics: int | None
    question_chars: float
    description_chars: float
    answer_chars: float
    responses_per_question: float


# Table 1 of the paper. Empathy-QA was never published, so its column can be read but not counted again.
PAPER: Final[Mapping[str, Table1Column]] = {
    "PsyQA": Table1Column(22_346, 56_063, 9, None, 21.6, 168.9, 524.6, 2.51),
    "Empathy-QA": Table1Column(40_959, 168_470, 29, 182, 22.7, 275.9, 775.6, 4.11),
}


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long the texts of one kind are, in characters.

    Attributes:
        p95: the shortest length that at least 95 % of the texts do not exceed (nearest rank, so one that occurs).
        bin_width: of a bar of the histogram.
        bins: texts per bar, ``BINS`` of them: bar i holds lengths from i × bin_width up to below the next one's, the
            last one everything above too.
    """

    mean: float
    median: float
    p95: int
    maximum: int
    bin_width: int
    bins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CorpusStatistics:
    """One corpus in numbers; ``dataclasses.asdict`` of it goes into JSON as it stands.

    Attributes:
        questions: how many.
        answers: human responses of all questions.
        titles: lengths of the titles, Table 1's "question".
        descriptions: lengths of the descriptions; a question without one counts with 0.
        responses: lengths of the responses.
        no_description: questions without a description.
        topics: questions per topic, the commonest first, equal ones by name.
        no_topic: questions without a topic.
        subtopics: different pairs of topic and subtopic: 其他 under two topics is two subtopics.
        responses_per_question: number of responses → questions with as many, in rising order.
    """

    questions: int
    answers: int
    titles: Lengths
    descriptions: Lengths
    responses: Lengths
    no_description: int
    topics: dict[str, int]
    no_topic: int
    subtopics: int
    responses_per_question: dict[int, int]

    @property
    def table1(self) -> Table1Column:
        """The corpus's column of Table 1."""
        return Table1Column(
            questions=self.questions,
            answers=self.answers,
            main_topics=len(self.topics) or None,
            subtopics=self.subtopics or None,
            question_chars=self.titles.mean,
            description_chars=self.descriptions.mean,
            answer_chars=self.responses.mean,
            responses_per_question=self.answers / self.questions,
        )


def corpus_statistics(questions: Iterable[Question]) -> CorpusStatistics:
    """Count a corpus in one pass that keeps numbers only, so a generator over any number of questions will do.

    Raises:
        ValueError: no question, or not one response: there is no mean length then.
    """
    titles: list[int] = []
    descriptions: list[int] = []
    answers: list[int] = []
    topics: Counter[str] = Counter()
    subtopics: set[tuple[str, str]] = set()
    counts: Counter[int] = Counter()
    for question in questions:
        titles.append(len(question.title))
        descriptions.append(len(question.description))
        answers += map(len, question.responses)
        counts[len(question.responses)] += 1
        topics[question.topic] += 1
        if question.subtopic:
            subtopics.add((question.topic, question.subtopic))
    if not answers:
        raise ValueError(
            f"{len(titles)} questions with no response at all, expected at least one of each. Check the corpus and "
            "what cleaning left out."
        )
    no_topic = topics.pop("", 0)
    return CorpusStatistics(
        questions=len(titles),
        answers=len(answers),
        titles=_lengths(titles, TITLE_BIN),
        descriptions=_lengths(descriptions, DESCRIPTION_BIN),
        responses=_lengths(answers, ANSWER_BIN),
        no_description=descriptions.count(0),
        topics=dict(sorted(topics.items(), key=lambda item: (-item[1], item[0]))),
        no_topic=no_topic,
        subtopics=len(subtopics),
        responses_per_question=dict(sorted(counts.items())),
    )


def table1(ours: Mapping[str, CorpusStatistics]) -> Markdown:
    """Table 1 of the paper in Markdown, its two columns first and ours beside them; it ends with a line end.

    Args:
        ours: a corpus's name, the heading of its column → its numbers.

    Raises:
        ValueError: no corpus of ours.
    """
    if not ours:
        raise ValueError("Table 1 without a corpus of ours, expected one or more. Pass the corpus's statistics.")
    columns = {f"{name} (paper)": column for name, column in PAPER.items()}
    columns |= {f"{escape(' '.join(name.split()))} (ours)": statistics.table1 for name, statistics in ours.items()}
    rows: dict[str, Callable[[Table1Column], str]] = {
        "Questions": lambda column: f"{column.questions:,}",
        "Answers": lambda column: f"{column.answers:,}",
        "Main topics": lambda column: _count(column.main_topics),
        "Subtopics": lambda column: _count(column.subtopics),
        "Mean characters of a question (its title)": lambda column: f"{column.question_chars:,.1f}",
        "Mean characters of a description": lambda column: f"{column.description_chars:,.1f}",
        "Mean characters of an answer": lambda column: f"{column.answer_chars:,.1f}",
        "Mean responses per question": lambda column: f"{column.responses_per_question:.2f}",
    }
    cells = ([label, *map(show, columns.values())] for label, show in rows.items())
    return table(["", *columns], cells)


def _lengths(lengths: list[int], bin_width: int) -> Lengths:
    values = np.asarray(lengths)
    bins = np.bincount(np.minimum(values // bin_width, BINS - 1), minlength=BINS)
    return Lengths(
        mean=float(values.mean()),
        median=float(np.median(values)),
        p95=int(np.quantile(values, 0.95, method="inverted_cdf")),
        maximum=int(values.max()),
        bin_width=bin_width,
        bins=tuple(bins.tolist()),
    )


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
