"""PsyQA (Sun et al., 2021, https://aclanthology.org/2021.findings-acl.130): a JSON list of questions with answers.

Fields read: ``questionID``, ``question`` (the title), ``description``, ``keywords`` (comma-separated: the first is the
topic, the others together the subtopic) and ``answers[].answer_text``. The strategy annotations are not used. The
corpus marks no acute risk, so no question is marked here either. The whole corpus is given out by its authors under a
signed agreement.
"""

from pathlib import Path

from common.records.question import Question
from data_prep.corpora import records, rows
from data_prep.corpora.records import Intake


def load(path: Path, intake: Intake, encoding: str = "utf-8") -> list[Question]:
    """The questions of a PsyQA file; records with a bad field or an id met before go to ``intake`` as rejected.

    Raises:
        CorpusError: what ``rows.read`` raises.
    """
    return intake.distinct(rows.read(path, encoding), _question, "questionID")


def _question(value: object, where: str) -> Question:
    record = records.as_object(value, where)
    responses = []
    for index, entry in enumerate(records.as_list(record, "answers", where)):
        place = f"{where}: answers[{index}]"
        # A blank one among several is left to cleaning, so that it does not cost the others.
        responses.append(records.text(records.as_object(entry, place), "answer_text", place, blank=True))
    keywords = records.text(record, "keywords", where, blank=True).replace("，", ",").split(",")
    topic, *finer = (keyword.strip() for keyword in keywords)
    return Question(
        id=records.identifier(record, "questionID", where),
        title=records.text(record, "question", where),
        description=records.text(record, "description", where, blank=True),
        topic=topic,
        subtopic=",".join(keyword for keyword in finer if keyword),
        responses=tuple(responses),
    )
