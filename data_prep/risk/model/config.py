"""The keys of `make data` that name a risk tagger. Nothing heavy is imported here: later stages read them too."""

from dataclasses import dataclass, field, fields
from typing import Any, Final
from urllib.parse import urlsplit

from common.records.risk import LEVELS
from common.settings import check, limited, one_of

# Who tags: the rules with a linear model over wordings, the rules alone, a Hugging Face text classifier, a chat server.
TAGGERS: Final = ("wording", "rules", "classifier", "server")
# Those that need no model named.
OWN: Final = ("wording", "rules")

# Keys that change how the work is done and nothing of its result.
_HOW_IT_RUNS: Final = (
    "base_url",
    "api_key_env",
    "concurrency",
    "timeout_s",
    "retries",
    "backoff_s",
    "longest_pause_s",
    "stream",
)


@dataclass(frozen=True, slots=True)
class RiskTaggerConfig:
    """Who tags the posts, and how it is asked.

    Attributes:
        tagger: one of ``TAGGERS``.
        model: the classifier's folder or hub id, or the model's name on the server.
        labels: the classifier's labels and the level of each; those that are called like a level need none.
        base_url: of the OpenAI-compatible server, ending with /v1 as a rule.
        api_key_env: the environment variable that holds the key; "" for a server that asks for none.
        request: further keys of each request's body; null leaves one out.
        attempts: how often a post is asked about until the answer can be read.
        concurrency: calls under way at once.
        timeout_s: longest time of a call, in seconds.
        retries: how often a call that met an outage is made again.
        backoff_s: pause before the first of them, doubled with each, in seconds.
        longest_pause_s: longest of these pauses, and of those that a server asks for.
        stream: have answers sent piece by piece, for proxies that cut silent connections.
    """

    tagger: str = field(default="wording", metadata=one_of(TAGGERS))
    model: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    base_url: str = "http://127.0.0.1:8000/v1"
    api_key_env: str = ""
    request: dict[str, Any] = field(default_factory=lambda: {"temperature": 0, "max_tokens": 256})
    attempts: int = limited(3, 1)
    concurrency: int = limited(8, 1)
    timeout_s: float = limited(120.0, 0.001)
    retries: int = limited(6, 0)
    backoff_s: float = limited(1.0, 0)
    longest_pause_s: float = limited(60.0, 0)
    stream: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one out of its range; the message names the key.
        """
        try:
            check(self)
        except ValueError as error:
            raise ValueError(f"risk.{error}") from error
        if self.tagger not in OWN and not self.model:
            raise ValueError(f"risk.tagger={self.tagger} without a model. Name it: risk.model=…")
        if self.tagger in OWN and self.model:
            raise ValueError(f"risk.model={self.model}, but the rules tag. Say who shall: risk.tagger=server …")
        if unknown := sorted(set(self.labels.values()) - set(LEVELS)):
            raise ValueError(f"risk.labels: level {unknown[0]!r}, expected one of {', '.join(LEVELS)}.")
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"risk.base_url={self.base_url}: expected e.g. http://127.0.0.1:8000/v1")
        if address.username or address.password or address.query:
            raise ValueError("risk.base_url holds a secret, which would be written down: use risk.api_key_env.")
        if own := sorted({"model", "messages", "stream", "n"} & set(self.request)):
            raise ValueError(f"risk.request.{own[0]}: it is not for the configuration to say.")

    def decisive(self) -> dict[str, object]:
        """The keys that the result depends on."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name not in _HOW_IT_RUNS}
