"""Empathy-QA (Empathy-R1, section 2): title, description, topic label and one or more responses a question.

The corpus was never published, so the spelling of its keys is ours: ``title``, ``description``, ``topic`` (which may
hold ``topic/subtopic``), ``responses`` (a list of strings or of objects with ``text``), and where there are such
``subtopic`` and ``id`` (else the record's number, from 1). The files are those of ``rows``, the shapes of a row those
of ``table``; with other names of columns such a corpus is read by ``table``.
"""

from pathlib import Path
from typing import Final

from common.records.question import Question
from data_prep.corpora import table
from data_prep.corpora.records import Intake

# The paper's four fields.
REQUIRED: Final = ("title", "description", "topic", "responses")


def load(path: Path, intake: Intake, encoding: str = "utf-8") -> list[Question]:
    """The questions of a file in this format.

    Raises:
        CorpusError: one of the four fields is no column of it, or what ``table.load`` raises.
    """
    return table.load(path, intake, encoding, required=REQUIRED)
