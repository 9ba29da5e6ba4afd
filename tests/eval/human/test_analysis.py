"""The analysis finds what was put in: hand-counted rankings, known strengths, and the paper's own columns."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from common.errors import StageError
from common.files import FileError
from common.records.rankings import Ranking
from eval.human.analysis import Rater, analyse
from eval.human.conduct import write_study
from eval.human.study import Left
from eval.statistics import mean_interval
from eval.tables import read_standings
from tests.eval.human.simulation import largest_entropy, plackett_luce

PRINTED = yaml.safe_load((Path(__file__).parents[3] / "eval" / "paper_rows.yaml").read_text(encoding="utf-8"))
TABLE_2 = PRINTED["tables"]["2"]["test_sets"]


def test_counted_by_hand() -> None:
    orders = {"a": ["xyz", "xyz"], "b": ["xyz", "yxz"]}
    rankings = [Ranking(r, f"q{n}", tuple(o)) for r, own in orders.items() for n, o in enumerate(own)]
    study = analyse(rankings, 1, strength_resamples=2)
    assert study.models["x"].win_1.mean == 75.0
    assert study.models["y"].win_2.mean == 100.0
    assert study.models["z"].mean_rank.mean == 3.0
    assert list(study.models) == ["x", "y", "z"]
    # q0: all agree, W 1; q1: rank sums 3, 3 and 6, W = 12 · 6 / (4 · 24).
    assert study.w == pytest.approx((1 + 0.75) / 2)
    assert study.w_by_chance == pytest.approx(0.5)
    assert study.raters["a"].tau == pytest.approx((1 + 1 / 3) / 2)
    assert study.alpha is not None
    assert 0 < study.alpha < 1


def test_one_rater_alone_has_no_agreement() -> None:
    study = analyse([Ranking("a", "q", ("x", "y")), Ranking("a", "p", ("y", "x"))], 1, strength_resamples=2)
    assert (study.w, study.alpha, study.raters["a"].tau) == (None, None, None)


def test_raters_who_fail_their_checks_are_left_out() -> None:
    good = [Ranking("a", "q", ("x", "y")), Ranking("a", "c", ("x", "y"), True, True)]
    bad = [Ranking("b", "q", ("y", "x")), Ranking("b", "c", ("x", "y"), True, False)]
    assert analyse([*good, *bad], 1, strength_resamples=2).rankings == 2
    study = analyse([*good, *bad], 1, 0.5, strength_resamples=2)
    assert (list(study.raters), study.rankings, study.models["x"].win_1.mean) == (["a"], 1, 100.0)
    assert (study.raters["a"].checks, study.raters["a"].passed) == (1, 1)
    assert study.left_out == {"b": Rater(1, None, 1, 0)}
    # All else is as if they had never ranked.
    assert replace(study, left_out={}) == analyse(good, 1, 0.5, strength_resamples=2)
    # Who saw nothing but a check has ranked nothing.
    only_checked = Ranking("c", "c", ("x", "y"), True, True)
    assert analyse([*good, *bad, only_checked], 1, 0.5, strength_resamples=2) == study
    with pytest.raises(StageError, match="left out by their checks"):
        analyse(bad, 1, 0.5)


def test_other_models_are_refused() -> None:
    with pytest.raises(StageError, match=r"b ranked \['x', 'z'\] on question q, expected \['x', 'y'\]"):
        analyse([Ranking("a", "q", ("x", "y")), Ranking("b", "q", ("x", "z"))], 1)
    with pytest.raises(StageError, match="no rankings"):
        analyse([], 1)


def test_plackett_luce_strengths_come_back() -> None:
    strengths = [0.5, 0.3, 0.15, 0.05]
    orders = plackett_luce("wxyz", strengths)
    assert orders.chances.sum() == pytest.approx(1.0)
    assert orders.expected()[:, 0] == pytest.approx(100 * np.array(strengths))
    study = analyse(orders.study(10, 60, 3), 1, strength_resamples=60)
    for model, strength in zip("wxyz", strengths, strict=True):
        interval = study.models[model].strength
        assert interval.mean == pytest.approx(strength, abs=0.03)
        assert interval.ends is not None
        assert interval.ends[0] <= strength <= interval.ends[1]


@pytest.mark.parametrize("test_set", TABLE_2)
def test_the_papers_human_columns_come_back_from_a_simulated_study(test_set: str) -> None:
    """20 annotators × 100 questions (section 4.1.5), by orders that have the printed columns."""
    models = list(TABLE_2[test_set])
    printed = np.array([row[5:8] for row in TABLE_2[test_set].values()])
    orders = largest_entropy(models, *printed.T)
    # Printed to one decimal of a per cent, so their sums are 100 and 200 to 0.1.
    assert orders.expected() == pytest.approx(printed, abs=0.06)
    study = analyse(orders.study(20, 100, 7), 1, strength_resamples=2)
    for model, (win_1, win_2, mean_rank) in zip(models, printed, strict=True):
        found = study.models[model]
        # Four standard errors of 2,000 draws.
        assert found.win_1.mean == pytest.approx(win_1, abs=4 * (win_1 * (100 - win_1) / 2000) ** 0.5 + 0.06)
        assert found.win_2.mean == pytest.approx(win_2, abs=4 * (win_2 * (100 - win_2) / 2000) ** 0.5 + 0.06)
        assert found.mean_rank.mean == pytest.approx(mean_rank, abs=4 * 1.71 / 2000**0.5 + 0.002)
        assert found.win_1.ends is not None
        assert found.win_1.ends[0] < found.win_1.mean < found.win_1.ends[1]


def test_strengths_alone_do_not_give_the_papers_columns() -> None:
    rows = TABLE_2["Empathy-QA"]
    by_strength = plackett_luce(list(rows), [row[5] for row in rows.values()]).expected()
    assert by_strength[0, 1] > rows["Empathy-R1"][6] + 15
    assert by_strength[0, 2] < rows["Empathy-R1"][7] - 0.5


def test_columns_that_no_orders_have_are_refused() -> None:
    with pytest.raises(ValueError, match="no orders of"):
        largest_entropy("xyz", [90, 5, 5], [30, 85, 85], [2.5, 1.5, 2.0])


def test_the_report_is_read_by_the_tables(tmp_path: Path) -> None:
    rankings = [Ranking(r, f"q{n}", tuple("xy")) for r in "ab" for n in range(3)]
    study = analyse(rankings, 1, strength_resamples=2)
    write_study(tmp_path, study, "PsyQA", {"a": Left([4], [1, 2]), "c": Left([1], [])})
    assert read_standings(tmp_path / "ranking.json")[1]["x"]["win_1"].mean == 100.0
    told = re.sub(" +", " ", (tmp_path / "ranking.md").read_text(encoding="utf-8"))
    assert "| x | 100.0 | 100.0 | 1.000 |" in told
    assert "| a | 3 | 1.000 | 0 of 0 | 1 | 2 |" in told
    assert "| c | 0 |" in told
    assert (tmp_path / "ranking.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "ranking.json").write_text("[]")
    with pytest.raises(FileError, match=r"ranking\.json"):
        read_standings(tmp_path / "ranking.json")


def test_no_interval_of_few_raters_or_questions_and_a_wide_one_of_three() -> None:
    orders = plackett_luce("xyz", [0.5, 0.3, 0.2])
    for raters, questions in ((2, 40), (40, 9)):
        few = analyse(orders.study(raters, questions, 1), 1, strength_resamples=5).models["x"]
        assert (few.win_1.ends, few.strength.ends) == (None, None)
    three, many = (analyse(orders.study(n, 30, 1), 1, strength_resamples=5).models["x"].win_1 for n in (3, 20))
    assert three.ends is not None
    assert many.ends is not None
    assert three.ends[1] - three.ends[0] > 2 * (many.ends[1] - many.ends[0])
    assert three.ends[1] <= 100


def test_intervals_cover_where_raters_have_tastes_of_their_own() -> None:
    """Five raters, each of whom likes the models otherwise: questions alone would say that there is no doubt."""
    rng = np.random.default_rng(3)
    inside, alone = [], []
    for _ in range(60):
        first = rng.random((5, 12)) < rng.beta(4, 4, (5, 1))
        rankings = [
            Ranking(f"r{rater}", f"q{question}", ("x", "y") if first[rater, question] else ("y", "x"))
            for rater in range(5)
            for question in range(12)
        ]
        ends = analyse(rankings, 1, strength_resamples=2).models["x"].win_1.ends
        over_questions = mean_interval(100.0 * first.mean(axis=0), (0.0, 100.0)).ends
        assert ends is not None
        assert over_questions is not None
        inside.append(ends[0] <= 50 <= ends[1])
        alone.append(over_questions[0] <= 50 <= over_questions[1])
    assert np.mean(inside) >= 0.92
    assert np.mean(alone) < 0.85
