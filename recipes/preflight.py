"""Would SFT and GRPO start, fit and learn as they are configured? A line a check, before any hour is spent.

    make preflight PROFILE=qwen3_8b
    make preflight PROFILE=qwen3_8b ARGS="actor_rollout_ref.rollout.n=8"     # with GRPO's overrides

Looks at the machine, the composed configuration, what `make data` left and the model's own configuration; trains and
generates nothing. Ends with status 1 where a line says stop. `make sft` and `make grpo` begin with the part that
concerns them.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any, Final

import pandas as pd
from omegaconf import DictConfig, OmegaConf
from transformers import AutoTokenizer

from common.code import REPO
from common.decisions import DataDecisions, read_decisions
from common.manifest import VERSIONS_OF
from recipes import sft
from recipes.grpo_config import compose_config
from recipes.grpo_preflight import grpo_lines
from recipes.machine import model_shape, read_machine
from recipes.preflight_checks import Line, length_line, version_lines
from recipes.profile import Common, framework
from recipes.sft_train import prepare, template_fault
from recipes.stage import main

# Rows that are counted.
_COUNTED: Final = 2000


def preflight(arguments: list[str]) -> None:
    """Print the lines of the profile's run."""
    common, overrides = framework(arguments)
    lines = []
    for one in _lines(common, overrides):
        print(f"{one.level:8} {one.found}" + (f"\n         → {one.remedy}" if one.remedy else ""), flush=True)
        lines.append(one)
    stops, warnings = (sum(one.level == level for one in lines) for level in ("stop", "warning"))
    print(f"{len(lines)} checks: {stops} stop, {warnings} warn.")
    if stops:
        sys.exit(1)


def _lines(common: Common, overrides: list[str]) -> Iterator[Line]:
    decided = read_decisions(common.root)
    config = compose_config(common.profile, common.root, common.seed, decided, overrides)
    machine = read_machine(common.root, VERSIONS_OF)
    yield from version_lines(machine, REPO / "locks" / ("cpu.txt" if config.trainer.device == "cpu" else "gpu.txt"))
    try:
        values, parameters = model_shape(common.model)
    except OSError as error:
        yield Line(
            "stop", f"model {common.model}: {str(error).splitlines()[0]}", "MODEL=/folder names one that is here"
        )
        return
    yield Line("ok", f"model {common.model}: {parameters / 1e9:.3g} billion parameters")
    yield from grpo_lines(config, values, parameters, machine)
    yield from _template(common, decided)
    yield from _lengths(common, config)


def _template(common: Common, decided: DataDecisions) -> Iterator[Line]:
    composed, _ = sft.compose_config(common, decided, [])
    plain: Any = OmegaConf.to_container(composed, resolve=True)
    prepare()
    fault = template_fault(plain)
    if fault:
        yield Line("stop", fault, "see above")
    else:
        yield Line("ok", f"template {plain['template']}: SFT's prompt is the tokenizer's, by which verl and vLLM ask")


def _lengths(common: Common, config: DictConfig) -> Iterator[Line]:
    tokenizer = AutoTokenizer.from_pretrained(common.model, trust_remote_code=False)
    prompts = pd.read_parquet(config.data.train_files, columns=["prompt"])["prompt"].head(_COUNTED)
    kwargs: Any = OmegaConf.to_container(config.data.apply_chat_template_kwargs)
    counted = [
        len(
            tokenizer.apply_chat_template(
                [dict(message) for message in chat], add_generation_prompt=True, return_dict=False, **kwargs
            )
        )
        for chat in prompts
    ]
    yield length_line("GRPO's prompts", counted, config.data.max_prompt_length)
    samples = json.loads((common.root / "data" / "sft.json").read_text(encoding="utf-8"))[:_COUNTED]
    outputs = tokenizer([sample["output"] for sample in samples], add_special_tokens=False)["input_ids"]
    # The end mark counts too.
    yield length_line("SFT's outputs", [len(ids) + 1 for ids in outputs], config.data.max_response_length)


if __name__ == "__main__":
    main(preflight)
