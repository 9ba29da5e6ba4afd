"""Stage 1: from a corpus to the files of every other stage, with a report of what was done to it.

    make data PROFILE=tiny
    make data PROFILE=tiny CORPUS=/data/PsyQA_full.json ARGS="test_size=100"
    make data CORPUS=/data/posts.csv ARGS="columns.title=问题 columns.description=内容 columns.responses=回答"
    make data CORPUS=/data/dialogues.jsonl ARGS="dialogue_post=first dialogue_response=first"
    make data ARGS="tests=[/data/posts.csv] reads.posts.columns.title=问题 reads.posts.columns.responses=回答"
    make data CORPUS=/data/posts.csv ARGS="coe=outputs/tiny/review/coe_set.jsonl"
    make data CORPUS=/data/smilechat.zip ARGS="exclude=[/data/PsyQA_full.json] engine=ray"
    make data ARGS="risk.tagger=server risk.model=Qwen/Qwen3-32B risk.base_url=http://127.0.0.1:8000/v1"

SFT samples need CoE chains, which only the sample corpus brings: with another corpus the SFT set is the sample's,
unless ``coe=`` names a set of chains (`make coe`, `make review`). Prompts, triplets and test come from the corpus
named. What is left out, and why, is in ``rejected.jsonl``; what was
masked, without the values, in ``masked.jsonl``; the rest in ``report.md``.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from common.decisions import DataDecisions
from common.errors import StageError
from common.hashing import Input, tokenizer_files
from common.model_card import read_corpora
from common.stage import Plan
from common.tokenizer import load_tokenizer
from data_prep.coe.flagged import FLAGGED, flagged
from data_prep.config import DataConfig
from data_prep.corpora import Corpus, CorpusError, corpus_name, load_corpus
from data_prep.corpora.sample import SAMPLE_CORPUS, SMILECHAT_POSTS
from data_prep.further import KEYS, check_reads, further, named, reading
from recipes.data_variant import variant_data
from recipes.profile import Common, load_profile
from recipes.stage import Recipe, main
from recipes.variants import MAIN


def load(arguments: Sequence[str]) -> tuple[Common, DataConfig]:
    """The section `data`, with the corpus's name where none is given, and the common seed."""
    common, config = load_profile(arguments, "data", DataConfig)
    if not any(argument.startswith("data_source=") for argument in arguments):
        config = replace(config, data_source=_name(common, config))
    if config.train_on is None:
        config = replace(config, train_on=[str(SMILECHAT_POSTS)] if common.corpus == "sample" else [])
    return common, replace(config, seed=common.seed)


def _name(common: Common, config: DataConfig) -> str:
    """The corpus's name where none is given; `plan` says what is wrong with one that is not there."""
    if (source := _source(common)) == SAMPLE_CORPUS or not source.exists():
        return common.corpus
    try:
        return corpus_name(source, config.format, config.encoding, config.columns)
    except (CorpusError, ValueError) as error:
        raise StageError(f"data: {error}") from error


def plan(common: Common, config: DataConfig) -> Plan:
    """Prepare the data; what is decided here, every later stage follows."""
    if common.variant != MAIN:
        return variant_data(common, config.prompt)
    source = _source(common)
    if not source.exists():
        raise StageError(f"{source}: no such file or folder. CORPUS= takes a path, or sample.")
    inputs: dict[str, Input] = {"corpus": source, "coe_corpus": Path(config.coe) if config.coe else SAMPLE_CORPUS}
    inputs["tokenizer"] = tokenizer_files(Path(common.model))
    if (marked := common.root / FLAGGED).is_file():
        inputs["flagged"] = marked
    inputs |= {f"exclude {path}": Path(path) for path in config.exclude}
    inputs |= {f"tests {path}": Path(path) for path in config.tests}
    inputs |= {f"train_on {path}": Path(path) for path in config.train_on or []}
    return Plan(
        {**config.decisive(), "model": common.model},
        inputs,
        lambda folder, resume: _prepare(common, config, source, folder),
        shows=("report.md", "README.md"),
        check=lambda folder: _check(common, config, source),
    )


def _check(common: Common, config: DataConfig, source: Path) -> None:
    """Look at the tokenizer and at the beginning of every corpus, before minutes are spent on the first.

    Raises:
        StageError: the tokenizer has no chat template, or a corpus is not there or of no known format.
    """
    if not load_tokenizer(common.model).chat_template:
        raise StageError(f"data: the tokenizer of {common.model} has no chat template. Name a chat model: MODEL=…")
    try:
        check_reads(config)
    except ValueError as error:
        raise StageError(f"data: {error}") from error
    corpora = {"CORPUS": [source], **{key: [Path(path) for path in getattr(config, key) or []] for key in KEYS}}
    for key, paths in corpora.items():
        for path in paths:
            if not path.exists():
                raise StageError(f"data: {key}: {path}: no such file or folder. Correct the path.")
            own = key == "CORPUS" and path != SAMPLE_CORPUS
            try:
                corpus_name(path, config.format, config.encoding, config.columns) if own else named(path, config)
            except (CorpusError, ValueError) as error:
                raise StageError(f"data: {key}: {error}") from error
    try:
        if config.coe:
            _chains(config, source)
    except (CorpusError, ValueError) as error:
        raise StageError(f"data: {error}") from error
    _check_tagger(config)


def _check_tagger(config: DataConfig) -> None:
    from data_prep.risk.model.tag import check_tagger

    try:
        check_tagger(config.risk)
    except (OSError, ValueError) as error:
        raise StageError(f"data: risk.model={config.risk.model}: {str(error).splitlines()[0]}") from error


def _check_sizes(corpus: Corpus, tests: Mapping[str, Corpus], config: DataConfig) -> None:
    """Whether there can be as many questions as are asked for, before they are treated."""
    own = sum(not question.train_only for question in corpus.questions)
    if own < (wanted := config.test_size + config.val_size):
        raise ValueError(
            f"the corpus has {own} questions, too few for test_size={config.test_size} and val_size={config.val_size}, "
            f"together {wanted}. Lower them."
        )
    for name, part in tests.items():
        if len(part.questions) < config.test_size:
            raise ValueError(
                f"tests: {name} has {len(part.questions)} questions, too few for test_size={config.test_size}."
            )


def _source(common: Common) -> Path:
    return SAMPLE_CORPUS if common.corpus == "sample" else Path(common.corpus)


def _prepare(common: Common, config: DataConfig, source: Path, folder: Path) -> dict[str, Any]:
    # Not above: each worker of the treatment imports this file once more, and these take seconds.
    from data_prep.prepare import prepare
    from data_prep.report import write_report

    try:
        corpus = load_corpus(
            None if source == SAMPLE_CORPUS else source,
            config.format,
            columns=config.columns,
            encoding=config.encoding,
            max_bad_records=config.max_bad_records,
            crisis_values=config.crisis_values,
            reading=reading(config),
            max_record_mb=config.max_record_mb,
        )
        corpus = _marked(corpus.with_training(further("train_on", config)), flagged(common.root / FLAGGED))
        coe = _chains(config, source)
        exclude, tests = further("exclude", config), further("tests", config)
        _check_sizes(corpus, tests, config)
        prepared = prepare(corpus, coe, exclude, load_tokenizer(common.model), config, folder, tests)
        write_report(prepared, config, folder)
        warnings = [why for part in (corpus, *tests.values()) for why in read_before(common.model, part.format)]
    except (CorpusError, ValueError) as error:
        raise StageError(f"data: {error}") from error
    for warning in warnings:
        print(f"data: warning: {warning}", file=sys.stderr)
    reasons, stages = prepared.tally.reasons(), prepared.tally.stages
    for stage, count in stages.items():
        why = ", ".join(f"{n} {reason}" for reason, n in reasons.get(stage, {}).items())
        print(f"data: {stage}: {count.came_in} in, {count.kept} kept" + (f" ({why})" if why else ""))
    return {
        "stages": {stage: asdict(count) for stage, count in stages.items()},
        "splits": {name: len(members) for name, members in prepared.split.parts.items()},
        "tests": {name: len(questions) for name, questions in prepared.tested.items()},
        "triplets": prepared.triplets,
        "reasons": reasons,
        "seconds": prepared.seconds,
        "warnings": warnings,
        **_decisions(common, config).result(),
    }


def _marked(corpus: Corpus, acute: set[str]) -> Corpus:
    """The corpus with the mark of acute risk at posts in which a reviewer of chains saw it: no RL prompts any more."""
    own = [replace(each, crisis=True) if each.id in acute else each for each in corpus.questions]
    return replace(corpus, questions=own)


def _chains(config: DataConfig, source: Path) -> Corpus | None:
    """The chains to train on: of the set that is named, else the sample's; None where the corpus is the sample itself.

    Raises:
        CorpusError: the set is no such file, or holds a question without a chain.
    """
    if not config.coe:
        return None if source == SAMPLE_CORPUS else load_corpus(None)
    chains = load_corpus(Path(config.coe), "sample", max_bad_records=0)
    if without := [question.id for question in chains.questions if question.coe is None]:
        raise CorpusError(
            f"coe: {config.coe}: {without[0]} has no chain, expected one in every line. Correct the file."
        )
    return chains


def read_before(model: str, name: str) -> Iterator[str]:
    """What to know of test questions from a corpus that the base has read, by its card."""
    if name in read_corpora(Path(model)):
        yield f"the base {model} has read {name}, by its card; test questions from there say little. Take MODEL=…"


def _decisions(common: Common, config: DataConfig) -> DataDecisions:
    return DataDecisions(
        data_source=config.data_source,
        prompt=config.prompt,
        system_prompt=config.system_prompt,
        enable_thinking=config.enable_thinking,
        max_prompt_tokens=config.max_prompt_tokens,
        max_response_tokens=config.max_response_tokens,
        model=common.model,
    )


RECIPE = Recipe("data", load, plan)

if __name__ == "__main__":
    main(RECIPE)
