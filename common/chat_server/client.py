"""Asks an OpenAI-compatible server for a chat completion, whole or as a stream, within limits.

On httpx and not on OpenAI's package: that one builds its objects unchecked, so that an error page of status 200 becomes
an AttributeError later. Here an answer is bytes until `common.chat_server.answer` has read them.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx

from common.chat_server.answer import Assembly, Completion, ErrorBody, Piece, parse, read_completion
from common.chat_server.errors import Outage, Passing, Refused
from common.chat_server.words import error_of, wished_pause, words_of
from common.errors import StageError
from common.loopback import remote_host

Messages = Sequence[Mapping[str, str]]

# No completion is longer; a server that never ends a body does not fill the memory.
_LARGEST: Final = 2**25
# Fields of server-sent events; "" is a comment.
_SSE: Final = (b"", b"data", b"event", b"id", b"retry")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerSettings:
    """Which server, and how patiently it is asked.

    Attributes:
        base_url: ends with /v1 as a rule.
        model: its name on the server.
        key: the server's; never written anywhere.
        timeout_s: longest time of a call, in seconds, however steadily bytes drip in.
        retries: how often a call is made again that failed in passing.
        backoff_s: pause before the first of them, doubled with each, in seconds.
        longest_pause_s: longest of these pauses, and of those that a server asks for.
        stream: have replies sent piece by piece, for proxies that cut silent connections.
        requests_per_minute: calls that are begun in a minute at most, tries after a failure too; None for no limit.
    """

    base_url: str
    model: str
    key: str = "none"
    timeout_s: float = 600.0
    retries: int = 6
    backoff_s: float = 1.0
    longest_pause_s: float = 60.0
    stream: bool = False
    requests_per_minute: float | None = None


def read_key(variable: str | None, server: str) -> str:
    """A server's key from the environment.

    Args:
        variable: its name; "" or None for a server that takes none.
        server: whose key it is, for the message.

    Raises:
        StageError: it is not set, or no header can hold it.
    """
    if not variable:
        return "none"
    key = os.environ.get(variable, "").strip()
    if not key:
        raise StageError(f"the environment has no {variable}, which api_key_env names: {server} needs its key. Set it.")
    if not (key.isascii() and key.isprintable()):
        raise StageError(f"{variable} holds characters that no HTTP header can. Set it to the key of {server} alone.")
    return key


class ChatServer:
    """One model on one server, asked by many at once; to be used as ``async with``."""

    def __init__(self, settings: ServerSettings) -> None:
        """Prepare the connections."""
        # One line a call would drown the progress.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._settings = settings
        self._next_turn = 0.0
        self._url = settings.base_url.rstrip("/") + "/chat/completions"
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {settings.key}", "Content-Type": "application/json"},
            timeout=settings.timeout_s,
            limits=httpx.Limits(max_connections=None),
            trust_env=bool(remote_host(settings.base_url)),  # a proxy is not asked for this machine's own servers
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def complete(self, messages: Messages, keys: Mapping[str, Any]) -> Completion:
        """One whole completion.

        Args:
            messages: the chat.
            keys: of the request beside model and messages; None leaves one out.

        Raises:
            Outage: every try failed.
            Refused: the server refuses this very request, or gives no completion to it each time.
            Unusable: every request would fare alike.
        """
        body, failed = self._body(messages, keys, self._settings.stream), _Failed(self._settings)
        while True:
            try:
                return await self._whole(body)
            except Passing as problem:
                await failed.pause(problem)

    async def stream(self, messages: Messages, keys: Mapping[str, Any]) -> AsyncIterator[Piece | Completion]:
        """The pieces of a completion as they come, at last the whole.

        A call is made again only until the first piece is there: a reader can't take one back.

        Raises:
            Outage: every try failed, or the stream was cut after its first piece.
            Refused: as `complete`.
            Unusable: likewise.
        """
        body, failed = self._body(messages, keys, True), _Failed(self._settings)
        while True:
            assembly, begun = Assembly(), False
            try:
                async with aclosing(self._pieces(body, assembly)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                yield assembly.completion(ended=True)
                return
            except Passing as problem:
                if begun:
                    raise Outage(str(problem)) from problem
                await failed.pause(problem)

    def _body(self, messages: Messages, keys: Mapping[str, Any], stream: bool) -> dict[str, Any]:
        # Without include_usage a stream does not tell its tokens.
        streamed = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
        body = {"model": self._settings.model, "messages": list(messages), **streamed, **keys}
        return {key: value for key, value in body.items() if value is not None}

    async def _whole(self, body: dict[str, Any]) -> Completion:
        if not body.get("stream"):
            content = bytearray()
            async for chunk in self._chunks(body):
                content += chunk
            try:
                return read_completion(_parsed(bytes(content), body))
            except ErrorBody as error:
                words = words_of(error.body, "", body["messages"])
                raise error_of(error.status, words, body, 0.0) from error
        assembly = Assembly()
        async with aclosing(self._pieces(body, assembly)) as pieces:
            async for _ in pieces:
                pass
        return assembly.completion(ended=True)

    async def _pieces(self, body: dict[str, Any], assembly: Assembly) -> AsyncGenerator[Piece, None]:
        """The pieces of server-sent events; a server that does not stream answers whole, as one piece."""
        kept, events, done = bytearray(), 0, False
        try:
            # Closed here, since a server may keep the connection open after [DONE].
            async with aclosing(self._chunks(body)) as chunks:
                async for line in _lines(chunks):
                    # An event of several data lines does not occur: JSON is sent on one.
                    name, colon, value = line.partition(b":")
                    if not events and name.strip() not in _SSE:
                        kept += line + b"\n"
                    if not colon or name != b"data":
                        continue
                    events += 1
                    if done := value.strip() == b"[DONE]":
                        break
                    piece = assembly.add(parse(value), "delta")
                    if piece.text or piece.reasoning:
                        yield piece
            if not events:
                yield assembly.add(_parsed(bytes(kept), body), "message")
        except ErrorBody as error:
            raise error_of(error.status, words_of(error.body, "", body["messages"]), body, 0.0) from error
        assembly.completion(ended=done or not events)  # a stream that was cut is no reply

    async def _pace(self) -> None:
        """Wait for this call's turn: turns are equally far apart, so that no burst meets a server's limit."""
        if self._settings.requests_per_minute is None:
            return
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next_turn)
        self._next_turn = turn + 60 / self._settings.requests_per_minute
        await asyncio.sleep(turn - now)

    async def _chunks(self, body: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        """The bytes of an answer of status 2xx as they come.

        Raises:
            Passing, Refused, Unusable: another status, no connection, no end in time, or too long a body.
        """
        await self._pace()
        deadline = asyncio.get_running_loop().time() + self._settings.timeout_s
        # ASCII, so that half a character in a post does not stop the call.
        request = self._http.build_request("POST", self._url, content=json.dumps(body).encode("ascii"))
        response: httpx.Response | None = None
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._http.send(request, stream=True)
            left, size, failed = response.aiter_bytes(), 0, bytearray()
            while True:
                async with asyncio.timeout_at(deadline):
                    chunk = await anext(left, None)
                if chunk is None:
                    break
                size += len(chunk)
                if size > _LARGEST:
                    raise Passing(f"an answer of more than {_LARGEST:,} bytes")
                if response.is_success:
                    yield chunk
                elif len(failed) < 2**16:
                    failed += chunk
            if not response.is_success:
                raise _failure(response, bytes(failed), body)
        except TimeoutError as error:
            raise Passing(f"no whole answer in {self._settings.timeout_s:g} s (timeout_s)") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Passing(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        finally:
            if response is not None:
                await response.aclose()


@dataclass
class _Failed:
    """The tries of one call that failed."""

    settings: ServerSettings
    tries: int = 0
    empty: int = 0

    async def pause(self, problem: Passing) -> None:
        """Wait before the next try.

        Raises:
            Refused: none is left, and each time the server answered without a completion.
            Outage: none is left.
        """
        limit = self.settings.longest_pause_s
        pause = min(max(self.settings.backoff_s * 2.0 ** min(self.tries, 30), problem.pause_s), limit)
        self.tries += 1
        self.empty += problem.empty
        if self.tries > self.settings.retries:
            told = f"{problem}, {self.tries} times in a row" if self.tries > 1 else str(problem)
            raise (Refused(told, prompt=False) if self.empty == self.tries else Outage(told)) from problem
        log.info("%s; asking again in %.0f s", problem, pause)
        await asyncio.sleep(pause)


def _parsed(content: bytes, sent: Mapping[str, Any]) -> Any:
    """JSON of a whole answer; a page's words are told, half a reply's are not."""
    if not content.lstrip().startswith(b"<"):
        return parse(content)
    words = words_of(None, content.decode("utf-8", "replace"), sent["messages"])
    raise Passing(f"a web page instead of a completion (does base_url end with /v1?): {words}")


def _failure(response: httpx.Response, content: bytes, sent: Mapping[str, Any]) -> Exception:
    try:
        body = parse(content)
    except Passing:
        body = None
    words = words_of(body, content.decode("utf-8", "replace"), sent["messages"])
    if response.is_redirect:
        words = f"moved to {response.headers.get('location', 'nowhere')}"
    return error_of(response.status_code, words, sent, wished_pause(response.headers))


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Lines without their ends; only at \\n, since a text may hold other line ends, such as U+2028."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.rstrip(b"\r")
    if rest.strip():
        yield rest
