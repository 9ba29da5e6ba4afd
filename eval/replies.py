"""Whether replies fit their questions, and which part of a reply a person would be shown.

What does not fit together is told before anything is scored; a reply that shows nothing is counted and scores 0, and is
never left out in silence.
"""

import re
from pathlib import Path
from typing import Final

import pandas as pd

from common.files import FileError
from common.records.replies import ReplyKind
from reward_fns.coe_format import TAG_NAMES, extract_answer, has_visible_text

_TAGGED: Final = re.compile(rf"</?(?:{'|'.join((*TAG_NAMES, 'think'))})>")


def check_match(replies: pd.DataFrame, references: pd.DataFrame, source: Path) -> None:
    """Every question has its replies, as many as the others, and no reply is to another question.

    Raises:
        FileError: they do not fit; the message names questions.
    """
    found, expected = set(replies["question_id"]), set(references["id"])
    if unknown := sorted(found - expected):
        raise FileError(
            f"{source}: replies to {len(unknown)} questions without references, the first is {unknown[0]}. "
            "Give the references of the same test set."
        )
    if missing := sorted(expected - found):
        raise FileError(
            f"{source}: no reply to {len(missing)} of {len(expected)} questions, the first is {missing[0]}. "
            "Generate them, or leave the questions out of the references."
        )
    counts = replies.groupby("question_id").size()
    if counts.nunique() > 1:
        raise FileError(
            f"{source}: {counts.idxmin()} has {counts.min()} replies and {counts.idxmax()} {counts.max()}, expected "
            "equally many. Generate the missing ones."
        )


def shown(text: str, kind: ReplyKind) -> tuple[str, str]:
    """What a person would be shown of a whole output, and what is wrong with it ("" where nothing is).

    Faults, with nothing shown: "no_answer" (kind coe: not exactly one ``<answer>``, see
    `reward_fns.coe_format.extract_answer`), "unfinished_reasoning" (kind think: the block does not end), "empty".

    Raises:
        FileError: kind plain, and the text holds tags: the wrong part would be scored.
    """
    if kind == "coe":
        answer = extract_answer(text)
        return (answer, "") if answer is not None else ("", "no_answer")
    if kind == "think":
        _, end, reply = text.rpartition("</think>")
        if not end and "<think>" in reply:
            return "", "unfinished_reasoning"
        text = reply
    elif tag := _TAGGED.search(text):
        raise FileError(
            f"a plain reply holds {tag.group()}. Say which part is shown: kind coe (what stands inside <answer>) or "
            "think (what comes after </think>)."
        )
    return (text.strip(), "") if has_visible_text(text) else ("", "empty")
