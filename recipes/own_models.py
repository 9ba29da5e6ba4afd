"""The run's own models, as `make generate` asks them: the base, and what each variant has trained."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from common.decisions import DataDecisions, check_model, read_decisions
from common.errors import StageError
from common.hashing import Hashes
from common.manifest import Manifest, read_manifest, stage_problem
from common.model_card import read_corpora
from data_prep.corpora import NAMES
from data_prep.prompts import SYSTEM_PROMPTS
from data_prep.reprompt import PROMPT_FILES, SFT_FILES
from eval.generation.run import GenerateConfig, ModelEntry
from eval.sources import BASE, CHAIN
from recipes.profile import Common
from recipes.variants import Variant, load_variants, model_folders, variant_root

# The base with its reasoning switched on, as its chat template does.
THINKING: Final = f"{BASE} thinking"
BASES: Final = (BASE, THINKING)


def default_models(root: Path) -> list[str]:
    """The base, the main run's models, and those variants whose model is there and has learnt something."""
    return list(dict.fromkeys([*CHAIN, *trained_models(root)]))


def trained_models(root: Path) -> list[str]:
    """Rows of the variants whose model can stand beside the main run's, the main run's first and in order."""
    there = [variant.row for name, variant in load_variants().items() if not unusable(root, name, variant)]
    return sorted(there, key=lambda row: CHAIN.index(row) if row in CHAIN else len(CHAIN))


def unusable(root: Path, name: str, variant: Variant) -> str:
    """Why a variant's model can't stand beside the main run's of today, "" where it can.

    It is not there; it had no signal; or it was trained for another seed or on other prompts, among which may be what
    are test questions now.
    """
    own, folder = variant_root(root, name), model_folders(root)[variant.row]
    made, data = Manifest.find(folder), Manifest.find(root / "data")
    if problem := stage_problem(folder) or stage_problem(root / "data"):
        return problem
    assert made is not None
    assert data is not None
    if reason := made.result.get("no_signal"):
        return str(reason)
    if made.seed != data.seed:
        return f"{folder} is of seed {made.seed}, the main run's data of seed {data.seed}"
    read = {
        "data": ("data", [root / "data" / file for file in (*SFT_FILES, *PROMPT_FILES)]),
        "grpo": ("prompts", [own / "data" / f"grpo_{part}.parquet" for part in ("train", "val")]),
    }
    hashes = Hashes(root)
    for stage in [stage for stage in variant.stages if stage in read]:
        (key, files), one = read[stage], Manifest.find(own / stage)
        if one is None or not all(map(Path.is_file, files)) or one.inputs.get(key) != hashes.of(files):
            return f"{own / stage} was made from other data than those of the main run now"
    return ""


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
        read_manifest(folder, folder.name)
        variants = {variant.row: (key, variant) for key, variant in load_variants().items()}
        if reason := unusable(common.root, *variants[name]):
            raise StageError(f"generate: {name} has no model to ask: {reason}")
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
    # A small base asked for the format writes nothing that could be scored; how often it does is a figure beside.
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
