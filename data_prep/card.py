"""The dataset card: ``README.md`` beside the prepared files, in the form that the Hugging Face Hub reads.

The YAML header is huggingface_hub's, so ``load_dataset(folder, "grpo")`` finds the files by it; what follows is for
people. All numbers come from the run (``CardFacts``), all field names from the files' own schemas; nothing is counted
here and only ``data_file`` reads. What the header may say: https://huggingface.co/docs/hub/datasets-cards
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import DatasetCardData

from common.markdown import cell, table_text
from data_prep import card_text
from data_prep.plots import TOPICS_SHOWN
from data_prep.statistics import CorpusStatistics, table1
from data_prep.tally import StageCount

TAGS: Final = ("mental-health", "counselling", "empathy", "chain-of-empathy", "grpo")

_OTHER: Final = "other"  # the Hub's word for a licence that is not in its list
_SIZES: Final = (  # the Hub's classes: below so many rows
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)


@dataclass(frozen=True, slots=True)
class DataFile:
    """One of the files that the card describes.

    Attributes:
        name: beside the card.
        rows: how many.
        schema: the file's own, from which its table of fields is made.
        config: under which ``datasets`` loads it, such as "grpo"; "" leaves it out of the header. ``datasets`` reads
            one format a folder, so only the parquet files can have one.
        split: of that config: "train", "validation" or "test".
    """

    name: str
    rows: int
    schema: pa.Schema
    config: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """Everything that a card says which differs from one data set to the next.

    Attributes:
        name: the data set's, for people.
        sources: the corpora it was made from, keys of ``card_text.SOURCES``.
        corpora: the columns of Table 1: a name → its statistics, such as the corpus as read and as kept.
        kept: statistics of the questions that the files were made from; the pictures and topics are theirs.
        pictures: names of picture files beside the card.
        steps: a step → its counts, in the order of the steps.
        splits: train, validation, test … → questions.
        files: what the data set consists of.
        masked: type of personal data → places masked; None where the texts were not anonymised.
        risks: category → questions whose post a rule of it matches.
        crisis: questions that the corpus itself marks as at acute risk.
        risky_prompts: RL prompts with a risk tag, 0 unless the run was told to keep them.
        leaks: what was looked for across the splits, in words → how many were found.
        license: an identifier of the Hub, https://huggingface.co/docs/hub/repositories-licenses
    """

    name: str
    sources: tuple[str, ...]
    corpora: Mapping[str, CorpusStatistics]
    kept: CorpusStatistics
    pictures: tuple[str, ...]
    steps: Mapping[str, StageCount]
    splits: Mapping[str, int]
    files: tuple[DataFile, ...]
    masked: Mapping[str, int] | None
    risks: Mapping[str, int]
    crisis: int
    risky_prompts: int
    leaks: Mapping[str, int]
    license: str = _OTHER

    def __post_init__(self) -> None:
        """Check what cannot be told from the text.

        Raises:
            ValueError: a source that no text is known for.
        """
        unknown = sorted(set(self.sources) - set(card_text.SOURCES))
        if unknown or not self.sources:
            raise ValueError(
                f"dataset card, sources: found {unknown or 'none'}, expected some of {sorted(card_text.SOURCES)}. "
                "Describe the corpus in data_prep/card_text.py."
            )


def data_file(path: Path, config: str = "", split: str = "") -> DataFile:
    """A file as the card describes it: parquet by its footer, ``.json`` (a list of objects) by its content.

    Raises:
        ValueError: another kind of file, or a config for one that is not parquet.
    """
    if path.suffix == ".json" and not config:
        rows = pa.Table.from_pylist(json.loads(path.read_text(encoding="utf-8")))
        return DataFile(path.name, rows.num_rows, rows.schema)
    if path.suffix != ".parquet":
        raise ValueError(
            f"{path}, config {config!r}: expected .parquet, or .json without one. Leave the file or the config out."
        )
    with pq.ParquetFile(path) as file:
        return DataFile(path.name, file.metadata.num_rows, file.schema_arrow, config, split)


def dataset_card(facts: CardFacts) -> str:
    """The whole card, ending with a line end."""
    citations = (card_text.SOURCES[key].citation for key in facts.sources)
    sections = (
        ("What it holds", _holds(facts)),
        ("How it was made", card_text.MADE + "\n" + _steps(facts.steps)),
        ("Statistics", _statistics(facts)),
        ("Splits", card_text.SPLITS + "\n" + _counts(("Split", "Questions"), facts.splits)),
        ("Files and fields", _files(facts.files)),
        ("Personal data", _personal_data(facts.masked)),
        ("Risk", _risk(facts)),
        ("Leaks between the splits", card_text.LEAKS + "\n" + _counts(("Looked for", "Found"), facts.leaks)),
        ("Use", card_text.USE),
        ("Terms", _terms(facts)),
        ("Citation", "\n".join([card_text.PAPER_CITATION, *filter(None, citations)])),
    )
    body = "\n".join(f"## {heading}\n\n{text}" for heading, text in sections)
    return f"---\n{_header(facts)}---\n\n# {cell(facts.name)}\n\n{card_text.WARNING}\n{body}"


def _header(facts: CardFacts) -> str:
    configs: dict[str, list[dict[str, str]]] = {}
    for file in (file for file in facts.files if file.config):
        configs.setdefault(file.config, []).append({"split": file.split, "path": file.name})
    rows = sum(file.rows for file in facts.files)
    data = DatasetCardData(
        pretty_name=facts.name,
        language="zh",
        license=facts.license,
        # The Hub asks for a name of a licence that it does not know.
        license_name="terms-of-the-corpora" if facts.license == _OTHER else None,
        task_categories=["text-generation"],
        size_categories=[next((name for below, name in _SIZES if rows < below), "10M<n<100M")],
        tags=list(TAGS),
        configs=[{"config_name": name, "data_files": files} for name, files in configs.items()],
    )
    return data.to_yaml() + "\n"


def _holds(facts: CardFacts) -> str:
    sources = "".join(f"- {card_text.SOURCES[key].origin}\n" for key in facts.sources)
    return (
        f"{facts.kept.questions:,} counselling questions in Chinese with {facts.kept.answers:,} responses, prepared "
        f"for the stages of Empathy-R1, from:\n\n{sources}\n{card_text.HOLDS}"
    )


def _steps(steps: Mapping[str, StageCount]) -> str:
    rows = ((cell(step), f"{n.came_in:,}", f"{n.kept:,}", f"{n.rejected:,}") for step, n in steps.items())
    return table_text(("Step", "Came in", "Kept", "Left out"), rows)


def _statistics(facts: CardFacts) -> str:
    kept = facts.kept
    lengths = table_text(
        ("Characters of a", "Mean", "Median", "95th percentile", "Longest"),
        (
            (name, f"{kind.mean:,.1f}", f"{kind.median:,g}", f"{kind.p95:,}", f"{kind.maximum:,}")
            for name, kind in (("Title", kept.titles), ("Description", kept.descriptions), ("Response", kept.responses))
        ),
    )
    pictures = "".join(f"![{card_text.PICTURES.get(name, name)}]({name})\n\n" for name in facts.pictures)
    return f"{card_text.TABLE_1}\n{table1(facts.corpora)}\nThe questions kept:\n\n{lengths}\n{pictures}{_topics(kept)}"


def _topics(kept: CorpusStatistics) -> str:
    if not kept.topics:
        return "The corpus names no topics.\n"
    ranked = list(kept.topics.items())
    rows = [(str(rank), cell(topic), f"{n:,}") for rank, (topic, n) in enumerate(ranked[:TOPICS_SHOWN], 1)]
    if others := ranked[TOPICS_SHOWN:]:
        rows.append(("", f"{len(others)} other topics", f"{sum(count for _, count in others):,}"))
    if kept.no_topic:
        rows.append(("", "no topic", f"{kept.no_topic:,}"))
    return "Topics, by the ranks of `topics.png`:\n\n" + table_text(("Rank", "Topic", "Questions"), rows, left=2)


def _files(files: tuple[DataFile, ...]) -> str:
    """A table of fields for each schema, under the names of the files that have it."""
    groups: dict[pa.Schema, list[DataFile]] = {}
    for file in files:
        groups.setdefault(file.schema.remove_metadata(), []).append(file)
    parts = [card_text.FILES]
    for schema, group in groups.items():
        named = "".join(
            f"- `{file.name}`: {file.rows:,} rows"
            + (f", config `{file.config}`, split `{file.split}`\n" if file.config else "\n")
            for file in group
        )
        rows = [
            (f"`{path}`", f"`{kind}`", card_text.FIELDS.get(path, "–"))
            for field in schema
            for path, kind in _leaves(field.name, field.type)
        ]
        parts.append(f"{named}\n{table_text(('Field', 'Type', 'Meaning'), rows, left=3)}")
    return "\n".join(parts)


def _leaves(path: str, kind: pa.DataType) -> Iterator[tuple[str, str]]:
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _leaves(f"{path}.{field.name}", field.type)
    elif pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        yield from _leaves(f"{path}[]", kind.value_type)
    else:
        yield path, f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)


def _personal_data(masked: Mapping[str, int] | None) -> str:
    if masked is None:
        return card_text.NOT_ANONYMISED
    counts = _counts(("Type", "Places masked"), masked) if masked else "Nothing was found to mask.\n"
    return f"{card_text.ANONYMISED}\n{counts}\n{card_text.ANONYMISATION_LIMITS}"


def _risk(facts: CardFacts) -> str:
    counts = _counts(("Category", "Questions"), facts.risks) if facts.risks else "No rule matched a post.\n"
    return (
        f"{card_text.RISK}\n{counts}\nQuestions that the corpus itself marks as at acute risk: {facts.crisis:,}. RL "
        f"prompts with a tag: {facts.risky_prompts:,}.\n\n{card_text.RISK_LIMITS}"
    )


def _terms(facts: CardFacts) -> str:
    terms = "".join(f"- {card_text.SOURCES[key].terms}\n" for key in facts.sources)
    note = card_text.LICENSE_OTHER if facts.license == _OTHER else card_text.LICENSE_CHOSEN
    return f"Licence named in the header: `{facts.license}`. {note}\n{terms}"


def _counts(headings: tuple[str, str], counts: Mapping[str, int]) -> str:
    return table_text(headings, ((cell(name), f"{count:,}") for name, count in counts.items()))
