"""Whether replies fit their questions, which part of one a person would be shown, and how raters see them.

What does not fit together is told before anything is scored; a reply that shows nothing is counted and scores 0, and is
never left out in silence. Raters see replies without tags, reasoning and model names, in an order that tells nothing.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from common.errors import StageError
from common.files import FileError
from common.records.references import at_risk, read_references
from common.records.replies import ReplyKind, read_models, read_replies
from eval.blinding import without_names
from reward_fns.coe_format import ANSWER, TAG_NAMES, extract_answer, has_visible_text

# End marks of chat templates that a runner has left in: no part of the text, and they tell a rater the family.
_END_MARKS: Final = re.compile(
    r"(?:\s*(?:<\|(?:im_end|endoftext|eot_id|end_of_text|end|eom_id)\|>|<｜end▁of▁sentence｜>|</s>|<eos>))+\s*\Z"
)
_TAGGED: Final = re.compile(rf"</?(?:{'|'.join((*TAG_NAMES, 'think'))})>")


# Faults of a reply that shows a reader nothing, and what each says of the output.
FAULTS: Final = {
    "no_answer": f"not exactly one <{ANSWER}>",
    "unfinished_reasoning": "the reasoning was cut before its end",
    "tags": "a plain reply with tags in it",
    "empty": "nothing that can be seen",
    "refused": "the server refused the prompt",
}


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


def read_matching(path: Path, references: pd.DataFrame) -> pd.DataFrame:
    """Replies of a file that fit their questions, see `common.records.replies.read_replies` and `check_match`.

    Raises:
        FileError: a malformed file, or replies that do not fit.
    """
    replies = read_replies(path)
    check_match(replies, references, path)
    return replies


def shown(text: str, kind: ReplyKind, *, cut: bool = False, opened: bool = False) -> tuple[str, str]:
    """What a person would be shown of a whole output, and what is wrong with it ("" where nothing is).

    Faults, with nothing shown, are those of FAULTS: "no_answer" of kind coe (see
    `reward_fns.coe_format.extract_answer`), "unfinished_reasoning" of kind think, "tags" of kind plain (see
    `check_kind`), "empty" of the last two.

    Args:
        cut: the output ended at the length limit.
        opened: of kind think: the prompt opened the block, so that an output without its end never got to the reply.
    """
    text = _END_MARKS.sub("", text)
    if kind == "coe":
        answer = extract_answer(text)
        return (answer, "") if answer is not None else ("", "no_answer")
    if kind == "think":
        _, end, reply = text.rpartition("</think>")
        if not end and (cut or opened or "<think>" in reply):
            return "", "unfinished_reasoning"
        text = reply
    elif _TAGGED.search(text):
        return "", "tags"
    return (text.strip(), "") if has_visible_text(text) else ("", "empty")


def shown_parts(replies: pd.DataFrame, kind: ReplyKind) -> list[tuple[str, str]]:
    """`shown` of every reply of one model; a refused one shows nothing, by the fault "refused".

    Of a reasoning model whose opening tag stands in the prompt, as DeepSeek-R1's does, an output tells by its end alone
    that there was reasoning: where some end a block that they did not open, those that end none were cut in it.

    Args:
        replies: of `common.records.replies.read_replies`.
        kind: which part is shown.
    """
    texts = replies["text"].tolist()
    cut = (~replies["finished"]).tolist() if "finished" in replies else [False] * len(texts)
    opened = kind == "think" and any("</think>" in text and "<think>" not in text for text in texts)
    refused = replies["refusal"].tolist() if "refusal" in replies else [""] * len(texts)
    return [
        ("", "refused") if words else shown(text, kind, cut=ended, opened=opened)
        for text, ended, words in zip(texts, cut, refused, strict=True)
    ]


def check_kind(texts: Sequence[str], kind: ReplyKind, whose: str) -> None:
    """Replies of kind plain are what they are called: a few may hold a stray tag, not half of them.

    Raises:
        FileError: the wrong part would be scored.
    """
    tagged = [tag.group() for text in texts if (tag := _TAGGED.search(text))] if kind == "plain" else []
    if tagged and 2 * len(tagged) >= len(texts):
        raise FileError(
            f"{whose}: {len(tagged)} of {len(texts)} plain replies hold tags, the first {tagged[0]}. Say "
            f"which part is shown: kind coe (what stands inside <{ANSWER}>) or think (what comes after </think>)."
        )


# Stands for a reply without anything to show; it is ranked like the others.
NOTHING: Final = "（这条回复没有可以展示的内容）"


@dataclass(frozen=True, slots=True)
class BlindItem:
    """One question's replies as raters see them.

    Attributes:
        question_id: of which question.
        post: what was asked.
        at_risk: whether the post has signs of acute risk; raters are warned.
        replies: texts by model, without tags, reasoning and model names. The names never reach a rater.
    """

    question_id: str
    post: str
    at_risk: bool
    replies: dict[str, str]

    def presented(self, rater: str, seed: int) -> list[tuple[str, str]]:
        """Model and reply in the order in which one rater sees them: random, and the same each time it is asked."""
        pairs = sorted(self.replies.items())
        random.Random(f"{seed} {rater} {self.question_id}").shuffle(pairs)
        return pairs


def named_set(test: Path, name: str = "") -> str:
    """The name of one of a run's test sets.

    Args:
        test: ``test.parquet``.
        name: of the set; "" for the first one, the corpus's own.

    Raises:
        FileError: the file is not as its stage writes it.
        StageError: no such set.
    """
    known = list(read_references(test, ("id", "references", "test_set"))["test_set"].unique())
    if name and name not in known:
        raise StageError(f"test_set={name}: no such test set, expected one of {', '.join(known)}.")
    return name or str(known[0])


def items_of_run(generated: Path, test: Path, count: int, seed: int, test_set: str) -> list[BlindItem]:
    """Items of the replies that `make generate` left in a folder, see `blind_items`.

    Args:
        generated: the folder.
        test: ``test.parquet``.
        count: how many questions at most.
        seed: of the draw.
        test_set: of which the questions are, of `named_set`.

    Raises:
        FileError: a file is not as its stage writes it.
        StageError: fewer than two models, or a model without a reply to a question drawn.
    """
    replies = {m.name: (read_replies(generated / m.file), m.kind) for m in read_models(generated)}
    questions = read_references(test, ("id", "references", "test_set"))
    return blind_items(replies, questions[questions["test_set"] == test_set], count, seed)


def blind_items(
    replies: Mapping[str, tuple[pd.DataFrame, ReplyKind]], test: pd.DataFrame, count: int, seed: int
) -> list[BlindItem]:
    """Items of the first sample of each model, for questions drawn at random.

    Args:
        replies: by model: of `common.records.replies.read_replies`, and which part of a text is shown.
        test: of `common.records.references.read_references`, with question, crisis and risk_level.
        count: how many questions at most.
        seed: of the draw.

    Raises:
        StageError: fewer than two models, or a model without a reply to a question drawn.
    """
    if len(replies) < 2:
        raise StageError(f"{list(replies)}: a ranking needs two models or more. Generate replies of more models.")
    first = {}
    for model, (frame, kind) in replies.items():
        parts = frame.assign(part=[part for part, _ in shown_parts(frame, kind)])
        first[model] = parts[parts["sample"] == parts["sample"].min()].set_index("question_id")["part"]
    drawn = random.Random(seed).sample(sorted(test["id"]), min(count, len(test)))
    known = test.assign(at_risk=at_risk(test)).set_index("id")
    items = []
    for question_id in drawn:
        texts = {}
        for model in replies:
            if question_id not in first[model].index:
                raise StageError(f"{model} has no reply to question {question_id}. Generate it.")
            texts[model] = without_names(str(first[model][question_id]), list(replies)) or NOTHING
        row = known.loc[question_id]
        items.append(BlindItem(question_id, str(row["question"]), bool(row["at_risk"]), texts))
    return items
