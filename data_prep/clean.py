"""Cleaning: white space made even, short and repeated texts left out (section 2), with an account of each of them."""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Final

from data_prep.record import Question, Rejected
from reward_fns.coe_format import has_visible_text

MIN_RESPONSE_CHARS: Final = 100
"""Responses have to be longer than this, in characters (section 2)."""

_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_LINE_EDGES = re.compile(r" ?\n ?")
_BLANK_LINES = re.compile(r"\n{3,}")
# U+200D binds emoji into one; between anything else it is as invisible as the rest.
_JOINER = re.compile(
    "(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d|\u200d(?![\u2600-\u27bf\U0001f000-\U0001faff])"
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What cleaning kept and what it left out; every question and response that came in is in exactly one of the two.

    Attributes:
        questions: kept, in the order they came.
        rejected: questions and responses left out. All responses of a question that goes are listed too.
    """

    questions: list[Question]
    rejected: list[Rejected]
    questions_in: int
    responses_in: int

    @property
    def counts(self) -> dict[str, int]:
        """Of questions and responses: how many came in, were kept, were rejected."""
        return {
            "questions_in": self.questions_in,
            "questions_kept": len(self.questions),
            "questions_rejected": sum(item.what == "question" for item in self.rejected),
            "responses_in": self.responses_in,
            "responses_kept": sum(len(question.responses) for question in self.questions),
            "responses_rejected": sum(item.what == "response" for item in self.rejected),
        }


def clean(questions: list[Question], min_response_chars: int = MIN_RESPONSE_CHARS) -> Cleaned:
    """Even out white space and leave out what section 2 leaves out, as far as plain rules can tell.

    Left out are responses not longer than ``min_response_chars``, responses repeated within a question, questions
    whose post was met before, and questions without a title or without a response left. Of equal posts the first
    stays, at acute risk when any of them is marked so.
    """
    kept: dict[str, Question] = {}
    rejected: list[Rejected] = []
    for raw in questions:
        question = _normalised(raw)
        responses, dropped = _responses(question, min_response_chars)
        first = kept.get(question.post)
        reason = None
        if not has_visible_text(question.title):
            reason = "no title"
        elif first is not None:
            reason = f"same post as {first.id}"
            kept[question.post] = replace(first, crisis=first.crisis or question.crisis)
        elif not responses:
            reason = "no response left"
        rejected += dropped
        if reason is None:
            kept[question.post] = replace(question, responses=tuple(responses))
        else:
            rejected += [Rejected(question.id, "response", f"question left out: {reason}") for _ in responses]
            rejected.append(Rejected(question.id, "question", reason))
    return Cleaned(list(kept.values()), rejected, len(questions), sum(len(q.responses) for q in questions))


def normalise(text: str) -> str:
    """The text with even white space, never longer than before; letters and punctuation stay as they are.

    Every line end becomes ``\\n``, every other space (full-width, no-break, tab, runs of them) one plain space, and
    none stands at a line's edge; at most one blank line in a row; invisible format characters (zero width, direction
    marks, byte-order mark) go, except joiners inside emoji.
    """
    text = _LINE_ENDS.sub("\n", _JOINER.sub("", text))
    text = "".join(char for char in text if char == "\u200d" or unicodedata.category(char) != "Cf")
    return _BLANK_LINES.sub("\n\n", _LINE_EDGES.sub("\n", _SPACES.sub(" ", text))).strip()


def _normalised(question: Question) -> Question:
    coe = question.coe
    return replace(
        question,
        title=normalise(question.title),
        description=normalise(question.description),
        topic=normalise(question.topic),
        responses=tuple(normalise(response) for response in question.responses),
        coe=None if coe is None else (normalise(coe[0]), normalise(coe[1]), normalise(coe[2]), normalise(coe[3])),
    )


def _responses(question: Question, min_response_chars: int) -> tuple[list[str], list[Rejected]]:
    kept: dict[str, None] = {}
    rejected = []
    for response in question.responses:
        if len(response) <= min_response_chars:
            rejected.append(Rejected(question.id, "response", f"not over {min_response_chars} characters"))
        elif response in kept:
            rejected.append(Rejected(question.id, "response", "repeated within the question"))
        else:
            kept[response] = None
    return list(kept), rejected
