"""Replicas share a model's prompts, and what they write is what one engine would have written."""

import importlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import torch

from common.errors import StageError
from common.records.replies import Reply, append_replies, unfinished_replies
from eval.generation import offline
from eval.generation.engine import block_seed
from eval.generation.offline import generate
from eval.generation.replicas import places, visible_cards
from eval.generation.request import GenerationRequest, open_blocks

QUESTIONS = [f"q{number}" for number in range(11)]


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, by a name under which a new process finds it too."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    return importlib.import_module("made_engines")


@pytest.fixture
def request_(tmp_path: Path, engines: Any, monkeypatch: pytest.MonkeyPatch) -> GenerationRequest:
    rows = [{"id": q, "question": "难过", "prompt": [{"role": "user", "content": q}]} for q in QUESTIONS]
    pd.DataFrame(rows).to_parquet(tmp_path / "test.parquet")
    monkeypatch.setattr(offline, "Engine", engines.Fake)
    monkeypatch.setattr(offline, "visible_cards", list)
    return GenerationRequest(
        model="m",
        test=str(tmp_path / "test.parquet"),
        replies=str(tmp_path / "m.replies.jsonl"),
        samples=2,
        sampling={},
        seed=7,
        block=2,
    )


def who(request: GenerationRequest) -> list[list[str]]:
    """Process and GPUs of each block."""
    return [line.split(" ") for line in Path(f"{request.replies}.who").read_text().splitlines()]


def test_the_same_bytes_with_any_number_of_replicas(request_: GenerationRequest, tmp_path: Path) -> None:
    generate(request_)
    alone = Path(request_.replies).read_bytes()
    found = unfinished_replies(Path(request_.replies))
    assert [(r.question_id, r.sample) for r in found] == [(q, s) for q in QUESTIONS for s in (0, 1)]
    assert {process for process, _ in who(request_)} == {str(os.getpid())}
    for count in (2, 3):
        several = replace(request_, replicas=count, replies=str(tmp_path / f"{count}.replies.jsonl"))
        generate(several)
        assert Path(several.replies).read_bytes() == alone
        processes = {process for process, _ in who(several)}
        assert len(processes) == count
        assert not any(psutil.pid_exists(int(process)) for process in processes)


def test_a_killed_replica_ends_the_run_and_the_same_command_goes_on(
    request_: GenerationRequest, engines: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    several = replace(request_, replicas=2)
    monkeypatch.setattr(offline, "Engine", engines.Killed)
    with pytest.raises(StageError, match=r"replica [12] of 2 ended with exit status -9 .* the same command goes on"):
        generate(several)
    there = {int(reply.question_id[1:]) // several.block for reply in unfinished_replies(Path(several.replies))}
    assert there
    assert 2 not in there
    assert not any(psutil.pid_exists(int(process)) for process, _ in who(several))
    monkeypatch.setattr(offline, "Engine", engines.Fake)
    Path(f"{several.replies}.who").unlink()
    generate(several)
    assert len(who(several)) == 6 - len(there)
    whole = replace(request_, replies=str(tmp_path / "whole.jsonl"))
    generate(whole)
    assert Path(several.replies).read_bytes() == Path(whole.replies).read_bytes()


def test_an_engine_that_does_not_load_ends_the_run(
    request_: GenerationRequest, engines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline, "Engine", engines.Broken)
    with pytest.raises(StageError, match=r"replica [12] of 2 ended with exit status 1 "):
        generate(replace(request_, replicas=2))


def test_each_replica_sees_its_own_gpus_alone(request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,6,7")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(offline, "visible_cards", visible_cards)
    generate(replace(request_, replicas=2, engine={"tensor_parallel_size": 2}))
    assert {cards for _, cards in who(request_)} == {"3,5", "6,7"}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3,5,6,7"


@pytest.mark.parametrize(
    ("cards", "asked", "split", "found"),
    [
        ([], None, 1, [""]),
        ([], 2, 1, ["", ""]),
        (["0", "1", "2"], None, 1, ["0", "1", "2"]),
        (["0", "1", "2"], 2, 1, ["0", "1"]),
        (["0", "1", "2", "3", "4"], None, 2, ["0,1", "2,3"]),
    ],
)
def test_as_many_replicas_as_gpus(
    cards: list[str], asked: int | None, split: int, found: list[str], request_: GenerationRequest
) -> None:
    assert places(replace(request_, replicas=asked, engine={"tensor_parallel_size": split}), cards) == found


def test_more_gpus_than_there_are(request_: GenerationRequest) -> None:
    with pytest.raises(StageError, match=r"replicas=2 with 4 GPUs each need 8 GPUs, 4 are visible\. Lower replicas"):
        places(replace(request_, replicas=2, engine={"tensor_parallel_size": 4}), list("0123"))


def test_without_a_list_all_gpus_are_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_cards() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-4f,GPU-5a")
    assert visible_cards() == ["GPU-4f", "GPU-5a"]


def test_a_block_is_done_again_whole(request_: GenerationRequest) -> None:
    """Its draws are the block's: a question of it alone would get other replies."""
    path = Path(request_.replies)
    append_replies(path, [Reply(q, s, "好") for q in ("q2", "q3", "q0") for s in (0, 1)])
    with path.open("a") as file:
        file.write('{"question_id": "q1", "sam')
    assert [[row["id"] for row in block] for block in open_blocks(request_)] == [
        ["q0", "q1"],
        ["q4", "q5"],
        ["q6", "q7"],
        ["q8", "q9"],
        ["q10"],
    ]
    assert [reply.question_id for reply in unfinished_replies(path)] == ["q2", "q2", "q3", "q3"]


def test_a_seed_is_the_block_s_own() -> None:
    seeds: Callable[..., int] = lambda seed, *ids: block_seed(seed, [{"id": name} for name in ids])  # noqa: E731
    assert seeds(42, "a", "b") == seeds(42, "a", "b")
    assert len({seeds(42, "a", "b"), seeds(42, "b", "a"), seeds(43, "a", "b"), seeds(42, "a")}) == 4
    assert 0 <= seeds(42, "a") < 2**32


def test_how_many_replicas_there_are_leaves_the_replies(request_: GenerationRequest, tmp_path: Path) -> None:
    request_.write(tmp_path / "r.json", {}, keep=False)
    Path(request_.replies).write_text("{}\n")
    replace(request_, replicas=4).write(tmp_path / "r.json", {}, keep=False)
    assert Path(request_.replies).is_file()
    replace(request_, block=3).write(tmp_path / "r.json", {}, keep=False)
    assert not Path(request_.replies).is_file()
