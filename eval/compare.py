"""Models against each other on the same questions: paired gains, corrected p-values, slices, gains at equal length.

p-values are corrected within two families. The primary one is fixed before a run is scored: each stage against the one
before it, in the headline's figures, those of the text over the replies that show something. It has few tests, so that
its correction costs little. Everything else is the secondary family: eight models in nine figures are 28 pairs and over
400 tests, of which chance alone makes 20 that look clear.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Final, Literal

import pandas as pd

from common.records.references import risk_levels
from eval.figures import figure, figures_of
from eval.intervals import LEAST
from eval.results import Result
from eval.sources import CHAIN
from eval.statistics import (
    Interval,
    PValue,
    holm,
    length_controlled,
    lengths_overlap,
    mean_interval,
    paired_interval,
    paired_p_value,
)

PRIMARY: Final = "primary"
SECONDARY: Final = "secondary"
# Corrected p below which a difference is called one.
CLEAR: Final = 0.05
Reading = Literal["p", "p_shown"]


@dataclass(frozen=True, slots=True)
class Gain:
    """One model against another in one figure.

    Attributes:
        test_set: on which questions.
        ours: the later model.
        theirs: the earlier one.
        figure: what is compared.
        gain: mean difference over the questions, with its interval; replies that show nothing count 0.
        p: two-sided, by permutation, corrected after Holm within its family.
        visible: share of replies that show something, of ours and of theirs.
        questions: how many have a reply of both models that shows something.
        shown: a figure of the text, over those questions and those replies; None for other figures, or for fewer than
            two such questions.
        p_shown: as `p`, of `shown`.
        at_equal_length: `shown` with the difference in length regressed out; None without it, and where one model's
            replies are nearly always the longer ones: a line through the differences says nothing then.
    """

    test_set: str
    ours: str
    theirs: str
    figure: str
    gain: Interval
    p: PValue
    visible: tuple[float, float]
    questions: int
    shown: Interval | None
    p_shown: PValue | None
    at_equal_length: Interval | None


def stages(results: Sequence[Result]) -> list[str]:
    """The main run's stages in order, see `eval.sources.CHAIN`; where there are none, all models."""
    models = list(dict.fromkeys(result.model for result in results))
    return [name for name in CHAIN if name in models] or models


def compare(results: Sequence[Result], figures: Sequence[str], seed: int) -> list[Gain]:
    """Every pair of models of one test set, the later minus the earlier, in each figure.

    All tests of one call make up the two families, over all test sets.

    Args:
        results: that `eval.results.check_comparable` let pass, in order.
        figures: keys of `eval.figures.FIGURES`; each pair is compared in those that both have.
        seed: of resampling.
    """
    pairs = ((theirs, ours) for theirs, ours in combinations(results, 2) if theirs.test_set == ours.test_set)
    gains = [
        _gain(ours, theirs, key, seed)
        for theirs, ours in pairs
        for key in figures
        if key in ours.by_question and key in theirs.by_question
    ]
    opening = [{*pair} for pair in pairwise(stages(results))]
    tests: dict[str, dict[tuple[int, Reading], PValue]] = {PRIMARY: {}, SECONDARY: {}}
    for place, gain in enumerate(gains):
        told = _headline_test(gain) if {gain.ours, gain.theirs} in opening else None
        for reading, p in _tests(gain).items():
            tests[PRIMARY if reading == told else SECONDARY][place, reading] = p
    corrected = {
        key: p for name, own in tests.items() for key, p in zip(own, holm(list(own.values()), name), strict=True)
    }
    return [
        replace(
            gain,
            p=corrected[place, "p"],
            p_shown=None if gain.shown is None else corrected.get((place, "p_shown"), corrected[place, "p"]),
        )
        for place, gain in enumerate(gains)
    ]


def _tests(gain: Gain) -> dict[Reading, PValue]:
    """A comparison's tests; where every reply shows something both readings are one test."""
    return {"p": gain.p} if gain.p_shown is None else {"p": gain.p, "p_shown": gain.p_shown}


def _headline_test(gain: Gain) -> Reading | None:
    """Which of them the headline would tell, None for none."""
    if gain.figure not in figures_of("headline") or (figure(gain.figure).of_text and gain.shown is None):
        return None
    return "p" if gain.p_shown is None else "p_shown"


def families(gains: Sequence[Gain]) -> str:
    """What a reader has to know of the p-values of these gains: their families, and why intervals can disagree."""
    sizes = {p.family: p.tests for gain in gains for p in (gain.p, gain.p_shown) if p is not None}
    opening = [gain.figure for gain in gains for p in _tests(gain).values() if p.family == PRIMARY]
    labels = ", ".join(figure(key).label for key in dict.fromkeys(opening))
    secondary = sizes.get(SECONDARY, 0)
    told = [
        "p is by permutation, corrected after Holm within a family of tests: within each the chance of one or more "
        "false findings is 5 % at most, over both 10 %.",
        f"Primary family, the same in every run, {sizes[PRIMARY]} tests: each stage against the one before it in "
        f"{labels}, where both have the figure; figures of the text over the replies that show something."
        if opening
        else "Primary family: no test, since no stage follows another.",
        f"Secondary family: the other {secondary} tests, of which chance alone would put about {secondary / 20:.0f} "
        "below 0.05; the correction raises each p to allow for that, up to 1.000, so a large p is no evidence that two "
        "models are equal.",
        "Several tests can share a p, since none is smaller than that of a test before it.",
        f"Not clear: p of {CLEAR} or more. ≤: at most, since no resample was as extreme as what was found.",
        "An interval is of its own comparison and not corrected. Where it excludes 0 and p is not below "
        f"{CLEAR}, the difference might pass as a single test, not among so many: it is no finding.",
        f"A gain without an interval is of fewer than {LEAST} questions, or the same in all of them. Intervals are "
        "Student's with a correction for skewness, or Wilson's for shares.",
    ]
    return " ".join(told)


def _gain(ours: Result, theirs: Result, key: str, seed: int) -> Gain:
    """One comparison, its p not yet corrected."""
    ids = ours.by_question.index
    pair = _paired(ours.by_question, theirs.by_question, ids, key)
    both = ours.shown_by_question.index.intersection(theirs.shown_by_question.index)
    visible = _share(ours), _share(theirs)
    gain, p = paired_interval(*pair, figure(key).bounds), paired_p_value(*pair, seed)
    # Of a figure of the whole output, such as the format, there is no second reading.
    if not figure(key).of_text or len(both) < 2:
        return Gain(ours.test_set, ours.model, theirs.model, key, gain, p, visible, len(both), None, None, None)
    there = _paired(ours.shown_by_question, theirs.shown_by_question, both, key)
    all_shown = min(visible) == 1.0
    return Gain(
        ours.test_set,
        ours.model,
        theirs.model,
        key,
        gain,
        p,
        visible,
        len(both),
        gain if all_shown else paired_interval(*there, figure(key).bounds),
        None if all_shown else paired_p_value(*there, seed),
        _at_equal_length(ours, theirs, there, both),
    )


def _paired(ours: pd.DataFrame, theirs: pd.DataFrame, ids: pd.Index, key: str) -> tuple[list[float], list[float]]:
    return ours.loc[ids, key].tolist(), theirs.loc[ids, key].tolist()


def _share(result: Result) -> float:
    return float(result.by_question["visible"].mean()) if "visible" in result.by_question else 1.0


def _at_equal_length(
    ours: Result, theirs: Result, values: tuple[list[float], list[float]], both: pd.Index
) -> Interval | None:
    """The gain over these questions between replies of one length; an empty reply has none."""
    if "chars" not in ours.shown_by_question or "chars" not in theirs.shown_by_question or len(both) < 3:
        return None
    lengths = _paired(ours.shown_by_question, theirs.shown_by_question, both, "chars")
    return length_controlled(*values, *lengths) if lengths_overlap(*lengths) else None


def slices(
    results: Sequence[Result], groups: Mapping[str, Sequence[str]], key: str, shown: bool = False
) -> dict[str, dict[str, Interval]]:
    """One figure's mean in parts of the test set, with intervals: group → model → interval.

    Args:
        results: of one test set.
        groups: ids of the questions by the group's name; a group of few questions has a mean alone.
        key: of the figure; a model without it is left out.
        shown: over the replies that show something; a model without any in a group is left out of it.
    """
    tables = {result.model: result.shown_by_question if shown else result.by_question for result in results}
    having = {model: values[key] for model, values in tables.items() if key in values}
    found = {
        name: {
            model: mean_interval(values[values.index.isin(ids)], figure(key).bounds, share=figure(key).share)
            for model, values in having.items()
            if values.index.isin(ids).any()
        }
        for name, ids in groups.items()
    }
    return {name: means for name, means in found.items() if means}


def by_topic(questions: pd.DataFrame, fewest: int = 1) -> dict[str, list[str]]:
    """Ids of the test questions by topic, the largest first.

    Args:
        questions: the test set; questions without a topic are left out.
        fewest: questions that a topic has at least; of fewer, a mean says nothing.
    """
    groups = questions[questions["topic"] != ""].groupby("topic")["id"].agg(list)
    return dict(sorted(groups[groups.str.len() >= fewest].items(), key=lambda item: (-len(item[1]), item[0])))


def by_risk(questions: pd.DataFrame) -> dict[str, list[str]]:
    """Ids of the posts at risk of either level, of all of them, and of the others; see `risk_levels`."""
    levels = risk_levels(questions)
    parts = {
        "acute": levels == "acute",
        "concern": levels == "concern",
        "at risk": levels != "none",
        "others": levels == "none",
    }
    return {name: questions.loc[chosen, "id"].tolist() for name, chosen in parts.items()}
