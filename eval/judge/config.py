"""The settings of a judgement."""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from eval.judge.client import LENGTH_KEYS, STRUCTURED

_OURS: Final = ("model", "messages", "response_format", "stream", "n")


@dataclass(frozen=True)
class JudgeConfig:
    """Who judges, how much of it, and within what limits.

    Attributes:
        judge_model: the judge's name on the server (``model`` is every stage's base model).
        base_url: of the OpenAI-compatible server.
        api_key_env: the environment variable that holds the key; "" for a server that asks for none.
        questions: how many are judged at most, drawn by the seed.
        concurrency: calls under way at once.
        attempts: how often a verdict is asked for until it is well-formed.
        structured: "json_schema" to hold the model to the verdict's schema, "none" to ask for JSON in the text, "auto"
            for the first where the server takes it.
        request: further keys of each request, max_tokens or max_completion_tokens among them; null leaves one out.
        timeout_s: longest time of a call, in seconds.
        retries: how often a call that met an outage is made again.
        backoff_s: pause before the first of them, doubled with each, in seconds.
        max_tokens_total: ceiling of tokens in and out, all runs of this judgement together.
        max_cost: ceiling of cost, in the currency of the prices.
        price_in: of a million tokens of prompts.
        price_out: of a million tokens of answers.
    """

    judge_model: str = ""
    base_url: str = "http://127.0.0.1:8000/v1"
    api_key_env: str = ""
    questions: int = 100
    concurrency: int = 8
    attempts: int = 3
    structured: str = "auto"
    request: dict[str, Any] = field(default_factory=lambda: {"temperature": 0, "max_tokens": 512})
    timeout_s: float = 120.0
    retries: int = 6
    backoff_s: float = 1.0
    max_tokens_total: int | None = None
    max_cost: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one out of its range; the message names the key.
        """
        for key in ("questions", "concurrency", "attempts"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key}={getattr(self, key)}: expected 1 or more")
        for key in ("retries", "backoff_s", "price_in", "price_out"):
            if getattr(self, key) < 0:
                raise ValueError(f"{key}={getattr(self, key)}: expected 0 or more")
        for key in ("timeout_s", "max_tokens_total", "max_cost"):
            if getattr(self, key) is not None and getattr(self, key) <= 0:
                raise ValueError(f"{key}={getattr(self, key)}: expected more than 0")
        if self.structured not in STRUCTURED:
            raise ValueError(f"structured={self.structured}: expected {', '.join(STRUCTURED)}")
        if self.max_cost is not None and not self.price_in + self.price_out:
            raise ValueError("max_cost without prices: give price_in and price_out of a million tokens")
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"base_url={self.base_url}: expected e.g. http://127.0.0.1:8000/v1")
        if address.username or address.password or address.query:
            raise ValueError("base_url holds a secret, which would be written down: put it into api_key_env's variable")
        if own := [key for key in _OURS if key in self.request]:
            raise ValueError(f"request.{own[0]}: it is not for the configuration to say")
        lengths = [self.request[key] for key in LENGTH_KEYS if self.request.get(key) is not None]
        if len(lengths) != 1 or not isinstance(lengths[0], int) or lengths[0] < 1:
            raise ValueError(f"request: expected one of {' and '.join(LENGTH_KEYS)} as a number, found {self.request}")
