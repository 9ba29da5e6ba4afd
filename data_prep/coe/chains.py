"""A set of chains as a file: the sample corpus's format, and where each chain comes from; `make data` reads it.

make data ARGS="coe=outputs/tiny/review/coe_set.jsonl"
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from common.files import write_json_lines
from common.records.question import Question
from data_prep.coe.drawing import Drawn
from data_prep.coe.prompt import TeacherPrompt
from data_prep.coe.records import Answer
from reward_fns.coe_format import LAYERS

# What passed the checks, in the stage's folder.
CHAINS: Final = "chains.jsonl"


def line_of(question: Question, response: str, layers: Sequence[str], provenance: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a set."""
    return {
        "id": question.id,
        "title": question.title,
        "description": question.description,
        "topic": question.topic,
        "crisis": question.crisis,
        "responses": [{"text": response}],
        "coe": dict(zip(LAYERS, layers, strict=True)),
        "provenance": dict(provenance),
    }


def write_set(path: Path, accepted: Sequence[tuple[Drawn, Answer]], teacher: str, prompt: TeacherPrompt) -> None:
    """Write the chains that passed the checks, none of them reviewed."""
    lines = [
        line_of(
            item.question,
            item.response,
            answer.layers or (),
            {
                "teacher": teacher,
                "prompt_version": prompt.version,
                "prompt": prompt.identity,
                "attempt": answer.attempt,
                "written": answer.when,
                "reviewed": False,
            },
        )
        for item, answer in accepted
    ]
    write_json_lines(path, lines)
