"""What a run of the preparation leaves for people to look at, beside the files of the stages.

``report.md`` (counts, reasons, rules with examples, masks, risks, leaks, Table 1), three pictures, ``statistics.json``,
the dataset card ``README.md``; and line by line ``rejected.jsonl``, ``masked.jsonl`` (places, never values) and
``leaks.jsonl``. The report's words stand in ``templates/report.md.jinja``. No file holds a time or a path: the same
data gives the same bytes.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from common.files import write_json, write_json_lines, write_text
from common.pages import page
from common.records.risk import KINDS, LEVELS
from data_prep.card import CardFacts, counted, data_file, dataset_card, step_rows
from data_prep.cleaning import RULES
from data_prep.config import DataConfig
from data_prep.plots import draw_plots
from data_prep.prepare import Prepared, RuleCount
from data_prep.statistics import CorpusStatistics, corpus_statistics, table1

_FILES: Final = (
    ("grpo_train.parquet", "grpo", "train"),
    ("grpo_val.parquet", "grpo", "validation"),
    ("triplets.parquet", "triplets", "train"),
    ("test.parquet", "test", "test"),
    ("questions.parquet", "questions", "train"),
)
_TOPICS_SHOWN: Final = 8
_STEPS: Final = {
    "records": "records read",
    "questions": "questions cleaned",
    "responses": "responses cleaned",
    "unique_questions": "questions deduplicated",
    "unique_responses": "responses deduplicated",
    "sft": "SFT samples",
    "grpo_train": "GRPO prompts",
    "grpo_val": "GRPO validation prompts",
    "test": "test prompts",
    "triplets": "reward triplets",
}


def write_report(prepared: Prepared, config: DataConfig, folder: Path) -> None:
    """Write everything named above into ``folder``."""
    write_json_lines(
        folder / "rejected.jsonl", ({"stage": stage, **asdict(item)} for stage, item in prepared.tally.rejected)
    )
    write_json_lines(folder / "masked.jsonl", map(asdict, prepared.masked))
    write_json_lines(folder / "leaks.jsonl", map(asdict, prepared.leaks))
    kept = corpus_statistics(prepared.questions)
    corpora = {**prepared.read, f"{config.data_source}, kept": kept}
    write_json(folder / "statistics.json", {name: asdict(part) for name, part in corpora.items()})
    draw_plots(kept, folder)
    facts = _facts(prepared, config, folder, corpora)
    write_text(folder / "README.md", dataset_card(facts))
    report = page(
        "data_prep",
        "report",
        facts=facts,
        config=config,
        reasons=_reasons(prepared),
        table1=table1(corpora),
        topics=_test_topics(prepared),
        rules=_rules(prepared, config),
        places=counted({f"[{kind}]": count for kind, count in (facts.masked or {}).items()}),
        levels=_shares(facts.risk_levels, kept.questions),
        kinds=_shares(facts.risks, kept.questions),
        model_tags=prepared.model_tags,
        tagger=config.risk.model,
        emotions=_emotions(prepared),
        groups=_groups(prepared),
        leaks=_leaks(prepared),
        step_rows=step_rows,
        counted=counted,
    )
    write_text(folder / "report.md", report)


def _facts(prepared: Prepared, config: DataConfig, folder: Path, corpora: dict[str, CorpusStatistics]) -> CardFacts:
    levels = Counter(question.risk_level for question in prepared.questions)
    kinds = Counter(kind for question in prepared.questions for kind in question.risks)
    return CardFacts(
        name=config.data_source,
        sources=prepared.formats,
        corpora=corpora,
        kept=corpora[f"{config.data_source}, kept"],
        steps={_step(name): count for name, count in prepared.tally.stages.items()},
        splits={name: len(members) for name, members in prepared.split.parts.items()},
        files=(
            data_file(folder / "sft.json"),
            *(data_file(folder / name, part, split) for name, part, split in _FILES),
        ),
        masked=dict(Counter(place.type for place in prepared.masked).most_common()) if config.mask else None,
        risk_levels={level: levels[level] for level in reversed(LEVELS)},
        risks={kind: kinds[kind] for kind in KINDS},
        risk_model=config.risk.model,
        crisis=sum(question.crisis for question in prepared.questions),
        risky_prompts=prepared.risky_prompts,
        leaks=prepared.remaining,
        license=config.license,
    )


def _shares(counts: Mapping[str, int], questions: int) -> list[tuple[str, ...]]:
    return [(*row, f"{counts[row[0]] / questions:.1%}") for row in counted(counts)]


def _reasons(prepared: Prepared) -> list[tuple[str, str, str]]:
    return [
        (_step(stage), reason, f"{count:,}")
        for stage, reasons in prepared.tally.reasons().items()
        for reason, count in reasons.items()
    ]


def _test_topics(prepared: Prepared) -> list[tuple[str, str, str]]:
    """Each test set's largest topics with their shares."""
    return [
        (name, topic or "none", f"{count / len(questions):.0%}")
        for name, questions in prepared.tested.items()
        for topic, count in Counter(question.topic for question in questions).most_common(_TOPICS_SHOWN)
    ]


def _rules(prepared: Prepared, config: DataConfig) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, rule in RULES.items():
        count = prepared.rules.get(name, RuleCount(0, []))
        where, before, after = count.examples[0] if count.examples else ("", "", "")
        what = f"{rule.summary} (switched off)" if name in config.cleaning_off else rule.summary
        shown = f"{before} → {after.strip() or 'left out'}" if before else ""
        rows.append((name, what, where, shown, f"{count.texts:,}"))
    return rows


def _emotions(prepared: Prepared) -> list[tuple[str, str, str]]:
    posts = Counter(question.emotion for question in prepared.questions)
    responses = Counter(emotion for question in prepared.questions for emotion in question.response_emotions)
    names = sorted(posts | responses, key=lambda name: (name == "", -posts[name]))
    return [(name or "none", f"{posts[name]:,}", f"{responses[name]:,}") for name in names]


def _groups(prepared: Prepared) -> list[tuple[str, str]]:
    sizes = Counter(Counter(question.group for question in prepared.questions).values())
    return [(str(size), f"{groups:,}") for size, groups in sorted(sizes.items())]


def _leaks(prepared: Prepared) -> list[tuple[str, ...]]:
    pairs = Counter((leak.held_out_set, leak.other_set, leak.part) for leak in prepared.leaks)
    return [(*sets_and_part, f"{count:,}") for sets_and_part, count in sorted(pairs.items())]


def _step(name: str) -> str:
    """A step's name for people; that of another corpus is told by its prefix."""
    for key in sorted(_STEPS, key=len, reverse=True):
        if name.endswith(key):
            prefix = name.removesuffix(key).strip(" _")
            return f"{_STEPS[key]} ({prefix})" if prefix else _STEPS[key]
    return name
