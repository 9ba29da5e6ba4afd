"""The dataset card: ``README.md`` beside the prepared files, in the form that the Hugging Face Hub reads.

The YAML header is huggingface_hub's, so ``load_dataset(folder, "grpo")`` finds the files by it; what follows is for
people. Its text stands in ``templates/card.md.jinja``, its words for corpora and fields in ``card.yaml``. All numbers
come from the run (``CardFacts``), all field names from the files' own schemas; nothing is counted here. What the header
may say: https://huggingface.co/docs/hub/datasets-cards
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from huggingface_hub import DatasetCardData

from common.human_help import human_help
from common.pages import Markdown, page
from data_prep.plots import TOPICS_SHOWN
from data_prep.statistics import CorpusStatistics, table1
from data_prep.tally import StageCount

_WORDS: Final[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("card.yaml").read_text(encoding="utf-8"))
# A corpus's format → its origin, terms and, where there is one, citation.
SOURCES: Final[Mapping[str, Mapping[str, str]]] = _WORDS["sources"]
# A field's path as the card prints it → what it means.
FIELDS: Final[Mapping[str, str]] = _WORDS["fields"]
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
        sources: the corpora it was made from, keys of ``SOURCES``.
        corpora: the columns of Table 1: a name → its statistics, such as the corpus as read and as kept.
        kept: statistics of the questions that the files were made from; the topics and the pictures of `draw_plots`,
            which lie beside the card, are theirs.
        steps: a step → its counts, in the order of the steps.
        splits: train, validation, test … → questions.
        files: what the data set consists of.
        masked: type of personal data → places masked; None where the texts were not anonymised.
        risk_levels: level of the risk tags → questions.
        risks: kind of risk → questions whose post is tagged with it.
        risk_model: the model that tagged in the rules' place; "" for the rules.
        crisis: questions that the corpus itself marks as at acute risk.
        risky_prompts: RL prompts with a risk tag, 0 unless the run was told to keep them.
        leaks: what was looked for across the splits, in words → how many were found.
        license: an identifier of the Hub, https://huggingface.co/docs/hub/repositories-licenses
    """

    name: str
    sources: tuple[str, ...]
    corpora: Mapping[str, CorpusStatistics]
    kept: CorpusStatistics
    steps: Mapping[str, StageCount]
    splits: Mapping[str, int]
    files: tuple[DataFile, ...]
    masked: Mapping[str, int] | None
    risk_levels: Mapping[str, int]
    risks: Mapping[str, int]
    risk_model: str
    crisis: int
    risky_prompts: int
    leaks: Mapping[str, int]
    license: str = _OTHER

    def __post_init__(self) -> None:
        """Check what cannot be told from the text.

        Raises:
            ValueError: a source that no text is known for.
        """
        unknown = sorted(set(self.sources) - set(SOURCES))
        if unknown or not self.sources:
            raise ValueError(
                f"dataset card, sources: found {unknown or 'none'}, expected some of {sorted(SOURCES)}. "
                "Describe the corpus in data_prep/card.yaml."
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
    kept = facts.kept
    texts = (("Title", kept.titles), ("Description", kept.descriptions), ("Response", kept.responses))
    return page(
        "data_prep",
        "card",
        header=Markdown(_header(facts)),
        facts=facts,
        sources=[SOURCES[key] for key in facts.sources],
        lengths=[(name, f"{x.mean:,.1f}", f"{x.median:,g}", f"{x.p95:,}", f"{x.maximum:,}") for name, x in texts],
        topics=_topics(kept),
        schemas=_schemas(facts.files),
        table1=table1(facts.corpora),
        step_rows=step_rows,
        counted=counted,
        help=human_help(),
    )


def step_rows(steps: Mapping[str, StageCount]) -> list[tuple[str, ...]]:
    """Rows of a table: a step, how many came in, were kept and were left out."""
    return [(step, f"{n.came_in:,}", f"{n.kept:,}", f"{n.rejected:,}") for step, n in steps.items()]


def counted(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Rows of a table: a name and its number."""
    return [(name, f"{count:,}") for name, count in counts.items()]


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
    return data.to_yaml()


def _topics(kept: CorpusStatistics) -> list[tuple[str, str, str]]:
    ranked = list(kept.topics.items())
    rows = [(str(rank), topic, f"{n:,}") for rank, (topic, n) in enumerate(ranked[:TOPICS_SHOWN], 1)]
    if others := ranked[TOPICS_SHOWN:]:
        rows.append(("", f"{len(others)} other topics", f"{sum(count for _, count in others):,}"))
    if kept.no_topic:
        rows.append(("", "no topic", f"{kept.no_topic:,}"))
    return rows


def _schemas(files: tuple[DataFile, ...]) -> list[tuple[list[DataFile], list[tuple[Markdown, ...]]]]:
    """The files of each schema, with the rows of its table of fields."""
    groups: dict[pa.Schema, list[DataFile]] = {}
    for file in files:
        groups.setdefault(file.schema.remove_metadata(), []).append(file)
    return [
        (group, [row for field in schema for row in _fields(field.name, field.type)])
        for schema, group in groups.items()
    ]


def _fields(path: str, kind: pa.DataType) -> Iterator[tuple[Markdown, ...]]:
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _fields(f"{path}.{field.name}", field.type)
    elif pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        yield from _fields(f"{path}[]", kind.value_type)
    else:
        shown = f"list of {kind.value_type}" if pa.types.is_list(kind) else kind
        yield Markdown(f"`{path}`"), Markdown(f"`{shown}`"), Markdown(FIELDS.get(path, "–"))
