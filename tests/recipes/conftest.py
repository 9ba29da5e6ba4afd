"""A scripted OpenAI-compatible server for the tests of the judge, and a run whose replies it judges."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest

from common.records.rankings import KEYS
from recipes.judge import RECIPE
from recipes.stage import run
from tests.recipes.made import make_stage

QUESTIONS: Final = ("q1", "q2", "q3", "q4")
REPLIES: Final = {
    "short": "先抱抱你。",
    "middle": "听起来这段时间你一直一个人扛着，辛苦了。",
    "long": "听起来这段时间你一直一个人扛着，真的很辛苦。也许可以先从一件小事开始，比如今晚早点睡。",
}

Answer = tuple[int, dict[str, Any] | str]
"""Status, and a body: of a completion, of an error, or text."""


@dataclass(frozen=True)
class Call:
    """One request: its body, and the two replies as the judge read them."""

    body: dict[str, Any]
    a: str
    b: str

    @property
    def user(self) -> str:
        """The message with the texts."""
        return str(self.body["messages"][1]["content"])

    @property
    def pair(self) -> tuple[str, str, str]:
        """The post, and the replies in their order."""
        post = re.search(r"来信开始 =====\n(.*?)\n=====", self.user, re.DOTALL)
        assert post
        return post.group(1), self.a, self.b


@dataclass
class ScriptedJudge:
    """A server in a thread, what it answers, and what it was asked."""

    url: str
    script: Callable[[Call, int], Answer] = lambda call, count: ScriptedJudge.longer(call)
    calls: list[Call] = field(default_factory=list)
    questions = QUESTIONS
    replies = REPLIES
    orders = 2 * 3 * len(QUESTIONS)
    """Comparisons: three pairs, both ways round."""

    def answer(self, body: dict[str, Any]) -> Answer:
        """By the script, from the request and how many there have been."""
        a, b = re.findall(
            r"回复 [AB] 开始 =====\n(.*?)\n===== [0-9a-f]{12} ", body["messages"][1]["content"], re.DOTALL
        )
        self.calls.append(Call(body, a, b))
        return self.script(self.calls[-1], len(self.calls))

    @staticmethod
    def completion(text: str, tokens_in: int = 700, tokens_out: int = 40) -> Answer:
        """What a server sends for this text."""
        return 200, {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "scripted",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {
                "prompt_tokens": tokens_in,
                "completion_tokens": tokens_out,
                "total_tokens": tokens_in + tokens_out,
            },
        }

    @staticmethod
    def verdict(choice: str) -> Answer:
        """The same choice in everything."""
        return ScriptedJudge.completion(json.dumps(dict.fromkeys(KEYS, choice)))

    @staticmethod
    def longer(call: Call) -> Answer:
        """For the longer reply."""
        return ScriptedJudge.verdict("A" if len(call.a) > len(call.b) else "B")

    def arguments(self, out: Path, *more: str) -> list[str]:
        """Of the stage."""
        fixed = ["profile=tiny", f"out={out}", "judge_model=scripted", f"base_url={self.url}", "backoff_s=0"]
        return [*fixed, "concurrency=3", *more]

    def start(self, out: Path, *more: str) -> dict[str, Any]:
        """Run the stage; gives what judge.json holds."""
        run(RECIPE, self.arguments(out, *more))
        return self.result(out)

    @staticmethod
    def result(out: Path) -> dict[str, Any]:
        """What judge.json holds."""
        content: dict[str, Any] = json.loads((out / "judge" / "judge.json").read_text())
        return content

    @staticmethod
    def lines(out: Path) -> list[dict[str, Any]]:
        """What verdicts.jsonl holds."""
        return [json.loads(line) for line in (out / "judge" / "verdicts.jsonl").read_text().splitlines()]

    @staticmethod
    def write_replies(folder: Path, replies: dict[str, str]) -> None:
        """What `make generate` leaves, one text a model for every question."""
        for name, text in replies.items():
            lines = [json.dumps({"question_id": q, "text": text}, ensure_ascii=False) for q in QUESTIONS]
            (folder / f"{name}.jsonl").write_text("\n".join(lines))
        models = [{"name": name, "file": f"{name}.jsonl", "kind": "plain"} for name in replies]
        (folder / "models.json").write_text(json.dumps(models))


@pytest.fixture
def judge() -> Iterator[ScriptedJudge]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                status, content = scripted.answer(body)
            data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(content, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            if status == 429:
                self.send_header("Retry-After", "7")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the terminal."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that has gone, as some tests want it, is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    scripted = ScriptedJudge(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield scripted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def judged(tmp_path: Path, judge: ScriptedJudge) -> Path:
    """A folder with the stages that the judge reads."""
    make_stage(tmp_path, "data", _write_test)
    make_stage(tmp_path, "generate", lambda folder: judge.write_replies(folder, REPLIES))
    return tmp_path


def _write_test(folder: Path) -> None:
    rows = [
        {
            "id": name,
            "test_set": "sample",
            "question": f"{name}：最近总是睡不着。",
            "crisis": name == "q1",
            "risk_level": "none",
            "risks": [],
            "references": ["嗯。"],
        }
        for name in QUESTIONS
    ]
    pd.DataFrame(rows).to_parquet(folder / "test.parquet")
