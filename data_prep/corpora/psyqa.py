"""PsyQA (Sun et al., 2021): one JSON file, a list of questions with their answers.

Fields read: ``questionID``, ``question`` (the title), ``description``, ``keywords`` (comma-separated, the first is the
topic) and ``answers[].answer_text``. The strategy annotations are not used. The corpus marks no acute risk, so no
question is marked here either. The whole corpus is given out by its authors under a signed agreement.
"""

from pathlib import Path
from typing import Any

from data_prep.corpora import reading
from data_prep.record import Question


def load(path: Path) -> list[Question]:
    """The questions of a PsyQA file.

    Raises:
        CorpusError: no such file, not a list, a record without one of the fields, an id met twice.
    """
    records = reading.read_json(path)
    if not isinstance(records, list) or not records:
        raise reading.bad_field(str(path), "(file)", records, "a list of questions", "Check that the file is PsyQA's.")
    seen = reading.SeenIds()
    questions = []
    for index, record in enumerate(records):
        where = f"{path}: entry {index}"
        question = _question(reading.as_object(record, where), where)
        seen.add(question.id, "questionID", where)
        questions.append(question)
    return questions


def _question(record: dict[str, Any], where: str) -> Question:
    responses = []
    for index, entry in enumerate(reading.as_list(record, "answers", where)):
        place = f"{where}: answers[{index}]"
        responses.append(reading.text(reading.as_object(entry, place), "answer_text", place))
    return Question(
        id=reading.identifier(record, "questionID", where),
        title=reading.text(record, "question", where),
        description=reading.text(record, "description", where, blank=True),
        topic=reading.text(record, "keywords", where, blank=True).replace("，", ",").split(",")[0].strip(),
        responses=tuple(responses),
    )
