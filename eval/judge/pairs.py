"""From the judge's answers to decided pairs, and from those to a ranking of each question.

A model wins a pair only if it is preferred both ways round; anything else is a tie. A malformed verdict is neither: its
pair is left out.
"""

import random
from collections.abc import Sequence
from itertools import combinations
from typing import Final

import pandas as pd

from common.records.rankings import CRITERIA, Ranking
from common.records.verdicts import KEYS, OVERALL, Answer, Choice, Comparison
from eval.blind import BlindItem

_POINTS: Final[dict[Choice, float]] = {"A": 1.0, "tie": 0.5, "B": 0.0}

_SCORES: Final = [OVERALL, "points", "criteria"]


def pair_table(answers: Sequence[Answer], items: Sequence[BlindItem]) -> pd.DataFrame:
    """A row for each pair of models decided both ways round, sorted by question and models.

    Columns: question_id, ours, theirs (by name), our_chars, their_chars; for each of KEYS ``<key>_1`` and ``<key>_2``,
    ours' points (1, 0.5, 0) when shown first and when shown second, and ``<key>``: 1 or 0 where both agree, else 0.5.
    """
    verdicts = {answer.comparison: answer.verdict for answer in answers if answer.verdict is not None}
    rows = []
    for item in sorted(items, key=lambda item: item.question_id):
        for ours, theirs in combinations(sorted(item.replies), 2):
            there = verdicts.get(Comparison(item.question_id, ours, theirs))
            back = verdicts.get(Comparison(item.question_id, theirs, ours))
            if there is None or back is None:
                continue
            row: dict[str, str | float] = {
                "question_id": item.question_id,
                "ours": ours,
                "theirs": theirs,
                "our_chars": len(item.replies[ours]),
                "their_chars": len(item.replies[theirs]),
            }
            for key in KEYS:
                first, second = _POINTS[there[key]], 1 - _POINTS[back[key]]
                row |= {f"{key}_1": first, f"{key}_2": second, key: first if first == second else 0.5}
            rows.append(row)
    columns = ["question_id", "ours", "theirs", "our_chars", "their_chars"]
    return pd.DataFrame(rows, columns=[*columns, *(name for key in KEYS for name in (f"{key}_1", f"{key}_2", key))])


def judge_rankings(pairs: pd.DataFrame, models: Sequence[str], judge: str, seed: int) -> tuple[list[Ranking], int]:
    """The judge's order of each whole question's models, and in how many a draw decided.

    By pairs won (ties half); models equal in that by points in single overall verdicts, then by points in the four
    criteria's. What is equal even then is drawn, by seed and question: neither name nor place has a say.

    Args:
        pairs: of `pair_table`.
        models: all of them.
        judge: the rater's name.
        seed: of the draw.
    """
    names, rankings, drawn = sorted(models), [], 0
    totals = sides(pairs).groupby(["question_id", "model"])[_SCORES].sum()
    scores = dict(zip(totals.index, totals.itertuples(index=False, name=None), strict=True))
    for question_id, decided in pairs.groupby("question_id", sort=True).size().items():
        if decided < len(names) * (len(names) - 1) // 2:
            continue
        own = {name: scores[question_id, name] for name in names}
        order = names[:]
        random.Random(f"{seed} {question_id}").shuffle(order)
        order.sort(key=lambda name: own[name], reverse=True)  # stable: what is equal stays as drawn
        drawn += len(set(own.values())) < len(names)
        rankings.append(Ranking(judge, str(question_id), tuple(order)))
    return rankings, drawn


def sides(pairs: pd.DataFrame) -> pd.DataFrame:
    """A row a pair and model: question_id, model, KEYS from its side, points and criteria of its single verdicts."""
    singles = [f"{key}_{way}" for key in CRITERIA for way in (1, 2)]
    points, criteria = pairs[[f"{OVERALL}_1", f"{OVERALL}_2"]].sum(axis=1), pairs[singles].sum(axis=1)
    keys = list(KEYS)
    ours = pairs[["question_id", *keys]].assign(model=pairs["ours"], points=points, criteria=criteria)
    theirs = (1 - pairs[keys]).assign(
        question_id=pairs["question_id"], model=pairs["theirs"], points=2 - points, criteria=len(singles) - criteria
    )
    return pd.concat([ours, theirs], ignore_index=True)
