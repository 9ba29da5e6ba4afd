"""Asking the judge through `common.chat_server`, held to the verdict's schema where it can be, under a ceiling.

The ceiling is counted from the server's own figures and held before each call. A call holds the most it can use until
its answer tells what it did use, so that calls under way together stay under the ceiling as well; where the server
tells nothing, that most is counted. The estimate takes a character of the prompt for a token, which is more than
today's tokenizers make of Chinese or English; where it is too little after all, the ceiling is passed by no more than
the calls under way.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from common.chat_server import ChatServer, Completion, Refused, ServerSettings
from eval.judge.config import SCHEMA, JudgeConfig, Usage

log = logging.getLogger(__name__)


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


class JudgeError(ValueError):
    """A judgement can't begin or go on; the message says why, and what to do. Verdicts had so far are kept."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one call.

    Attributes:
        answer: of the model.
        structured: whether the model was held to the schema.
        usage: tokens, by the server's count.
        estimated: it told none, and these are the most that the call can have used.
    """

    answer: Completion
    structured: bool
    usage: Usage
    estimated: bool


class JudgeClient:
    """One judge, asked by many at once."""

    def __init__(self, config: JudgeConfig, api_key: str, budget: Budget) -> None:
        """Prepare the connections; to be used as ``async with``. The key is never written anywhere."""
        self.budget = budget
        self._config = config
        self._structured = config.structured != "none"
        self._answered = False
        self._server = ChatServer(
            ServerSettings(
                config.base_url,
                config.judge_model,
                api_key,
                timeout_s=config.timeout_s,
                retries=config.retries,
                backoff_s=config.backoff_s,
                longest_pause_s=config.longest_pause_s,
                stream=config.stream,
            )
        )

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.__aexit__(kind, error, trace)

    async def ask(self, messages: Sequence[Mapping[str, str]], attempt: int) -> Reply:
        """One answer of the judge.

        The first call should be made alone: it settles whether the server takes a schema.

        Args:
            messages: of one comparison.
            attempt: from 1; each takes the next seed, where ``request.seed`` holds one.

        Raises:
            CeilingReached: the call could pass the ceiling; it was not made.
            common.chat_server.ServerError: no answer.
        """
        most = Usage(sum(len(message["content"]) for message in messages), self._config.longest_answer or 0)
        await self.budget.hold(most)
        used = Usage()
        try:
            answer = await self._ask(messages, attempt)
            self._answered = True
            told = answer.prompt_tokens is not None and answer.tokens is not None
            longest = self._config.longest_answer or len(answer.text) + len(answer.reasoning)
            used = Usage(answer.prompt_tokens or 0, answer.tokens or 0) if told else Usage(most.tokens_in, longest)
            return Reply(answer, self._structured, used, not told)
        finally:
            await self.budget.settle(most, used)

    async def _ask(self, messages: Sequence[Mapping[str, str]], attempt: int) -> Completion:
        keys: dict[str, Any] = dict(self._config.request)
        if keys.get("seed") is not None:
            keys["seed"] += attempt - 1
        if not self._structured:
            return await self._server.complete(messages, keys)
        try:
            return await self._server.complete(messages, {**keys, "response_format": SCHEMA})
        except Refused as refused:
            # Of a prompt that a filter took it says nothing about schemas.
            if self._config.structured != "auto" or self._answered or refused.prompt:
                raise
            answer = await self._server.complete(messages, keys)
            self._structured = False
            log.info("The server refuses response_format (%s); asking for JSON in the text instead.", refused)
            return answer
