"""One definition of each figure: what it lacks is told, and what is added to it appears everywhere."""

import re
from dataclasses import replace
from inspect import getmembers, isfunction
from typing import get_type_hints

import pandas as pd
import pytest

from eval import figures
from eval.figures import FIGURES, Figure, figure, figures_of
from eval.metrics import overlap
from eval.metrics.overlap import Pair
from eval.metrics.protocols import METRICS, PROTOCOLS, Metric, Protocol
from eval.results import Result, score_replies
from eval.statistics import Interval
from eval.tables import result_table

REFERENCES = pd.DataFrame({"id": ["a", "b"], "references": [["抱抱你。"], ["说说看。"]]})
REPLIES = pd.DataFrame({"question_id": ["a", "b"], "sample": 0, "text": ["抱抱你。", "嗯。"]})


def half(pair: Pair) -> float:
    return 0.5


def result() -> Result:
    protocol = Protocol("zh")
    return Result.of("mine", "x", protocol.signature, score_replies(REPLIES, REFERENCES, protocol, "plain"))


def test_every_metric_of_a_protocol_has_its_figure() -> None:
    known = [one.key for one in FIGURES]
    assert len(known) == len(set(known))
    assert {key for metrics in PROTOCOLS.values() for key in metrics} | {"navg"} <= set(known)
    assert set(METRICS) <= set(figures_of("gains"))


def test_every_metric_serves_a_protocol() -> None:
    metrics = {made for _, made in getmembers(overlap, isfunction) if Pair in get_type_hints(made).values()}
    assert metrics == {metric.function for metrics in PROTOCOLS.values() for metric in metrics.values()}


def test_a_figure_that_is_not_defined_never_leaves_the_tables_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROTOCOLS["zh"], "half", Metric(half))
    with pytest.raises(ValueError, match=r"figure 'half': FIGURES in eval/figures\.py has no such entry"):
        result()
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"figure 'half'.*eval/figures\.py"):
        result_table([result()], {("x", "mine"): {"half": Interval(0.5, 0.5, 0.5)}})


def test_a_metric_is_added_by_its_function_and_two_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROTOCOLS["zh"], "half", Metric(half))
    monkeypatch.setattr(figures, "FIGURES", (*FIGURES, Figure("half", "Half", 1, "lower", "always 0.5", ("gains",))))
    made = result()
    assert made.figures["half"].mean == 0.5
    assert figures_of("gains")[-1] == "half"
    assert "|half:char|" in made.signature
    monkeypatch.setattr("eval.tables.FIGURES", figures.FIGURES)
    table = result_table([made])
    assert table.columns[-1] == "half"
    assert "| Half ↓ |" in re.sub(" +", " ", table.markdown())


def test_headings_say_which_way_is_better() -> None:
    table = result_table([result()])
    assert "BLEU-1 ↑" in re.sub(" +", " ", table.markdown())
    assert "<th>Characters</th>" in table.html()
    assert r"BLEU-1 $\uparrow$" in table.latex()
    assert replace(figure("mean_rank")).heading == "Mean rank ↓"
