"""From the judge's answers to decided pairs, from those to rankings and figures, and what the judge was swayed by.

A model wins a pair only if it is preferred both ways round; anything else is a tie. A malformed verdict is neither: its
pair is left out. Figures of one model take only questions whose pairs are all decided, so that every model met the same
others. Figures of two models and of the judge's bias take every decided pair. What is malformed or missing is counted.

A reply that shows nothing is not put before the judge: it loses to one that shows something, and two such replies tie.
These pairs say nothing about the judge, nor about equal lengths; a win rate without them stands beside the whole one.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import pandas as pd

from common.chat_server import Usage
from common.records.rankings import CRITERIA, CUT, KEYS, OVERALL, REFUSED, Answer, Choice, Comparison, Ranking
from eval.replies import NOTHING, BlindItem
from eval.statistics import Interval, length_controlled, lengths_overlap, mean_interval

_POINTS: Final[dict[Choice, float]] = {"A": 1.0, "tie": 0.5, "B": 0.0}

_SHARE: Final = (0.0, 1.0)

_SCORES: Final = [OVERALL, "points", "criteria"]


def comparisons(items: Sequence[BlindItem]) -> list[Comparison]:
    """What the judge is asked: every pair of replies that show something, both ways round; a question's together."""
    return [
        Comparison(item.question_id, *order)
        for item in items
        for pair in combinations(sorted(item.replies), 2)
        if settled(item, *pair) is None
        for order in (pair, pair[::-1])
    ]


def settled(item: BlindItem, first: str, second: str) -> Choice | None:
    """Which of two replies is better without a judge, A the first: the one that shows something; None of two such."""
    empty = item.replies[first] == NOTHING, item.replies[second] == NOTHING
    if not any(empty):
        return None
    return "tie" if all(empty) else "B" if empty[0] else "A"


def length(reply: str) -> int:
    """In characters; 0 of a reply that shows nothing."""
    return 0 if reply == NOTHING else len(reply)


def pair_table(answers: Sequence[Answer], items: Sequence[BlindItem]) -> pd.DataFrame:
    """A row for each pair of models decided both ways round, sorted by question and models.

    Columns: question_id, ours, theirs (by name), our_chars, their_chars, asked (not `settled`); for each of KEYS
    ``<key>_1`` and ``<key>_2``, ours' points (1, 0.5, 0) when shown first and when shown second, and ``<key>``: 1 or 0
    where both agree, else 0.5.
    """
    verdicts = {answer.comparison: answer.verdict for answer in answers if answer.verdict is not None}
    rows = []
    for item in sorted(items, key=lambda item: item.question_id):
        for ours, theirs in combinations(sorted(item.replies), 2):
            orders = (ours, theirs), (theirs, ours)
            there, back = (_verdict(item, Comparison(item.question_id, *order), verdicts) for order in orders)
            if there and back:
                row = [item.question_id, ours, theirs, length(item.replies[ours]), length(item.replies[theirs])]
                row.append(settled(item, ours, theirs) is None)
                for key in KEYS:
                    first, second = _POINTS[there[key]], 1 - _POINTS[back[key]]
                    row += [first, second, first if first == second else 0.5]
                rows.append(row)
    columns = ["question_id", "ours", "theirs", "our_chars", "their_chars", "asked"]
    names = [*columns, *(name for key in KEYS for name in (f"{key}_1", f"{key}_2", key))]
    return pd.DataFrame(rows, columns=names).astype({"asked": bool})


def _verdict(
    item: BlindItem, comparison: Comparison, verdicts: Mapping[Comparison, dict[str, Choice]]
) -> dict[str, Choice] | None:
    choice = settled(item, comparison.first, comparison.second)
    return verdicts.get(comparison) if choice is None else dict.fromkeys(KEYS, choice)


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
        if decided == len(names) * (len(names) - 1) // 2:
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


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """One model over the whole questions.

    Attributes:
        wins: share of pairs won, ties half, by `common.records.rankings.KEYS`.
        win_1: per cent of questions where it is ranked first.
        win_2: per cent where it is among the first two.
        mean_rank: from 1.
        chars: mean length of its replies, 0 of those that show nothing.
        empty: how many show nothing.
    """

    wins: dict[str, Interval]
    win_1: Interval
    win_2: Interval
    mean_rank: Interval
    chars: float
    empty: int


@dataclass(frozen=True, slots=True)
class PairFigures:
    """Two models over all questions where their pair is decided.

    Attributes:
        ours: a model.
        theirs: another.
        win_rate: share of questions that ours wins, ties half.
        win_rate_shown: likewise over questions where both show something; None without one.
        settled: questions where one shows nothing, so that no judge was asked.
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
    win_rate_shown: Interval | None
    settled: int
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
        same: share of pairs with the same verdict both ways round, by `common.records.rankings.KEYS`.
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
        comparisons: that the judge is asked, both ways round.
        settled: pairs that it is not asked, since one reply shows nothing.
        judged: pairs with a verdict both ways round.
        malformed: comparisons without a well-formed verdict after all attempts.
        missing: comparisons not asked yet, or not often enough.
        answers: calls that were answered; `malformed_answers` of them, of which `cut` ended at the limit of tokens and
            `refused` were refused by the server or the model.
        estimated: answers whose tokens the server did not tell.
        drawn: whole questions in whose ranking a draw decided between models that nothing else told apart.
        usage: tokens, by the server's count.
        cost: in the currency of the prices.
    """

    questions: int
    whole: int
    at_risk: int
    comparisons: int
    settled: int
    judged: int
    malformed: int
    missing: int
    answers: int
    malformed_answers: int
    cut: int
    refused: int
    estimated: int
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


def rank_figures(rankings: Sequence[Ranking]) -> dict[str, tuple[Interval, Interval, Interval]]:
    """Win@1 and Win@2 in per cent and the mean rank by model, with 95 % intervals over questions.

    Args:
        rankings: of one rater, all of the same models.
    """
    figures = {}
    for model in sorted(rankings[0].order) if rankings else []:
        ranks = pd.Series([ranking.order.index(model) + 1 for ranking in rankings], dtype=float)
        first, two = 100.0 * (ranks <= 1), 100.0 * (ranks <= 2)
        figures[model] = (
            mean_interval(first, (0.0, 100.0)),
            mean_interval(two, (0.0, 100.0)),
            mean_interval(ranks, (1.0, float(len(rankings[0].order)))),
        )
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
    """
    whole = {ranking.question_id for ranking in rankings}
    both = sides(pairs[pairs["question_id"].isin(whole)])
    models = {
        model: ModelFigures(
            {key: mean_interval(own.groupby("question_id")[key].mean(), _SHARE) for key in KEYS},
            *ranks,
            chars=sum(length(item.replies[model]) for item in items) / len(items),
            empty=sum(item.replies[model] == NOTHING for item in items),
        )
        for model, ranks in rank_figures(rankings).items()
        for own in [both[both["model"] == model]]
    }
    # An earlier run can have asked about more questions; those answers are paid, and count for no more.
    asked = set(comparisons(items))
    decided = {answer.comparison for answer in answers if answer.verdict is not None} & asked
    given_up = ({answer.comparison for answer in answers if answer.attempt >= attempts} & asked) - decided
    malformed = [answer for answer in answers if answer.verdict is None and answer.comparison in asked]
    models_of_each = len(items[0].replies)
    counts = Counts(
        questions=len(items),
        whole=len(whole),
        at_risk=sum(item.at_risk for item in items),
        comparisons=len(asked),
        settled=len(items) * models_of_each * (models_of_each - 1) // 2 - len(asked) // 2,
        judged=int(pairs["asked"].sum()),
        malformed=len(given_up),
        missing=len(asked) - len(decided) - len(given_up),
        answers=len(answers),
        malformed_answers=len(malformed),
        cut=sum(answer.finish_reason == CUT for answer in malformed),
        refused=sum(answer.finish_reason == REFUSED for answer in malformed),
        estimated=sum(answer.estimated for answer in answers),
        drawn=drawn,
        usage=Usage.of(answers),
        cost=cost,
    )
    by_pair = [_pair(str(ours), str(theirs), group) for (ours, theirs), group in pairs.groupby(["ours", "theirs"])]
    return Judgement(judge, counts, models, by_pair, _bias(pairs[pairs["asked"]]))


def _pair(ours: str, theirs: str, group: pd.DataFrame) -> PairFigures:
    outcome, asked = group[OVERALL], group[group["asked"]]
    shown, our_chars, their_chars = asked[OVERALL], asked["our_chars"], asked["their_chars"]
    level = None
    if len(asked) and lengths_overlap(our_chars.tolist(), their_chars.tolist()):
        preference = shown.tolist(), (1 - shown).tolist()
        level = length_controlled(*preference, our_chars.tolist(), their_chars.tolist()).moved(0.5, 0.5)
    return PairFigures(
        ours,
        theirs,
        mean_interval(outcome, _SHARE),
        mean_interval(shown, _SHARE) if len(shown) else None,
        settled=len(group) - len(asked),
        won=int((outcome == 1).sum()),
        tied=int((outcome == 0.5).sum()),
        lost=int((outcome == 0).sum()),
        at_equal_length=level,
    )


def _bias(pairs: pd.DataFrame) -> Bias:
    def over_questions(values: pd.Series) -> Interval | None:
        return mean_interval(values.groupby(pairs["question_id"]).mean(), _SHARE) if len(values) else None

    there, back = pairs[f"{OVERALL}_1"], pairs[f"{OVERALL}_2"]
    ours = (there + back) / 2
    longer = pairs["our_chars"] - pairs["their_chars"]
    return Bias(
        first_preferred=over_questions((there + 1 - back) / 2),
        turned=over_questions(((there - back).abs() == 1).astype(float)),
        same={key: over_questions((pairs[f"{key}_1"] == pairs[f"{key}_2"]).astype(float)) for key in KEYS},
        longer_preferred=over_questions(ours.where(longer > 0, 1 - ours)[longer != 0]),
    )
