"""From verdicts to rankings and figures, on verdicts made by hand."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from common.files import FileError
from common.records.rankings import KEYS, Answer, Choice, Comparison, Ranking
from eval.judge.analysis import Judgement, analyse, comparisons, judge_rankings, pair_table
from eval.judge.client import JudgeError
from eval.judge.inter_rater import inter_rater
from eval.judge.report import write_judgement
from eval.judge.verdicts import open_verdicts
from eval.replies import NOTHING, BlindItem

_BETTER: dict[bool, Choice] = {True: "A", False: "B"}
REQUEST = {"judge_model": "j", "seed": 1}


def item(question_id: str, **lengths: int) -> BlindItem:
    return BlindItem(question_id, "来信", False, {model: "字" * length for model, length in lengths.items()})


def answer(comparison: Comparison, choice: Choice | None, **changes: Choice) -> Answer:
    verdict = {**dict.fromkeys(KEYS, choice), **changes} if choice else None
    return Answer(
        comparison.question_id,
        comparison.first,
        comparison.second,
        1,
        verdict,
        "" if choice else "not JSON",
        True,
        10,
        1,
    )


def by_strength(items: list[BlindItem], strength: Mapping[str, int]) -> list[Answer]:
    """Verdicts of a judge that knows how good each model is."""
    return [
        answer(c, "tie" if strength[c.first] == strength[c.second] else _BETTER[strength[c.first] > strength[c.second]])
        for c in comparisons(items)
    ]


def judged(answers: list[Answer], items: list[BlindItem]) -> Judgement:
    pairs = pair_table(answers, items)
    rankings, drawn = judge_rankings(pairs, sorted(items[0].replies), "j", seed=1)
    return analyse("j", answers, items, pairs, rankings, drawn=drawn, attempts=1, cost=0.5)


def test_a_pair_is_won_only_both_ways_round() -> None:
    items = [item("q", a=1, b=1)]
    outcomes = {}
    choices: tuple[Choice, ...] = ("A", "tie", "B")
    for there in choices:
        for back in choices:
            answers = [answer(c, verdict) for c, verdict in zip(comparisons(items), (there, back), strict=True)]
            outcomes[there + back] = pair_table(answers, items)["overall"].tolist()
    assert outcomes["AB"] == [1.0]
    assert outcomes["BA"] == [0.0]
    assert {key for key, outcome in outcomes.items() if outcome == [0.5]} == set(outcomes) - {"AB", "BA"}


def test_an_order_without_a_verdict_leaves_the_pair_out() -> None:
    items = [item("q", a=1, b=1)]
    there, back = comparisons(items)
    assert pair_table([answer(there, "A"), answer(back, None)], items).empty
    assert pair_table([answer(there, "A")], items).empty


def test_equal_wins_are_told_apart_by_single_verdicts_and_then_by_criteria() -> None:
    items = [item("q", a=1, b=1)]
    there, back = comparisons(items)
    half = pair_table([answer(there, "tie"), answer(back, "A")], items)
    assert half["overall"].tolist() == [0.5]
    rankings, drawn = judge_rankings(half, ["a", "b"], "j", seed=1)
    assert (rankings, drawn) == ([Ranking("j", "q", ("b", "a"))], 0)
    criteria = pair_table([answer(there, "tie", comforting="B"), answer(back, "tie")], items)
    assert judge_rankings(criteria, ["a", "b"], "j", seed=1) == ([Ranking("j", "q", ("b", "a"))], 0)


def test_a_draw_favours_no_model_and_is_the_same_each_time() -> None:
    items = [item(f"q{number}", a=1, b=2, c=3) for number in range(600)]
    pairs = pair_table(by_strength(items, {"a": 0, "b": 0, "c": 0}), items)
    rankings, drawn = judge_rankings(pairs, ["a", "b", "c"], "j", seed=1)
    assert drawn == 600
    assert judge_rankings(pairs, ["c", "b", "a"], "j", seed=1)[0] == rankings
    for place in range(3):
        assert all(150 < count < 250 for count in Counter(ranking.order[place] for ranking in rankings).values())


def test_figures_of_a_clear_order() -> None:
    items = [item(f"q{number}", a=5, b=50, c=500) for number in range(6)]
    found = judged(by_strength(items, {"a": 2, "b": 1, "c": 0}), items)
    assert [found.models[name].mean_rank.mean for name in "abc"] == [1, 2, 3]
    assert [found.models[name].win_2.mean for name in "abc"] == [100, 100, 0]
    assert [found.models[name].wins["comforting"].mean for name in "abc"] == [1, 0.5, 0]
    assert found.bias.longer_preferred is not None
    assert found.bias.longer_preferred.mean == 0
    assert found.bias.same["suggestion"] is not None
    assert found.bias.same["suggestion"].mean == 1
    assert (found.counts.drawn, found.counts.missing, found.counts.usage.tokens) == (0, 0, 6 * 6 * 11)


def test_a_preference_for_length_alone_is_gone_at_equal_length() -> None:
    lengths = [(20, 10), (40, 10), (30, 10), (10, 20), (80, 20), (20, 10), (10, 15), (60, 10), (50, 10), (30, 10)]
    items = [item(f"q{number}", a=a, b=b) for number, (a, b) in enumerate(lengths)]
    answers = [
        answer(c, "A" if len(i.replies[c.first]) > len(i.replies[c.second]) else "B")
        for i in items
        for c in comparisons([i])
    ]
    (pair,) = judged(answers, items).pairs
    assert pair.win_rate.mean == 0.8
    assert pair.at_equal_length is not None
    assert pair.at_equal_length.mean == pytest.approx(0.5, abs=0.15)


def test_nothing_is_said_of_equal_lengths_where_one_model_is_always_longer() -> None:
    items = [item(f"q{number}", a=10, b=20 + number) for number in range(10)]
    (pair,) = judged(by_strength(items, {"a": 0, "b": 1}), items).pairs
    assert pair.at_equal_length is None


def test_malformed_and_missing_are_counted_apart(tmp_path: Path) -> None:
    items = [item(name, a=1, b=2) for name in ("q1", "q2", "q3")]
    answers = by_strength(items, {"a": 1, "b": 0})
    answers[2] = answer(answers[2].comparison, None)
    found = judged(answers[:5], items)
    counts = found.counts
    assert (counts.whole, counts.malformed, counts.missing, counts.malformed_answers) == (1, 1, 1, 1)
    text = write_judgement(tmp_path, found, None, "max_cost=1", "PsyQA")
    assert "1 have no well-formed verdict and 1 are missing" in text
    assert "stopped at `max_cost=1`." in text
    written = json.loads((tmp_path / "judge.json").read_text())
    assert (written["counts"]["malformed"], written["test_set"]) == (1, "PsyQA")


def test_agreement_same_reversed_and_undefined() -> None:
    items = [item(f"q{number}", a=1, b=2, c=3) for number in range(3)]
    pairs = pair_table(by_strength(items, {"a": 0, "b": 2, "c": 1}), items)
    rankings, _ = judge_rankings(pairs, ["a", "b", "c"], "j", seed=1)

    def people(*order: str) -> list[Ranking]:
        return [Ranking("甲", item.question_id, order) for item in items]

    same = inter_rater(rankings, pairs, people("b", "c", "a"))
    assert same is not None
    assert same.tau.mean == pytest.approx(1)
    assert (same.kappa, same.agreed, same.tied) == (1, 1, 0)
    reverse = inter_rater(rankings, pairs, people("a", "c", "b"))
    assert reverse is not None
    assert reverse.tau.mean == pytest.approx(-1)
    assert reverse.agreed == 0
    assert reverse.by_chance == pytest.approx(1 / 3 * 2 / 3 * 2)
    assert reverse.kappa == pytest.approx((0 - 4 / 9) / (1 - 4 / 9))
    assert inter_rater(rankings[:1], pairs, [Ranking("甲", "q2", ("a", "b", "c"))]) is None
    alphabetical = pair_table(by_strength(items, {"a": 2, "b": 1, "c": 0}), items)
    one_sided = inter_rater(rankings, alphabetical, people("a", "b", "c"))
    assert one_sided is not None
    assert (one_sided.by_chance, one_sided.kappa) == (1, None)
    undecided = inter_rater(rankings, pair_table(by_strength(items, dict.fromkeys("abc", 0)), items), people(*"abc"))
    assert undecided is not None
    assert (undecided.pairs, undecided.tied, undecided.agreed, undecided.kappa) == (0, 9, None, None)


def test_agreement_is_of_pairs_that_the_judge_was_asked() -> None:
    items = [item("q0", a=1, b=2), BlindItem("q1", "来信", False, {"a": NOTHING, "b": "嗯。"})]
    pairs = pair_table(by_strength(items, {"a": 0, "b": 1}), items)
    rankings, _ = judge_rankings(pairs, ["a", "b"], "j", seed=1)
    assert [ranking.order for ranking in rankings] == [("b", "a"), ("b", "a")]
    people = [Ranking("甲", name, ("b", "a")) for name in ("q0", "q1")]
    both = inter_rater(rankings, pairs, people)
    assert both is not None
    assert (both.questions, both.pairs) == (2, 1)
    none_asked = inter_rater(rankings[1:], pairs, people[1:])
    assert none_asked is not None
    assert (none_asked.pairs, none_asked.kappa) == (0, None)


def test_replies_that_show_nothing_tie_and_lose_without_a_judge() -> None:
    items = [BlindItem("q", "来信", False, {"a": NOTHING, "b": NOTHING, "c": "嗯。", "d": "好。"})]
    assert {(c.first, c.second) for c in comparisons(items)} == {("c", "d"), ("d", "c")}
    pairs = pair_table([], items)
    assert pairs.set_index(["ours", "theirs"])["overall"].to_dict() == {
        ("a", "b"): 0.5,
        ("a", "c"): 0.0,
        ("a", "d"): 0.0,
        ("b", "c"): 0.0,
        ("b", "d"): 0.0,
    }
    assert pairs["our_chars"].tolist() == [0] * 5
    assert pairs["theirs"].map({"b": 0, "c": 2, "d": 2}).tolist() == pairs["their_chars"].tolist()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{}", r"verdicts\.jsonl:1: .*missing"),
        ("no", r"verdicts\.jsonl:1: "),
        ("[]", r"verdicts\.jsonl:1: "),
        (
            '{"question_id": "q", "first": "a", "second": "b", "attempt": 1, "verdict": {"overall": "A"}, '
            '"problem": "", "structured": true, "tokens_in": 1, "tokens_out": 1}',
            "expected exactly the keys",
        ),
    ],
)
def test_a_spoilt_line_is_told(line: str, message: str, tmp_path: Path) -> None:
    assert open_verdicts(tmp_path, REQUEST, afresh=False) == []
    (tmp_path / "verdicts.jsonl").write_text(line + "\n")
    with pytest.raises(FileError, match=message):
        open_verdicts(tmp_path, REQUEST, afresh=False)


def test_an_attempt_twice_is_told(tmp_path: Path) -> None:
    line = (
        '{"question_id": "q", "first": "a", "second": "b", "attempt": 1, "verdict": null, "problem": "x", '
        '"structured": true, "tokens_in": 1, "tokens_out": 1}\n'
    )
    open_verdicts(tmp_path, REQUEST, afresh=False)
    (tmp_path / "verdicts.jsonl").write_text(line * 2)
    with pytest.raises(FileError, match="stands there twice"):
        open_verdicts(tmp_path, REQUEST, afresh=False)


def test_verdicts_without_their_request_are_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "verdicts.jsonl").write_text("{}\n")
    with pytest.raises(JudgeError, match="different are: judge_model, seed"):
        open_verdicts(tmp_path, REQUEST, afresh=False)
    assert open_verdicts(tmp_path, REQUEST, afresh=True) == []
