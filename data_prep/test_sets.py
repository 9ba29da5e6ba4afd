"""Test sets from further corpora: section 4.1.1 tests one model on 2,000 questions of each of two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from common.records.question import Question
from data_prep.config import DataConfig
from data_prep.grouping import Grouped
from data_prep.selection import select_prompts
from data_prep.split import seeded_order, take_groups
from data_prep.tally import Tally


@dataclass(frozen=True, slots=True)
class FurtherTest:
    """A test set that none of the training corpora is split for.

    Attributes:
        drawn: the questions drawn, with their texts as leaks are looked for: nothing alike may be trained on.
        prompts: those of them whose prompt keeps the limit.
    """

    drawn: Grouped
    prompts: list[Question]


def draw_test_sets(
    corpora: Mapping[str, Grouped], tokenizer: PreTrainedTokenizerBase, config: DataConfig, tally: Tally
) -> dict[str, FurtherTest]:
    """``test_size`` questions of each corpus, by a seeded draw of whole groups of near-duplicates.

    Args:
        corpora: deduplicated, by the test set's name.

    Raises:
        ValueError: a corpus has too few questions, or none of those drawn keeps the limit.
    """
    found = {}
    for name, corpus in corpora.items():
        drawn, _ = take_groups(seeded_order(corpus.questions, config.seed), config.test_size)
        if len(drawn) < config.test_size:
            raise ValueError(
                f"tests: {name} has {len(corpus.questions)} questions, too few for test_size {config.test_size}, "
                "near-duplicates kept together. Lower test_size."
            )
        prompts = select_prompts("test", drawn, {}, tokenizer, config, tally, f"test {name}")
        if not prompts:
            raise ValueError(
                f"tests: no prompt of {name} keeps max_prompt_tokens={config.max_prompt_tokens}. Raise it."
            )
        found[name] = FurtherTest(corpus.of({question.id for question in drawn}), prompts)
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
