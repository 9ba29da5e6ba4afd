"""The keys by which a stage asks a chat server, with their checks: who, how patiently, and within what ceiling."""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from common.chat_server.budget import Usage
from common.chat_server.client import ServerSettings
from common.settings import check, limited

# By which of them a request says how long an answer may be differs between servers.
LENGTH_KEYS: Final = ("max_tokens", "max_completion_tokens")
_OURS: Final = ("model", "messages", "response_format", "stream", "n")


@dataclass(frozen=True)
class ServerKeys:
    """How a server is asked.

    Attributes:
        base_url: of the OpenAI-compatible server, ending with /v1 as a rule.
        api_key_env: the environment variable that holds the key; "" for a server that asks for none.
        concurrency: calls under way at once.
        requests_per_minute: calls that are begun in a minute at most; None for no limit.
        request: further keys of each request's body; null leaves one out. A ceiling needs one of LENGTH_KEYS. A seed
            is sent only where it is given here: it ends vLLM's CPU engine.
        timeout_s: longest time of a call, in seconds.
        retries: how often a call that met an outage is made again.
        backoff_s: pause before the first of them, doubled with each, in seconds.
        longest_pause_s: longest of these pauses, and of those that a server asks for.
        stream: have answers sent piece by piece, for proxies that cut silent connections.
        max_tokens_total: ceiling of tokens in and out, all runs with one result together; None for no ceiling.
        max_cost: ceiling of cost, in the currency of the prices; None for no ceiling.
        price_in: of a million tokens of prompts.
        price_out: of a million tokens of answers.
    """

    base_url: str = "http://127.0.0.1:8000/v1"
    api_key_env: str | None = ""
    concurrency: int = limited(8, 1)
    requests_per_minute: float | None = limited(None, 0.1)
    request: dict[str, Any] = field(default_factory=lambda: {"temperature": 0, "max_tokens": 512})
    timeout_s: float = limited(120.0, 0)
    retries: int = limited(6, 0)
    backoff_s: float = limited(1.0, 0)
    longest_pause_s: float = limited(60.0, 0)
    stream: bool = False
    max_tokens_total: int | None = limited(None, 1)
    max_cost: float | None = limited(None, 0)
    price_in: float = limited(0.0, 0)
    price_out: float = limited(0.0, 0)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one out of its range; the message names the key.
        """
        check(self)
        if none := [key for key in ("timeout_s", "max_cost") if getattr(self, key) == 0]:
            raise ValueError(f"{none[0]}={getattr(self, none[0])}: expected more than 0")
        if self.max_cost is not None and not self.price_in + self.price_out:
            raise ValueError("max_cost without prices: give price_in and price_out of a million tokens")
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"base_url={self.base_url}: expected e.g. http://127.0.0.1:8000/v1")
        if address.username or address.password or address.query:
            raise ValueError("base_url holds a secret, which would be written down: put it into api_key_env's variable")
        if own := [key for key in _OURS if key in self.request]:
            raise ValueError(f"request.{own[0]}: it is not for the configuration to say")
        lengths, ceiling = self._lengths(), self.max_tokens_total is not None or self.max_cost is not None
        if len(lengths) > 1 or any(type(length) is not int or length < 1 for length in lengths):
            raise ValueError(f"request: expected one of {' and '.join(LENGTH_KEYS)} as a number, found {self.request}")
        if ceiling and not lengths:
            raise ValueError(f"request: a ceiling needs one of {' and '.join(LENGTH_KEYS)}, found {self.request}")
        if self.request.get("seed") is not None and type(self.request["seed"]) is not int:
            raise ValueError(f"request.seed={self.request['seed']}: expected a whole number, or null for none")

    @property
    def longest_answer(self) -> int | None:
        """In tokens; None where the server decides."""
        return int(lengths[0]) if (lengths := self._lengths()) else None

    @property
    def length_key(self) -> str:
        """Which key says how long an answer may be, as the command line has it."""
        return f"request.{next((key for key in LENGTH_KEYS if self.request.get(key) is not None), LENGTH_KEYS[0])}"

    def cost(self, usage: Usage) -> float:
        """In the currency of the prices."""
        return (usage.tokens_in * self.price_in + usage.tokens_out * self.price_out) / 1e6

    def passed_by(self, usage: Usage) -> str:
        """Which ceiling this is over, earlier runs with the same result included, as ``key=value``; "" for none."""
        if self.max_tokens_total is not None and usage.tokens > self.max_tokens_total:
            return f"max_tokens_total={self.max_tokens_total}"
        over = self.max_cost is not None and self.cost(usage) > self.max_cost
        return f"max_cost={self.max_cost:g}" if over else ""

    def settings(self, model: str, key: str) -> ServerSettings:
        """The client's settings for a model.

        Args:
            key: the server's.
        """
        return ServerSettings(
            self.base_url,
            model,
            key,
            timeout_s=self.timeout_s,
            retries=self.retries,
            backoff_s=self.backoff_s,
            longest_pause_s=self.longest_pause_s,
            stream=self.stream,
            requests_per_minute=self.requests_per_minute,
        )

    def request_of(self, attempt: int) -> dict[str, Any]:
        """The further keys of a request; each attempt, from 1, takes the next seed where one is given."""
        keys = dict(self.request)
        if keys.get("seed") is not None:
            keys["seed"] += attempt - 1
        return keys

    def _lengths(self) -> list[Any]:
        return [self.request[key] for key in LENGTH_KEYS if self.request.get(key) is not None]
