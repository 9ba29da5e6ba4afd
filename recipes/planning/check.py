"""How wrong the planner is on others' runs, each left out while the constants are fitted on the rest.

    python -m recipes.planning.check

Prints a line a run: what was measured, what is told of it by the others, and their ratio; then the constants that all
runs together give, for ``constants.yaml``.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from scipy.optimize import least_squares

from common.pages import table
from recipes.planning import memory, seconds
from recipes.planning.constants import Constants, constants
from recipes.planning.setup import GIB, Lengths, Setup, find_card
from recipes.planning.shapes import find_shape

_FILE: Final = Path(__file__).with_name("runs.yaml")
_TIMES: Final = ("traffic", "piece_s", "reply_s", "eager_step_s")
# EasyR1's page gives caps alone; these are our guess for its pictures with a question.
_EASYR1: Final = {
    "cards": 8,
    "prompt": 500,
    "response": 400,
    "longest": 2048,
    "prompts": 512,
    "rollouts": 5,
    "mini": 128,
    "split": 2,
    "utilization": 0.6,
    "offload_weights": True,
    "offload_optimizer": True,
    "offload_reference": True,
}
_ALONE: Final = {"prompt": 0, "response": 16384, "longest": 16384, "prompts": 128, "rollouts": 1, "mini": 128,
                 "utilization": 0.0, "reference": 0, "scored_tokens": 1}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One published run.

    Attributes:
        name: what it is.
        setup: as far as its source tells.
        measured: seconds by phase, or "peak" in GiB.
        stack: whose logits are kept how; "" for times, and for what fitted with verl.
    """

    name: str
    setup: Setup
    measured: Mapping[str, float]
    stack: str = ""


def read_runs() -> tuple[list[Run], list[Run], list[Run], list[Run]]:
    """Those with seconds, those with memory, those that fitted or not (1 or 0), and those that only train."""
    read = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    times = [Run(each["row"], make_setup(each["setup"]), each["measured"]) for each in read["time"]]
    peaks = []
    for each in read["memory"]:
        known = _EASYR1 if each["stack"] == "easyr1" else _ALONE
        peaks.append(
            Run(each["row"], make_setup({**known, **each["setup"]}), {"peak": each["measured"]}, each["stack"])
        )
    fits = []
    for each in read["fits"]:
        stack = each.get("stack", "")
        setup = make_setup({**(_ALONE if stack else {}), **each["setup"]})
        fits.append(Run(each["row"], setup, {"fits": each["measured"]}, stack))
    training = [
        Run(each["row"], make_setup({**_ALONE, "micro": 1, **each["setup"]}), {"update": each["measured"]})
        for each in read["training"]
    ]
    return times, peaks, fits, training


def make_setup(values: Mapping[str, Any]) -> Setup:
    """A setup of plain values; ``extra`` parameters are those of a vision tower."""
    rest = dict(values)
    shape = find_shape(rest.pop("model"))
    shape = replace(shape, parameters=shape.parameters + int(float(rest.pop("extra", 0))))
    lengths = Lengths(rest.pop("prompt"), rest.pop("response"), rest.pop("longest"))
    return Setup(shape=shape, card=find_card(rest.pop("card")), lengths=lengths, **rest)


def time_ratios(run: Run, chosen: Constants) -> dict[str, float]:
    """Told over measured, by phase and for the whole step."""
    told = seconds.estimate(run.setup, chosen)
    told["step"] = sum(told.values())
    return {phase: told[phase] / value for phase, value in run.measured.items()}


def memory_ratio(run: Run, chosen: Constants) -> float:
    """Told over measured."""
    return told_gib(run, chosen) / run.measured["peak"]


def told_gib(run: Run, chosen: Constants) -> float:
    """What is told of a run as its stack is measured: of the card, of a trainer alone, or what deferring costs one."""
    if run.stack in ("", "easyr1"):
        return memory.estimate(run.setup, chosen).total / GIB
    if run.stack == "deferred":
        return (_trainer(run.setup, chosen) - _trainer(replace(run.setup, deferred=False), chosen)) / GIB
    return _trainer(run.setup, replace(chosen, logit_bytes=0.0) if run.stack == "fused" else chosen) / GIB


def _trainer(setup: Setup, chosen: Constants) -> float:
    """Bytes that torch has allocated in a trainer that has the card alone."""
    parts = memory.estimate(setup, replace(chosen, reserve=0.0)).phases["update"]
    return sum(parts.values()) - parts["CUDA contexts"] - parts["CUDA graphs"]


def fit(names: Sequence[str], ratios: Callable[[Constants], Sequence[float]], start: Constants) -> Constants:
    """The constants of these names that make the ratios nearest to 1, by their logarithms; large errors count less."""

    def distance(logs: np.ndarray) -> np.ndarray:
        return np.log(ratios(_with(start, names, logs)))

    begin = [math.log(getattr(start, name)) for name in names]
    return _with(start, names, least_squares(distance, begin, loss="soft_l1", f_scale=0.3).x)


def _with(start: Constants, names: Sequence[str], logs: Sequence[float] | np.ndarray) -> Constants:
    return replace(start, **{name: math.exp(float(value)) for name, value in zip(names, logs, strict=True)})


def _fit_times(runs: Sequence[Run]) -> Constants:
    def ratios(chosen: Constants) -> list[float]:
        return [each for run in runs for phase, each in time_ratios(run, chosen).items() if phase != "step"]

    return fit(_TIMES, ratios, constants())


def _fit_memory(runs: Sequence[Run], stack: str) -> Constants:
    own = [run for run in runs if run.stack == stack]
    names = {"easyr1": ("logit_bytes", "reserve"), "whole": ("logit_bytes",)}.get(stack, ())
    # Phases change places as the numbers grow: begun in one place, the fit ends in one.
    start = replace(constants(), logit_bytes=10.0, reserve=0.15)
    return fit(names, lambda chosen: [memory_ratio(run, chosen) for run in own], start) if names else constants()


def main() -> None:
    """Print the errors and the constants."""
    times, peaks, fits, training = read_runs()
    _print_times(times)
    _print_training(training)
    _print_peaks(peaks)
    _print_fits(fits, _fit_memory(peaks, "whole"))
    whole = _fit_times(times)
    print("\nby all runs:", ", ".join(f"{name} {getattr(whole, name):.3g}" for name in _TIMES))
    for stack in ("easyr1", "whole"):
        found = _fit_memory(peaks, stack)
        print(f"{stack}: logit_bytes {found.logit_bytes:.3g}, reserve {found.reserve:.3g}")


def _print_times(runs: Sequence[Run]) -> None:
    rows, steps = [], []
    for left in runs:
        found = time_ratios(left, _fit_times([run for run in runs if run is not left]))
        rows.append(
            (left.name, *(f"{found[key]:.2f}" if key in found else "" for key in (*seconds.PHASES[:4], "step")))
        )
        steps += [found["step"]] if "step" in found else []
    print("seconds, told over measured, each run left out of the fit\n")
    print(table(("run", *seconds.PHASES[:4], "step"), rows))
    print(_summary(steps, 1.5))


def _print_training(runs: Sequence[Run]) -> None:
    rows = []
    for run in runs:
        told, measured = seconds.update(run.setup, constants()), run.measured["update"]
        rows.append((run.name, f"{measured:g}", f"{told:.2f}", f"{told / measured:.2f}"))
    print("\nseconds of a micro-batch of SFT. None of these had part in a fit\n")
    print(table(("run", "measured", "told", "told over measured"), rows))


def _print_peaks(runs: Sequence[Run]) -> None:
    rows, ratios = [], []
    for left in runs:
        ratio = memory_ratio(left, _fit_memory([run for run in runs if run is not left], left.stack))
        rows.append((left.name, f"{left.measured['peak']:g}", f"{ratio * left.measured['peak']:.1f}", f"{ratio:.2f}"))
        ratios.append(ratio)
    print("\npeak memory in GiB, each run left out of the fit\n")
    print(table(("run", "measured", "told", "told over measured"), rows))
    print(_summary(ratios, 1.2))


def _print_fits(runs: Sequence[Run], whole: Constants) -> None:
    rows = []
    for run in runs:
        chosen, card = whole if run.stack else constants(), run.setup.card.memory_gib
        told = told_gib(run, chosen)
        fullest = "update" if run.stack else memory.estimate(run.setup, chosen).fullest
        rows.append((run.name, *("yes" if each else "no" for each in (run.measured["fits"], told <= card)),
                     f"{told:.1f}", card, fullest))  # fmt: skip
    print("\ndoes it fit? None of these had part in a fit\n")
    print(table(("run", "did", "told", "GiB told", "of", "fullest"), rows))


def _summary(ratios: Sequence[float], goal: float) -> str:
    off = sorted(math.exp(abs(math.log(ratio))) for ratio in ratios)
    return (
        f"within a factor of {goal}: {sum(each <= goal for each in off)} of {len(off)}; "
        f"median {off[len(off) // 2]:.2f}, worst {off[-1]:.2f}"
    )


if __name__ == "__main__":
    main()
