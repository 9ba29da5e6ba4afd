"""Inter-rater agreement of judge and people: Kendall's tau of the orders, Cohen's kappa of the pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from scipy.stats import kendalltau
from sklearn.metrics import cohen_kappa_score

from common.records.rankings import OVERALL, Ranking
from eval.judge.client import JudgeError
from eval.replies import BlindItem
from eval.statistics import Interval, mean_interval


@dataclass(frozen=True, slots=True)
class InterRater:
    """The judge beside people, on questions that both have ranked.

    Attributes:
        raters: how many people.
        questions: how many both have ranked; `left_out`: ranked by people, but without all of the judge's verdicts.
        tau: Kendall's tau of the judge's order and a person's, mean over persons and then over questions; 0 by chance.
        pairs: a person's preferences for one of two models that the judge has decided too; `tied`: those it has not.
        agreed: share of `pairs` where both prefer the same model; None without a pair.
        by_chance: share to be expected of two raters who prefer the model first by name as often as these do; likewise.
        kappa: Cohen's: how far `agreed` is above `by_chance`, 0 by chance, 1 at most; None where chance alone gives 1.
    """

    raters: int
    questions: int
    left_out: int
    tau: Interval
    pairs: int
    tied: int
    agreed: float | None
    by_chance: float | None
    kappa: float | None


def check_same(human: Sequence[Ranking], items: Sequence[BlindItem]) -> None:
    """People ranked what the judge is to compare: the same models, and no other questions.

    Questions that nobody has ranked yet are no fault; inter-rater agreement is told for those that were.

    Raises:
        JudgeError: they did not; the message names the difference.
    """
    models = {item.question_id: set(item.replies) for item in items}
    for ranking in (ranking for ranking in human if not ranking.attention):
        if ranking.question_id not in models:
            raise JudgeError(
                f"{ranking.rater} has ranked question {ranking.question_id}, which the judge is not given. Judge with "
                "the questions= and seed= of the human ranking, on the same test set."
            )
        if set(ranking.order) != models[ranking.question_id]:
            raise JudgeError(
                f"question {ranking.question_id}: {ranking.rater} has ranked {sorted(ranking.order)}, the judge is "
                f"given {sorted(models[ranking.question_id])}. Judge the replies that people ranked."
            )


def inter_rater(judged: Sequence[Ranking], pairs: pd.DataFrame, human: Sequence[Ranking]) -> InterRater | None:
    """The judge's inter-rater agreement with people, None where no question was ranked by both.

    Args:
        judged: of `eval.judge.analysis.judge_rankings`.
        pairs: of `eval.judge.analysis.pair_table`; those that no judge was asked are left out of kappa.
        human: that `check_same` let pass.
    """
    orders = {ranking.question_id: ranking.order for ranking in judged}
    people = [ranking for ranking in human if not ranking.attention]
    both = [ranking for ranking in people if ranking.question_id in orders]
    if not both:
        return None
    taus = [
        kendalltau([orders[one.question_id].index(model) for model in one.order], range(len(one.order))).statistic
        for one in both
    ]
    by_question = pd.Series(taus, dtype=float).groupby([ranking.question_id for ranking in both]).mean()
    # Each person's and the judge's outcome of each pair, from the side of the model that comes first by name.
    outcomes = dict(iter(pairs[pairs["asked"]].groupby("question_id")))
    rows = [
        (float(ranking.order.index(pair.ours) < ranking.order.index(pair.theirs)), getattr(pair, OVERALL))
        for ranking in both
        if ranking.question_id in outcomes
        for pair in outcomes[ranking.question_id].itertuples()
    ]
    theirs, judges = (pd.Series([row[side] for row in rows], dtype=float) for side in (0, 1))
    decided = judges != 0.5
    agreed = by_chance = kappa = None
    if decided.any():
        person, judge = theirs[decided] == 1, judges[decided] == 1
        agreed = float((person == judge).mean())
        by_chance = float(person.mean() * judge.mean() + (1 - person.mean()) * (1 - judge.mean()))
        kappa = float(cohen_kappa_score(person, judge, labels=[False, True])) if by_chance < 1 else None
    return InterRater(
        raters=len({ranking.rater for ranking in both}),
        questions=len(by_question),
        left_out=len({ranking.question_id for ranking in people} - set(orders)),
        tau=mean_interval(by_question, (-1.0, 1.0)),
        pairs=int(decided.sum()),
        tied=int((~decided).sum()),
        agreed=agreed,
        by_chance=by_chance,
        kappa=kappa,
    )
