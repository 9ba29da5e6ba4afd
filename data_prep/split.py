"""Train, validation and test, by question: whatever belongs to a question lies on one side only.

A question's place depends on its id and the seed alone, so the order of a file does not matter, and a corpus that
grows moves few questions. Near-duplicates, which `data_prep.grouping` finds, lie on one side too.
"""

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from common.records.question import Question


@dataclass(frozen=True, slots=True)
class Split:
    """The three parts, each in the order of the draw (a seeded shuffle).

    Attributes:
        train: for SFT, the reward model and, less the questions at risk, GRPO: such a post is no ground for trial and
            error.
        val: GRPO's validation prompts, none of them at risk.
        test: never trained on.
    """

    train: list[Question]
    val: list[Question]
    test: list[Question]

    @property
    def parts(self) -> dict[str, list[Question]]:
        """The parts by name."""
        return {"train": self.train, "val": self.val, "test": self.test}


def split_questions(
    questions: list[Question],
    test_size: int,
    val_size: int,
    seed: int,
    *,
    too_long: Collection[str] = (),
    not_for_val: Collection[str] = (),
) -> Split:
    """Split by question.

    Args:
        test_size: number of test questions (the paper: 2,000 of each corpus).
        val_size: number of GRPO validation questions.
        too_long: ids of questions whose prompt is over the limit: they and what is grouped with them are trained on.
        not_for_val: ids of questions that may not be validated on, since they are alike to what is held out elsewhere.

    Raises:
        ValueError: a size below 0, an id met twice, or too few questions for the sizes and one to train on.
    """
    if test_size < 0 or val_size < 0:
        raise ValueError(f"test_size {test_size} and val_size {val_size}, expected 0 or more. Correct the config.")
    ordered = seeded_order(questions, seed)
    training = {question.group for question in questions if question.train_only or question.id in too_long}
    test, rest = take_groups([question for question in ordered if question.group not in training], test_size)
    barred = training | {question.group for question in rest if question.at_risk or question.id in not_for_val}
    val, _ = take_groups([question for question in rest if question.group not in barred], val_size)
    chosen = {question.id for question in (*test, *val)}
    train = [question for question in ordered if question.id not in chosen]
    if len(test) < test_size or len(val) < val_size or all(question.at_risk for question in train):
        counts = {
            "at risk": sum(question.at_risk for question in questions),
            "too long for max_prompt_tokens": len(too_long),
            "only trained on": sum(question.train_only for question in questions),
            "alike to what is held out elsewhere": len(not_for_val),
        }
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "none of them barred"
        raise ValueError(
            f"{len(questions)} questions ({told}) in {len({q.group for q in questions})} groups are too few for "
            f"test_size={test_size}, val_size={val_size} and one RL prompt: {len(test)} can be tested on, {len(val)} "
            "validated on. Lower the sizes, or look at what was left out."
        )
    return Split(train, val, test)


def take_groups(questions: list[Question], size: int) -> tuple[list[Question], list[Question]]:
    """The first ``size`` questions and the rest, whole groups on either side: one that does not fit is passed over."""
    members = Counter(question.group for question in questions)
    taken: set[str] = set()
    left = size
    for question in questions:
        if question.group not in taken and members[question.group] <= left:
            taken.add(question.group)
            left -= members[question.group]
    return (
        [question for question in questions if question.group in taken],
        [question for question in questions if question.group not in taken],
    )


def seeded_order(questions: list[Question], seed: int) -> list[Question]:
    """The questions shuffled, the same for a seed whatever order they come in.

    Raises:
        ValueError: an id met twice.
    """
    ids = {question.id for question in questions}
    if len(ids) < len(questions):
        raise ValueError(f"{len(questions)} questions with {len(ids)} ids, expected one each. Give each its own id.")
    return sorted(questions, key=lambda question: draw(seed, question.id))


def draw(seed: int, *names: str | int) -> bytes:
    """A draw for what the names name, the same on every machine and in every Python, to sort by."""
    return hashlib.sha256("\x1f".join(map(str, (seed, *names))).encode()).digest()
