"""Asking the judge through `common.chat_server`, held to the verdict's schema where it can be, under a ceiling."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from common.chat_server import Budget, ChatServer, Completion, Refused, Usage
from eval.judge.config import SCHEMA, JudgeConfig

log = logging.getLogger(__name__)


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
        self._server = ChatServer(config.settings(config.judge_model, api_key))

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
        longest = self._config.longest_answer
        most = Usage.most(messages, longest)
        await self.budget.hold(most)
        used = Usage()
        try:
            answer = await self._ask(messages, attempt)
            self._answered = True
            used, untold = most.after(answer, longest)
            return Reply(answer, self._structured, used, untold)
        finally:
            await self.budget.settle(most, used)

    async def _ask(self, messages: Sequence[Mapping[str, str]], attempt: int) -> Completion:
        keys = self._config.request_of(attempt)
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
