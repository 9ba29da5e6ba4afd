"""From decided pairs to figures: who wins, how sure that is, and what the judge was swayed by.

Figures of one model take only questions whose pairs are all decided, so that every model met the same others. Figures
of two models and of the judge's bias take every decided pair. What is malformed or missing is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from common.records.rankings import Ranking
from common.records.verdicts import KEYS, OVERALL, Answer
from eval.blind import BlindItem
from eval.compare import lengths_overlap
from eval.judge.budget import Usage
from eval.judge.pairs import sides
from eval.judge.verdicts import comparisons
from eval.statistics import Interval, bootstrap_mean, length_controlled


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """One model over the whole questions.

    Attributes:
        wins: share of pairs won, ties half, by `common.records.verdicts.KEYS`.
        win_1: per cent of questions where it is ranked first.
        win_2: per cent where it is among the first two.
        mean_rank: from 1.
        chars: mean length of its replies.
    """

    wins: dict[str, Interval]
    win_1: Interval
    win_2: Interval
    mean_rank: Interval
    chars: float


@dataclass(frozen=True, slots=True)
class PairFigures:
    """Two models over all questions where their pair is decided.

    Attributes:
        ours: a model.
        theirs: another.
        win_rate: share of questions that ours wins, ties half.
        won: questions that ours wins.
        tied: questions without a winner.
        lost: questions that theirs wins.
        at_equal_length: the win rate with the difference in length regressed out, see
            `eval.statistics.length_controlled`; linear, so it can leave 0 to 1. None where one model's replies are
            nearly always the longer ones, so that the questions say nothing about equal lengths.
    """

    ours: str
    theirs: str
    win_rate: Interval
    won: int
    tied: int
    lost: int
    at_equal_length: Interval | None


@dataclass(frozen=True, slots=True)
class Bias:
    """What the judge was swayed by, over all decided pairs; intervals over questions, None without a pair.

    Attributes:
        first_preferred: share of overall verdicts for the reply shown first, ties half; 0.5 without a bias.
        turned: share of pairs whose overall winner is the other one the other way round.
        same: share of pairs with the same verdict both ways round, by `common.records.verdicts.KEYS`.
        longer_preferred: share of overall verdicts for the longer reply, ties half, of replies that differ in length.
    """

    first_preferred: Interval | None
    turned: Interval | None
    same: dict[str, Interval | None]
    longer_preferred: Interval | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was asked, answered and used.

    Attributes:
        questions: in all; `whole`: with all pairs decided; `at_risk`: posts with signs of acute risk.
        comparisons: in all, both ways round.
        malformed: comparisons without a well-formed verdict after all attempts.
        missing: comparisons not asked yet, or not often enough.
        answers: calls that were answered; `malformed_answers` of them.
        drawn: whole questions in whose ranking a draw decided between models that nothing else told apart.
        usage: tokens, by the server's count.
        cost: in the currency of the prices.
    """

    questions: int
    whole: int
    at_risk: int
    comparisons: int
    malformed: int
    missing: int
    answers: int
    malformed_answers: int
    drawn: int
    usage: Usage
    cost: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that ``judge.json`` holds, but the inter-rater agreement with people."""

    judge: str
    counts: Counts
    models: dict[str, ModelFigures]
    pairs: list[PairFigures]
    bias: Bias


def rank_figures(rankings: Sequence[Ranking], seed: int) -> dict[str, tuple[Interval, Interval, Interval]]:
    """Win@1 and Win@2 in per cent and the mean rank by model, with 95 % intervals over questions.

    Args:
        rankings: of one rater, all of the same models.
        seed: of the bootstrap.
    """
    figures = {}
    for model in sorted(rankings[0].order) if rankings else []:
        ranks = pd.Series([ranking.order.index(model) + 1 for ranking in rankings], dtype=float)
        first, two = 100.0 * (ranks <= 1), 100.0 * (ranks <= 2)
        figures[model] = (bootstrap_mean(first, seed), bootstrap_mean(two, seed), bootstrap_mean(ranks, seed))
    return figures


def analyse(
    judge: str,
    answers: Sequence[Answer],
    items: Sequence[BlindItem],
    pairs: pd.DataFrame,
    rankings: Sequence[Ranking],
    *,
    drawn: int,
    attempts: int,
    cost: float,
    seed: int,
) -> Judgement:
    """All figures of a judgement.

    Args:
        judge: the judge's name.
        answers: of the file of verdicts.
        items: what was put before the judge.
        pairs: of `pair_table`.
        rankings: of `judge_rankings`, with `drawn`.
        drawn: likewise.
        attempts: how often a comparison is asked for.
        cost: of all answers.
        seed: of the bootstrap.
    """
    whole = {ranking.question_id for ranking in rankings}
    both = sides(pairs[pairs["question_id"].isin(whole)])
    models = {
        model: ModelFigures(
            {key: bootstrap_mean(own.groupby("question_id")[key].mean(), seed) for key in KEYS},
            *ranks,
            chars=sum(len(item.replies[model]) for item in items) / len(items),
        )
        for model, ranks in rank_figures(rankings, seed).items()
        for own in [both[both["model"] == model]]
    }
    decided = {answer.comparison for answer in answers if answer.verdict is not None}
    given_up = {answer.comparison for answer in answers if answer.attempt >= attempts} - decided
    asked = len(comparisons(items))
    counts = Counts(
        questions=len(items),
        whole=len(whole),
        at_risk=sum(item.at_risk for item in items),
        comparisons=asked,
        malformed=len(given_up),
        missing=asked - len(decided) - len(given_up),
        answers=len(answers),
        malformed_answers=sum(answer.verdict is None for answer in answers),
        drawn=drawn,
        usage=Usage.of(answers),
        cost=cost,
    )
    figures = [
        _pair(str(ours), str(theirs), group, seed) for (ours, theirs), group in pairs.groupby(["ours", "theirs"])
    ]
    return Judgement(judge, counts, models, figures, _bias(pairs, seed))


def _pair(ours: str, theirs: str, group: pd.DataFrame, seed: int) -> PairFigures:
    outcome, our_chars, their_chars = group[OVERALL], group["our_chars"], group["their_chars"]
    level = None
    if lengths_overlap(our_chars.tolist(), their_chars.tolist()):
        preference = outcome.tolist(), (1 - outcome).tolist()
        gain = length_controlled(*preference, our_chars.tolist(), their_chars.tolist(), seed)
        level = Interval(*((1 + value) / 2 for value in (gain.mean, gain.low, gain.high)))
    return PairFigures(
        ours,
        theirs,
        bootstrap_mean(outcome, seed),
        won=int((outcome == 1).sum()),
        tied=int((outcome == 0.5).sum()),
        lost=int((outcome == 0).sum()),
        at_equal_length=level,
    )


def _bias(pairs: pd.DataFrame, seed: int) -> Bias:
    def over_questions(values: pd.Series) -> Interval | None:
        return bootstrap_mean(values.groupby(pairs["question_id"]).mean(), seed) if len(values) else None

    there, back = pairs[f"{OVERALL}_1"], pairs[f"{OVERALL}_2"]
    ours = (there + back) / 2
    longer = pairs["our_chars"] - pairs["their_chars"]
    return Bias(
        first_preferred=over_questions((there + 1 - back) / 2),
        turned=over_questions(((there - back).abs() == 1).astype(float)),
        same={key: over_questions((pairs[f"{key}_1"] == pairs[f"{key}_2"]).astype(float)) for key in KEYS},
        longer_preferred=over_questions(ours.where(longer > 0, 1 - ours)[longer != 0]),
    )
