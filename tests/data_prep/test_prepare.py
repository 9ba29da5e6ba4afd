"""The whole way: the files, the counts, and that nothing of the test is trained on."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from transformers import PreTrainedTokenizerFast

from data_prep.corpora import load_corpus
from data_prep.prepare import DataConfig, DataReport, StageCount, prepare
from data_prep.prompts import SYSTEM_PROMPTS
from data_prep.record import Question
from reward_fns.coe_format import parse

MakeQuestions = Callable[[int], list[Question]]

# The tests' tokenizer gives about a token a byte.
CONFIG = DataConfig(test_size=10, val_size=5, max_prompt_tokens=3000, max_response_tokens=2000, heldout_fraction=0.2)
FILES = {"sft.json", "dataset_info.json", "grpo_train.parquet", "grpo_val.parquet", "triplets.parquet", "test.parquet"}


def read(folder: Path) -> dict[str, Any]:
    return {
        "sft": json.loads((folder / "sft.json").read_text(encoding="utf-8")),
        "rejected": [json.loads(line) for line in (folder / "rejected.jsonl").read_text(encoding="utf-8").splitlines()],
        **{path.stem: pd.read_parquet(path) for path in folder.glob("*.parquet")},
    }


def posts(frame: pd.DataFrame) -> set[str]:
    """Of GRPO's rows."""
    return {info["question"] for info in frame["extra_info"]}


def check_sums(report: DataReport, rejected: list[dict[str, Any]]) -> None:
    for stage, count in report.stages.items():
        assert count.came_in == count.kept + count.rejected
        assert count.rejected == sum(item["stage"] == stage for item in rejected)
        assert sum(report.reasons.get(stage, {}).values()) == count.rejected


def test_corpus_with_its_own_chains(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(50)
    report = prepare(questions, questions, tokenizer, CONFIG, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"rejected.jsonl"}
    made = read(tmp_path)
    check_sums(report, made["rejected"])

    test, val = set(made["test"]["question"]), posts(made["grpo_val"])
    assert (len(test), len(val)) == (10, 5)
    for trained in (
        {row["instruction"] for row in made["sft"]},
        posts(made["grpo_train"]),
        set(made["triplets"]["question"]),
    ):
        assert trained
        assert not trained & (test | val)
    replies = {reply for references in made["test"]["references"] for reply in references}
    assert not replies & (set(made["triplets"]["positive"]) | set(made["triplets"]["negative"]))
    assert not replies & {parse(row["output"]).answer for row in made["sft"]}

    at_risk = {question.post for question in questions if question.crisis}
    assert not at_risk & (posts(made["grpo_train"]) | val)
    assert at_risk & {row["instruction"] for row in made["sft"]}

    assert report.splits == {"train": 35, "val": 5, "test": 10}
    assert report.stages["sft"] == StageCount(100, 70, 30)
    assert report.reasons["sft"] == {"question of the test split": 20, "question of the validation split": 10}
    assert (
        report.stages["grpo_train"].kept
        == len(made["grpo_train"])
        == 35 - report.reasons["grpo_train"]["asker at acute risk"]
    )
    assert sum(report.triplets.values()) == len(made["triplets"])


def test_chains_from_elsewhere_are_all_used(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    corpus = [replace(question, title=f"另一个{question.title}", coe=None) for question in make_questions(50)]
    report = prepare(corpus, make_questions(20), tokenizer, CONFIG, tmp_path)
    assert report.stages["sft"] == StageCount(40, 40, 0)


def test_output_is_chain_and_response(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(50)
    prepare(questions, questions, tokenizer, CONFIG, tmp_path)
    by_post = {question.post: question for question in questions}
    for row in read(tmp_path)["sft"]:
        question, output = by_post[row["instruction"]], parse(row["output"])
        assert output.layers == question.coe
        assert output.answer in question.responses
        assert row["system"] == SYSTEM_PROMPTS["coe"]


def test_without_coe_the_output_is_the_response(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(50)
    prepare(questions, questions, tokenizer, replace(CONFIG, prompt="plain"), tmp_path)
    made = read(tmp_path)
    replies = {reply for question in questions for reply in question.responses}
    assert all(row["output"] in replies and row["system"] == SYSTEM_PROMPTS["plain"] for row in made["sft"])
    for name in ("grpo_train", "test"):
        assert {prompt[0]["content"] for prompt in made[name]["prompt"]} == {SYSTEM_PROMPTS["plain"]}


def test_sizes_are_kept_to(tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions) -> None:
    questions = make_questions(50)
    report = prepare(questions, questions, tokenizer, replace(CONFIG, sft_samples=7, grpo_prompts=3), tmp_path)
    made = read(tmp_path)
    assert (len(made["sft"]), len(made["grpo_train"])) == (7, 3)
    assert report.reasons["sft"]["beyond sft_samples"] == 63
    check_sums(report, made["rejected"])


def test_what_cannot_be_used_is_told(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(50)
    long = "很长" * 2000
    questions[0] = replace(questions[0], description=long)
    questions[1] = replace(questions[1], responses=(*questions[1].responses, long))
    questions[2] = replace(questions[2], coe=("含有<answer>", "二", "三", "四"))
    questions[3] = replace(questions[3], coe=None)
    questions[5] = replace(questions[5], responses=("短",))
    elsewhere = [replace(question, title=f"另一个{question.title}") for question in make_questions(60)]
    report = prepare(elsewhere, questions, tokenizer, CONFIG, tmp_path)
    made = read(tmp_path)
    check_sums(report, made["rejected"])
    told = {(item["id"], item["what"], item["reason"].split(":")[0]) for item in made["rejected"]}
    assert {
        ("q000", "sft sample", "prompt too long"),
        ("q001", "sft sample", "response too long"),
        ("q002", "sft sample", "no valid output"),
        ("q003", "sft sample", "no chain"),
        ("q005", "response", "short_answer"),
        ("q005", "question", "no_response_left"),
    } <= told
    [over] = [item for item in made["rejected"] if item["reason"] == "response too long"]
    assert over["tokens"] > over["limit"] == 2000


def test_same_input_same_files(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(50)
    for name, corpus in (("one", questions), ("other", questions[::-1])):
        prepare(corpus, corpus, tokenizer, CONFIG, tmp_path / name)
    for file in FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
    prepare(questions, questions, tokenizer, replace(CONFIG, seed=1), tmp_path / "one")
    assert (tmp_path / "one" / "sft.json").read_bytes() != (tmp_path / "other" / "sft.json").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_prompt_tokens": 10}, "stage sft: nothing left of 100.*prompt too long.*Raise the limits"),
        ({"test_size": 60}, "50 questions, 10 of them at acute risk, are too few"),
    ],
)
def test_nothing_left(
    tmp_path: Path,
    tokenizer: PreTrainedTokenizerFast,
    make_questions: MakeQuestions,
    change: dict[str, Any],
    message: str,
) -> None:
    questions = make_questions(50)
    with pytest.raises(ValueError, match=message):
        prepare(questions, questions, tokenizer, replace(CONFIG, **change), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("prompt", "cot", r"one of \['coe', 'plain'\]"),
        ("data_source", " ", "a name"),
        ("sft_samples", 0, "1 or more"),
        ("test_size", 0, "1 or more"),
        ("val_size", 0, "1 or more"),
        ("grpo_prompts", 0, "1 or more, or null for all"),
        ("heldout_fraction", 1.0, "a share above 0 and below 1"),
        ("heldout_fraction", 0.0, "a share above 0 and below 1"),
        ("max_prompt_tokens", 0, "1 or more"),
        ("max_response_tokens", -1, "1 or more"),
        ("min_response_chars", -1, "0 or more"),
    ],
)
def test_config_is_checked(key: str, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=rf"data config, key '{key}': found {value!r}, expected {expected}"):
        DataConfig(**{key: value})


def test_defaults_are_the_papers() -> None:
    config = DataConfig()
    assert (config.seed, config.sft_samples, config.test_size) == (42, 200, 2000)
    assert (config.max_prompt_tokens, config.max_response_tokens, config.min_response_chars) == (1024, 1024, 100)
    assert config.template_kwargs == {"enable_thinking": False}
    assert config.grpo_prompts is None


def test_sample_corpus(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    sample = load_corpus(None)
    report = prepare(sample, sample, tokenizer, CONFIG, tmp_path)
    check_sums(report, read(tmp_path)["rejected"])
    assert report.stages["questions"].rejected == 0
    assert report.stages["sft"].kept > 0


def test_real_corpus_with_the_samples_chains(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, psyqa_path: Path
) -> None:
    report = prepare(load_corpus(psyqa_path), load_corpus(None), tokenizer, CONFIG, tmp_path)
    made = read(tmp_path)
    check_sums(report, made["rejected"])
    assert report.splits == {"train": 85, "val": 5, "test": 10}
    assert len(made["test"]) == 10
