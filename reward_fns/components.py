"""The named parts of one output's reward (Eq. 3), and what is measured of a reply beside its cosine."""

import unicodedata
from collections.abc import Callable
from typing import Final

from reward_fns.coe_format import FORMAT_REWARDS
from reward_fns.judgement import Judgement
from reward_fns.options import RewardOptions

# Characters of a piece that counts as copied, the length of most Chinese words.
#
# Of SMILECHAT's, PsyQA's and our own responses 99 in 100 have an overlap under 0.35 with their question; the question's
# words strung together have 0.63 or more. By pieces of four characters the two are not apart: a string of words breaks
# what is longer than a word.
GRAM: Final = 2


def components(question: str, output: str, judgement: Judgement | None, options: RewardOptions) -> dict[str, float]:
    """The named parts of one output's reward, the same `RESULT_KEYS` for every output: verl averages over a batch.

    Args:
        judgement: of the question and what `RewardOptions.answer_of` reads; None where that is nothing.

    Returns:
        score: r of Eq. 3, in [0, 2], or [0, 1] without a format; format: r_format; answer: r_answer; cosine: cos(E(q),
        E(a)); and those of `measure`. All but score and format are 0.0 without an answer.
    """
    parts = dict.fromkeys(RESULT_KEYS, 0.0)
    parts["format"] = FORMAT_REWARDS[options.format_mode](output)
    answer = options.answer_of(output)
    if answer is not None and judgement is not None:
        measures = measure(question, answer)
        paid = 0.0 if options.refuse(measures) else float(getattr(judgement, options.mode))
        parts |= {"answer": paid, "cosine": judgement.cosine, **measures}
    parts["score"] = parts["format"] + parts["answer"]
    return parts


def measure(question: str, answer: str) -> dict[str, float]:
    """What guards go by, and verl logs: each of `MEASURES`."""
    return {name: function(question, answer) for name, function in MEASURES.items()}


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


def distinct_2(answer: str) -> float:
    """Distinct ones among the answer's pairs of neighbouring characters, 0 to 1; 1 for an answer too short for any.

    Unlike `distinct_1` it hardly falls with length, so that one limit serves short and long answers.
    """
    pieces = _grams(answer)
    return len(set(pieces)) / len(pieces) if pieces else 1.0


def _grams(text: str) -> list[str]:
    letters = "".join(char for char in text.lower() if unicodedata.category(char)[0] in "LN")
    return [letters[place : place + GRAM] for place in range(len(letters) - GRAM + 1)]


# The answer's length in characters: over 0 where there is one.
ANSWER_CHARS: Final = "answer_chars"
# What is measured of question and answer.
MEASURES: Final[dict[str, Callable[[str, str], float]]] = {
    ANSWER_CHARS: lambda _, answer: float(len(answer)),
    "copy_overlap": copy_overlap,
    "distinct_1": lambda _, answer: distinct_1(answer),
    "distinct_2": lambda _, answer: distinct_2(answer),
}
RESULT_KEYS: Final = ("score", "format", "answer", "cosine", *MEASURES)
# What verl is told beside them: how long the output waited for the reward worker, in seconds.
WAIT: Final = "wait_s"
