"""A scripted teacher of chains, and a proxy before any server that goes wrong three times in ten; each a process.

    python -m tests.common.chat_server.faulty teacher CHAINS LOG        CHAINS: JSON, by post the texts of each attempt
    python -m tests.common.chat_server.faulty proxy UPSTREAM LOG [kill=N]

Both print their port and log what they sent whole, as `scripted` does; at call N the proxy kills its client.
"""

import json
import random
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from tests.common.chat_server import scripted
from tests.common.chat_server.scripted import Answer, Body, completion, http, no, ok

# The teacher is told what was wrong before.
AGAIN: Final = "上一次写的有这些问题"
FAULTS: Final = ("429", "500", "silent", "cut", "half", "empty")
_SHARE: Final = 0.3


def teacher(chains: dict[str, list[str]]) -> scripted.Mode:
    """Writes the first text about a post, or the second one when asked again."""

    def answer(body: Body, count: int) -> Answer:
        prompt = body["messages"][-1]["content"]
        texts = next(texts for post, texts in chains.items() if post in prompt)
        return ok(completion(texts[min(AGAIN in prompt, len(texts) - 1)]))

    return answer


def proxy(upstream: str) -> scripted.Mode:
    """Hands requests on, or goes wrong: before the server is asked, or on the way back."""
    rng = random.Random(7)

    def answer(body: Body, count: int) -> Answer:
        fault = rng.choice(FAULTS) if rng.random() < _SHARE else ""
        if fault == "429":
            return no("429 Too Many Requests", {"error": {"message": "slow down"}})
        if fault == "500":
            return no("500 Internal Server Error", {"error": {"message": "oops"}})
        if fault in ("silent", "empty"):
            return (b"SLEEP", False) if fault == "silent" else (http("200 OK", b""), False)
        status, content = _ask(upstream, body)
        if fault == "cut":
            return http(status, content)[:-40], False
        whole = http(status, content[:-40] if fault == "half" else content)
        return whole, status.startswith("200") and fault != "half"

    return answer


def _ask(upstream: str, body: Body) -> tuple[str, bytes]:
    request = urllib.request.Request(
        f"{upstream}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as response:
            return f"{response.status} OK", response.read()
    except urllib.error.HTTPError as error:
        return f"{error.code} Error", error.read()


def main() -> None:
    """Serve until ended."""
    kind, what, log = sys.argv[1:4]
    options = dict(argument.split("=") for argument in sys.argv[4:])
    chains: Any = json.loads(Path(what).read_text(encoding="utf-8")) if kind == "teacher" else None
    mode = teacher(chains) if kind == "teacher" else proxy(what)
    scripted.Server(mode, Path(log), int(options.get("kill", 0))).serve()


if __name__ == "__main__":
    main()
