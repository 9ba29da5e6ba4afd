"""The paper's Tables 2 to 4 beside our own runs, over all the seeds that have been run, from `eval.ledger` alone."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from eval.figures import figure
from eval.intervals import LEAST
from eval.ledger import Entry
from eval.results import Result
from eval.seeds import PooledGain, pool
from eval.statistics import Interval, clustered_interval, mean_interval, t_interval
from eval.tables import ResultTable, Row, nothing_shown, of_all, pooled_table

# Ours that stand in each table, in order. Table 2 has the baselines too, Table 3 variants of the user's own.
MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "2": ("base", "base thinking", "SFT+GRPO"),
    "3": ("base", "SFT", "GRPO only", "SFT+GRPO"),
    "4": ("SFT+GRPO", "w/o CoE"),
}
# Later and earlier model of the differences that a table is read for.
COMPARED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "3": (("SFT", "base"), ("SFT+GRPO", "SFT"), ("SFT+GRPO", "GRPO only")),
    "4": (("SFT+GRPO", "w/o CoE"),),
}
# Runs from which on an interval is over the runs and not over their questions.
_RUNS: Final = 3


def draw(entries: Sequence[Entry], number: str, protocol: str, models: Sequence[str]) -> ResultTable | None:
    """One of the tables; None where no entry belongs into it.

    Args:
        entries: that `comparable` let pass.
        number: "2", "3" or "4".
        protocol: "paper", beside the paper's rows, or "zh".
        models: rows from top to bottom.
    """
    mine = [entry for entry in entries if entry.model in models]
    if not mine:
        return None
    results = [one for entry in mine for one in entry.results if is_of(one, protocol)]
    sets = list(dict.fromkeys(result.test_set for result in results)) or ["–"]
    rows = []
    for test_set in sets:
        for name in models:
            if runs := [entry for entry in mine if entry.model == name]:
                rows += _rows(name, test_set, runs, protocol, number)
    intervals = (
        f"{len({entry.seed for entry in mine})} runs, each with a split of its own; 95 % intervals are Student's over "
        f"{_RUNS} runs or more, else over questions; without one there are fewer than {LEAST}, or equal ones; "
        "↑ more is better, ↓ less."
    )
    paper = number if protocol == "paper" else ""
    return pooled_table(f"Table {number}, protocol {protocol}", rows, results, intervals, paper)


def comparable(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """The entries of a profile and corpus that tables may sum up and set beside each other, and why others may not.

    The newest line counts: of its version of the metrics; of a model's newest settings; and of a seed's newest
    questions, since another split would pair other posts.
    """
    kept, left_out = list(entries), list[str]()

    def drop(reason: str, odd: Sequence[Entry]) -> None:
        left_out.extend(f"{entry.model}, seed {entry.seed}: {reason}" for entry in odd)
        kept[:] = [entry for entry in kept if not any(entry is one for one in odd)]

    for protocol in ("paper", "zh"):
        signed = [(entry, signature) for entry in kept if (signature := _signature(entry, protocol))]
        drop("scored by another version of the metrics", [entry for entry, own in signed if own != signed[-1][1]])
    settings = {entry.model: entry.settings for entry in kept}
    asked = {entry.model: entry.asked for entry in kept if entry.asked}
    drop("of other settings than the newest run", [entry for entry in kept if entry.settings != settings[entry.model]])
    other = [entry for entry in kept if entry.asked and entry.asked != asked[entry.model]]
    drop("asked or scored in another way than in the newest run", other)
    questions = {entry.seed: _questions(entry) for entry in kept if entry.results}
    odd = [entry for entry in kept if entry.results and _questions(entry) != questions[entry.seed]]
    drop("on other questions than the seed's newest run", odd)
    return kept, left_out


def _signature(entry: Entry, protocol: str) -> str:
    return next((one.signature for one in entry.results if is_of(one, protocol)), "")


def _questions(entry: Entry) -> dict[str, frozenset[str]]:
    return {one.test_set: frozenset(one.by_question.index) for one in entry.results}


def differences(
    entries: Sequence[Entry], later: str, earlier: str, test_set: str, figures: Sequence[str]
) -> tuple[list[int], list[PooledGain]]:
    """Seeds in which both models have results of protocol zh, and one model minus the other, question by question.

    Args:
        entries: that `comparable` let pass.
    """
    found = {
        (entry.model, entry.seed): one
        for entry in entries
        for one in entry.results
        if one.test_set == test_set and is_of(one, "zh")
    }
    pairs = {
        number: (other, result)
        for (name, number), result in found.items()
        if name == later and (other := found.get((earlier, number)))
    }
    return list(pairs), pool(list(pairs.values()), figures) if pairs else []


def is_of(result: Result, protocol: str) -> bool:
    """Whether the protocol has scored it."""
    return f"protocol:{protocol}|" in result.signature


def _rows(name: str, test_set: str, runs: Sequence[Entry], protocol: str, number: str) -> list[Row]:
    """A model's row and, where some of its replies show nothing, that of those that do."""
    results = [one for run in runs for one in run.results if one.test_set == test_set and is_of(one, protocol)]
    cells: dict[str, Interval | float] = {}
    if results:
        told = of_all(results[0].figures, any(one.faults for one in results))
        keys = [key for key in told if all(key in one.figures for one in results)]
        cells |= {key: _pooled(key, [one.by_question[key].to_dict() for one in results]) for key in keys}
        cells |= {key: float(np.mean([one.pooled[key] for one in results])) for key in results[0].pooled}
    ranked = [run for run in runs if test_set in run.rankings]
    if number == "2" and ranked:
        # People rank one run's replies; another seed's ranking is another study.
        cells |= ranked[-1].rankings[test_set]
    if number == "3":
        if len(results) > 1:
            cells["navg_seeds"] = float(np.std([one.figures["navg"].mean for one in results], ddof=1))
        # A run without signal stands still, which is no stability.
        if steps := [_step_spread(run.rewards) for run in runs if not run.no_signal and len(run.rewards) > 2]:
            cells["reward_steps"] = float(np.mean(steps))
    note = _note(results, runs, ranked[-1].ranked_among if number == "2" and ranked else 0)
    rows = [Row(test_set, name, cells, note=note)]
    if any(one.faults for one in results) and (
        keys := [key for key in results[0].shown if all(key in one.shown for one in results)]
    ):
        shown = {key: _pooled(key, [one.shown_by_question[key].to_dict() for one in results]) for key in keys}
        rows.append(Row(test_set, name, shown, shown_only=True))
    return rows


def _pooled(key: str, by_run: Sequence[Mapping[str, float]]) -> Interval:
    """One figure over runs, each with a value a question."""
    bounds, share = figure(key).bounds, figure(key).share
    if len(by_run) >= _RUNS:
        return t_interval([float(np.mean(list(values.values()))) for values in by_run], bounds)
    if len(by_run) == 1:
        return mean_interval(list(by_run[0].values()), bounds, share=share)
    pairs = [pair for values in by_run for pair in values.items()]
    return clustered_interval([value for _, value in pairs], [question for question, _ in pairs], bounds, share=share)


def _step_spread(rewards: Sequence[float]) -> float:
    """Standard deviation of the steps' rewards, with their trend left out: from the differences of neighbours."""
    return float(np.sqrt(np.mean(np.diff(rewards) ** 2) / 2))


def _note(results: Sequence[Result], runs: Sequence[Entry], ranked_among: int) -> str:
    silent = [run for run in runs if run.no_signal]
    faults: dict[str, int] = {}
    for result in results:
        for fault, count in result.faults.items():
            faults[fault] = faults.get(fault, 0) + count
    return ", ".join(
        [
            *dict.fromkeys(result.note for result in results if result.note),
            f"{len(results)} {'run' if len(results) == 1 else 'runs'}",
            *(nothing_shown(fault, count) for fault, count in faults.items()),
            *(f"seed {run.seed}: {run.no_signal.split('.')[0]}" for run in silent),
            *([f"ranked by people among {ranked_among} models"] if ranked_among else []),
        ]
    )
