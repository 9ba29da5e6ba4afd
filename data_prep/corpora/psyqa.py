"""PsyQA (Sun et al., 2021, https://aclanthology.org/2021.findings-acl.130): a JSON list of questions with answers.

Fields read: ``questionID``, ``question`` (the title), ``description``, ``keywords`` (comma-separated: the first is the
topic, the others together the subtopic) and ``answers[].answer_text``. The strategy annotations are not used. The
corpus marks no acute risk, so no question is marked here either. The whole corpus is given out by its authors under a
signed agreement.
"""

from collections.abc import Iterable
from functools import partial

from common.records.question import Question
from data_prep.corpora.checks import Identifier, Label, Record, Some, Text, Whole, checked
from data_prep.corpora.columns import Columns
from data_prep.corpora.records import Entry, Intake


class _Answer(Record):
    # A blank one among several is left to cleaning, so that it does not cost the others.
    answer_text: Whole


class _Post(Record):
    questionID: Identifier
    question: Text
    description: Label = ""
    keywords: Label = ""
    answers: Some[_Answer]


def load(entries: Iterable[Entry], intake: Intake, columns: Columns) -> list[Question]:
    """The questions of a PsyQA file; records with a bad field or an id met before go to ``intake`` as rejected.

    Args:
        columns: where a crisis mark stands, if the file has been given one.
    """
    return intake.distinct(entries, partial(_question, columns=columns), "questionID")


def _question(value: object, where: str, columns: Columns) -> Question:
    post = checked(_Post, value, where)
    topic, *finer = (keyword.strip() for keyword in post.keywords.replace("，", ",").split(","))
    return Question(
        id=post.questionID,
        title=post.question,
        description=post.description,
        topic=topic,
        subtopic=",".join(keyword for keyword in finer if keyword),
        responses=tuple(answer.answer_text for answer in post.answers),
        crisis=columns.crisis(value, where) if isinstance(value, dict) else False,
    )
