"""Does a GRPO run fit on these GPUs, how long does it take, and what is changed first?

    make plan PROFILE=one_gpu ARGS="card=rtx4090"
    make plan PROFILE=qwen3_8b ARGS="card=h100 prompt=500 response=400 actor_rollout_ref.rollout.n=8"
    make plan PROFILE=one_gpu MODEL=Qwen/Qwen3-4B ARGS="card=rtx4090 +size=lora_4b"

Memory of a GPU by part and phase, seconds a step by phase, hours of GRPO and of the profile's other stages, and the
effect of single changes. All of it is reckoned (`recipes.planning`), and every line says so. Needs no GPU, no network
for the models of ``planning/shapes.yaml``, and no data: lengths and counts are those that `make data` left, where it
has run, unless they are given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from tabulate import tabulate

from common.decisions import DataDecisions, read_decisions
from common.errors import StageError
from recipes.data import load as load_data
from recipes.grpo_config import compose_config
from recipes.lengths import prompt_lengths, response_lengths
from recipes.planning import memory, seconds
from recipes.planning.changes import changes
from recipes.planning.constants import FILE as CONSTANTS
from recipes.planning.constants import constants
from recipes.planning.from_config import setup_of
from recipes.planning.from_profile import Sizes, other_stages, sizes
from recipes.planning.setup import GIB, Lengths, Setup, find_card
from recipes.planning.shapes import find_shape
from recipes.planning.stages import Stage, total
from recipes.profile import Common, encoders, framework_and
from recipes.stage import main

_MARK: Final = "not measured"
# Of tokens, where neither data nor arguments tell.
_ASSUMED: Final = {"prompt": 500.0, "response": 400.0}


@dataclass(frozen=True)
class PlanOptions:
    """The plan's own keys, beside GRPO's overrides.

    Attributes:
        card: a name in ``recipes/planning/cards.yaml``.
        prompt: mean tokens of a prompt; null: of the data, else assumed.
        response: mean tokens of a response; null: of the SFT samples, else assumed.
        longest: tokens of the longest response of a step; null: as long as it may be.
        triplets: of the training side, for the reward models; null: of the data, else assumed.
    """

    card: str
    prompt: float | None = None
    response: float | None = None
    longest: float | None = None
    triplets: int | None = None


def plan(arguments: list[str]) -> None:
    """Print it."""
    if not any(each.startswith("card=") for each in arguments):
        raise StageError(
            "plan: card= is missing, the GPU's name, such as card=rtx4090; see recipes/planning/cards.yaml."
        )
    common, options, rest = framework_and(arguments, PlanOptions, "plan")
    decided = _decided(common)
    setup, steps, told = _setup(common, decided, options, rest)
    sized = sizes(common, constants(), options.triplets)
    print(
        f"{setup.shape.name}, {setup.shape.parameters / 1e9:.3g} billion parameters, {setup.cards} × {setup.card.name}"
    )
    print(f"{told}\n{_counts(sized)}\n")
    _print_memory(setup)
    _print_time(setup, steps)
    _print_stages(other_stages(common, decided, setup, sized, constants()), setup, steps)
    _print_changes(setup, steps)
    _print_constants()


def _setup(
    common: Common, decided: DataDecisions, options: PlanOptions, overrides: list[str]
) -> tuple[Setup, int, str]:
    shape, card = find_shape(common.model), find_card(options.card)
    config = compose_config(common.profile, common.root, common.seed, decided, overrides)
    lengths, told = _lengths(common, config, options)
    return setup_of(config, shape, card, lengths, encoders(common.profile)), config.trainer.total_training_steps, told


def _decided(common: Common) -> DataDecisions:
    """What `make data` decided, or will decide with the profile's section."""
    try:
        return read_decisions(common.root)
    except StageError:
        _, data = load_data([f"profile={common.profile}"])
        return DataDecisions("", "coe", "", False, data.max_prompt_tokens, data.max_response_tokens, common.model)


def _lengths(common: Common, config: Any, options: PlanOptions) -> tuple[Lengths, str]:
    counts = {
        "prompt": lambda: prompt_lengths(config, common.model),
        "response": lambda: response_lengths(common, common.model),
    }
    origins = {"prompt": "of the data", "response": "of the SFT samples"}
    means, sources = dict(_ASSUMED), dict.fromkeys(_ASSUMED, "assumed")
    for name in means:
        if (own := getattr(options, name)) is not None:
            means[name], sources[name] = own, "as given"
        elif Path(config.data.train_files).is_file():
            try:
                counted = counts[name]()
            except OSError as error:
                told = str(error).splitlines()[0]
                raise StageError(
                    f"{common.model}: no tokenizer to count with ({told}). Give prompt= and response=."
                ) from error
            means[name], sources[name] = sum(counted) / len(counted), origins[name]
    longest = options.longest or config.data.max_response_length
    if means["response"] > longest:
        raise StageError(
            f"response={means['response']:g} is longer than the longest, {longest:g}. Correct one of them."
        )
    told = ", ".join(f"{name}s {means[name]:.0f} ({sources[name]})" for name in means)
    return Lengths(means["prompt"], means["response"], longest), f"tokens: {told}, the longest response {longest:g}"


def _counts(sized: Sizes) -> str:
    return (
        f"counts: {sized.samples} SFT samples, {sized.train:,} triplets to train on and {sized.heldout:,} held out, "
        f"{sized.questions} test questions ({sized.told})"
    )


def _print_memory(setup: Setup) -> None:
    found = memory.estimate(setup, constants())
    parts = list(dict.fromkeys(part for phase in found.phases.values() for part in phase))
    rows = [
        (part, *(_gib(phase[part]) if phase.get(part) else "" for phase in found.phases.values()))
        for part in parts
        if any(phase.get(part) for phase in found.phases.values())
    ]
    rows.append(("all", *(_gib(sum(phase.values())) for phase in found.phases.values())))
    print(f"memory of a GPU in GiB ({_MARK})\n")
    print(_table(("part", *found.phases), rows))
    verdict = "fits" if found.total <= setup.card.memory_gib * GIB else "DOES NOT FIT"
    print(f"fullest: {found.fullest}, {_gib(found.total)} of {setup.card.memory_gib} GiB: {verdict} ({_MARK})\n")


def _print_time(setup: Setup, steps: int) -> None:
    found = seconds.estimate(setup, constants())
    step = sum(found.values())
    print(f"seconds of a step ({_MARK})\n")
    print(
        _table(
            ("phase", "seconds", "share"), [(name, f"{each:.1f}", f"{each / step:.0%}") for name, each in found.items()]
        )
    )
    print(
        f"a step {step:.1f} s, {steps} steps {steps * step / 3600:.1f} hours ({_MARK}); start, validation, saving and "
        "the wait for rewards come on top\n"
    )


def _print_changes(setup: Setup, steps: int) -> None:
    rows = []
    for name, changed in [("as it is", setup), *changes(setup)]:
        held, took = memory.estimate(changed, constants()), sum(seconds.estimate(changed, constants()).values())
        fits = "" if held.total <= changed.card.memory_gib * GIB else "no"
        rows.append((name, _gib(held.total), held.fullest, fits, f"{took:.1f}", f"{steps * took / 3600:.1f}"))
    print(f"one change at a time ({_MARK})\n")
    print(_table(("change", "GiB", "fullest", "fits", "s a step", "hours"), rows))


def _print_stages(others: list[Stage], setup: Setup, steps: int) -> None:
    step = sum(seconds.estimate(setup, constants()).values())
    *before, last = others
    every = [*before, Stage("grpo", f"{steps} steps", steps * step), last]
    rows = [(stage.name, stage.counted, _hours(stage.seconds)) for stage in every]
    print(f"hours of the profile's stages on GPUs ({_MARK})\n")
    print(_table(("stage", "of", "hours"), [*rows, ("all", "one after another", _hours(total(every)))], words=2))
    print(
        "on top come starts, validation, saving, and the stages data, reward-probes, eval and report; of memory grpo's "
        "alone is reckoned\n"
    )


def _hours(taken: float | None) -> str:
    if taken is None:
        return "not reckoned"
    return f"{taken / 3600:.1f}" if taken >= 180 else "< 0.1"


def _print_constants() -> None:
    read = yaml.safe_load(CONSTANTS.read_text(encoding="utf-8"))
    print("\nwhat the figures rest on, beside the formulas (docs/planning.md):\n")
    for name, each in read.items():
        print(f"  {name} {each['value']}: {each['from']}")
    print("how wrong they are on others' runs: python -m recipes.planning.check")


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """A table whose every row has the mark, since no figure here was measured.

    Args:
        headings: of its columns.
        rows: a cell for each of them.
        words: how many columns from the left are words; the others are numbers.
    """
    sides = ["left"] * words + ["right"] * (len(headings) - words) + ["left"]
    marked = [(*row, _MARK) for row in rows]
    return tabulate(marked, (*headings, "basis"), disable_numparse=True, colalign=sides)


def _gib(size: float) -> str:
    return f"{size / GIB:.1f}"


if __name__ == "__main__":
    main(plan)
