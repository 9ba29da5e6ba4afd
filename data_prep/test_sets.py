"""Test sets from further corpora: section 4.1.1 tests one model on 2,000 questions of each of two."""

from collections.abc import Collection, Mapping, Sequence

from common.records.question import Question
from data_prep.config import DataConfig
from data_prep.grouping import Grouped
from data_prep.split import seeded_order, take_groups


def draw_test_sets(
    corpora: Mapping[str, Grouped], too_long: Mapping[str, Collection[str]], config: DataConfig
) -> dict[str, Grouped]:
    """``test_size`` questions of each corpus whose prompts keep the limit, by a seeded draw of groups.

    Args:
        corpora: deduplicated, by the test set's name.
        too_long: ids of the questions whose prompt is over the limit, by the test set's name.

    Raises:
        ValueError: a corpus has too few questions.
    """
    found = {}
    for name, corpus in corpora.items():
        barred = {question.group for question in corpus.questions if question.id in too_long[name]}
        fitting = [question for question in corpus.questions if question.group not in barred]
        drawn, _ = take_groups(seeded_order(fitting, config.seed), config.test_size)
        if len(drawn) < config.test_size:
            raise ValueError(
                f"tests: {name} has {len(corpus.questions)} questions, {len(too_long[name])} of them too long for "
                f"max_prompt_tokens={config.max_prompt_tokens}: too few for test_size={config.test_size}. Lower it."
            )
        chosen = {question.id for question in drawn}
        found[name] = corpus.of(chosen)
    return found


def check_ids(sets: Mapping[str, Sequence[Question]]) -> None:
    """No two test sets share an id: replies and scores are told apart by it.

    Raises:
        ValueError: two do; the message names the sets and the id.
    """
    owner: dict[str, str] = {}
    for name, questions in sets.items():
        for question in questions:
            if (other := owner.setdefault(question.id, name)) != name:
                raise ValueError(
                    f"test sets {other} and {name} both have a question {question.id}. Give the questions of one of "
                    "the files other ids."
                )
