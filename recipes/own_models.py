"""The run's own models, as `make generate` asks them: the base, and what each variant has trained."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from common.decisions import DataDecisions, check_model, read_decisions
from common.errors import StageError
from common.manifest import Manifest, read_manifest, stage_problem
from common.model_card import read_corpora
from data_prep.corpora import NAMES
from data_prep.prompts import SYSTEM_PROMPTS
from eval.generation.run import GenerateConfig, ModelEntry
from eval.sources import BASE, CHAIN
from recipes.profile import Common
from recipes.variants import model_folders

# The base with its reasoning switched on, as its chat template does.
THINKING: Final = f"{BASE} thinking"
BASES: Final = (BASE, THINKING)


def default_models(root: Path) -> list[str]:
    """The base, the main run's models, and those variants whose model is there and has learnt something."""
    return list(dict.fromkeys([*CHAIN, *trained_models(root)]))


def trained_models(root: Path) -> list[str]:
    """Rows of the variants whose model is there and has learnt something, the main run's first and in order."""
    there = [row for row, folder in model_folders(root).items() if not _silent(folder)]
    return sorted(there, key=lambda row: CHAIN.index(row) if row in CHAIN else len(CHAIN))


def _silent(folder: Path) -> str:
    """Why the variant's model is not asked unless it is named, "" where it is."""
    if problem := stage_problem(folder):
        return problem
    made = Manifest.find(folder)
    return str(made.result.get("no_signal", "")) if made else ""


def own_entry(name: str, common: Common, config: GenerateConfig, decided: DataDecisions) -> ModelEntry:
    """How one of them is asked: a trained model as it was trained, the base by the general instruction.

    What the base has read, its children have: by its card.

    Args:
        name: "base", "base thinking", or a variant's row.
        common: of the main run.
        config: of the stage, with its lengths.
        decided: of the main run's data.

    Raises:
        StageError: its stage is not whole, or its run had no signal, or the data were made for another base.
    """
    seen = [NAMES.get(corpus, corpus) for corpus in read_corpora(Path(common.model))]
    lengths = {"max_model_len": config.max_model_len}
    if name not in BASES:
        folder = model_folders(common.root)[name]
        made = read_manifest(folder, folder.name)
        if reason := made.result.get("no_signal"):
            raise StageError(f"generate: {name} has no model worth asking, {reason}")
        decided = read_decisions(folder.parent)
        return ModelEntry(
            str(folder),
            decided.kind,
            decided.system_prompt,
            template_kwargs=decided.template_kwargs,
            engine=lengths,
            seen=seen,
        )
    check_model(decided, common.model, "generate")
    # Asked for the format, a base writes nothing that could be scored; whether it does is looked at beside.
    asked = decided.system_prompt if decided.kind == "coe" else ""
    base = ModelEntry(
        common.model,
        "plain",
        SYSTEM_PROMPTS["plain"],
        template_kwargs=decided.template_kwargs,
        engine=lengths,
        seen=seen,
        format_prompt=asked,
    )
    if name == BASE:
        return base
    return replace(
        base,
        kind="think",
        template_kwargs={"enable_thinking": True},
        sampling={"max_tokens": config.thinking_tokens},
        engine={"max_model_len": decided.max_prompt_tokens + config.thinking_tokens},
        format_prompt="",
    )
