"""What tests learn a tokenizer from."""

from collections.abc import Iterable

from common.records.question import Question
from data_prep.prompts import SYSTEM_PROMPTS
from reward_fns.coe_format import CoEOutput


def training_texts(questions: Iterable[Question]) -> Iterable[str]:
    """Posts and outputs as the model will read and write them, system prompts too."""
    for question in questions:
        yield SYSTEM_PROMPTS["coe"]
        yield question.post
        for response in question.responses:
            yield CoEOutput(question.coe, response).render() if question.coe else response
