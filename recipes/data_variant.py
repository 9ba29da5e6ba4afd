"""The data of a variant: the main run's, asked for with another prompt.

    make data VARIANT=without_coe

The variant keeps the main run's questions, split and limits, so that both are compared on the same ones; see
`data_prep.reprompt`.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from common.decisions import read_decisions
from common.errors import StageError
from common.hashing import Input
from common.manifest import require_stage
from common.stage import Plan
from data_prep.prompts import SYSTEM_PROMPTS
from data_prep.reprompt import PROMPT_FILES, SFT_FILES, reprompt
from recipes.profile import Common


def variant_data(common: Common, prompt: str) -> Plan:
    """Take the main run's data, with the prompt given.

    Raises:
        StageError: the main run has no data, or its prompt asks for no chains either.
    """
    root = Path(common.out)
    source, decided = require_stage(root / "data", "data"), read_decisions(root)
    if decided.kind != "coe":
        raise StageError(
            f"data: variant {common.variant} is the main run without its chains, but {source} was made with "
            f"prompt={decided.prompt}. Run `make data ARGS=prompt=coe` first."
        )
    changed = replace(decided, prompt=prompt, system_prompt=SYSTEM_PROMPTS[prompt])
    inputs: dict[str, Input] = {"data": [source / name for name in (*SFT_FILES, *PROMPT_FILES)]}

    def work(folder: Path, _: bool) -> dict[str, Any]:
        try:
            reprompt(source, folder, prompt)
        except ValueError as error:
            raise StageError(f"data: {error}") from error
        return changed.result()

    return Plan(changed.result(), inputs, work)
