"""The parts of the reward beside the cosine: what verl logs of every reply, and what tells parroting and repetition."""

import unicodedata
from typing import Final

GRAM: Final = 4
"""Characters of a piece that counts as copied: the longest words of everyday Chinese."""


def copy_overlap(question: str, answer: str) -> float:
    """The share, 0 to 1, of the answer's character 4-grams that the question holds; 0 for a shorter answer.

    Letters and digits count, case, white space and marks do not.
    """
    asked, told = _letters(question), _letters(answer)
    pieces = [told[place : place + GRAM] for place in range(len(told) - GRAM + 1)]
    if not pieces:
        return 0.0
    known = {asked[place : place + GRAM] for place in range(len(asked) - GRAM + 1)}
    return sum(piece in known for piece in pieces) / len(pieces)


def distinct_1(answer: str) -> float:
    """Distinct characters among all but white space (Li et al., 2015, on characters); 0 without any."""
    characters = [char for char in answer if not char.isspace()]
    return len(set(characters)) / len(characters) if characters else 0.0


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if unicodedata.category(char)[0] in "LN")
