"""The ceiling of what a judgement may use: counted from the server's own figures, and held before each call.

A call holds the most it can use until its answer tells what it did use, so that calls under way together stay under the
ceiling as well. The estimate takes a character of the prompt for a token, which is more than today's tokenizers make of
Chinese or English; where it is too little after all, the ceiling is passed by no more than the calls under way.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from common.records.verdicts import Answer


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
    def of(cls, answers: Iterable[Answer]) -> "Usage":
        """What answers have used."""
        return sum((cls(answer.tokens_in, answer.tokens_out) for answer in answers), cls())


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What may be used in all, earlier runs of the same judgement included.

    Attributes:
        max_tokens_total: of prompts and answers together; None for no ceiling.
        max_cost: in the currency of the prices; None for no ceiling.
        price_in: of a million tokens of prompts.
        price_out: of a million tokens of answers.
    """

    max_tokens_total: int | None = None
    max_cost: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0

    def cost(self, usage: Usage) -> float:
        """In the currency of the prices."""
        return (usage.tokens_in * self.price_in + usage.tokens_out * self.price_out) / 1e6

    def passed_by(self, usage: Usage) -> str:
        """Which ceiling this is over, as ``key=value``; "" for none."""
        if self.max_tokens_total is not None and usage.tokens > self.max_tokens_total:
            return f"max_tokens_total={self.max_tokens_total}"
        if self.max_cost is not None and self.cost(usage) > self.max_cost:
            return f"max_cost={self.max_cost:g}"
        return ""


class CeilingReached(Exception):
    """The next call could pass the ceiling; holds it as ``key=value``."""


class Budget:
    """What was used, what calls under way hold, and whether another call fits."""

    def __init__(self, ceiling: Ceiling, used: Usage) -> None:
        """Start from what earlier runs have used."""
        self.ceiling = ceiling
        self.used = used
        self._held = Usage()
        self._settled = asyncio.Condition()

    async def hold(self, most: Usage) -> None:
        """Hold the most that a call can use, after waiting for calls under way where only their end can make room.

        Raises:
            CeilingReached: it does not fit, and no call is under way that may have held too much.
        """
        async with self._settled:
            while passed := self.ceiling.passed_by(self.used + self._held + most):
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
