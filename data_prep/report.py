"""What a run of the preparation leaves for people to look at, beside the files of the stages.

``report.md`` (counts, reasons, rules with examples, masks, risks, leaks, Table 1), three pictures, ``statistics.json``,
the dataset card ``README.md``; and line by line ``rejected.jsonl``, ``masked.jsonl`` (places, never values) and
``leaks.jsonl``. No file holds a time or a path: the same data gives the same bytes.
"""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Final

from common.files import write_json, write_json_lines, write_text
from common.markdown import cell, table_text
from data_prep.card import CardFacts, data_file, dataset_card
from data_prep.cleaning import RULES
from data_prep.config import DataConfig
from data_prep.plots import draw_plots
from data_prep.prepare import Prepared, RuleCount
from data_prep.risk import RISKS
from data_prep.statistics import CorpusStatistics, corpus_statistics, table1

_FILES: Final = (
    ("grpo_train.parquet", "grpo", "train"),
    ("grpo_val.parquet", "grpo", "validation"),
    ("triplets.parquet", "triplets", "train"),
    ("test.parquet", "test", "test"),
    ("questions.parquet", "questions", "train"),
)
# Of the paper's test set, section 4.1.1.
_PAPER_TOPICS: Final = {"depression": 0.35, "anxiety": 0.28, "relationships": 0.22}
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
    pictures = tuple(path.name for path in draw_plots(kept, folder))
    sections = {
        "Counts": _counts(prepared),
        "Why": _reasons(prepared),
        "Corpora": table1(corpora) + "\n" + "\n".join(f"![]({name})" for name in pictures) + "\n",
        "Topics of the test questions": _test_topics(prepared),
        "Cleaning": _rules(prepared, config),
        "Personal data": _masks(prepared, config),
        "Risk": _risks(prepared),
        "Emotion": _emotions(prepared),
        "Near-duplicates and leaks": _leaks(prepared, config),
    }
    body = "\n".join(f"## {heading}\n\n{text}" for heading, text in sections.items())
    write_text(folder / "report.md", f"# Data: {cell(config.data_source)}\n\n{body}")
    write_text(folder / "README.md", dataset_card(_facts(prepared, config, folder, corpora, pictures)))


def _facts(
    prepared: Prepared,
    config: DataConfig,
    folder: Path,
    corpora: dict[str, CorpusStatistics],
    pictures: tuple[str, ...],
) -> CardFacts:
    return CardFacts(
        name=config.data_source,
        sources=prepared.formats,
        corpora=corpora,
        kept=corpora[f"{config.data_source}, kept"],
        pictures=pictures,
        steps={_step(name): count for name, count in prepared.tally.stages.items()},
        splits={name: len(members) for name, members in prepared.split.parts.items()},
        files=(
            data_file(folder / "sft.json"),
            *(data_file(folder / name, part, split) for name, part, split in _FILES),
        ),
        masked=_mask_counts(prepared) if config.mask else None,
        risks=_risk_counts(prepared),
        crisis=sum(question.crisis for question in prepared.questions),
        risky_prompts=prepared.risky_prompts,
        leaks=prepared.remaining,
        license=config.license,
    )


def _counts(prepared: Prepared) -> str:
    rows = (
        (_step(name), f"{count.came_in:,}", f"{count.kept:,}", f"{count.rejected:,}")
        for name, count in prepared.tally.stages.items()
    )
    splits = ", ".join(f"{len(members):,} {name}" for name, members in prepared.split.parts.items())
    return (
        table_text(("Step", "In", "Kept", "Left out"), rows)
        + f"\nIn = kept + left out, in every line. Split: {splits}.\n"
        "The sample corpus's chains, from which SFT learns, are written for this project, not reviewed.\n"
    )


def _reasons(prepared: Prepared) -> str:
    rows = (
        (_step(stage), cell(reason), f"{count:,}")
        for stage, reasons in prepared.tally.reasons().items()
        for reason, count in reasons.items()
    )
    return table_text(("Step", "Reason", "Left out"), rows, left=2) + "\nEach of them stands in `rejected.jsonl`.\n"


def _test_topics(prepared: Prepared) -> str:
    """Each test set's largest topics, and those of the paper's beside them."""
    rows = []
    for name, questions in prepared.tested.items():
        topics = Counter(question.topic for question in questions)
        rows += [
            (cell(name), cell(topic) or "none", f"{count / len(questions):.0%}")
            for topic, count in topics.most_common(_TOPICS_SHOWN)
        ]
    rows += [("the paper's", topic, f"{share:.0%}") for topic, share in _PAPER_TOPICS.items()]
    return (
        table_text(("Test set", "Topic", "Share"), rows, left=2)
        + "\nThe paper's are of section 4.1.1. Corpora name topics by schemes of their own, so shares stand beside "
        "each other and are not compared.\n"
    )


def _rules(prepared: Prepared, config: DataConfig) -> str:
    rows = []
    for name, rule in RULES.items():
        count = prepared.rules.get(name, RuleCount(0, []))
        where, before, after = count.examples[0] if count.examples else ("", "", "")
        what = f"{rule.summary} (switched off)" if name in config.cleaning_off else rule.summary
        shown = f"{cell(before)} → {cell(after) or 'left out'}" if before else ""
        rows.append((name, cell(what), cell(where), shown, f"{count.texts:,}"))
    return (
        table_text(("Rule", "What it does", "Example in a", "Example", "Texts"), rows, left=4)
        + "\nTexts that the rule changed or left out. Personal data in examples is masked.\n"
    )


def _masks(prepared: Prepared, config: DataConfig) -> str:
    if not config.mask:
        return "Nothing was masked (`mask=[]`).\n"
    rows = ((f"[{kind}]", f"{count:,}") for kind, count in _mask_counts(prepared).items())
    return (
        table_text(("Placeholder", "Places"), rows)
        + "\nPatterns and word lists miss some and mask some that is none: `python -m data_prep.anonymise.measure` "
        "says how many on labelled sentences. `masked.jsonl` names every place, without what stood there.\n"
    )


def _risks(prepared: Prepared) -> str:
    size = max(1, len(prepared.questions))
    rows = ((name, f"{count:,}", f"{count / size:.1%}") for name, count in _risk_counts(prepared).items())
    marked = sum(question.crisis for question in prepared.questions)
    return (
        table_text(("Category", "Questions", "Share"), rows)
        + f"\n{marked:,} questions are marked as at acute risk by the corpus itself. Posts with a tag or a mark are no "
        "RL prompts and are told apart in evaluation. The rules are no screening instrument.\n"
    )


def _emotions(prepared: Prepared) -> str:
    posts = Counter(question.emotion for question in prepared.questions)
    responses = Counter(emotion for question in prepared.questions for emotion in question.response_emotions)
    names = sorted(posts | responses, key=lambda name: (name == "", -posts[name]))
    rows = ((cell(name) or "none", f"{posts[name]:,}", f"{responses[name]:,}") for name in names)
    return table_text(("Emotion", "Posts", "Responses"), rows)


def _leaks(prepared: Prepared, config: DataConfig) -> str:
    sizes = Counter(Counter(question.group for question in prepared.questions).values())
    groups = table_text(
        ("Questions in a group", "Groups"), ((str(size), f"{n:,}") for size, n in sorted(sizes.items()))
    )
    pairs = Counter((leak.held_out_set, leak.other_set, leak.part) for leak in prepared.leaks)
    found = (
        table_text(
            ("Held out", "Nearly the same in", "Part", "Pairs"),
            ((cell(held), cell(other), part, f"{count:,}") for (held, other, part), count in sorted(pairs.items())),
            left=3,
        )
        if pairs
        else "No question of a held-out set stands nearly the same in another set.\n"
    )
    left = table_text(
        ("Held out / trained on", "Pairs left"), ((cell(k), str(n)) for k, n in prepared.remaining.items())
    )
    return (
        f"Posts from {config.question_threshold} on (Jaccard index of character 5-grams, by MinHash) are a group, "
        f"which no split parts; responses from {config.response_threshold} on are repetitions, of which the first "
        "stays.\n\n"
        f"{groups}\n"
        f"What was found between sets, and taken out of training (`leaks.jsonl`):\n\n{found}\n"
        f"Looked for once more in what was written:\n\n{left}"
    )


def _mask_counts(prepared: Prepared) -> dict[str, int]:
    return dict(Counter(place.type for place in prepared.masked).most_common())


def _risk_counts(prepared: Prepared) -> dict[str, int]:
    counts = Counter(risk for question in prepared.questions for risk in question.risks)
    return {name: counts[name] for name in RISKS}


def _step(name: str) -> str:
    """A step's name for people; that of another corpus is told by its prefix."""
    for key in sorted(_STEPS, key=len, reverse=True):
        if name.endswith(key):
            prefix = name.removesuffix(key).strip(" _")
            return f"{_STEPS[key]} ({prefix})" if prefix else _STEPS[key]
    return name
