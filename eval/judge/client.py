"""Asking an OpenAI-compatible server, within limits: finite times, bounded retries, a ceiling of tokens and cost.

Outages (no connection, no answer in time, 408, 409, 425, 429, 5xx) are asked again with growing pauses up to a limit
and then end the run. They never become a verdict. A request that the server refuses as such (400, 413, 422) ends the
run too while nothing has been answered, since the next would fare alike; later on it is one question's own.

The ceiling is counted from the server's own figures and held before each call. A call holds the most it can use until
its answer tells what it did use, so that calls under way together stay under the ceiling as well. The estimate takes a
character of the prompt for a token, which is more than today's tokenizers make of Chinese or English; where it is too
little after all, the ceiling is passed by no more than the calls under way.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, cast

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI
from openai.types.chat import ChatCompletion

from eval.judge.config import SCHEMA, JudgeConfig, Usage


class CeilingReached(Exception):
    """The next call could pass the ceiling; holds it as ``key=value``."""


class Budget:
    """What was used, what calls under way hold, and whether another call fits."""

    def __init__(self, ceiling: JudgeConfig, used: Usage) -> None:
        """Start from what earlier runs have used."""
        self.used = used
        self._ceiling = ceiling
        self._held = Usage()
        self._settled = asyncio.Condition()

    async def hold(self, most: Usage) -> None:
        """Hold the most that a call can use, after waiting for calls under way where only their end can make room.

        Raises:
            CeilingReached: it does not fit, and no call is under way that may have held too much.
        """
        async with self._settled:
            while passed := self._ceiling.passed_by(self.used + self._held + most):
                if self._held == Usage():
                    raise CeilingReached(passed)
                await self._settled.wait()
            self._held += most

    async def settle(self, most: Usage, used: Usage) -> None:
        """Give back what was held, and count what was used."""
        async with self._settled:
            self._held -= most
            self.used += used
            self._settled.notify_all()


_PASSING: Final = (408, 409, 425, 429)
_REFUSED: Final = (400, 413, 422)
_LONGEST_PAUSE_S: Final = 60.0

log = logging.getLogger(__name__)


class JudgeError(ValueError):
    """A judgement can't begin or go on; the message says why, and what to do. Verdicts had so far are kept."""


class _Refused(Exception):
    """The server takes this request for a wrong one."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one call.

    Attributes:
        text: what the model wrote.
        refusal: why the server or the model refused to answer; "" where it did not.
        structured: whether the model was held to the schema.
        usage: tokens, by the server's count.
    """

    text: str
    refusal: str
    structured: bool
    usage: Usage


class JudgeClient:
    """One judge, asked by many at once."""

    def __init__(self, config: JudgeConfig, api_key: str, budget: Budget) -> None:
        """Open the connections; to be used as ``async with``. The key is never written anywhere."""
        self.budget = budget
        self._config = config
        self._structured = config.structured != "none"
        self._answered = False
        self._client = AsyncOpenAI(base_url=config.base_url, api_key=api_key, timeout=config.timeout_s, max_retries=0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def ask(self, messages: Sequence[Mapping[str, str]], seed: int) -> Reply:
        """One answer of the judge.

        The first call should be made alone: it settles whether the server takes a schema.

        Raises:
            CeilingReached: the call could pass the ceiling; it was not made.
            JudgeError: the outage lasts, or the server does not take such requests.
        """
        most = Usage(sum(len(message["content"]) for message in messages), self._config.longest_answer)
        await self.budget.hold(most)
        used = Usage()
        try:
            try:
                reply = await self._ask(messages, seed)
            except _Refused as refusal:
                if not self._answered:
                    raise JudgeError(
                        f"{self._config.base_url} refuses the request for {self._config.judge_model}: {refusal}. Check "
                        "judge_model and request.*; the judge's context has to hold a post and two replies."
                    ) from refusal
                return Reply("", f"refused by the server: {refusal}", self._structured, used)
            used = reply.usage
            self._answered = True
            return reply
        finally:
            await self.budget.settle(most, used)

    async def _ask(self, messages: Sequence[Mapping[str, str]], seed: int) -> Reply:
        structured = self._structured
        try:
            completion = await self._until_answered(messages, seed, structured)
        except _Refused as refusal:
            if not structured or self._config.structured != "auto" or self._answered:
                raise
            completion = await self._until_answered(messages, seed, False)
            structured = self._structured = False
            log.info("The server refuses response_format (%s); asking for JSON in the text instead.", refusal)
        return self._read(completion, structured)

    async def _until_answered(
        self, messages: Sequence[Mapping[str, str]], seed: int, structured: bool
    ) -> ChatCompletion:
        config = self._config
        keys = {"seed": seed, **config.request, **({"response_format": SCHEMA} if structured else {})}
        body = {key: value for key, value in keys.items() if value is not None}
        for retry in range(config.retries + 1):
            pause = min(config.backoff_s * 2**retry, _LONGEST_PAUSE_S)
            try:
                # The client's own limit is one of silence; a server that drips would pass it for ever.
                async with asyncio.timeout(config.timeout_s):
                    return await self._client.chat.completions.create(
                        model=config.judge_model, messages=cast(Any, list(messages)), extra_body=body
                    )
            except (APIConnectionError, TimeoutError) as error:
                problem = f"{type(error).__name__}: {error}"
            except APIStatusError as error:
                problem = f"HTTP {error.status_code}: {error.message}"
                if error.status_code in _REFUSED:
                    raise _Refused(problem) from error
                if error.status_code not in _PASSING and error.status_code < 500:
                    raise JudgeError(
                        f"{config.base_url}: {problem}. Check base_url, judge_model and the key."
                    ) from error
                pause = max(pause, _wished_pause(error))
            except (APIError, json.JSONDecodeError) as error:
                raise JudgeError(f"{config.base_url} answers, but not as a chat completion: {error!r}") from error
            if retry < config.retries:
                log.info("%s, asking again in %.0f s", problem, pause)
                await asyncio.sleep(pause)
        raise JudgeError(
            f"{config.base_url} can't be reached or does not answer, {config.retries + 1} times in a row; last: "
            f"{problem}. What was judged is kept: run the same command again when the server is well."
        )

    def _read(self, completion: ChatCompletion, structured: bool) -> Reply:
        # The client builds its objects without checking them, so nothing about them is certain.
        if not isinstance(completion, ChatCompletion) or not completion.choices or completion.usage is None:
            raise JudgeError(
                f"{self._config.base_url} answers without choices or usage, so neither verdicts nor tokens can be "
                f"read: {str(completion)[:200]}. Expected an OpenAI-compatible server; does base_url end with /v1?"
            )
        message, usage = completion.choices[0].message, completion.usage
        refusal = f"refused by the model: {message.refusal}" if message.refusal else ""
        used = Usage(int(usage.prompt_tokens), int(usage.completion_tokens))
        return Reply(message.content or "", refusal, structured, used)


def _wished_pause(error: APIStatusError) -> float:
    """Seconds of a Retry-After header, not more than the longest pause; 0 where there is none or it is a date."""
    wish = error.response.headers.get("retry-after", "")
    return min(float(wish), _LONGEST_PAUSE_S) if wish.isdigit() else 0.0
