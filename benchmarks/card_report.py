"""The tables of `benchmarks.card`: what was measured, and what the plan tells for the lengths that the run had."""

from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from statistics import mean, median
from typing import Any, Final

from omegaconf import DictConfig

from benchmarks.held_memory import HeldMemory
from common.pages import table
from recipes.planning import memory, seconds
from recipes.planning.constants import constants
from recipes.planning.from_config import setup_of
from recipes.planning.setup import GIB, Card, Lengths, Setup
from recipes.planning.shapes import find_shape
from recipes.profile import encoders

# The plan's phases by verl's timings. What is offloaded comes back within verl's passes, so that the plan's "moving
# weights" has no timing of its own.
_PHASES: Final = {
    ("rollout",): ("gen",),
    ("old log-probabilities",): ("old_log_prob",),
    ("reference",): ("ref",),
    ("update", "moving weights"): ("update_actor", "update_weights"),
}
_PACKAGES: Final = ("torch", "verl", "vllm", "transformers")
# Bytes of a process that is worth a line.
_TOLD: Final = GIB // 10


def setup(shape: str, profile: str, config: DictConfig, card: Card, steps: Sequence[Mapping[str, Any]]) -> Setup:
    """What the plan is asked: this run, with the lengths that it had, or the longest where it has no step yet.

    Raises:
        StageError: what cannot be planned, such as a run on a CPU.
    """
    prompt, response = (float(config.data[f"max_{name}_length"]) for name in ("prompt", "response"))
    lengths = Lengths(prompt, response, response)
    if steps:
        lengths = Lengths(
            mean(step["prompt_length/mean"] for step in steps),
            mean(step["response_length/mean"] for step in steps),
            max(step["response_length/max"] for step in steps),
        )
    return setup_of(config, find_shape(shape), card, lengths, encoders(profile))


def report(what: str, steps: Sequence[Mapping[str, Any]], held: HeldMemory, planned: Setup | None) -> str:
    """Both tables, as Markdown.

    Args:
        what: was run, and where.
        steps: verl's records, the first of which is left out of the times.
        held: during the run.
        planned: see `setup`; None for no plan.
    """
    last, versions = steps[-1], ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    lines = [
        f"Random weights: memory and time only. {what}; {versions}; {date.today()}.",
        f"{len(steps)} steps, the last of {int(last['perf/total_num_tokens']):,} tokens, responses of "
        f"{last['response_length/mean']:.0f}. What is offloaded and comes back counts in the passes that need it.",
        "",
        _seconds(steps[1:], planned),
        _memory(steps, held, planned),
    ]
    if held.problem:
        lines.append(f"Not every look at the memory succeeded: {held.problem}")
    if not held.most:
        lines.append("No process could be told apart: a container without --pid=host hides their ids from the driver.")
    return "\n".join(lines)


def _seconds(steps: Sequence[Mapping[str, Any]], planned: Setup | None) -> str:
    reckoned = seconds.estimate(planned, constants()) if planned else {}
    rows, known = [], 0.0
    for phases, timings in _PHASES.items():
        took = median(sum(step.get(f"timing_s/{name}", 0.0) for name in timings) for step in steps)
        known += took
        rows.append((" and ".join(phases), f"{took:.1f}", _number([reckoned[one] for one in phases if reckoned])))
    whole = median(step["timing_s/step"] for step in steps)
    rows.append(("all else", f"{whole - known:.1f}", ""))
    rows.append(("a step", f"{whole:.1f}", _number(list(reckoned.values()))))
    return table(("phase", "seconds, median", "`make plan`"), rows)


def _memory(steps: Sequence[Mapping[str, Any]], held: HeldMemory, planned: Setup | None) -> str:
    where = "card" if held.on_cards else "host"
    largest = sorted(held.most.items(), key=lambda each: -each[1])
    rows = [(name, f"{size / GIB:.1f}", "") for name, size in largest if size >= _TOLD]
    rows.append((f"fullest moment of the {where}", f"{held.together / GIB:.1f}", ""))
    for name in ("allocated", "reserved"):
        most = max(step[f"actor/perf/max_memory_{name}_gb"] for step in steps)
        rows.append((f"trainer, most {name} as torch counts", f"{most:.1f}", ""))
    if planned:
        for phase, parts in memory.estimate(planned, constants()).phases.items():
            rows.append((f"plan: {phase}", "", f"{sum(parts.values()) / GIB:.1f}"))
    return table((f"memory of the {where}", "GiB at most", "`make plan`"), rows)


def _number(values: Sequence[float]) -> str:
    return f"{sum(values):.1f}" if values else ""
