"""How human responses score against each other: what a model can be expected to reach at best.

    python -m eval.metrics --references outputs/psyqa/data/questions.parquet --protocol zh paper

Each response to a question is scored as a reply, against the question's other responses. Questions with a single one
are left out and counted.
"""

import pandas as pd

from common.files import FileError
from eval.metrics.protocols import Protocol
from eval.results import Result
from eval.score import score_replies


def ceiling(references: pd.DataFrame, protocol: Protocol, test_set: str, seed: int) -> Result:
    """Human against human, as the result of a model called "human".

    Args:
        references: of `common.records.references.read_references`.
        protocol: to score by.
        test_set: its name in tables.
        seed: of the bootstrap over questions.

    Raises:
        FileError: fewer than two questions with two responses.
    """
    several = references[references["references"].str.len() > 1]
    if len(several) < 2:
        raise FileError(f"{test_set}: {len(several)} questions with two responses or more, expected two such questions")
    rows = [
        {"id": f"{row.id}/{place}", "question_id": row.id, "sample": place, "text": text, "others": [*before, *after]}
        for row in several.itertuples()
        for place, text in enumerate(row.references)
        for before, after in [(row.references[:place], row.references[place + 1 :])]
    ]
    turns = pd.DataFrame(rows)
    replies = turns[["id", "sample", "text"]].rename(columns={"id": "question_id"})
    others = turns[["id", "others"]].rename(columns={"others": "references"})
    scores = score_replies(replies, others, protocol, "plain", f"{protocol.name} human")
    scores["question_id"] = scores["question_id"].map(dict(zip(turns["id"], turns["question_id"], strict=True)))
    left_out = len(references) - len(several)
    note = f"each response against the others; {left_out} questions with one response left out"
    return Result.of("human", test_set, protocol.signature, scores, seed, note)
