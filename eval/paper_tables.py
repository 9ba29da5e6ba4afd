"""The paper's Tables 2 to 4 beside our own runs, over all the seeds that have been run, from `eval.ledger` alone."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from eval.ledger import Entry
from eval.results import Result
from eval.seeds import PooledGain, pool
from eval.statistics import Interval, bootstrap_mean, clustered_bootstrap, t_interval
from eval.tables import ResultTable, Row, pooled_table

# Ours that stand in each table, in order. Table 2 has the baselines too that were asked for.
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


def draw(entries: Sequence[Entry], number: str, protocol: str, models: Sequence[str], seed: int) -> ResultTable | None:
    """One of the tables; None where no entry belongs into it.

    Args:
        entries: of one profile and corpus.
        number: "2", "3" or "4".
        protocol: "paper", beside the paper's rows, or "zh".
        models: rows from top to bottom.
        seed: of the bootstrap.

    Runs that were scored by an earlier version of the protocol than the newest line's are left out, and named.
    """
    mine = [entry for entry in entries if entry.model in models]
    if not mine:
        return None
    mine, left_out = _of_one_version(mine, protocol)
    results = [one for entry in mine for one in entry.results if _is_of(one, protocol)]
    sets = list(dict.fromkeys(result.test_set for result in results)) or ["–"]
    rows = [
        _row(name, test_set, [entry for entry in mine if entry.model == name], protocol, number, seed)
        for test_set in sets
        for name in models
        if any(entry.model == name for entry in mine)
    ]
    runs = max(sum(bool(entry.results) for entry in mine if entry.model == name) for name in models)
    intervals = (
        f"means of up to {runs} runs, of which each has a split of its own; 95 % intervals are Student's over "
        f"{_RUNS} runs or more, else bootstrapped over questions; ↑ more is better, ↓ less."
    )
    if left_out:
        intervals += f" Left out, since another version of the metrics scored them: {', '.join(left_out)}."
    paper = number if protocol == "paper" else ""
    return pooled_table(f"Table {number}, protocol {protocol}", rows, results, intervals, paper)


def _of_one_version(entries: Sequence[Entry], protocol: str) -> tuple[list[Entry], list[str]]:
    """The entries that the newest one's version of the protocol has scored, or that have no result; and the others."""
    signed = [(entry, one.signature) for entry in entries for one in entry.results if _is_of(one, protocol)]
    old = {entry.key: entry for entry, signature in signed if signature != signed[-1][1]}
    kept = [entry for entry in entries if entry.key not in old]
    return kept, [f"{entry.model}, seed {entry.seed}" for entry in old.values()]


def differences(
    entries: Sequence[Entry], later: str, earlier: str, test_set: str, figures: Sequence[str], seed: int
) -> tuple[list[int], list[PooledGain]]:
    """Seeds in which both models have results of protocol zh, and one model minus the other, question by question."""
    pairs: dict[int, tuple[Result, Result]] = {}
    entries, _ = _of_one_version(entries, "zh")
    found = {(entry.model, entry.seed): one for entry in entries for one in entry.results if _fits(one, test_set)}
    for (name, number), result in found.items():
        if name == later and (other := found.get((earlier, number))):
            pairs[number] = other, result
    shared = [key for key in figures if all(key in one.figures for pair in pairs.values() for one in pair)]
    return list(pairs), pool(list(pairs.values()), shared, seed) if pairs else []


def _fits(result: Result, test_set: str) -> bool:
    return result.test_set == test_set and _is_of(result, "zh")


def _is_of(result: Result, protocol: str) -> bool:
    return f"protocol:{protocol}|" in result.signature


def _row(name: str, test_set: str, runs: Sequence[Entry], protocol: str, number: str, seed: int) -> Row:
    results = [one for run in runs for one in run.results if one.test_set == test_set and _is_of(one, protocol)]
    cells: dict[str, Interval | float] = {}
    if results:
        keys = [key for key in results[0].figures if all(key in one.figures for one in results)]
        cells |= {key: _pooled([one.by_question[key].to_dict() for one in results], seed) for key in keys}
        cells |= {key: float(np.mean([one.pooled[key] for one in results])) for key in results[0].pooled}
    ranked = [run.rankings[test_set] for run in runs if test_set in run.rankings]
    if number == "2" and ranked:
        # People rank one run's replies; another seed's ranking is another study.
        cells |= ranked[-1]
    if number == "3":
        if len(results) > 1:
            cells["navg_seeds"] = float(np.std([one.figures["navg"].mean for one in results], ddof=1))
        if steps := [_step_spread(run.rewards) for run in runs if len(run.rewards) > 2]:
            cells["reward_steps"] = float(np.mean(steps))
    return Row(test_set, name, cells, note=_note(results, runs))


def _pooled(by_run: Sequence[Mapping[str, float]], seed: int) -> Interval:
    """One figure over runs, each with a value a question."""
    if len(by_run) >= _RUNS:
        return t_interval([float(np.mean(list(values.values()))) for values in by_run])
    if len(by_run) == 1:
        return bootstrap_mean(list(by_run[0].values()), seed)
    pairs = [pair for values in by_run for pair in values.items()]
    return clustered_bootstrap([value for _, value in pairs], [question for question, _ in pairs], seed)


def _step_spread(rewards: Sequence[float]) -> float:
    """Standard deviation of the steps' rewards, with their trend left out: from the differences of neighbours."""
    return float(np.sqrt(np.mean(np.diff(rewards) ** 2) / 2))


def _note(results: Sequence[Result], runs: Sequence[Entry]) -> str:
    silent = [run for run in runs if run.no_signal]
    faults: dict[str, int] = {}
    for result in results:
        for fault, count in result.faults.items():
            faults[fault] = faults.get(fault, 0) + count
    return ", ".join(
        [
            *dict.fromkeys(result.note for result in results if result.note),
            *(f"{count} replies {fault.replace('_', ' ')}" for fault, count in faults.items()),
            *(f"seed {run.seed}: {run.no_signal.split('.')[0] or 'no signal'}" for run in silent),
        ]
    )
