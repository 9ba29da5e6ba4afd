"""The whole way: the files, the counts, and that nothing of the test is trained on."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from transformers import PreTrainedTokenizerFast

from common.records.question import Question
from data_prep.corpora import Corpus, load_corpus
from data_prep.prepare import Prepared, prepare
from data_prep.prompts import SYSTEM_PROMPTS
from data_prep.tally import Rejected, StageCount
from reward_fns.coe_format import parse
from tests.data_prep.small import CONFIG, corpus

MakeQuestions = Callable[[int], list[Question]]

FILES = {
    "sft.json",
    "dataset_info.json",
    "grpo_train.parquet",
    "grpo_val.parquet",
    "triplets.parquet",
    "test.parquet",
    "questions.parquet",
}


def read(folder: Path) -> dict[str, Any]:
    return {
        "sft": json.loads((folder / "sft.json").read_text(encoding="utf-8")),
        **{path.stem: pd.read_parquet(path) for path in folder.glob("*.parquet")},
    }


def posts(frame: pd.DataFrame) -> set[str]:
    """Of GRPO's rows."""
    return {info["question"] for info in frame["extra_info"]}


def check_sums(prepared: Prepared) -> None:
    reasons = prepared.tally.reasons()
    for stage, count in prepared.tally.stages.items():
        assert count.came_in == count.kept + count.rejected
        assert count.rejected == sum(name == stage for name, _ in prepared.tally.rejected)
        assert sum(reasons.get(stage, {}).values()) == count.rejected


def test_corpus_with_its_own_chains(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(50)
    prepared = prepare(corpus(questions), None, {}, tokenizer, CONFIG, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    made = read(tmp_path)
    check_sums(prepared)

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

    stages, reasons = prepared.tally.stages, prepared.tally.reasons()
    assert {name: len(part) for name, part in prepared.split.parts.items()} == {"train": 35, "val": 5, "test": 10}
    assert stages["sft"] == StageCount(100, 70, 30)
    assert reasons["sft"] == {"question of the test split": 20, "question of the val split": 10}
    assert stages["grpo_train"].kept == len(made["grpo_train"]) == 35 - reasons["grpo_train"]["asker at acute risk"]
    assert prepared.triplets == dict(Counter(made["triplets"]["split"] + "_" + made["triplets"]["kind"]))
    assert Counter(made["questions"]["split"]) == {"train": 35, "val": 5, "test": 10}
    assert set(prepared.remaining.values()) == {0}


def test_chains_from_elsewhere_are_all_used(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    chains = [replace(question, id=f"c{question.id}") for question in make_questions(70)[50:]]
    own = [replace(question, coe=None) for question in make_questions(50)]
    prepared = prepare(corpus(own), corpus(chains), {}, tokenizer, CONFIG, tmp_path)
    assert prepared.tally.stages["sft"] == StageCount(40, 40, 0)
    assert prepared.leaks == []


def test_a_chain_for_a_held_out_question_is_a_leak_and_not_trained_on(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    # The same questions with other ids and slightly other words, as two corpora made from one have them.
    chains = [
        replace(question, id=f"c{question.id}", title=f"请问{question.title}", responses=other.responses)
        for question, other in zip(make_questions(50), make_questions(100)[50:], strict=True)
    ]
    prepared = prepare(corpus(make_questions(50)), corpus(chains), {}, tokenizer, CONFIG, tmp_path)
    held = {q.id for part in (prepared.split.test, prepared.split.val) for q in part}
    assert {(leak.held_out, leak.other, leak.part) for leak in prepared.leaks} == {(i, f"c{i}", "post") for i in held}
    assert prepared.tally.stages["sft"] == StageCount(100, 70, 30)
    assert prepared.tally.reasons()["sft"] == {
        "post nearly the same as one of test": 20,
        "post nearly the same as one of val": 10,
    }


def test_questions_of_an_excluded_corpus_are_not_trained_on(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(60)
    other = [replace(question, id=f"x{question.id}", responses=("短",)) for question in questions[:20]]
    prepared = prepare(corpus(questions), None, {"psyqa": corpus(other)}, tokenizer, CONFIG, tmp_path)
    made = read(tmp_path)
    barred = {question.post for question in questions[:20]}
    for trained in ({r["instruction"] for r in made["sft"]}, posts(made["grpo_train"]), posts(made["grpo_val"])):
        assert not trained & barred
    assert not set(made["triplets"]["question"]) & barred
    assert {leak.held_out_set for leak in prepared.leaks} == {"psyqa"}
    assert prepared.remaining["psyqa / grpo_train"] == 0
    check_sums(prepared)


def test_a_further_corpus_gives_a_test_set_that_nothing_alike_is_trained_on(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    """The first 20 questions stand in both; of the further corpus 10 are drawn."""
    questions = make_questions(60)
    other = [replace(question, id=f"x{question.id}") for question in questions[:20]]
    more = corpus(other)
    prepared = prepare(corpus(questions), None, {}, tokenizer, CONFIG, tmp_path, {"PsyQA": more})
    made = read(tmp_path)
    test = made["test"]
    assert test.groupby("test_set", sort=False).size().to_dict() == {"made up": 10, "PsyQA": 10}
    drawn = set(test.loc[test["test_set"] == "PsyQA", "question"])
    for trained in ({r["instruction"] for r in made["sft"]}, posts(made["grpo_train"]), posts(made["grpo_val"])):
        assert not trained & drawn
    assert not set(made["triplets"]["question"]) & drawn
    assert prepared.remaining["PsyQA / grpo_train"] == 0
    assert {name: len(members) for name, members in prepared.tested.items()} == {"made up": 10, "PsyQA": 10}
    check_sums(prepared)
    again = prepare(corpus(questions), None, {}, tokenizer, CONFIG, tmp_path / "again", {"PsyQA": more})
    assert again.tested == prepared.tested


@pytest.mark.parametrize(
    ("count", "prefix", "name", "message"),
    [
        (5, "x", "PsyQA", r"tests: PsyQA has 5 questions, 0 of them too long .*too few for test_size=10"),
        (60, "", "PsyQA", r"test sets made up and PsyQA both have a question"),
        (20, "x", "made up", r"expected a name of its own"),
    ],
)
def test_a_test_set_that_cannot_be_stops(
    count: int,
    prefix: str,
    name: str,
    message: str,
    tmp_path: Path,
    tokenizer: PreTrainedTokenizerFast,
    make_questions: MakeQuestions,
) -> None:
    questions = make_questions(60)
    other = corpus([replace(question, id=f"{prefix}{question.id}") for question in questions[:count]])
    with pytest.raises(ValueError, match=message):
        prepare(corpus(questions), None, {}, tokenizer, CONFIG, tmp_path, {name: other})
    with pytest.raises(ValueError, match="expected a name of its own"):
        prepare(corpus(questions), None, {"b": other}, tokenizer, CONFIG, tmp_path, {"b": other})


def test_near_duplicates_lie_on_one_side(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(40)
    again = [
        replace(question, id=f"r{question.id}", title=f"再问：{question.title}", responses=other.responses)
        for question, other in zip(questions, make_questions(80)[40:], strict=True)
    ]
    prepared = prepare(corpus(questions + again), None, {}, tokenizer, replace(CONFIG, val_size=4), tmp_path)
    side = {q.id: name for name, part in prepared.split.parts.items() for q in part}
    assert all(side[question.id] == side[f"r{question.id}"] for question in questions)
    frame = pd.read_parquet(tmp_path / "questions.parquet").set_index("id")
    assert (frame.loc["rq007", "group"], frame.loc["q007", "group"]) == ("q007", "q007")


def test_posts_with_risk_tags_are_no_prompts_unless_asked_for(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = [
        replace(
            question,
            crisis=False,
            description=f"{question.description}我每天都想自杀。" if i % 4 == 0 else question.description,
        )
        for i, question in enumerate(make_questions(60))
    ]
    risky = {question.post for question in questions[::4]}
    prepare(corpus(questions), None, {}, tokenizer, CONFIG, tmp_path / "out")
    out = read(tmp_path / "out")
    assert not risky & (posts(out["grpo_train"]) | posts(out["grpo_val"]))
    assert "acute" in set(out["test"]["risk_level"])
    assert any("suicide" in risks for risks in out["test"]["risks"])
    prepared = prepare(corpus(questions), None, {}, tokenizer, replace(CONFIG, risk_in_rl=True), tmp_path / "in")
    assert risky & posts(read(tmp_path / "in")["grpo_train"])
    assert prepared.risky_prompts > 0


def test_personal_data_is_masked_everywhere(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(50)
    questions[0] = replace(
        questions[0],
        description=f"{questions[0].description}我的电话是13912345678。",
        responses=(f"{questions[0].responses[0]}我会打13912345678找你。", questions[0].responses[1]),
    )
    prepared = prepare(corpus(questions), None, {}, tokenizer, replace(CONFIG, mask=["电话"]), tmp_path)
    text = (tmp_path / "questions.parquet").read_bytes() + (tmp_path / "sft.json").read_bytes()
    assert b"13912345678" not in text
    frame = pd.read_parquet(tmp_path / "questions.parquet").set_index("id")
    assert frame.loc["q000", "description"].endswith("我的电话是[电话]。")
    assert [(place.where, place.type) for place in prepared.masked] == [("description", "电话"), ("response 1", "电话")]


def test_output_is_chain_and_response(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(50)
    prepare(corpus(questions), None, {}, tokenizer, CONFIG, tmp_path)
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
    prepare(corpus(questions), None, {}, tokenizer, replace(CONFIG, prompt="plain"), tmp_path)
    made = read(tmp_path)
    replies = {reply for question in questions for reply in question.responses}
    assert all(row["output"] in replies and row["system"] == SYSTEM_PROMPTS["plain"] for row in made["sft"])
    for name in ("grpo_train", "test"):
        assert {prompt[0]["content"] for prompt in made[name]["prompt"]} == {SYSTEM_PROMPTS["plain"]}


def test_sizes_are_kept_to(tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions) -> None:
    config = replace(CONFIG, sft_samples=7, grpo_prompts=3)
    prepared = prepare(corpus(make_questions(50)), None, {}, tokenizer, config, tmp_path)
    made = read(tmp_path)
    assert (len(made["sft"]), len(made["grpo_train"])) == (7, 3)
    assert prepared.tally.reasons()["sft"]["beyond sft_samples"] == 63
    check_sums(prepared)


def test_what_cannot_be_used_is_told(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(50)
    long = "".join(f"第{number}天，我把这件事又从头想了一遍，还是没有想明白。" for number in range(60))
    questions[0] = replace(questions[0], description=f"{questions[0].description}{long}")
    questions[1] = replace(questions[1], responses=(*questions[1].responses, long))
    questions[3] = replace(questions[3], coe=None)
    questions[5] = replace(questions[5], responses=("短",))
    elsewhere = [replace(question, id=f"e{question.id}") for question in make_questions(110)[50:]]
    prepared = prepare(corpus(elsewhere), corpus(questions), {}, tokenizer, CONFIG, tmp_path)
    check_sums(prepared)
    told = {(item.id, item.what, item.reason) for _, item in prepared.tally.rejected}
    assert {
        ("q000", "sft sample", "prompt too long"),
        ("q001", "sft sample", "response too long"),
        ("q003", "sft sample", "no chain"),
        ("q005", "response", "short_answer"),
        ("q005", "question", "no_response_left"),
    } <= told
    [over] = [item for _, item in prepared.tally.rejected if item.reason == "response too long"]
    assert over.tokens is not None
    assert over.limit == 3000 < over.tokens


def test_records_that_a_loader_rejected_are_in_the_account(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    bad = Rejected("posts.csv:7", "record", "missing field", "posts.csv:7: field 'title': …")
    loaded = Corpus(make_questions(50), [bad], 51, 50, "table")
    prepared = prepare(loaded, None, {}, tokenizer, CONFIG, tmp_path)
    assert prepared.tally.stages["records"] == StageCount(51, 50, 1)
    assert ("records", bad) in prepared.tally.rejected


def test_same_input_same_files(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = make_questions(50)
    for name in ("one", "other"):
        prepare(corpus(questions), None, {}, tokenizer, CONFIG, tmp_path / name)
    for file in FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
    prepare(corpus(questions[::-1]), None, {}, tokenizer, CONFIG, tmp_path / "other")
    for file in ("sft.json", "test.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
    prepare(corpus(questions), None, {}, tokenizer, replace(CONFIG, seed=1), tmp_path / "one")
    assert (tmp_path / "one" / "sft.json").read_bytes() != (tmp_path / "other" / "sft.json").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_prompt_tokens": 10}, r"50 questions \(10 at risk, 50 too long for max_prompt_tokens\)"),
        ({"test_size": 60}, r"50 questions \(10 at risk\) in 50 groups are too few"),
    ],
)
def test_nothing_left(
    tmp_path: Path,
    tokenizer: PreTrainedTokenizerFast,
    make_questions: MakeQuestions,
    change: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        prepare(corpus(make_questions(50)), None, {}, tokenizer, replace(CONFIG, **change), tmp_path)
    # Finished batches stay for the next attempt.
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


def test_sample_corpus(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    prepared = prepare(load_corpus(None), None, {}, tokenizer, CONFIG, tmp_path)
    check_sums(prepared)
    assert prepared.tally.stages["questions"].rejected == 0
    assert prepared.tally.stages["sft"].kept > 0


def test_a_psyqa_file_with_the_samples_chains(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, psyqa_path: Path
) -> None:
    config = replace(CONFIG, test_size=3, val_size=2, heldout_fraction=0.3, data_source="psyqa")
    prepared = prepare(load_corpus(psyqa_path), load_corpus(None), {}, tokenizer, config, tmp_path)
    check_sums(prepared)
    made = read(tmp_path)
    assert {name: len(part) for name, part in prepared.split.parts.items()} == {"train": 7, "val": 2, "test": 3}
    assert (len(made["test"]), len(made["grpo_val"])) == (3, 2)
    stages, reasons = prepared.tally.stages, prepared.tally.reasons()
    assert stages["records"] == stages["questions"] == StageCount(12, 12, 0)
    # One of the answers is too short.
    assert (stages["responses"], reasons["responses"]) == (StageCount(28, 27, 1), {"short_answer": 1})
    # Three posts hold words of tempers and tears, which are no risk.
    assert len(made["grpo_train"]) == 7
    assert "grpo_train" not in reasons
    assert list(prepared.read) == ["psyqa", "sample"]
    assert prepared.formats == ("psyqa", "sample")


def test_two_corpora_of_one_name(
    tmp_path: Path, tokenizer: PreTrainedTokenizerFast, make_questions: MakeQuestions
) -> None:
    questions = corpus(make_questions(50))
    with pytest.raises(ValueError, match=r"\['sample', 'sample'\].*Set data_source"):
        prepare(questions, questions, {}, tokenizer, replace(CONFIG, data_source="sample"), tmp_path)
