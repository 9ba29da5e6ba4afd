"""The parts of the reward beside the cosine: what verl logs of every reply, and what tells parroting and repetition."""

import unicodedata
from typing import Final

GRAM: Final = 2
"""Characters of a piece that counts as copied, the length of most Chinese words.

Of SMILECHAT's, PsyQA's and our own responses 99 in 100 have an overlap under 0.35 with their question; the question's
words strung together have 0.63 or more. By pieces of four characters the two are not apart: a string of words breaks
what is longer than a word.
"""


def copy_overlap(question: str, answer: str) -> float:
    """The share, 0 to 1, of the answer's pairs of neighbouring characters that the question holds.

    Letters and digits count, case, white space and marks do not.
    """
    pieces, known = _grams(answer), set(_grams(question))
    if not pieces:
        return 0.0
    return sum(piece in known for piece in pieces) / len(pieces)


def distinct_1(answer: str) -> float:
    """Distinct characters among all but white space (Li et al., 2015, on characters); 0 without any."""
    characters = [char for char in answer if not char.isspace()]
    return len(set(characters)) / len(characters) if characters else 0.0


def distinct_grams(answer: str) -> float:
    """Distinct ones among the answer's pairs of neighbouring characters, 0 to 1; 1 for an answer too short for any.

    Unlike `distinct_1` it hardly falls with length, so that one limit serves short and long answers.
    """
    pieces = _grams(answer)
    return len(set(pieces)) / len(pieces) if pieces else 1.0


def _grams(text: str) -> list[str]:
    letters = "".join(char for char in text.lower() if unicodedata.category(char)[0] in "LN")
    return [letters[place : place + GRAM] for place in range(len(letters) - GRAM + 1)]
