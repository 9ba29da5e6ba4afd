"""Requests, entries, going on after a kill, and a real HTTP server that fails in all the ways servers do."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest
import yaml

from common.errors import StageError
from common.records.replies import Reply, append_replies, unfinished_replies
from eval.generation.endpoint import generate
from eval.generation.request import GenerationRequest, open_questions
from eval.generation.run import load_entries

CHAT = [{"role": "system", "content": "你是咨询师"}, {"role": "user", "content": "最近很难过"}]


@pytest.fixture
def request_(tmp_path: Path) -> GenerationRequest:
    rows = [{"id": q, "question": "最近很难过", "prompt": CHAT} for q in ("a", "b", "c")]
    pd.DataFrame(rows).to_parquet(tmp_path / "test.parquet")
    return GenerationRequest(
        model="m",
        test=str(tmp_path / "test.parquet"),
        replies=str(tmp_path / "m.replies.jsonl"),
        samples=2,
        sampling={"temperature": 0.5, "max_tokens": 9, "top_k": 20},
        seed=7,
        retries=1,
        backoff_s=0.0,
        timeout_s=10,
    )


def test_a_request_is_read_as_it_was_written(request_: GenerationRequest, tmp_path: Path) -> None:
    request_.write(tmp_path / "r.json", {"model_id": "1"}, keep=False)
    assert GenerationRequest.read(tmp_path / "r.json") == request_


@pytest.mark.parametrize(
    ("model_id", "keep", "anew", "kept"),
    [
        ("1", False, False, True),
        ("2", False, False, False),
        ("2", True, False, True),
        ("1", False, True, False),
    ],
)
def test_replies_to_another_request_are_removed(
    request_: GenerationRequest, tmp_path: Path, model_id: str, keep: bool, anew: bool, kept: bool
) -> None:
    request_.write(tmp_path / "r.json", {"model_id": "1"}, keep=False)
    Path(request_.replies).write_text("{}\n")
    request_.write(tmp_path / "r.json", {"model_id": model_id}, keep, anew)
    assert Path(request_.replies).is_file() == kept


def test_a_reply_may_hold_any_line_end(tmp_path: Path) -> None:
    reply, path = Reply("a", 0, "一\u2028二\x85三", 1, 1, True), tmp_path / "r.jsonl"
    append_replies(path, [reply])
    path.write_text(path.read_text(encoding="utf-8") + '{"question_id": "a", "sam', encoding="utf-8")
    assert unfinished_replies(path) == [reply]


def test_going_on_with_whole_questions(request_: GenerationRequest) -> None:
    """A killed run leaves a question with too few replies and half a line; both are done again."""
    rows = [{"question_id": q, "sample": s, "text": "好"} for q, s in (("a", 0), ("a", 1), ("b", 0))]
    text = "".join(json.dumps(row) + "\n" for row in rows) + '{"question_id": "c", "sa'
    Path(request_.replies).write_text(text, encoding="utf-8")
    assert open_questions(request_)["id"].tolist() == ["b", "c"]
    assert [record.question_id for record in unfinished_replies(Path(request_.replies))] == ["a", "a"]


class Tokenizer:
    """Gives back what it was asked for, in both shapes that tokenizers have."""

    def __init__(self, wrap: bool) -> None:
        self.wrap = wrap

    def apply_chat_template(self, messages: Any, **kwargs: Any) -> Any:
        assert kwargs["enable_thinking"] is False
        ids = [ord(message["role"][0]) for message in messages]
        return {"input_ids": ids} if self.wrap else ids

    def encode(self, text: str) -> list[int]:
        return [ord(char) for char in text]


@pytest.mark.parametrize("wrap", [True, False])
def test_prompts(request_: GenerationRequest, wrap: bool) -> None:
    row = {"prompt": CHAT, "question": "很难过"}
    own = replace(request_, template_kwargs={"enable_thinking": False})
    assert own.prompt_ids(Tokenizer(wrap), row) == [ord("s"), ord("u")]
    assert own.messages(row) == CHAT
    assert replace(own, system="别的").messages(row)[0]["content"] == "别的"
    assert replace(own, system="").messages(row) == CHAT[1:]
    raw = replace(own, text_prompt="Human: {post}\nAssistant: ")
    assert "".join(map(chr, raw.prompt_ids(Tokenizer(wrap), row))) == "Human: 很难过\nAssistant: "


def test_all_baselines_of_table_2_have_an_entry() -> None:
    rows = yaml.safe_load((Path(__file__).parents[2] / "eval" / "paper_rows.yaml").read_text(encoding="utf-8"))
    for models in rows["tables"]["2"]["test_sets"].values():
        assert set(models) - {"Empathy-R1"} <= set(load_entries({}))


def test_entries_are_changed_added_and_checked() -> None:
    entries = load_entries({"EmoLLM": {"model": "/models/emollm"}, "mine": {"model": "x", "kind": "coe"}})
    assert entries["EmoLLM"].model == "/models/emollm"
    assert entries["EmoLLM"].sampling["top_p"] == 0.8
    assert entries["mine"].kind == "coe"
    for changes, message in (
        ({"mine": {}}, "entries.mine: model is missing"),
        (
            {"mine": {"model": "x", "modell": 1}},
            r"entries\.mine: modell: Key 'modell' not in 'ModelEntry'.*Known keys: model, kind",
        ),
        ({"mine": {"model": "x", "kind": "cot"}}, "entries.mine: kind=cot: expected one of coe, think, plain"),
        ({"mine": {"model": "x", "text_prompt": "Human:"}}, "lacks {post}"),
        ({"mine": {"model": "x", "base_url": "localhost"}}, "base_url 'localhost'"),
        ({"mine": {"model": "x", "base_url": "http://h/v1", "text_prompt": "{post}"}}, "text_prompt is for vLLM"),
    ):
        with pytest.raises(StageError, match=message):
            load_entries(changes)


class Server(BaseHTTPRequestHandler):
    """Chat completions; what it does next is taken from `script`, an HTTP status or a text."""

    script: ClassVar[list[int | str]] = []
    seen: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append({**body, "key": self.headers["Authorization"]})
        turn = self.script.pop(0) if self.script else "抱抱你。"
        status = turn if isinstance(turn, int) else 200
        message = {"role": "assistant", "content": turn, "reasoning_content": "他很难过"}
        answer = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
        }
        content = json.dumps(answer if status == 200 else {"error": {"message": "no"}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


@pytest.fixture
def url() -> Iterator[str]:
    Server.script, Server.seen = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_an_endpoint_is_asked_once_for_each_reply(request_: GenerationRequest, url: str) -> None:
    asked = replace(request_, base_url=url, template_kwargs={"enable_thinking": False})
    asyncio.run(generate(asked))
    records = unfinished_replies(Path(asked.replies))
    assert sorted((r.question_id, r.sample) for r in records) == [(q, s) for q in "abc" for s in (0, 1)]
    assert {r.text for r in records} == {"抱抱你。"}  # without the reasoning
    assert {r.tokens for r in records} == {3}
    body = Server.seen[0]
    assert body["messages"] == CHAT
    assert body["top_k"] == 20
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert not any("seed" in body for body in Server.seen)  # it ends vLLM's CPU engine
    asyncio.run(generate(asked))
    assert len(Server.seen) == 6


def test_a_call_that_failed_is_made_again(request_: GenerationRequest, url: str) -> None:
    Server.script = [429, "好。", 500]
    asyncio.run(generate(replace(request_, base_url=url, concurrency=1)))
    assert len(unfinished_replies(Path(request_.replies))) == 6
    assert len(Server.seen) == 8


def test_a_seed_is_sent_where_it_is_asked_for(request_: GenerationRequest, url: str) -> None:
    asyncio.run(generate(replace(request_, base_url=url, sampling={"seed": 7, "max_tokens": None})))
    assert {body["seed"] for body in Server.seen} == {7, 8}
    assert not any("max_tokens" in body for body in Server.seen)


def test_a_server_s_replies_are_paid_and_set_aside(request_: GenerationRequest, tmp_path: Path) -> None:
    served, file = replace(request_, base_url="http://h/v1"), tmp_path / "r.json"
    served.write(file, {"test_id": "1"}, keep=False)
    Path(served.replies).write_text('{"question_id": "a", "sample": 0, "text": "好"}\n', encoding="utf-8")
    replace(served, retries=9, samples=4, concurrency=1).write(file, {"test_id": "1"}, keep=False)
    assert Path(served.replies).is_file()
    replace(served, system="别的").write(file, {"test_id": "1"}, keep=False)
    assert not Path(served.replies).is_file()
    assert "好" in (tmp_path / "m.replies.1.jsonl").read_text(encoding="utf-8")


def test_fewer_samples_keep_what_was_paid(request_: GenerationRequest, url: str, tmp_path: Path) -> None:
    asked = replace(request_, base_url=url)
    asyncio.run(generate(asked))
    asyncio.run(generate(replace(asked, samples=1)))
    assert len(Server.seen) == 6
    assert len(unfinished_replies(Path(asked.replies))) == 3
    assert len(unfinished_replies(tmp_path / "m.replies.1.jsonl")) == 6


def test_an_outage_ends_the_run_and_the_same_command_goes_on(request_: GenerationRequest, url: str) -> None:
    Server.script = ["好。", "好。", 500, 500, 500, 500]
    asked = replace(request_, base_url=url, concurrency=1)
    with pytest.raises(StageError, match=r"HTTP 500: no, 2 times in a row. 4 of 6 replies are missing"):
        asyncio.run(generate(asked))
    assert len(unfinished_replies(Path(asked.replies))) == 2
    with Path(asked.replies).open("a", encoding="utf-8") as file:
        file.write('{"question_id": "b", "samp')
    Server.script, Server.seen = [], []
    asyncio.run(generate(asked))
    assert len(Server.seen) == 4
    assert len(unfinished_replies(Path(asked.replies))) == 6


def test_the_key_comes_from_the_environment(
    request_: GenerationRequest, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = replace(request_, base_url=url, api_key_env="SOME_KEY")
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(StageError, match="the environment has no SOME_KEY"):
        asyncio.run(generate(asked))
    monkeypatch.setenv("SOME_KEY", "secret")
    asyncio.run(generate(asked))
    assert Server.seen[0]["key"] == "Bearer secret"
    assert "secret" not in Path(asked.replies).read_text()
