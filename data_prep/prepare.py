"""The whole way of the data: from a corpus to the files of every stage, with a count of all that was left out.

Written are ``sft.json`` and ``dataset_info.json``, ``grpo_train.parquet``, ``grpo_val.parquet``, ``triplets.parquet``,
``test.parquet``, ``questions.parquet``. GRPO's training prompts may include questions of the SFT samples, never one of
the test's or GRPO's validation, nor one that is nearly the same.
"""

import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final, get_args

from transformers import PreTrainedTokenizerBase

from common.files import remove_partial
from common.records.question import Question
from common.records.risk import Risk
from data_prep.config import DataConfig
from data_prep.corpora import Corpus
from data_prep.duplicates import Leak, reasons_by_id
from data_prep.engine import treat_questions
from data_prep.grouping import Grouped, deduplicate, everything
from data_prep.leaks import LeakSearch
from data_prep.negatives import TripletBuilder
from data_prep.openings import common_beginnings
from data_prep.risk.model.config import OWN
from data_prep.risk.model.tag import ModelTags, tag
from data_prep.selection import Barred, prompt_tokens, select_prompts, select_sft
from data_prep.split import Split, split_questions
from data_prep.statistics import CorpusStatistics, corpus_statistics
from data_prep.tally import Rejected, Tally
from data_prep.test_sets import check_ids, draw_test_sets
from data_prep.treatment import Masked, Treated
from data_prep.writers import (
    RlSplit,
    SftSample,
    write_grpo_parquet,
    write_questions_parquet,
    write_sft_json,
    write_test_parquet,
    write_triplets_parquet,
)

logger = logging.getLogger(__name__)

# The folder of batches that are done, below the stage's; it is removed at the end.
WORK: Final = "work"


class Clock:
    """How long each step took, in seconds."""

    def __init__(self) -> None:
        """Start it."""
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, step: str) -> None:
        """Note the time since the last step as this one's."""
        now = time.perf_counter()
        self.seconds[step] = round(now - self._since, 2)
        self._since = now
        logger.info("%s: %.1f s", step, self.seconds[step])


@dataclass(slots=True)
class RuleCount:
    """What a cleaning rule did: how many texts it changed or left out, and excerpts (where, before, after)."""

    texts: int
    examples: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made, for the report.

    Attributes:
        read: statistics of each corpus as it was read, by name.
        formats: the corpora's formats, see `data_prep.corpora.CorpusFormat`.
        questions: of the corpus, deduplicated.
        split: the parts of it.
        tested: every test set's questions, the corpus's own first, by name.
        leaks: what was found alike across held-out sets and others, and was taken out of the others.
        remaining: the same looked for again in what was written, by pair of sets; 0 everywhere, or there is a bug.
        rules: what each cleaning rule did to the corpus.
        masked: every place of the corpus where personal data was masked.
        triplets: rows by side and kind.
        risky_prompts: RL prompts with risk tags.
        model_tags: what a model said of risks, where one tags; None where the rules do.
        seconds: how long each step took.
    """

    tally: Tally
    read: dict[str, CorpusStatistics]
    formats: tuple[str, ...]
    questions: list[Question]
    split: Split
    tested: dict[str, list[Question]]
    leaks: list[Leak]
    remaining: dict[str, int]
    rules: dict[str, RuleCount]
    masked: list[Masked]
    triplets: dict[str, int]
    risky_prompts: int
    model_tags: ModelTags | None
    seconds: dict[str, float]


def prepare(
    corpus: Corpus,
    coe: Corpus | None,
    exclude: Mapping[str, Corpus],
    tokenizer: PreTrainedTokenizerBase,
    config: DataConfig,
    out_dir: Path,
    tests: Mapping[str, Corpus] | None = None,
) -> Prepared:
    """Treat, deduplicate, split, and write what each stage reads.

    Args:
        corpus: from its training split come RL prompts and triplets.
        coe: questions with chains, for SFT; None where the corpus has them itself.
        exclude: corpora by name none of whose questions may be trained on.
        tests: corpora by name of each of which a further test set is drawn.

    Raises:
        ValueError: too few questions for the sizes, or a stage left without any data.
        RuntimeError: counts that do not add up or a leak in what was written, bugs of this package.
    """
    remove_partial(out_dir)
    tally, clock, tests = Tally(), Clock(), tests or {}
    named = _named(config, corpus, coe, tests, exclude)
    read = {name: corpus_statistics(part.questions) for _, name, part in named}
    clock.lap("statistics")
    treated = _treat({name: part for _, name, part in named}, config, out_dir / WORK)
    clock.lap("treatment")
    model_tags = None
    if config.risk.tagger not in OWN:
        tagged = {name: treated[name] for _, name, _ in named if name not in exclude}
        new, model_tags = _tagged_by_model(tagged, config, out_dir)
        treated |= new
        clock.lap("risks by a model")
    for prefix, name, part in named:
        tally.note(f"{prefix}records", part.records_in, part.records_kept, part.rejected)
        _note(tally, prefix, part.questions, _kept(treated[name]), [x for one in treated[name] for x in one.rejected])
    common = common_beginnings([_texts(part.questions, treated[name]) for _, name, part in named])
    search = LeakSearch(config.question_threshold, config.response_threshold, common)
    own = _group("", treated[config.data_source], search, tally)
    chains = own if coe is None else _group("coe_", treated[_chains_name(config)], search, tally)
    grouped = {name: _group(f"{name} ", treated[name], search, tally) for name in tests}
    others = {name: everything(part.questions, treated[name]) for name, part in exclude.items()}
    clock.lap("deduplication")
    tokens = {
        name: prompt_tokens(part.questions, tokenizer, config, name)
        for name, part in {config.data_source: own, **grouped}.items()
    }
    too_long = {
        name: {id for id, count in counted.items() if count > config.max_prompt_tokens}
        for name, counted in tokens.items()
    }
    clock.lap("token counts")
    further = draw_test_sets(grouped, too_long, config)
    others |= further
    alike = search.between(others, {"corpus": own})
    split = split_questions(
        own.questions,
        config.test_size,
        config.val_size,
        config.seed,
        too_long=too_long[config.data_source],
        not_for_val={leak.other for leak in alike},
    )
    sets = {name: own.of({question.id for question in members}) for name, members in split.parts.items()}
    leaks, barred = _bar(sets, chains, coe is None, others, alike, search)
    clock.lap("split and leaks")
    samples, prompts = _select(chains, split, barred, tokens[config.data_source], tokenizer, config, tally)
    clock.lap("selection")
    clear = [question for question in split.train if question.id not in barred["corpus"]]
    drawn = _triplets(clear, config)
    clock.lap("generic sentences")
    trained_on = {
        "sft": chains.of({sample.question_id for sample in samples}),
        "triplets": own.of({question.id for question in clear}),
        **{name: own.of({question.id for question in prompts[name]}) for name in ("grpo_train", "grpo_val")},
    }
    remaining = search.check({"test": sets["test"], **others}, trained_on)
    clock.lap("last look for leaks")
    tested = {config.data_source: prompts["test"], **{name: test.questions for name, test in further.items()}}
    check_ids(tested)
    _write(out_dir, samples, prompts, tested, split, config)
    clock.lap("writing")
    write_triplets_parquet(out_dir / "triplets.parquet", drawn)
    made, left_out = drawn.counts.total(), drawn.rejected
    tally.note("triplets", made + len(left_out), made, left_out)
    clock.lap("triplets")
    shutil.rmtree(out_dir / WORK, ignore_errors=True)
    return Prepared(
        tally=tally,
        read=read,
        formats=tuple(dict.fromkeys(name for _, _, part in named for name in (part.format, *part.further))),
        questions=own.questions,
        split=split,
        tested=tested,
        leaks=leaks,
        remaining=remaining,
        rules=_rule_counts(treated[config.data_source]),
        masked=[place for item in treated[config.data_source] for place in item.masked],
        triplets=dict(drawn.counts),
        risky_prompts=sum(question.at_risk for question in prompts["grpo_train"]),
        model_tags=model_tags,
        seconds=clock.seconds,
    )


def _chains_name(config: DataConfig) -> str:
    """What the corpus that brings the chains is called."""
    return "chains" if config.coe else "sample"


def _named(
    config: DataConfig, corpus: Corpus, coe: Corpus | None, *others: Mapping[str, Corpus]
) -> list[tuple[str, str, Corpus]]:
    """Every corpus with its prefix in the tally and its name.

    Raises:
        ValueError: two corpora of one name.
    """
    named = [
        ("", config.data_source, corpus),
        *([("coe_", _chains_name(config), coe)] if coe is not None else []),
        *((f"{other} ", other, part) for more in others for other, part in more.items()),
    ]
    names = [name for _, name, _ in named]
    if len(set(names)) < len(names):
        raise ValueError(f"corpora are called {names}, expected a name of its own for each. Set data_source=… .")
    return named


def _treat(corpora: Mapping[str, Corpus], config: DataConfig, work: Path) -> dict[str, list[Treated]]:
    """All corpora in one go, so that a small one does not wait for a pool of its own."""
    questions = [question for part in corpora.values() for question in part.questions]
    results = treat_questions(questions, config.treatment, work, config.engine, config.workers)
    return {name: list(islice(results, len(part.questions))) for name, part in corpora.items()}


def _tagged_by_model(
    treated: Mapping[str, Sequence[Treated]], config: DataConfig, folder: Path
) -> tuple[dict[str, list[Treated]], ModelTags]:
    """The results with a model's risks in the place of the rules', those of the posts that cleaning kept."""
    kept = [question for part in treated.values() for question in _kept(part)]
    rules = [Risk(question.risk_level, question.risks) for question in kept]
    found = tag([question.post for question in kept], rules, config.risk, folder)
    risks = iter(found.risks)
    return {name: [_at(result, risks) for result in part] for name, part in treated.items()}, found


def _at(result: Treated, risks: Iterator[Risk]) -> Treated:
    if result.question is None:
        return result
    risk = next(risks)
    return replace(result, question=replace(result.question, risk_level=risk.level, risks=risk.kinds))


def _bar(
    sets: Mapping[str, Grouped],
    chains: Grouped,
    own: bool,
    others: Mapping[str, Grouped],
    alike: Sequence[Leak],
    search: LeakSearch,
) -> tuple[list[Leak], dict[str, Barred]]:
    """What is alike to a held-out question and so must not be trained on, of the chains and of the corpus.

    Args:
        sets: the corpus's own parts.
        chains: questions with chains.
        own: whether they are the corpus's own, of which test and validation have some.
        others: what is excluded.
        alike: what of the corpus is alike to that.
    """
    held_out = {} if own else {name: sets[name] for name in ("test", "val")}
    part_of = {question.id: name for name in ("train", "val") for question in sets[name].questions}
    found = {
        "coe": search.between({**held_out, **others}, {"coe": chains}),
        "corpus": [replace(leak, other_set=part_of[leak.other]) for leak in alike if leak.other in part_of],
    }
    barred = {name: reasons_by_id(leaks) for name, leaks in found.items()}
    if own:
        for name in ("test", "val"):
            barred["coe"] |= {q.id: (f"question of the {name} split", "") for q in sets[name].questions}
    return [leak for leaks in found.values() for leak in leaks], dict(barred)


def _select(
    chains: Grouped,
    split: Split,
    barred: Mapping[str, Barred],
    tokens: Mapping[str, int],
    tokenizer: PreTrainedTokenizerBase,
    config: DataConfig,
    tally: Tally,
) -> tuple[list[SftSample], dict[str, list[Question]]]:
    """SFT samples, and the prompts of each stage.

    Raises:
        ValueError: a stage is left without any.
    """
    samples = select_sft(chains.questions, barred["coe"], tokenizer, config, tally)
    prompts = {
        "grpo_train": select_prompts("grpo_train", split.train, barred["corpus"], tokens, config, tally),
        "grpo_val": select_prompts("grpo_val", split.val, barred["corpus"], tokens, config, tally),
        "test": select_prompts("test", split.test, {}, tokens, config, tally),
    }
    for stage in ("sft", *prompts):
        if not tally.stages[stage].kept:
            raise ValueError(
                f"stage {stage}: nothing left of {tally.stages[stage].came_in}, left out were "
                f"{tally.reasons().get(stage, {})}. Raise the limits or add questions."
            )
    return samples, prompts


def _triplets(questions: list[Question], config: DataConfig) -> TripletBuilder:
    return TripletBuilder(
        questions, config.heldout_fraction, config.seed, config.generic_questions, config.topic_negatives
    )


def _write(
    folder: Path,
    samples: Sequence[SftSample],
    prompts: Mapping[str, Sequence[Question]],
    tested: Mapping[str, Sequence[Question]],
    split: Split,
    config: DataConfig,
) -> None:
    write_sft_json(folder / "sft.json", samples)
    for part in get_args(RlSplit):
        name = f"grpo_{part}"
        write_grpo_parquet(folder / f"{name}.parquet", prompts[name], config.system_prompt, config.data_source, part)
    write_test_parquet(folder / "test.parquet", tested, config.system_prompt)
    write_questions_parquet(folder / "questions.parquet", split)


def _texts(questions: Sequence[Question], treated: Sequence[Treated]) -> list[Question]:
    """The questions as treated, those that cleaning left out as they came."""
    return [result.question or question for question, result in zip(questions, treated, strict=True)]


def _note(
    tally: Tally, prefix: str, before: Sequence[Question], after: Sequence[Question], rejected: Sequence[Rejected]
) -> None:
    """What a step kept and left out, of questions and of responses."""
    tally.note(f"{prefix}questions", len(before), len(after), (item for item in rejected if item.what == "question"))
    came_in, kept = (sum(len(question.responses) for question in part) for part in (before, after))
    tally.note(f"{prefix}responses", came_in, kept, (item for item in rejected if item.what == "response"))


def _group(prefix: str, treated: Sequence[Treated], search: LeakSearch, tally: Tally) -> Grouped:
    """Deduplicate a corpus.

    Raises:
        ValueError: nothing of it is left; the message says what left it out.
    """
    grouped, rejected = deduplicate(treated, search.question_threshold, search.response_threshold, search.common)
    _note(tally, f"{prefix}unique_", _kept(treated), grouped.questions, rejected)
    if not grouped.questions:
        stages = [f"{prefix}{step}" for step in ("records", "questions", "responses", "unique_questions")]
        raise ValueError(
            f"{prefix}corpus: no question is left. {tally.told(stages)} Mend the corpus, or switch rules off."
        )
    return grouped


def _kept(treated: Sequence[Treated]) -> list[Question]:
    return [result.question for result in treated if result.question is not None]


def _rule_counts(treated: Sequence[Treated]) -> dict[str, RuleCount]:
    counts: dict[str, RuleCount] = {}
    for change in (change for result in treated for change in result.changes):
        count = counts.setdefault(change.rule, RuleCount(0, []))
        count.texts += 1
        if change.before and len(count.examples) < 3:
            count.examples.append((change.where, change.before, change.after))
    return counts
