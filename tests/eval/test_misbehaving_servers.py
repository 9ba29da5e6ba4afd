"""Every misbehaviour of the scripted server × generate and judge: nothing lost, doubled or paid twice, no traceback."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.code import REPO
from common.errors import StageError
from common.records.replies import Reply, unfinished_replies
from eval.generation.endpoint import generate
from eval.generation.request import GenerationRequest
from eval.judge.client import JudgeError
from eval.judge.config import JudgeConfig
from eval.judge.run import Task, run_judge
from eval.replies import BlindItem
from tests.common.chat_server import scripted
from tests.common.chat_server.served import Served, served
from tests.recipes.made import make_stage

QUESTIONS = ("q1", "q2", "q3")
POSTS = {name: f"{name}：最近总是睡不着。" for name in QUESTIONS}
REPLIES = {"one": "先抱抱你。", "two": "听起来你一直一个人扛着。"}
WELL = sorted({**scripted.RETRIED, **scripted.READ, **scripted.STREAMED})
SETTINGS: Mapping[str, Any] = {"retries": 2, "backoff_s": 0.0, "longest_pause_s": 0.0, "concurrency": 2}


def settings(mode: str) -> dict[str, Any]:
    return {**SETTINGS, "stream": mode.startswith("stream"), "timeout_s": 1.0 if mode in ("silent", "drip") else 20.0}


def asked(folder: Path, url: str, mode: str, **changes: Any) -> GenerationRequest:
    test = folder / "test.parquet"
    chats = [
        {"id": name, "question": post, "prompt": [{"role": "user", "content": post}]} for name, post in POSTS.items()
    ]
    pd.DataFrame(chats).to_parquet(test)
    request = GenerationRequest(
        model="m",
        test=str(test),
        replies=str(folder / "m.replies.jsonl"),
        samples=2,
        sampling={"temperature": 1.0, "max_tokens": 100},
        seed=1,
        base_url=url,
        **settings(mode),
    )
    return replace(request, **changes)


def replies_of(request: GenerationRequest) -> dict[tuple[str, int], Reply]:
    found = unfinished_replies(Path(request.replies))
    replies = {(reply.question_id, reply.sample): reply for reply in found}
    assert len(replies) == len(found), "doubled"
    return replies


def judged(folder: Path, url: str, mode: str, **changes: Any) -> dict[str, Any]:
    """What judge.json holds after a run, whether or not it ended well."""
    items = [BlindItem(name, post, False, dict(REPLIES)) for name, post in POSTS.items()]
    config = JudgeConfig(judge_model="m", base_url=url, **{"attempts": 2, **settings(mode), **changes})
    run_judge(Task.prepare(config, lambda count: items[:count], [], 1, folder, False), False, folder)
    return counts_of(folder)


def counts_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "judge.json").read_text())
    counts: dict[str, Any] = content["counts"]
    return counts


def each_once(server: Served, times: int) -> None:
    """Every prompt was paid so many times, and no more."""
    prompts = Counter(json.dumps(body["messages"]) for body in server.paid)
    assert set(prompts.values()) == {times}


@pytest.mark.parametrize("mode", WELL)
def test_generate_gets_every_reply_once(mode: str, tmp_path: Path) -> None:
    with served(mode, tmp_path / "log") as server:
        request = asked(tmp_path, server.url, mode)
        asyncio.run(generate(request))
        replies = replies_of(request)
        assert set(replies) == {(name, sample) for name in QUESTIONS for sample in (0, 1)}
        assert {reply.text.strip() for reply in replies.values()} == {scripted.REPLY}
        assert all(reply.finished and not reply.refusal for reply in replies.values())
        each_once(server, 2)
        calls = server.calls
        asyncio.run(generate(request))
        assert server.calls == calls


@pytest.mark.parametrize("mode", WELL)
def test_the_judge_gets_every_verdict_once(mode: str, tmp_path: Path) -> None:
    with served(mode, tmp_path / "log") as server:
        counts = judged(tmp_path, server.url, mode)
        assert (counts["whole"], counts["answers"], counts["malformed_answers"]) == (3, 6, 0)
        assert (counts["estimated"] > 0) == mode.startswith(("usage", "stream_without"))
        each_once(server, 1)
        calls = server.calls
        judged(tmp_path, server.url, mode)
        assert server.calls == calls


@pytest.mark.parametrize("mode", sorted(scripted.REFUSED))
def test_a_refused_prompt_is_counted_and_ends_no_run(mode: str, tmp_path: Path) -> None:
    with served(mode, tmp_path / "log") as server:
        request = asked(tmp_path, server.url, mode)
        asyncio.run(generate(request))
        replies = replies_of(request)
        refused = {key: reply for key, reply in replies.items() if reply.refusal}
        assert (len(replies), set(refused)) == (6, {("q2", 0), ("q2", 1)})
        assert not any(reply.text for reply in refused.values())
        assert "睡不着" not in Path(request.replies).read_text(encoding="utf-8")
        calls = server.calls
        asyncio.run(generate(request))
        assert server.calls == calls


@pytest.mark.parametrize("mode", sorted(scripted.REFUSED))
def test_a_refused_comparison_is_counted_and_ends_no_run(mode: str, tmp_path: Path) -> None:
    with served(mode, tmp_path / "log") as server:
        counts = judged(tmp_path, server.url, mode, attempts=1)
        assert (counts["whole"], counts["malformed"], counts["refused"], counts["missing"]) == (2, 2, 2, 0)
        assert "睡不着" not in (tmp_path / "verdicts.jsonl").read_text(encoding="utf-8")
        calls = server.calls
        judged(tmp_path, server.url, mode, attempts=1)
        assert server.calls == calls


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("key", "Incorrect API key provided"),
        ("model", "`m` does not exist"),
        ("no_money", "Insufficient Balance"),
        ("quota", "insufficient_quota"),
        ("moved", "moved to https://login.example/"),
        ("max_tokens", "max_completion_tokens"),
        ("temperature", "temperature=null"),
    ],
)
def test_a_setting_that_every_request_has_ends_the_run_at_the_first_call(mode: str, words: str, tmp_path: Path) -> None:
    with served(mode, tmp_path / "log") as server:
        request = asked(tmp_path, server.url, mode)
        with pytest.raises(StageError, match=words):
            asyncio.run(generate(request))
        assert (server.calls, replies_of(request)) == (1, {})
        with pytest.raises(JudgeError, match=words):
            judged(tmp_path, server.url, mode, structured="none")
        assert server.calls == 2


def test_the_key_that_the_message_names_helps(tmp_path: Path) -> None:
    with served("max_tokens", tmp_path / "log") as server:
        request = asked(tmp_path, server.url, "", sampling={"max_tokens": 100, "max_completion_tokens": 100})
        asyncio.run(generate(request))
        assert len(replies_of(request)) == 6
        request_keys = {"temperature": 0, "max_tokens": None, "max_completion_tokens": 9}
        assert judged(tmp_path, server.url, "", request=request_keys)["whole"] == 3


@pytest.mark.parametrize("mode", sorted(scripted.OUTAGES))
def test_an_outage_ends_the_run_and_the_same_command_goes_on(mode: str, tmp_path: Path) -> None:
    with served(mode, tmp_path / "log") as server:
        request = asked(tmp_path, server.url, mode)
        with pytest.raises(StageError, match=r"3 of 6 replies are missing.*Run the same again"):
            asyncio.run(generate(request))
        assert len(replies_of(request)) == 3
    with served(mode, tmp_path / "judge_log") as server, pytest.raises(JudgeError, match="run the same command again"):
        judged(tmp_path, server.url, mode)
    with served("good", tmp_path / "log") as server:
        asyncio.run(generate(asked(tmp_path, server.url, mode)))
        assert len(replies_of(request)) == 6
        each_once(server, 2)
    with served("good", tmp_path / "judge_log") as server:
        assert judged(tmp_path, server.url, mode)["answers"] == 6
        each_once(server, 1)


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"ConnectError.*6 of 6 replies are missing"):
        asyncio.run(generate(asked(tmp_path, "http://127.0.0.1:9/v1", "")))
    with pytest.raises(JudgeError, match="ConnectError"):
        judged(tmp_path, "http://127.0.0.1:9/v1", "")


@pytest.mark.parametrize("mode", sorted(scripted.EMPTY))
def test_thoughts_are_no_reply_and_no_verdict(mode: str, tmp_path: Path) -> None:
    with served(mode, tmp_path / "log") as server:
        request = asked(tmp_path, server.url, mode)
        asyncio.run(generate(request))
        replies = replies_of(request)
        assert len(replies) == 6
        assert {reply.finished for reply in replies.values()} == {mode == "reasoning_only"}
        texts = {"length_half": "嗯，先看看", "half_a_character": "\ufffd"}
        assert {reply.text for reply in replies.values()} == {texts.get(mode, "")}
        cut = r"12 of 12 answers were cut before their verdict.*Raise request.max_tokens=1024"
        with pytest.raises(StageError, match=r"12 answers are malformed" if mode == "reasoning_only" else cut):
            judged(tmp_path, server.url, mode)
        assert counts_of(tmp_path)["judged"] == 0


# Every second one for the judge too, whose recipe takes seconds to start.
KILLED = [
    "good",
    "choices_null",
    "error_body",
    "html",
    "half_json",
    "not_utf8",
    "rate_seconds",
    "cut_in_body",
    "cut_at_once",
    "keep_alive",
    "usage_null",
    "stream",
    "stream_cut",
    "stream_error",
    "filter_400",
    "filter_finish",
    "no_reason",
]


def until_killed_and_again(command: list[str], log: Path) -> None:
    """Started, killed by the server in the middle, and started again: ends well, without a traceback."""
    for expected in (-signal.SIGKILL, 0):
        log.with_suffix(".pid").unlink(missing_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(REPO)}
        process = subprocess.Popen(command, cwd=REPO, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        log.with_suffix(".pid").write_text(str(process.pid))
        output = process.communicate(timeout=120)[0].decode()
        assert process.returncode == expected, output
        assert "Traceback" not in output
        assert "never retrieved" not in output


@pytest.mark.slow
@pytest.mark.parametrize("mode", KILLED)
def test_generate_killed_in_between(mode: str, tmp_path: Path) -> None:
    with served(mode, tmp_path / "log", kill=4) as server:
        request = asked(tmp_path, server.url, mode, concurrency=1)
        request.write(tmp_path / "m.request.json", {}, keep=False)
        command = [sys.executable, "-m", "eval.generation.endpoint", str(tmp_path / "m.request.json")]
        until_killed_and_again(command, server.log)
        replies = replies_of(request)
        assert len(replies) == 6
        assert sum(bool(reply.refusal) for reply in replies.values()) == (2 if mode in scripted.REFUSED else 0)
        each_once(server, 2)


@pytest.mark.slow
@pytest.mark.parametrize("mode", KILLED[::2])
def test_the_judge_killed_in_between(mode: str, tmp_path: Path) -> None:
    def write_test(folder: Path) -> None:
        rows = [{"id": name, "test_set": "s", "question": post, "references": ["嗯。"]} for name, post in POSTS.items()]
        pd.DataFrame(rows).assign(crisis=False, risk_level="none", risks=[[] for _ in rows]).to_parquet(folder / "test.parquet")

    def write_replies(folder: Path) -> None:
        for model, text in REPLIES.items():
            lines = [json.dumps({"question_id": name, "text": text}) for name in QUESTIONS]
            (folder / f"{model}.jsonl").write_text("\n".join(lines))
        models = [{"name": model, "file": f"{model}.jsonl", "kind": "plain"} for model in REPLIES]
        (folder / "models.json").write_text(json.dumps(models))

    make_stage(tmp_path, "data", write_test)
    make_stage(tmp_path, "generate", write_replies)
    with served(mode, tmp_path / "log", kill=4) as server:
        own = {**settings(mode), "concurrency": 1, "attempts": 1, "judge_model": "m", "base_url": server.url}
        arguments = ["profile=tiny", f"out={tmp_path}", *(f"{key}={value}" for key, value in own.items())]
        until_killed_and_again([sys.executable, "-m", "recipes.judge", *arguments], server.log)
        counts = counts_of(tmp_path / "judge")
        refused = 2 if mode in scripted.REFUSED else 0
        assert (counts["whole"], counts["refused"]) == ((2, 2) if refused else (3, 0))
        assert (counts["answers"], counts["missing"]) == (6, 0)
        each_once(server, 1)
