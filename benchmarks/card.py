"""What a GRPO step takes on this machine with random weights of a published shape, beside what `make plan` reckons.

    python -m benchmarks.card shape=Qwen/Qwen3-0.6B card=rtx4090 out=outputs/card-0.6b
    python -m benchmarks.card shape=Qwen/Qwen3-8B card=h200 out=outputs/card-8b +size=lora_4b
    python -m benchmarks.card shape=recipes/tiny_base/model profile=tiny out=outputs/card-tiny    # on a CPU

Memory and time only: such a model writes noise up to the longest response, which is the most that a step can take, and
learns nothing. Policy and encoder are written at random (`benchmarks.random_model`), the stages `data` and
`reward-model` run on the sample, and verl takes some steps of GRPO from the random policy. Nothing is saved of it.
What is no key of `CardConfig` is an override of GRPO's. The tables come to the terminal and into ``card.md`` in the
folder.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

import yaml
from omegaconf import MISSING, DictConfig, OmegaConf

from benchmarks.held_memory import HeldMemory
from benchmarks.random_model import write_random
from common.code import REPO
from common.decisions import read_decisions
from common.errors import StageError
from common.files import whole_lines, write_text
from common.pages import table
from common.settings import build, check, limited
from common.watchdog import Limits, Progress, run_watched
from recipes.grpo_config import compose_config
from recipes.planning import memory, seconds
from recipes.planning.constants import constants
from recipes.planning.from_config import setup_of
from recipes.planning.setup import GIB, Lengths, Setup, find_card
from recipes.planning.shapes import ENCODERS, find_shape, published
from recipes.profile import PROFILES

_STEPS_FILE: Final = "metrics.jsonl"
# The plan's phases by verl's names for them.
_PHASES: Final = dict(
    zip(seconds.PHASES, ("gen", "old_log_prob", "ref", "update_actor", "update_weights"), strict=True)
)
# As much of the sample as any profile can have, and a reward model of some steps.
_DATA: Final = ("test_size=24", "val_size=8")
_REWARD_MODEL: Final = ("epochs=1", "epoch_share=0.05")


@dataclass(frozen=True)
class CardConfig:
    """What is measured.

    Attributes:
        shape: of the policy, see `benchmarks.random_model`.
        out: the folder; models, data and reward model that are there are kept.
        profile: of ``verl_configs/``.
        card: in ``recipes/planning/cards.yaml``, for the plan beside it; "": none.
        steps: of which the first, which warms up, counts in no time.
        seed: of weights and run.
    """

    shape: str = MISSING
    out: str = MISSING
    profile: str = "one_gpu"
    card: str = ""
    steps: int = limited(5, 2)
    seed: int = 42

    def __post_init__(self) -> None:
        check(self)


def prepare(options: CardConfig, out: Path) -> None:
    """The random models, the data and the reward model in the folder, each once."""
    base = write_random(options.shape, out / "base", options.seed)
    common = [f"profile={options.profile}", f"out={out}", f"model={base}", f"seed={options.seed}"]
    _stage("data", [*common, *_DATA])
    profile = yaml.safe_load((PROFILES / f"{options.profile}.yaml").read_text(encoding="utf-8"))
    encoder, own = str(profile["reward_model"]["encoder"]), list(_REWARD_MODEL)
    if published(encoder, ENCODERS) is not None:
        own.append(f"encoder={write_random(encoder, out / 'encoder', options.seed)}")
    _stage("reward_model", [*common, *own])


def _stage(name: str, arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", f"recipes.{name}", *arguments], cwd=REPO, check=True)


def compose(options: CardConfig, out: Path, overrides: Sequence[str]) -> DictConfig:
    """verl's configuration: the profile's, from the random policy, with nothing validated, judged or saved."""
    ours = [
        f"recipe.init_model={out / 'base'}",
        f"trainer.total_training_steps={options.steps}",
        *("trainer.save_freq=-1", "trainer.test_freq=-1", "trainer.val_before_train=false"),
        *("recipe.heldout=null", "recipe.keep_best=false", "trainer.logger=[console,file]"),
    ]
    return compose_config(options.profile, out, options.seed, read_decisions(out), [*ours, *overrides])


def run(options: CardConfig, config: DictConfig, out: Path) -> HeldMemory:
    """The steps, and what was held meanwhile.

    Raises:
        StageError: the run failed; the message has its log's last lines.
    """
    folder = out / "grpo"
    shutil.rmtree(folder, ignore_errors=True)
    resolved = folder / "config.yaml"
    write_text(resolved, OmegaConf.to_yaml(config, resolve=True))

    def progress() -> Progress | None:
        return Progress(len(whole_lines(folder / _STEPS_FILE)), options.steps)

    with HeldMemory() as held:
        run_watched(
            "card",
            [sys.executable, "-m", "recipes.grpo_train", str(resolved)],
            folder / "train.log",
            Limits(config.recipe.limits.total_s, config.recipe.limits.idle_s),
            env={**config.recipe.env, "VERL_FILE_LOGGER_PATH": str(folder / _STEPS_FILE)},
            progress=progress,
        )
    return held


def planned(options: CardConfig, config: DictConfig, steps: Sequence[Mapping[str, Any]]) -> Setup | None:
    """What the plan is asked: this run with the lengths that it had; None without a card."""
    if not options.card:
        return None
    profile = yaml.safe_load((PROFILES / f"{options.profile}.yaml").read_text(encoding="utf-8"))
    encoders = [profile[section]["encoder"] for section in ("reward_model", "heldout_reward_model")]
    lengths = Lengths(
        mean(step["prompt_length/mean"] for step in steps),
        mean(step["response_length/mean"] for step in steps),
        max(step["response_length/max"] for step in steps),
    )
    return setup_of(config, find_shape(options.shape), find_card(options.card), lengths, encoders)


def report(options: CardConfig, steps: Sequence[Mapping[str, Any]], held: HeldMemory, setup: Setup | None) -> str:
    """Both tables, as Markdown."""
    last = steps[-1]
    lines = [
        f"Random weights: memory and time only. {options.shape}, profile {options.profile}, {len(steps)} steps of "
        f"{int(last['perf/total_num_tokens']):,} tokens, responses {last['response_length/mean']:.0f} tokens.",
        "",
        _seconds(steps[1:], setup),
        _memory(steps, held, setup),
    ]
    return "\n".join(lines)


def _seconds(steps: Sequence[Mapping[str, Any]], setup: Setup | None) -> str:
    reckoned = seconds.estimate(setup, constants()) if setup else {}
    measured = {phase: median(step.get(f"timing_s/{name}", 0.0) for step in steps) for phase, name in _PHASES.items()}
    whole = median(step["timing_s/step"] for step in steps)
    rows = [(phase, f"{took:.1f}", _number(reckoned.get(phase))) for phase, took in measured.items()]
    rows.append(("all else", f"{whole - sum(measured.values()):.1f}", ""))
    rows.append(("a step", f"{whole:.1f}", _number(sum(reckoned.values()) if reckoned else None)))
    return table(("phase", "seconds, median", "`make plan`"), rows)


def _memory(steps: Sequence[Mapping[str, Any]], held: HeldMemory, setup: Setup | None) -> str:
    where = "card" if held.on_cards else "host"
    rows = [(name, f"{size / GIB:.1f}", "") for name, size in sorted(held.most.items(), key=lambda each: -each[1])]
    rows.append((f"fullest moment of the {where}", f"{held.together / GIB:.1f}", ""))
    for name in ("allocated", "reserved"):
        most = max(step[f"actor/perf/max_memory_{name}_gb"] for step in steps)
        rows.append((f"trainer, most {name} as torch counts", f"{most:.1f}", ""))
    if setup:
        for phase, parts in memory.estimate(setup, constants()).phases.items():
            rows.append((f"plan: {phase}", "", f"{sum(parts.values()) / GIB:.1f}"))
    return table((f"memory of the {where}", "GiB at most", "`make plan`"), rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def main(arguments: Sequence[str]) -> None:
    """Prepare, run, tell."""
    names = {field.name for field in fields(CardConfig)}
    own = [each for each in arguments if each.partition("=")[0] in names]
    options = build(CardConfig, OmegaConf.from_dotlist(own), "benchmarks.card")
    out = Path(options.out).resolve()
    prepare(options, out)
    config = compose(options, out, [each for each in arguments if each not in own])
    held = run(options, config, out)
    steps = [record["data"] for record in whole_lines(out / "grpo" / _STEPS_FILE)]
    told = report(options, steps, held, planned(options, config, steps))
    write_text(out / "card.md", told + "\n")
    print(told)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (StageError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
