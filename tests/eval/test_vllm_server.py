"""vLLM's own OpenAI server with the tiny model: replies and verdicts through it, whole and streamed."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pandas as pd
import pytest

from common.code import REPO
from common.records.replies import unfinished_replies
from data_prep.coe.ask import write_chains
from data_prep.coe.prompt import TeacherPrompt
from data_prep.coe.records import FILE, read_answers
from data_prep.prompts import SYSTEM_PROMPTS
from eval.generation.endpoint import generate
from eval.generation.request import GenerationRequest
from eval.judge.config import JudgeConfig
from eval.judge.run import Task, run_judge
from eval.replies import BlindItem
from tests.common.chat_server.served import faulty
from tests.data_prep.coe.made import checks, config, order, questions

pytestmark = pytest.mark.slow

POST = "最近总是睡不着，一躺下就想工作上的事，越想越清醒，白天也没有精神。"
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
    "OMP_NUM_THREADS": "1",
    "TORCHDYNAMO_DISABLE": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("vllm") / "log"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", "recipes/tiny_base/model"]
    command += ["--served-model-name", "tiny", "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32"]
    command += ["--enforce-eager", "--max-num-seqs", "8"]
    # Else a model this small fills its answer with blanks, which JSON allows.
    command += ["--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}']
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=REPO, env={**os.environ, **ENVIRONMENT}, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(600):
            assert process.poll() is None, log.read_text(errors="replace")[-4000:]
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False, timeout=5).is_success:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
        assert process.poll() is None, "the server has ended: " + log.read_text(errors="replace")[-4000:]
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def request_(url: str, tmp_path: Path) -> GenerationRequest:
    chat = [{"role": "system", "content": SYSTEM_PROMPTS["plain"]}, {"role": "user", "content": POST}]
    pd.DataFrame([{"id": f"q{n}", "question": POST, "prompt": chat} for n in range(3)]).to_parquet(tmp_path / "test")
    return GenerationRequest(
        model="tiny",
        test=str(tmp_path / "test"),
        replies=str(tmp_path / "m.replies.jsonl"),
        samples=2,
        sampling={"temperature": 1.0, "max_tokens": 40, "top_k": 20},
        seed=1,
        template_kwargs={"enable_thinking": False},
        base_url=url,
        retries=0,
    )


@pytest.mark.parametrize("stream", [False, True])
def test_replies(request_: GenerationRequest, stream: bool) -> None:
    asyncio.run(generate(replace(request_, stream=stream)))
    replies = unfinished_replies(Path(request_.replies))
    assert len({(reply.question_id, reply.sample) for reply in replies}) == len(replies) == 6
    for reply in replies:
        assert reply.text
        assert reply.prompt_tokens > 40 >= reply.tokens > 0
        assert reply.finish_reason == ("stop" if reply.finished else "length")
    assert len({reply.text for reply in replies}) > 1


def test_a_prompt_that_is_too_long_is_refused_alone(request_: GenerationRequest, tmp_path: Path) -> None:
    rows = pd.read_parquet(tmp_path / "test")
    rows["prompt"] = [[{"role": "user", "content": POST * (200 if name == "q0" else 1)}] for name in rows["id"]]
    rows.to_parquet(tmp_path / "test")
    asyncio.run(generate(request_))
    refused = {
        reply.question_id: reply.refusal for reply in unfinished_replies(Path(request_.replies)) if reply.refusal
    }
    assert set(refused) == {"q0"}
    assert "context length" in refused["q0"]
    assert "睡不着" not in refused["q0"]


@pytest.mark.parametrize("stream", [False, True])
def test_verdicts(url: str, stream: bool, tmp_path: Path) -> None:
    items = [BlindItem("q", POST, False, {"one": "先抱抱你。", "two": "听起来你一直一个人扛着。"})]
    request = {"temperature": 0, "max_tokens": 128, "chat_template_kwargs": {"enable_thinking": False}}
    config = JudgeConfig(
        judge_model="tiny", base_url=url, retries=0, stream=stream, structured="json_schema", request=request
    )
    run_judge(Task.prepare(config, lambda count: items, [], 1, tmp_path, False), False, tmp_path)
    assert "1 of 1 questions are judged whole" in (tmp_path / "judge.md").read_text(encoding="utf-8")


def test_chains_behind_a_proxy_that_goes_wrong(url: str, tmp_path: Path) -> None:
    """The tiny model writes no chain that passes; every answer that came whole is kept once, and asked for once."""
    own = order(questions())
    with faulty("proxy", url, tmp_path / "log") as proxy:
        keys = config(proxy.url, teacher="tiny", chains=3, attempts=2, timeout_s=60.0, concurrency=3)
        found = write_chains(own[:4], keys, TeacherPrompt.read(), checks(questions()), "none", tmp_path)
        assert len(read_answers(tmp_path / FILE)) == len(proxy.paid) == 8
        assert len({json.dumps(body["messages"]) for body in proxy.paid}) == 8
    assert found.accepted == []
    assert len(found.set_aside) == 4
    assert all(answer.tokens_out for answer in found.answers)
