"""Stage 5: replies of several models to the test questions, each by vLLM or from a server.

    make generate                                                       # base, SFT, SFT+GRPO, trained variants
    make generate ARGS="models=[SFT+GRPO,DeepSeek-R1] samples=1"        # baselines of eval/generation/models.yaml too
    make generate ARGS="models=[base,base thinking]"                    # the base with its reasoning on too
    make generate ARGS="replicas=2"                                     # on two of this node's GPUs instead of all
    make generate ARGS="temperature=0 engine_runner=ray replicas=4"     # greedy, on a Ray cluster

Each model generates under the watchdog in a process of its own, with an engine for each GPU that is visible.
``outputs/<profile>/generate/`` holds ``<model>.replies.jsonl`` and ``models.json``, which says which file is whose and
what its outputs look like.
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from common.chat_server import read_key
from common.decisions import DataDecisions, read_decisions
from common.errors import StageError
from common.records.replies import MODELS_FILE, write_models
from common.stage import Plan
from data_prep.prompts import SYSTEM_PROMPTS
from eval.generation.run import GenerateConfig, ModelEntry, generate, load_entries
from eval.sources import sources
from recipes.own_models import BASES, default_models, own_entry
from recipes.profile import Common, section
from recipes.stage import Recipe, main
from recipes.variants import model_folders


def plan(common: Common, config: GenerateConfig) -> Plan:
    """Ask every model, by what `make data` decided."""
    decided = read_decisions(common.root)
    config = replace(
        config,
        max_tokens=config.max_tokens or decided.max_response_tokens,
        max_model_len=config.max_model_len or decided.max_tokens,
    )
    folders = model_folders(Path())
    entries = {name: _entry(name, common, config, decided) for name in config.models or default_models(common.root)}
    own = {name: str(folders[name]) for name in entries if name in folders}
    local = {name: entry.model for name, entry in entries.items() if not entry.base_url and name not in own}
    test = common.root / "data" / "test.parquet"

    def check(_: Path) -> None:
        for name, entry in entries.items():
            if entry.base_url:
                read_key(entry.api_key_env, f"{name} on {entry.base_url}")

    def work(folder: Path, resume: bool) -> dict[str, Any]:
        made = (
            generate(name, entry, test, config, common.seed, folder, keep=resume, anew=common.force)
            for name, entry in entries.items()
        )
        write_models(folder, made)
        return {"own": own, "local": local}

    # Where this run's models lie does not decide anything: their files are inputs.
    asked = {
        name: asdict(replace(entry, model="") if name in own or name in BASES else entry)
        for name, entry in entries.items()
    }
    inputs = sources(common.root, own, local)
    settings = {**asdict(config), "asked": asked}
    # How many engines there are decides no reply.
    del settings["replicas"]
    return Plan(settings, inputs, work, shows=(MODELS_FILE,), check=check)


def _entry(name: str, common: Common, config: GenerateConfig, decided: DataDecisions) -> ModelEntry:
    """This run's own models are asked by what they are, the others by their entry."""
    if name in (known := [*BASES, *model_folders(common.root)]):
        return own_entry(name, common, config, decided)
    entries = load_entries(config.entries)
    if name not in entries:
        raise StageError(
            f"generate: models holds {name!r}, expected {', '.join(known)} or one of {sorted(entries)}. "
            f"Describe another one with entries.{name}.model=…"
        )
    entry = entries[name]
    texts = {key: SYSTEM_PROMPTS.get(text := getattr(entry, key), text) for key in ("system", "format_prompt")}
    return replace(entry, **texts)


RECIPE = Recipe("generate", section("generate", GenerateConfig), plan)

if __name__ == "__main__":
    main(RECIPE)
