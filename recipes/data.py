"""Stage 1: from a corpus to the files of every other stage.

    make data PROFILE=tiny
    make data PROFILE=tiny CORPUS=/data/PsyQA_full.json ARGS="test_size=100"

SFT samples need reviewed CoE chains, which only the sample corpus brings: with another corpus the SFT set is the
sample's, and prompts, triplets and test come from the corpus named. What is left out, and why, is in
``rejected.jsonl``.
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from data_prep.corpora import CorpusError, load_corpus
from data_prep.corpora.sample import SAMPLE_CORPUS
from data_prep.prepare import DataConfig, prepare
from recipes.stage import Common, StageError, load_profile, main, run_stage


def run(arguments: list[str]) -> None:
    """Prepare the data, or say that nothing has changed."""
    common, config = load_profile(arguments, "data", DataConfig)
    is_sample = common.corpus == "sample"
    source = SAMPLE_CORPUS if is_sample else Path(common.corpus)
    if not any(argument.startswith("data_source=") for argument in arguments):
        config = replace(config, data_source=source.name.split(".")[0])
    config = replace(config, seed=common.seed)
    inputs = {"corpus": source, "coe_corpus": SAMPLE_CORPUS, "base": Path(common.model)}
    run_stage("data", common, asdict(config), inputs, lambda folder: _prepare(common, config, source, folder))


def _prepare(common: Common, config: DataConfig, source: Path, folder: Path) -> dict[str, Any]:
    try:
        coe_questions = load_corpus(None, "sample").questions
        questions = coe_questions if source == SAMPLE_CORPUS else load_corpus(source, "auto").questions
        tokenizer = load_tokenizer(common.model)
        report = prepare(questions, coe_questions, tokenizer, config, folder)
    except (CorpusError, ValueError) as error:
        raise StageError(f"data: {error}") from error
    for stage, count in report.stages.items():
        reasons = ", ".join(f"{n} {reason}" for reason, n in report.reasons.get(stage, {}).items())
        print(f"data: {stage}: {count.came_in} in, {count.kept} kept" + (f" ({reasons})" if reasons else ""))
    return asdict(report)


def load_tokenizer(model: str) -> Any:
    """The base model's tokenizer.

    Raises:
        StageError: there is none under this name, neither a folder nor on the hub.
    """
    try:
        return AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    except OSError as error:
        raise StageError(
            f"model={model}: no tokenizer found ({str(error).splitlines()[0]}). Name a folder or a hub id: MODEL=…"
        ) from error


if __name__ == "__main__":
    main(run)
