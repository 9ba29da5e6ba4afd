"""Would SFT and GRPO start, fit and learn as they are configured? A line a check, before any hour is spent.

    make preflight PROFILE=qwen3_8b
    make preflight PROFILE=qwen3_8b ARGS="actor_rollout_ref.rollout.n=8"     # with GRPO's overrides
    make preflight PROFILE=qwen3_8b ARGS=sample=64     # after `make sft reward-model`: what would the first steps see?

Looks at the machine, the composed configuration, what `make data` left and the model's own configuration; trains
nothing, and generates only where a sample is asked for (`recipes.preflight_sample`). Ends with status 1 where a line
says stop. `make sft` and `make grpo` begin with the part that concerns them.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from common.decisions import DataDecisions, read_decisions
from common.settings import check, limited
from recipes import sft
from recipes.card_memory import card_memory_line
from recipes.grpo_config import compose_config
from recipes.grpo_static import NO_MODEL, static_lines
from recipes.machine import read_cards
from recipes.preflight_checks import Line
from recipes.preflight_sample import sample_lines
from recipes.profile import Common, framework_and
from recipes.sft_train import prepare, template_fault
from recipes.stage import main


@dataclass(frozen=True)
class PreflightOptions:
    """Preflight's own keys, beside GRPO's overrides.

    Attributes:
        sample: prompts to which the model that GRPO begins with replies; null for none.
    """

    sample: int | None = limited(None, 1)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one that cannot be; the message names the key.
        """
        check(self)


def preflight(arguments: list[str]) -> None:
    """Print the lines of the profile's run."""
    common, options, overrides = framework_and(arguments, PreflightOptions, "preflight")
    decided = read_decisions(common.root)
    config = compose_config(common.profile, common.root, common.seed, decided, overrides)
    lines = _print(_lines(common, config, decided))
    if options.sample is not None:
        idle = Line("warning", "sample: nothing is generated while a line says stop", "mend that first")
        stopped = any(one.level == "stop" for one in lines)
        lines += _print([idle] if stopped else sample_lines(common, config, decided, options.sample))
    stops, warnings = (sum(one.level == level for one in lines) for level in ("stop", "warning"))
    print(f"{len(lines)} checks: {stops} stop, {warnings} warn.")
    if stops:
        sys.exit(1)


def _print(lines: Iterable[Line]) -> list[Line]:
    """Print each line as it comes, and give them back."""
    printed = []
    for one in lines:
        print(f"{one.level:8} {one.found}" + (f"\n         → {one.remedy}" if one.remedy else ""), flush=True)
        printed.append(one)
    return printed


def _lines(common: Common, config: DictConfig, decided: DataDecisions) -> Iterator[Line]:
    for one in static_lines(common, config, decided):
        yield one
        if one.remedy == NO_MODEL:
            return
    cards = read_cards()
    if config.trainer.device != "cpu" and cards:
        yield card_memory_line(common, config, cards)
    yield from _template(common, decided)


def _template(common: Common, decided: DataDecisions) -> Iterator[Line]:
    """SFT's template as its last run had it, else as the profile has it."""
    trained = common.root / "sft" / "llamafactory.yaml"
    composed = OmegaConf.load(trained) if trained.is_file() else sft.compose_config(common, decided, [])[0]
    plain: Any = OmegaConf.to_container(composed, resolve=True)
    prepare()
    fault = template_fault(plain)
    if fault:
        yield Line("stop", fault, "see above")
    else:
        yield Line("ok", f"template {plain['template']}: SFT's prompt is the base's chat template")


if __name__ == "__main__":
    main(preflight)
