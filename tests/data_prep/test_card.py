"""The dataset card: read back by the libraries it is written for, with the numbers of the run and of no other."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from datasets import load_dataset
from huggingface_hub import DatasetCard

from common.records.question import Question
from common.records.triplets import Triplet
from data_prep import card
from data_prep.card import CardFacts, DataFile, data_file
from data_prep.split import Split
from data_prep.statistics import CorpusStatistics, corpus_statistics
from data_prep.tally import StageCount
from data_prep.writers import (
    SftSample,
    write_grpo_parquet,
    write_questions_parquet,
    write_sft_json,
    write_test_parquet,
    write_triplets_parquet,
)

MakeQuestions = Callable[[int], list[Question]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make_questions: MakeQuestions) -> Path:
    """The files as this package's writers make them."""
    out = tmp_path_factory.mktemp("data")
    calm = [question for question in make_questions(9) if not question.crisis]
    write_sft_json(out / "sft.json", [SftSample("a", "系统", "怎么办？", "慢慢来。")])
    write_grpo_parquet(out / "grpo_train.parquet", calm[:5], "系统", "sample", "train")
    write_grpo_parquet(out / "grpo_val.parquet", calm[5:7], "系统", "sample", "val")
    write_triplets_parquet(out / "triplets.parquet", [Triplet("a", "问", "答", "否", "generic", "train")])
    write_test_parquet(out / "test.parquet", {"mine": calm[7:]}, "系统")
    write_questions_parquet(out / "questions.parquet", Split(calm[:5], calm[5:7], calm[7:]))
    return out


@pytest.fixture(scope="module")
def files(folder: Path) -> tuple[DataFile, ...]:
    places = {
        "sft.json": ("", ""),
        "grpo_train.parquet": ("grpo", "train"),
        "grpo_val.parquet": ("grpo", "validation"),
        "triplets.parquet": ("triplets", "train"),
        "test.parquet": ("test", "test"),
        "questions.parquet": ("questions", "train"),
    }
    return tuple(data_file(folder / name, config, split) for name, (config, split) in places.items())


@pytest.fixture(scope="module")
def kept(make_questions: MakeQuestions) -> CorpusStatistics:
    return corpus_statistics(make_questions(25))


@pytest.fixture(scope="module")
def facts(files: tuple[DataFile, ...], kept: CorpusStatistics) -> CardFacts:
    return CardFacts(
        name="样例: a | sample",
        sources=("sample", "smilechat"),
        corpora={"as read": kept, "kept": kept},
        kept=kept,
        steps={"questions": StageCount(1030, 1025, 5), "responses": StageCount(2060, 2051, 9)},
        splits={"train": 900, "val": 25, "test": 100},
        files=files,
        masked={"电话": 31, "姓名": 1207},
        risk_levels={"acute": 12, "concern": 5, "none": 81},
        risks={"suicide": 17, "abuse": 0},
        risk_model="",
        crisis=23,
        risky_prompts=0,
        leaks={"same post in train and test": 0},
    )


def dataset_card(facts: CardFacts) -> str:
    """The card without the padding of its tables."""
    return re.sub("(?<=[^ \n]) +", " ", card.dataset_card(facts))


def _section(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_the_header_is_what_the_hub_reads(facts: CardFacts) -> None:
    read = DatasetCard(dataset_card(facts))
    data = read.data.to_dict()
    assert data["language"] == "zh"
    assert data["task_categories"] == ["text-generation"]
    assert data["pretty_name"] == "样例: a | sample"
    assert (data["license"], data["license_name"]) == ("other", "terms-of-the-corpora")
    assert data["size_categories"] == ["n<1K"]
    assert "mental-health" in data["tags"]
    assert data["configs"][0] == {
        "config_name": "grpo",
        "data_files": [
            {"split": "train", "path": "grpo_train.parquet"},
            {"split": "validation", "path": "grpo_val.parquet"},
        ],
    }
    assert "sft.json" not in str(data["configs"])
    assert read.text.lstrip().startswith("# 样例: a \\| sample")


def test_datasets_loads_every_file_by_it(facts: CardFacts, folder: Path, tmp_path: Path) -> None:
    (folder / "README.md").write_text(dataset_card(facts), encoding="utf-8")
    for file in (file for file in facts.files if file.name.endswith(".parquet")):
        loaded = load_dataset(str(folder), file.config, split=file.split, cache_dir=str(tmp_path))
        assert loaded.num_rows == file.rows
        assert loaded.column_names == file.schema.names


@pytest.mark.parametrize(
    ("rows", "size"), [(999, "n<1K"), (1000, "1K<n<10K"), (250_000, "100K<n<1M"), (10**7, "10M<n<100M")]
)
def test_size_category(facts: CardFacts, rows: int, size: str) -> None:
    text = dataset_card(replace(facts, files=(replace(facts.files[0], rows=rows),)))
    assert DatasetCard(text).data.to_dict()["size_categories"] == [size]


def test_a_licence_that_was_chosen(facts: CardFacts) -> None:
    text = dataset_card(replace(facts, license="cc0-1.0"))
    data = DatasetCard(text).data.to_dict()
    assert data["license"] == "cc0-1.0"
    assert "license_name" not in data
    assert "It was named by whoever prepared the data set" in text
    assert "`other` stands for" not in text


def test_every_section_has_the_runs_numbers(facts: CardFacts) -> None:
    text = dataset_card(facts)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "What it holds",
        "How it was made",
        "Statistics",
        "Splits",
        "Files and fields",
        "Personal data",
        "Risk",
        "Leaks between the splits",
        "Use",
        "Terms",
        "Citation",
    ]
    assert re.search(r"\b25\b.* questions .*\b50\b responses", text)
    assert "| questions | 1,030 | 1,025 | 5 |\n| responses | 2,060 | 2,051 | 9 |" in _section(text, "How it was made")
    assert "| train | 900 |\n| val | 25 |\n| test | 100 |" in _section(text, "Splits")
    assert "| 电话 | 31 |\n| 姓名 | 1,207 |" in _section(text, "Personal data")
    risk = _section(text, "Risk")
    assert "| suicide | 17 |\n| abuse | 0 |" in risk
    assert re.search(r"acute risk: 23\b.*: 0\b", " ".join(risk.split()))
    assert "| same post in train and test | 0 |" in _section(text, "Leaks between the splits")


def test_statistics_with_table_1_and_the_topics(facts: CardFacts, kept: CorpusStatistics) -> None:
    section = _section(dataset_card(facts), "Statistics")
    assert "| | PsyQA (paper) | Empathy-QA (paper) | as read (ours) | kept (ours) |" in section
    titles = kept.titles
    assert f"| Title | {titles.mean:.1f} | {titles.median:g} | {titles.p95} | {titles.maximum} |" in section
    assert re.findall(r"!\[(.+?)\]\((.+?)\)", section) == [
        ("How long titles, descriptions and answers are, with the paper's means", "lengths.png"),
        ("Questions per topic", "topics.png"),
        ("Questions by their number of responses, with the paper's means", "responses.png"),
    ]
    assert [line for line in section.splitlines() if line.startswith("| 1 |")] == ["| 1 | 加班 | 3 |"]
    assert "other topics" not in section


def test_topics_beyond_the_twentieth_and_none(facts: CardFacts, kept: CorpusStatistics) -> None:
    many = replace(kept, topics={f"题{i}": 30 - i for i in range(23)}, no_topic=4)
    section = _section(dataset_card(replace(facts, kept=many)), "Statistics")
    assert "| 20 | 题19 | 11 |\n| | 3 other topics | 27 |\n| | no topic | 4 |\n" in section
    section = _section(dataset_card(replace(facts, kept=replace(kept, topics={}, no_topic=25))), "Statistics")
    assert "The corpus names no topics." in section
    assert "Rank" not in section
    assert "topics.png" not in section


def test_every_field_of_the_writers_files_is_explained(facts: CardFacts) -> None:
    section = _section(dataset_card(facts), "Files and fields")
    rows = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in section.splitlines() if line.startswith("| `")]
    unexplained = [path for path, _, meaning in rows if meaning == "–"]
    assert unexplained == [], "say in data_prep/card.yaml, fields, what they mean"
    assert ["`references`", "`list of string`"] in [row[:2] for row in rows]
    assert ["`extra_info.index`", "`int64`"] in [row[:2] for row in rows]
    assert [path for path, *_ in rows].count("`prompt[].content`") == 2  # grpo's two files share a table


def test_a_field_that_nobody_explained_is_listed_all_the_same(facts: CardFacts) -> None:
    schema = pa.schema([("id", pa.string()), ("weights", pa.list_(pa.float32()))])
    text = dataset_card(replace(facts, files=(DataFile("new.parquet", 3, schema, "new", "train"),)))
    assert "- `new.parquet`: 3 rows, config `new`, split `train`\n" in text
    assert "| `weights` | `list of float` | – |" in text


def test_texts_that_were_not_anonymised_say_so_loudly(facts: CardFacts) -> None:
    assert "**These texts were not anonymised:**" in dataset_card(replace(facts, masked=None))
    nothing = _section(dataset_card(replace(facts, masked={})), "Personal data")
    assert "Nothing was found to mask." in nothing
    assert "No rule finds everything." in nothing


def test_sources_bring_their_terms_and_citations(facts: CardFacts) -> None:
    text = dataset_card(facts)
    assert "CC0 1.0" in _section(text, "Terms")
    assert "PsyQA: its authors" not in _section(text, "Terms")
    assert re.findall(r"@\w+\{(\w+),", _section(text, "Citation")) == ["yao2025empathyr1", "qiu2024smile"]
    both = dataset_card(replace(facts, sources=("psyqa",)))
    assert re.findall(r"@\w+\{(\w+),", both) == ["yao2025empathyr1", "sun2021psyqa"]


def test_what_no_card_may_leave_out(facts: CardFacts) -> None:
    text = dataset_card(facts)
    for words in ("12356", "no screening instrument", "clinical use", "no figure claims"):
        assert words in " ".join(text.replace("> ", "").split())


@pytest.mark.parametrize(("sources", "found"), [((), "none"), (("psyqa", "weibo"), r"\['weibo'\]")])
def test_unknown_sources_stop(facts: CardFacts, sources: tuple[str, ...], found: str) -> None:
    with pytest.raises(ValueError, match=rf"sources: found {found}, expected some of \["):
        replace(facts, sources=sources)


@pytest.mark.parametrize("name", ["x.csv", "sft.json"])
def test_datasets_would_not_load_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}, config 'x': expected \.parquet"):
        data_file(tmp_path / name, "x", "train")
