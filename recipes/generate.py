"""Stage 5: replies of several models to the test questions, each by vLLM or from a server.

    make generate                                                       # base, SFT and SFT+GRPO
    make generate ARGS="models=[SFT+GRPO,DeepSeek-R1] samples=1"        # baselines of eval/generation/models.yaml too
    make generate ARGS="temperature=0 engine_runner=ray replicas=4"     # greedy, on a Ray cluster

Each model generates under the watchdog in a process of its own. ``outputs/<profile>/generate/`` holds
``<model>.replies.jsonl`` and ``models.json``, which says which file is whose and what its outputs look like.
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from common.decisions import DataDecisions, check_model, read_decisions
from common.errors import StageError
from common.manifest import require_stage
from common.model_card import read_corpora
from common.records.replies import MODELS_FILE, write_models
from common.stage import Plan
from data_prep.corpora import NAMES
from data_prep.prompts import SYSTEM_PROMPTS
from eval.generation.run import GenerateConfig, ModelEntry, generate, load_entries
from eval.sources import OWN, STAGES, sources
from recipes.profile import Common, section
from recipes.stage import Recipe, main


def plan(common: Common, config: GenerateConfig) -> Plan:
    """Ask every model, by what `make data` decided."""
    decided = read_decisions(common.root)
    config = replace(
        config,
        max_tokens=config.max_tokens or decided.max_response_tokens,
        max_model_len=config.max_model_len or decided.max_tokens,
    )
    entries = {name: _entry(name, common, config, decided) for name in config.models}
    local = {name: entry.model for name, entry in entries.items() if not entry.base_url}
    test = common.root / "data" / "test.parquet"

    def work(folder: Path, resume: bool) -> dict[str, Any]:
        made = (
            generate(name, entry, test, config, common.seed, folder, keep=resume, anew=common.force)
            for name, entry in entries.items()
        )
        write_models(folder, made)
        return {"local": local}

    # Where this run's models lie does not decide anything: their files are inputs.
    asked = {name: asdict(replace(entry, model="") if name in OWN else entry) for name, entry in entries.items()}
    return Plan({**asdict(config), "asked": asked}, sources(common.root, local), work, shows=(MODELS_FILE,))


def _entry(name: str, common: Common, config: GenerateConfig, decided: DataDecisions) -> ModelEntry:
    """This run's own models are asked as they were trained, the others by their entry.

    What the base has read, its children have: by its card.
    """
    if name in OWN:
        if name == "base":
            check_model(decided, common.model, "generate")
        folder = require_stage(common.root / STAGES[name], STAGES[name]) if name in STAGES else common.model
        seen = [NAMES.get(corpus, corpus) for corpus in read_corpora(Path(common.model))]
        return ModelEntry(
            str(folder), decided.kind, decided.system_prompt, template_kwargs=decided.template_kwargs, seen=seen
        )
    entries = load_entries(config.entries)
    if name not in entries:
        raise StageError(
            f"generate: models holds {name!r}, expected {', '.join(OWN)} or one of {sorted(entries)}. "
            f"Describe another one with entries.{name}.model=…"
        )
    return replace(entries[name], system=SYSTEM_PROMPTS.get(entries[name].system, entries[name].system))


RECIPE = Recipe("generate", section("generate", GenerateConfig), plan)

if __name__ == "__main__":
    main(RECIPE)
