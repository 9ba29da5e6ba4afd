"""Words of errors, pauses that servers ask for, pieces of a stream, and which failure ends a run."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from common.chat_server import ChatServer, Completion, Outage, Piece, Refused, Run, ServerSettings, Unusable, ask_all
from common.chat_server.errors import Passing
from common.chat_server.words import error_of, status_of, wished_pause, words_of
from tests.common.chat_server import scripted
from tests.common.chat_server.served import served

POST = "我最近总是睡不着，不想活了，也不敢告诉家里人。"
CHAT = [{"role": "user", "content": POST}]


def test_calls_begin_as_far_apart_as_asked(tmp_path: Path) -> None:
    async def ask(settings: ServerSettings) -> float:
        async with ChatServer(settings) as server:
            begun = asyncio.get_running_loop().time()
            await asyncio.gather(*(server.complete(CHAT, {}) for _ in range(4)))
            return asyncio.get_running_loop().time() - begun

    with served("good", tmp_path / "log") as server:
        # A turn each 0.1 s: the fourth call waits for three of them.
        assert asyncio.run(ask(ServerSettings(server.url, "m", requests_per_minute=600))) >= 0.3
        assert server.calls == 4


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "no such model", "code": "model_not_found"}}, "no such model (code=model_not_found)"),
        ({"error": "busy"}, "busy"),
        ({"object": "error", "message": "too long", "code": 400}, "too long (code=400)"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"loc": ["body", "seed"], "msg": "not permitted", "input": POST}]}, "body.seed: not permitted"),
        ({"object": "error", "message": {"detail": [{"loc": ["body", "seed"], "msg": "no"}]}}, "body.seed: no"),
        ({"error": {"message": "a\n  b"}}, "a b"),
        ({"error": {"message": f"flagged: {POST} (self-harm)"}}, "flagged: […] (self-harm)"),
        ({"error": {"message": "flagged: 不想活了，也不敢…"}}, "flagged: […]…"),
        ({"error": None}, ""),
        ([], ""),
        (None, "Login please"),
    ],
)
def test_words(body: Any, words: str) -> None:
    assert words_of(body, "<html><style>p {}</style><p>Login</p> please", CHAT) == words


def test_long_words_are_cut_and_nested_ones_bounded() -> None:
    assert len(words_of({"error": {"message": "x" * 10_000}}, "", CHAT)) < 310
    nested: Any = "deep"
    for _ in range(50):
        nested = {"error": nested}
    assert words_of(nested, "", CHAT) == ""


def test_what_an_error_means() -> None:
    sent = {"model": "m", "messages": CHAT, "seed": 1, "max_tokens": 5}
    kinds = {
        (401, "bad key"): Unusable,
        (404, "no model"): Unusable,
        (403, "forbidden"): Unusable,
        (403, "content policy"): Refused,
        (400, "anything"): Refused,
        (429, "slow down"): Passing,
        (429, "insufficient_quota"): Unusable,
        (529, "overloaded"): Passing,
    }
    assert {key: type(error_of(*key, sent, 0.0)) for key in kinds} == kinds
    unknown = error_of(422, "body.seed: Extra inputs are not permitted", sent, 0.0)
    assert isinstance(unknown, Refused)
    assert (unknown.keys, unknown.prompt) == (("seed",), False)
    # Here max_tokens is named, but the prompt is why.
    long = error_of(400, "'max_tokens' is too large: the maximum context length is 9", sent, 0.0)
    assert isinstance(long, Refused)
    assert long.prompt


def test_the_status_that_an_error_body_names() -> None:
    assert status_of({"error": {"code": 429, "message": "x"}}) == 429
    assert status_of({"error": {"code": "502"}}) == 502
    assert status_of({"error": {"code": "content_filter", "message": "x"}}) == 400
    assert status_of({"error": "odd"}) == 503
    assert status_of("odd") == 503


def test_the_pause_that_a_server_asks_for() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < wished_pause({"retry-after": in_a_minute}) <= 60
    assert wished_pause({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert wished_pause({"retry-after": "7"}) == 7
    assert wished_pause({"retry-after": "0.5"}) == 0.5
    assert wished_pause({"retry-after-ms": "250", "retry-after": "7"}) == 0.25
    assert wished_pause({"retry-after": "soon"}) == wished_pause({"retry-after": "-1"}) == wished_pause({}) == 0


async def pieces(url: str, **changes: Any) -> list[Piece | Completion]:
    async with ChatServer(ServerSettings(url, "m", retries=1, backoff_s=0.0, **changes)) as server:
        return [piece async for piece in server.stream(CHAT, {})]


def test_a_stream_comes_piece_by_piece_and_whole_at_last(tmp_path: Path) -> None:
    with served("stream_reasoning", tmp_path / "log") as server:
        *parts, whole = asyncio.run(pieces(server.url))
    assert parts[0] == Piece("", scripted.THOUGHTS)
    assert all(isinstance(part, Piece) for part in parts)
    assert "".join(part.text for part in parts if isinstance(part, Piece)) == scripted.REPLY
    assert len(parts) > 10
    assert whole == Completion(scripted.REPLY, scripted.THOUGHTS, "stop", "", 10, 20)


def test_a_reader_s_stream_is_not_begun_again_after_its_first_piece(tmp_path: Path) -> None:
    with served("stream_cut", tmp_path / "log") as server:
        with pytest.raises(Outage, match="cut before its end"):
            asyncio.run(pieces(server.url))
        assert server.calls == 1
    with served("stream_empty", tmp_path / "other") as server:
        assert isinstance(asyncio.run(pieces(server.url))[-1], Completion)
        assert server.calls == 2


def ask(run: Run, jobs: list[str], how: Callable[[str], Awaitable[None]], at_once: int = 1) -> None:
    asyncio.run(ask_all(run, jobs, how, lambda job: job[0], at_once))


def test_refusals_are_held_until_an_answer_shows_that_they_are_the_prompts_own() -> None:
    run, written = Run(answered_before=False), []

    async def how(job: str) -> None:
        if job[0] in "ab":
            run.refuse(Refused("no", prompt=False), job[0], lambda: written.append(job))
        else:
            assert job == "c1" or written
            run.answer()

    ask(run, ["a1", "a2", "b1", "c1", "c2"], how)
    assert written == ["a1", "b1", "a2"]


@pytest.mark.parametrize("prompt", [True, False])
def test_nothing_is_recorded_where_every_prompt_is_refused(prompt: bool) -> None:
    run, written, asked = Run(answered_before=False), [], []

    async def how(job: str) -> None:
        asked.append(job)
        run.refuse(Refused("no way", prompt), job[0], lambda: written.append(job))

    with pytest.raises(Unusable, match=r"refused.*no way"):
        ask(run, [f"{name}{n}" for name in "abcdefghijklmnopqrstuvwxyz" for n in range(3)], how)
    assert (written, len(asked)) == ([], 20 if prompt else 5)


def test_the_last_refused_prompts_of_an_earlier_run_are_recorded() -> None:
    run, written = Run(answered_before=True), []

    async def how(job: str) -> None:
        run.refuse(Refused("no", prompt=False), job[0], lambda: written.append(job))

    ask(run, ["a1", "a2", "b1"], how)
    assert sorted(written) == ["a1", "a2", "b1"]


def test_one_call_that_fails_for_good_is_left_and_told_at_the_end() -> None:
    run, made = Run(answered_before=False), []

    async def how(job: str) -> None:
        if job == "b1":
            raise Outage("HTTP 500")
        made.append(job)
        run.answer()

    with pytest.raises(Outage, match="HTTP 500; so for 1 of 5"):
        ask(run, ["a1", "b1", "c1", "d1", "e1"], how, at_once=2)
    assert made == ["a1", "c1", "d1", "e1"]


def test_calls_under_way_are_waited_for() -> None:
    run, ended = Run(answered_before=False), []

    async def how(job: str) -> None:
        run.answer()
        if job == "b1":
            raise Unusable("HTTP 401")
        await asyncio.sleep(0.05)
        ended.append(job)

    with pytest.raises(Unusable):
        ask(run, ["a1", "b1", "c1", "d1", "e1"], how, at_once=2)
    assert ended == ["a1", "c1"]
