"""A scripted chat server as a process of its own: every misbehaviour that servers have shown, as bytes on a socket.

    python tests/common/chat_server/scripted.py MODE LOG [kill=N]

Prints its port. LOG gets a line for each completion that it sent whole, which is paid, and LOG's neighbour .calls a
letter for each call. With kill=N the process whose id is in the neighbour .pid is ended by SIGKILL when call N comes,
before it is answered.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final

REPLY: Final = "听起来这段时间你真的很不容易。也许可以先把最急的两件事写下来，和信得过的人说一说。"
KEYS: Final = ("fluency", "identification", "comforting", "suggestion", "overall")
VERDICT: Final = json.dumps(dict.fromkeys(KEYS, "A"))
RISK: Final = json.dumps({"level": "concern", "kinds": ["abuse"]})
# Of a post that says 散步.
NO_RISK: Final = json.dumps({"level": "none", "kinds": []})
THOUGHTS: Final = "求助者睡不着，先看他说了什么。"

Body = dict[str, Any]
Answer = tuple[bytes, bool]
"""Bytes on the wire, and whether they hold a completion that is whole, and so paid."""
Mode = Callable[[Body, int], Answer]
"""From a request, and how often this very prompt has been asked (of OUTAGES: how many calls there were)."""


def content_of(body: Body) -> str:
    """What a good model writes: a reply, or a verdict or the risk of a post where one is asked for."""
    asked = json.dumps(body["messages"], ensure_ascii=False)
    if "harm_to_others" in asked:
        return NO_RISK if "散步" in asked else RISK
    return VERDICT if "overall" in asked else REPLY


def http(status: str, content: bytes, *headers: str, kind: str = "application/json") -> bytes:
    """A whole answer of HTTP/1.1."""
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join([*head, "Connection: close", "", ""]).encode() + content


def completion(text: Any, finish: str | None = "stop", **more: Any) -> Body:
    """A completion; `more` replaces its keys, or its message's by ``message``."""
    message = {"role": "assistant", "content": text, **more.pop("message", {})}
    choice = {"index": 0, "finish_reason": finish, "message": message}
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    } | more


def ok(content: Body | bytes) -> Answer:
    """A completion of status 200."""
    return http("200 OK", content if isinstance(content, bytes) else json.dumps(content).encode()), True


def no(status: str, content: Any, *headers: str) -> Answer:
    """An error."""
    return http(status, json.dumps(content).encode(), *headers), False


def good(body: Body) -> Answer:
    """As it should be, streamed where that is asked for."""
    return stream(content_of(body)) if body.get("stream") else ok(completion(content_of(body)))


def event(delta: Body, finish: str | None = None) -> bytes:
    """One event of a stream."""
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({"choices": choices}, ensure_ascii=False).encode() + b"\n\n"


STREAM_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
USAGE: Final = b'data: {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 20}}\n\n'
DONE: Final = b"data: [DONE]\n\n"


def pieces(text: str) -> bytes:
    """A text as events, three characters each, after one with the role alone."""
    parts = [text[start : start + 3] for start in range(0, len(text), 3)]
    return event({"role": "assistant", "content": ""}) + b"".join(event({"content": part}) for part in parts)


def stream(text: str, *, end: bytes | None = None, head: bytes = b"") -> Answer:
    """A streamed completion."""
    return STREAM_HEAD + head + pieces(text) + (event({}, "stop") + USAGE + DONE if end is None else end), True


def once(bad: Answer) -> Mode:
    """The first call for a prompt goes wrong, the next ones do not."""
    return lambda body, count: bad if count == 1 else good(body)


def refused(bad: Answer) -> Mode:
    """One prompt goes wrong each time: that of question q2."""
    return lambda body, count: bad if "q2：" in json.dumps(body, ensure_ascii=False) else good(body)


def always(make: Callable[[Body], Answer]) -> Mode:
    """Every answer is of this shape."""
    return lambda body, count: make(body)


def without(key: str, words: str, status: str = "400 Bad Request") -> Mode:
    """A key of the request is not known."""
    return lambda body, count: no(status, {"error": {"message": words, "param": key}}) if key in body else good(body)


def _cut(body: Body) -> bytes:
    whole = good(body)[0]
    return whole[: len(whole) - 40]


RATE: Final = {"error": {"message": "Upstream rate limit exceeded", "code": 429}}
FILTER: Final = {"error": {"message": "The response was filtered: content management policy", "code": "content_filter"}}
LONG: Final = {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400}
ECHO: Final = {
    "detail": [{"loc": ["body", "messages"], "msg": "refused q2：最近总是睡不着。", "input": "q2：最近总是睡不着。"}]
}

# Every call goes wrong once and is made again: nothing of it may be left in the result.
RETRIED: Final[dict[str, Mode]] = {
    "choices_null": once(no("200 OK", {"id": None, "choices": None} | RATE)),
    "choices_empty": once(no("200 OK", completion("") | {"choices": []})),
    "message_null": once(no("200 OK", {"choices": [{"index": 0, "message": None, "finish_reason": "stop"}]})),
    "error_body": once(no("200 OK", RATE)),
    "error_in_choice": once(no("200 OK", {"choices": [{"error": {"code": 502, "message": "upstream"}}]})),
    "broken_off": once(no("200 OK", completion("听起来", "insufficient_system_resource"))),
    "html": once((http("200 OK", b"<html><title>Login</title></html>", kind="text/html"), False)),
    "blank": once((http("200 OK", b"\n" * 4), False)),
    "nothing": once((http("200 OK", b""), False)),
    "half_json": once((http("200 OK", b'{"choices": [ {"mes'), False)),
    "deep_json": once((http("200 OK", b"[" * 100_000), False)),
    "list_json": once((http("200 OK", b"[]"), False)),
    "not_utf8": once((http("200 OK", b'{"choices": [{"message": {"content": "\xff\xfe"}}]}'), False)),
    "bad_gzip": once((http("200 OK", b"no gzip", "Content-Encoding: gzip"), False)),
    "rate_seconds": once(no("429 Too Many Requests", RATE, "Retry-After: 0.01")),
    "rate_date": once(no("429 Too Many Requests", RATE, f"Retry-After: {formatdate(usegmt=True)}")),
    "rate_odd": once(no("429 Too Many Requests", RATE, "Retry-After: soon")),
    "status_500": once(no("500 Internal Server Error", {"error": {"message": "oops"}})),
    "status_503_html": once((http("503 Service Unavailable", b"<h1>busy</h1>", kind="text/html"), False)),
    "cut_at_once": once((b"", False)),
    "cut_in_head": once((b"HTTP/1.1 200 OK\r\nContent-", False)),
    "not_http": once((b"SSH-2.0-OpenSSH_9.2\r\n", False)),
    "cut_in_body": lambda body, count: (_cut(body), False) if count == 1 else good(body),
    "silent": once((b"SLEEP", False)),
    "drip": once((b"DRIP", False)),
}

# Odd, but a completion all the same: each is read at the first call.
READ: Final[dict[str, Mode]] = {
    "good": always(good),
    "usage_null": always(lambda body: ok(completion(content_of(body), usage=None))),
    "usage_missing": always(lambda body: ok({"choices": completion(content_of(body))["choices"]})),
    "usage_odd": always(lambda body: ok(completion(content_of(body), usage={"prompt_tokens": "many"}))),
    "finish_null": always(lambda body: ok(completion(content_of(body), None))),
    "content_parts": always(lambda body: ok(completion([{"type": "text", "text": content_of(body)}]))),
    "content_thinking_part": always(
        lambda body: ok(
            completion(
                [{"type": "thinking", "thinking": [{"text": THOUGHTS}]}, {"type": "text", "text": content_of(body)}]
            )
        )
    ),
    "reasoning_content": always(
        lambda body: ok(completion(content_of(body), message={"reasoning_content": THOUGHTS, "tool_calls": None}))
    ),
    "keep_alive": always(lambda body: ok(b"\n\n: alive\n\n" + json.dumps(completion(content_of(body))).encode())),
    "bom": always(lambda body: ok(b"\xef\xbb\xbf" + json.dumps(completion(content_of(body))).encode())),
    "no_content_type": always(
        lambda body: (b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(completion(content_of(body))).encode(), True)
    ),
    "line_separator": always(
        lambda body: ok(json.dumps(completion(content_of(body) + " \u2028\x85"), ensure_ascii=False).encode())
    ),
}

# A stream in every shape; the server is asked to stream.
STREAMED: Final[dict[str, Mode]] = {
    "stream": always(good),
    "stream_comments": always(lambda body: stream(content_of(body), head=b": OPENROUTER PROCESSING\n\n" * 3)),
    "stream_without_done": always(lambda body: stream(content_of(body), end=event({}, "stop"))),
    "stream_without_finish": always(lambda body: stream(content_of(body), end=DONE)),
    "stream_open_after_done": always(lambda body: (stream(content_of(body))[0] + b"OPEN", True)),
    "stream_crlf": always(
        lambda body: (STREAM_HEAD + stream(content_of(body))[0][len(STREAM_HEAD) :].replace(b"\n", b"\r\n"), True)
    ),
    "stream_not_streamed": always(lambda body: ok(completion(content_of(body)))),
    "stream_reasoning": always(lambda body: stream(content_of(body), head=event({"reasoning": THOUGHTS}))),
    "stream_error": lambda body, count: (
        (STREAM_HEAD + pieces("听起来") + b"data: " + json.dumps(RATE).encode() + b"\n\n" + DONE, False)
        if count == 1
        else good(body)
    ),
    "stream_cut": lambda body, count: (STREAM_HEAD + pieces("听起来这段时间"), False) if count == 1 else good(body),
    "stream_cut_in_event": lambda body, count: (
        (STREAM_HEAD + pieces("听起来这段时间")[:-9], False) if count == 1 else good(body)
    ),
    "stream_not_utf8": lambda body, count: (
        (STREAM_HEAD + b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n', False) if count == 1 else good(body)
    ),
    "stream_empty": lambda body, count: (STREAM_HEAD + DONE, False) if count == 1 else good(body),
}

# One prompt is refused each time: recorded and counted, and the run goes on.
REFUSED: Final[dict[str, Mode]] = {
    "filter_400": refused(no("400 Bad Request", FILTER)),
    "filter_403": refused(no("403 Forbidden", FILTER)),
    "filter_200": refused(no("200 OK", FILTER)),
    "filter_finish": refused(ok(completion(None, "content_filter"))),
    "filter_half": refused(ok(completion("听起来你想", "content_filter"))),
    "model_refuses": refused(ok(completion(None, message={"refusal": "I can't help with that."}))),
    "too_long": refused(no("400 Bad Request", LONG)),
    "too_large": refused(no("413 Payload Too Large", {"detail": "body"})),
    "no_reason": refused(no("400 Bad Request", {"error": "no"})),
    "echo": refused(no("422 Unprocessable Entity", ECHO)),
    "choices_always_empty": refused(no("200 OK", completion("") | {"choices": []})),
}

# Every request fares alike: the run ends at the first call, by the server's own words.
ENDED: Final[dict[str, Mode]] = {
    "key": always(lambda body: no("401 Unauthorized", {"error": {"message": "Incorrect API key provided"}})),
    "model": always(lambda body: no("404 Not Found", {"error": {"message": "The model `m` does not exist"}})),
    "no_money": always(lambda body: no("402 Payment Required", {"error": {"message": "Insufficient Balance"}})),
    "quota": always(
        lambda body: no("429 Too Many Requests", {"error": {"message": "x", "code": "insufficient_quota"}})
    ),
    "moved": always(lambda body: (http("302 Found", b"", "Location: https://login.example/"), False)),
    "max_tokens": without("max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
    "temperature": without("temperature", "temperature: Extra inputs are not permitted", "422 Unprocessable Entity"),
}

# Nothing helps: tried as often as the settings say, then the run ends and keeps what it has.
OUTAGES: Final[dict[str, Mode]] = {
    "down": lambda body, count: good(body) if count < 4 else no("502 Bad Gateway", {"error": {"message": "down"}}),
    "login": lambda body, count: (
        good(body) if count < 4 else (http("200 OK", b"<html>Login</html>", kind="text/html"), False)
    ),
}

# The model wrote no reply, though the server is well: read as such, and no thoughts in its place.
EMPTY: Final[dict[str, Mode]] = {
    "length_null": always(lambda body: ok(completion(None, "length", message={"reasoning_content": THOUGHTS}))),
    "length_half": always(lambda body: ok(completion("嗯，先看看", "length"))),
    "reasoning_only": always(lambda body: ok(completion(None, message={"reasoning_content": content_of(body)}))),
    "half_a_character": always(
        lambda body: ok(b'{"choices": [{"message": {"content": "\\ud83d"}, "finish_reason": "length"}]}')
    ),
}

MODES: Final = {**RETRIED, **READ, **STREAMED, **REFUSED, **ENDED, **OUTAGES, **EMPTY}


class Server:
    """Answers every connection once, in a thread of its own."""

    def __init__(self, mode: Mode, log: Path, kill: int, by_call: bool = False) -> None:
        """Listen on a free port."""
        self.mode, self.log, self.kill, self.by_call = mode, log, kill, by_call
        self.count, self.prompts, self.lock = 0, Counter[str](), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        print(self.listener.getsockname()[1], flush=True)

    def serve(self) -> None:
        """Until the process is ended."""
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        """Read a request, answer by the mode, log what is paid."""
        with connection:
            try:
                body = self.read(connection)
            except (OSError, ValueError):
                return
            with self.lock:
                self.count += 1
                prompt = json.dumps(body["messages"])
                self.prompts[prompt] += 1
                count, nth = self.count, self.prompts[prompt]
                with self.log.with_suffix(".calls").open("a") as file:
                    file.write(".")
                if count == self.kill:
                    self.end_client()
            if count == self.kill:
                return
            content, whole = self.mode(body, count if self.by_call else nth)
            if whole:
                # Before it is sent: once the client has it, a test may look.
                with self.lock, self.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(body, ensure_ascii=False) + "\n")
            with suppress(OSError):
                self.send(connection, content)

    def end_client(self) -> None:
        """By SIGKILL, as the out-of-memory killer does."""
        file = self.log.with_suffix(".pid")
        while not file.is_file() or not file.read_text():
            time.sleep(0.01)
        os.kill(int(file.read_text()), signal.SIGKILL)

    def read(self, connection: socket.socket) -> Body:
        """The body of a request."""
        content = b""
        while b"\r\n\r\n" not in content:
            if not (chunk := connection.recv(65536)):
                raise ValueError("gone")
            content += chunk
        head, _, rest = content.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        while len(rest) < length:
            rest += connection.recv(65536)
        body: Body = json.loads(rest)
        return body

    def send(self, connection: socket.socket, content: bytes) -> None:
        """The bytes, or one of the ways to keep a client waiting."""
        if content == b"SLEEP":
            time.sleep(3)
        elif content == b"DRIP":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(60):
                connection.sendall(b"\n")
                time.sleep(0.05)
        elif content.endswith(b"OPEN"):
            connection.sendall(content.removesuffix(b"OPEN"))
            time.sleep(3)
        else:
            connection.sendall(content)


if __name__ == "__main__":
    options = dict(argument.split("=") for argument in sys.argv[3:])
    name, kill = sys.argv[1], int(options.get("kill", 0))
    Server(MODES[name], Path(sys.argv[2]), kill, name in OUTAGES).serve()
