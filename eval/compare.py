"""Models against each other on the same questions: paired gains, corrected p-values, slices, gains at equal length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import pandas as pd

from common.records.references import at_risk
from eval.results import Result
from eval.sources import CHAIN
from eval.statistics import (
    Interval,
    bootstrap_mean,
    holm,
    length_controlled,
    lengths_overlap,
    paired_bootstrap,
    paired_p_value,
)


@dataclass(frozen=True, slots=True)
class Gain:
    """One model against another in one figure.

    Attributes:
        test_set: on which questions.
        ours: the later model.
        theirs: the earlier one.
        figure: what is compared.
        gain: mean difference over the questions, with its interval.
        p: two-sided, by permutation, corrected after Holm for all comparisons made together.
        at_equal_length: the gain with the difference in length regressed out; None where one model's replies are
            nearly always the longer ones, so that a line through the differences says nothing about equal lengths.
    """

    test_set: str
    ours: str
    theirs: str
    figure: str
    gain: Interval
    p: float
    at_equal_length: Interval | None


def stages(results: Sequence[Result]) -> list[str]:
    """The main run's stages in order, see `eval.sources.CHAIN`; where there are none, all models."""
    models = list(dict.fromkeys(result.model for result in results))
    return [name for name in CHAIN if name in models] or models


def compare(results: Sequence[Result], figures: Sequence[str], seed: int) -> list[Gain]:
    """Every pair of models of one test set, the later minus the earlier, in each figure.

    All tests of one call are one family for Holm's correction.

    Args:
        results: that `eval.results.check_comparable` let pass, in order.
        figures: keys of `eval.figures.FIGURES`; each pair is compared in those that both have.
        seed: of resampling.
    """
    found: list[tuple[Gain, float]] = []
    pairs = ((theirs, ours) for theirs, ours in combinations(results, 2) if theirs.test_set == ours.test_set)
    for theirs, ours in pairs:
        ids = ours.by_question.index
        for figure in (key for key in figures if key in ours.by_question and key in theirs.by_question):
            pair = ours.by_question[figure].tolist(), theirs.by_question.loc[ids, figure].tolist()
            lengths = ours.by_question["chars"].tolist(), theirs.by_question.loc[ids, "chars"].tolist()
            level = length_controlled(*pair, *lengths, seed) if lengths_overlap(*lengths) else None
            gain = Gain(ours.test_set, ours.model, theirs.model, figure, paired_bootstrap(*pair, seed), 1.0, level)
            found.append((gain, paired_p_value(*pair, seed)))
    corrected = holm([p for _, p in found])
    return [replace(gain, p=p) for (gain, _), p in zip(found, corrected, strict=True)]


def slices(
    results: Sequence[Result], groups: Mapping[str, Sequence[str]], figure: str, seed: int
) -> dict[str, dict[str, Interval]]:
    """One figure's mean in parts of the test set, with intervals: group → model → interval.

    Args:
        results: of one test set.
        groups: ids of the questions by the group's name; a group of one question has an interval of one point.
        figure: its name in `Result.figures`; a model without it is left out.
        seed: of the bootstrap.
    """
    having = [result for result in results if figure in result.by_question]
    return {
        name: {result.model: bootstrap_mean(result.by_question.loc[list(ids), figure], seed) for result in having}
        for name, ids in groups.items()
        if len(ids)
    }


def by_topic(questions: pd.DataFrame, fewest: int = 1) -> dict[str, list[str]]:
    """Ids of the test questions by topic, the largest first.

    Args:
        questions: the test set; questions without a topic are left out.
        fewest: questions that a topic has at least; of fewer, a mean says nothing.
    """
    groups = questions[questions["topic"] != ""].groupby("topic")["id"].agg(list)
    return dict(sorted(groups[groups.str.len() >= fewest].items(), key=lambda item: (-len(item[1]), item[0])))


def by_risk(questions: pd.DataFrame) -> dict[str, list[str]]:
    """Ids of the posts at risk, which the corpus marks so or a rule of `data_prep.risk` matches, and of the others."""
    risky = at_risk(questions)
    return {"at risk": questions.loc[risky, "id"].tolist(), "others": questions.loc[~risky, "id"].tolist()}
