"""The names of the reward's modes, apart from what computes them: a recipe checks them without loading an encoder."""

from typing import Final, Literal, get_args

AnswerMode = Literal["threshold", "dense", "margin"]
"""How the cosine becomes r_answer, see `reward_model.Judgement`."""

FormatMode = Literal["exact", "partial"]
"""How r_format is paid, see `coe_format`."""

ANSWER_MODES: Final[tuple[AnswerMode, ...]] = get_args(AnswerMode)
FORMAT_MODES: Final[tuple[FormatMode, ...]] = get_args(FormatMode)


def check_modes(mode: str, format_mode: str) -> None:
    """Stop at a mode that is none.

    Raises:
        ValueError: says which are there.
    """
    if mode not in ANSWER_MODES:
        raise ValueError(f"mode={mode}: expected one of {', '.join(ANSWER_MODES)}.")
    if format_mode not in FORMAT_MODES:
        raise ValueError(f"format_mode={format_mode}: expected one of {', '.join(FORMAT_MODES)}.")
