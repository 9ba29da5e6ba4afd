"""The files: read back by the programs they are for, and replaced whole."""

import importlib.machinery
import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from common.files import replacing
from common.records.question import Question
from common.records.triplets import Triplet
from data_prep.prompts import COE_PROMPT, SYSTEM_PROMPTS, chat_messages
from data_prep.writers import (
    SFT_DATASET,
    SftSample,
    write_grpo_parquet,
    write_sft_json,
    write_test_parquet,
    write_triplets_parquet,
)
from reward_fns.coe_format import LAYERS

MakeQuestions = Callable[[int], list[Question]]


def test_sft_rows_and_their_entry(tmp_path: Path) -> None:
    write_sft_json(tmp_path / "sft.json", [SftSample("a", COE_PROMPT, "怎么办？\n详情", "慢慢来。")])
    rows = json.loads((tmp_path / "sft.json").read_text(encoding="utf-8"))
    assert rows == [{"system": COE_PROMPT, "instruction": "怎么办？\n详情", "output": "慢慢来。"}]
    entry = json.loads((tmp_path / "dataset_info.json").read_text(encoding="ascii"))[SFT_DATASET]
    assert entry["file_name"] == "sft.json"
    assert set(entry["columns"].values()) == set(rows[0])


def test_llamafactory_reads_one_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through LLaMA-Factory's own parser and converter."""
    if importlib.util.find_spec("torchaudio") is None:
        # It is imported without need where a CPU's torch has none.
        placeholder = ModuleType("torchaudio")
        placeholder.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
        monkeypatch.setitem(sys.modules, "torchaudio", placeholder)
    parser = pytest.importorskip("llamafactory.data.parser")
    converter = pytest.importorskip("llamafactory.data.converter")
    sample = SftSample("a", "系统", "怎么办？\n详情", "慢慢来。")
    write_sft_json(tmp_path / "sft.json", [sample])
    [attributes] = parser.get_dataset_list([SFT_DATASET], str(tmp_path))
    [row] = json.loads((tmp_path / attributes.dataset_name).read_text(encoding="utf-8"))
    turn = converter.AlpacaDatasetConverter(attributes, data_args=None)(row)
    assert [{"role": "system", "content": turn["_system"]}, *turn["_prompt"], *turn["_response"]] == sample.messages


def test_grpo_rows(tmp_path: Path, make_questions: MakeQuestions) -> None:
    questions = make_questions(3)
    write_grpo_parquet(tmp_path / "g.parquet", questions, "系统", "sample", "train")
    rows = pd.read_parquet(tmp_path / "g.parquet").to_dict("records")
    assert len(rows) == 3
    row = rows[1]
    assert list(row["prompt"]) == chat_messages("系统", questions[1].post)
    assert (row["data_source"], row["ability"]) == ("sample", "counselling")
    assert row["reward_model"] == {"style": "rule", "ground_truth": questions[1].responses[0]}
    assert row["extra_info"] == {
        "index": 1,
        "split": "train",
        "question_id": "q001",
        "question": questions[1].post,
        "topic": "考试",
    }


def test_no_one_at_risk_in_grpo(tmp_path: Path, make_questions: MakeQuestions) -> None:
    with pytest.raises(ValueError, match="question q004 is at acute risk"):
        write_grpo_parquet(tmp_path / "g.parquet", make_questions(5), "系统", "sample", "val")
    assert list(tmp_path.iterdir()) == []


def test_triplet_rows(tmp_path: Path) -> None:
    triplet = Triplet("a", "问", "答", "非", "generic", "heldout")
    write_triplets_parquet(tmp_path / "t.parquet", [triplet])
    assert pd.read_parquet(tmp_path / "t.parquet").to_dict("records") == [asdict(triplet)]


def test_test_rows(tmp_path: Path, make_questions: MakeQuestions) -> None:
    questions = make_questions(5)
    write_test_parquet(tmp_path / "t.parquet", {"mine": questions}, "系统")
    row = pd.read_parquet(tmp_path / "t.parquet").to_dict("records")[4]
    assert list(row) == [
        "id",
        "test_set",
        "title",
        "description",
        "question",
        "topic",
        "crisis",
        "risk_level",
        "risks",
        "emotion",
        "references",
        "prompt",
    ]
    assert row["question"] == f"{row['title']}\n{row['description']}" == questions[4].post
    assert tuple(row["references"]) == questions[4].responses
    assert row["crisis"] is True
    assert list(row["prompt"]) == chat_messages("系统", questions[4].post)


def test_nothing_to_write_still_has_columns(tmp_path: Path) -> None:
    write_triplets_parquet(tmp_path / "t.parquet", [])
    assert list(pd.read_parquet(tmp_path / "t.parquet")) == list(asdict(Triplet("", "", "", "", "generic", "train")))


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_coe_prompt_names_the_format_and_plain_does_not() -> None:
    for layer in LAYERS:
        assert f"<{layer}>" in SYSTEM_PROMPTS["coe"]
        assert layer not in SYSTEM_PROMPTS["plain"]


def test_post_is_title_and_description() -> None:
    assert Question(id="a", title="题", description="文", topic="", responses=("答",)).post == "题\n文"
    assert Question(id="a", title="题", description="", topic="", responses=("答",)).post == "题"
