"""A ceiling of tokens and cost that calls under way together stay under.

The ceiling is counted from the server's own figures and held before each call. A call holds the most it can use until
its answer tells what it did use; where the server tells nothing, that most is counted. The estimate takes a character
of the prompt for a token, which is more than today's tokenizers make of Chinese or English; where it is too little
after all, the ceiling is passed by no more than the calls under way.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from common.chat_server.answer import Completion


class Used(Protocol):
    """Whatever says how many tokens it has used."""

    @property
    def tokens_in(self) -> int: ...

    @property
    def tokens_out(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of prompts and of answers."""

    tokens_in: int = 0
    tokens_out: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out)

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(self.tokens_in - other.tokens_in, self.tokens_out - other.tokens_out)

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.tokens_in + self.tokens_out

    @classmethod
    def of(cls, answers: Iterable[Used]) -> Self:
        """What answers have used."""
        each = list(answers)
        return cls(sum(one.tokens_in for one in each), sum(one.tokens_out for one in each))

    @classmethod
    def most(cls, messages: Sequence[Mapping[str, str]], longest: int | None) -> Self:
        """The most that a call can use.

        Args:
            messages: the chat.
            longest: the longest answer in tokens; None where only the server knows.
        """
        return cls(sum(len(message["content"]) for message in messages), longest or 0)

    def after(self, answer: Completion, longest: int | None) -> tuple["Usage", bool]:
        """What a call used that could use this much, and whether the server did not tell it."""
        if answer.prompt_tokens is not None and answer.tokens is not None:
            return Usage(answer.prompt_tokens, answer.tokens), False
        return Usage(self.tokens_in, longest or len(answer.text) + len(answer.reasoning)), True


class Ceiling(Protocol):
    """What usage may not pass."""

    def passed_by(self, usage: Usage) -> str:
        """Which ceiling this is over, as ``key=value``; "" for none."""
        ...


class CeilingReached(Exception):
    """The next call could pass the ceiling; holds it as ``key=value``."""


class Budget:
    """What was used, what calls under way hold, and whether another call fits."""

    def __init__(self, ceiling: Ceiling, used: Usage) -> None:
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
