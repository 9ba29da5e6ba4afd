"""What the judge is asked, by which settings and within what ceiling, and how its answer is read.

The post and the replies stand between separators that carry a number which no writer of a reply could know, so that a
reply can't end its own block; the instructions say that nothing inside them is to be followed. An answer counts only
when it is exactly the object asked for: a guess at what a malformed one meant would be a verdict nobody gave.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.resources import files
from string import Template
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from common.records.rankings import CHOICES, KEYS, Answer, Choice, VerdictError, check_verdict, excerpt
from common.settings import check, limited, one_of

# Whether the server holds the model to the verdict's schema; auto asks for it and does without where it is refused.
STRUCTURED: Final = ("auto", "json_schema", "none")
# By which of them a request says how long an answer may be differs between servers.
LENGTH_KEYS: Final = ("max_tokens", "max_completion_tokens")
_OURS: Final = ("model", "messages", "response_format", "stream", "n")


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


@dataclass(frozen=True)
class JudgeConfig:
    """Who judges, how much of it, and within what limits.

    Attributes:
        judge_model: the judge's name on the server (``model`` is every stage's base model).
        base_url: of the OpenAI-compatible server, ending with /v1 as a rule.
        api_key_env: the environment variable that holds the key; "" for a server that asks for none.
        questions: how many are judged at most, drawn by the seed.
        test_set: of which test set; "" for the first, the corpus's own.
        concurrency: calls under way at once.
        attempts: how often a verdict is asked for until it is well-formed.
        structured: "json_schema" to hold the model to the verdict's schema, "none" to ask for JSON in the text, "auto"
            for the first where the server takes it.
        request: further keys of each request's body; null leaves one out. A ceiling needs one of LENGTH_KEYS. A seed
            is sent only where it is given here: it ends vLLM's CPU engine.
        timeout_s: longest time of a call, in seconds.
        retries: how often a call that met an outage is made again.
        backoff_s: pause before the first of them, doubled with each, in seconds.
        longest_pause_s: longest of these pauses, and of those that a server asks for.
        stream: have answers sent piece by piece, for proxies that cut silent connections.
        max_tokens_total: ceiling of tokens in and out, all runs of this judgement together; None for no ceiling.
        max_cost: ceiling of cost, in the currency of the prices; None for no ceiling.
        price_in: of a million tokens of prompts.
        price_out: of a million tokens of answers.
    """

    judge_model: str = ""
    base_url: str = "http://127.0.0.1:8000/v1"
    api_key_env: str = ""
    questions: int = limited(100, 1)
    test_set: str = ""
    concurrency: int = limited(8, 1)
    attempts: int = limited(3, 1)
    structured: str = field(default="auto", metadata=one_of(STRUCTURED))
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
        """Which ceiling this is over, earlier runs of the same judgement included, as ``key=value``; "" for none."""
        if self.max_tokens_total is not None and usage.tokens > self.max_tokens_total:
            return f"max_tokens_total={self.max_tokens_total}"
        over = self.max_cost is not None and self.cost(usage) > self.max_cost
        return f"max_cost={self.max_cost:g}" if over else ""

    def _lengths(self) -> list[Any]:
        return [self.request[key] for key in LENGTH_KEYS if self.request.get(key) is not None]


# `response_format` of a request, for servers that hold a model to a schema.
SCHEMA: Final[dict[str, Any]] = {
    "type": "json_schema",
    "json_schema": {
        "name": "verdict",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {key: {"type": "string", "enum": list(CHOICES)} for key in KEYS},
            "required": list(KEYS),
            "additionalProperties": False,
        },
    },
}

# Up to the last end of a block: the opening tag may stand in the prompt, as DeepSeek-R1's does.
_THOUGHTS: Final = re.compile(r"\A.*</think>", re.DOTALL)
_BLOCK: Final = re.compile(r"```(?:json)?[ \t]*\n((?:(?!```).)*)\n[ \t]*```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    """The texts of ``prompt.zh.yaml``.

    Attributes:
        system: the criteria and the rules.
        user: the frame around one post and two replies.
        reminder: what is added when an answer was malformed.
    """

    system: Template
    user: Template
    reminder: Template

    @classmethod
    def read(cls) -> "JudgePrompt":
        """The prompt shipped with the project."""
        texts = yaml.safe_load(files("eval.judge").joinpath("prompt.zh.yaml").read_text(encoding="utf-8"))
        return cls(**{name: Template(text) for name, text in texts.items()})

    @property
    def identity(self) -> str:
        """Sha256 of the texts: verdicts under another prompt are other verdicts."""
        texts = "\0".join(text.template for text in (self.system, self.user, self.reminder))
        return hashlib.sha256(texts.encode()).hexdigest()

    def messages(self, post: str, reply_a: str, reply_b: str, remind: bool) -> list[dict[str, str]]:
        """The chat of one comparison.

        Args:
            post: what was asked.
            reply_a: the reply shown first.
            reply_b: the reply shown second.
            remind: whether an answer before was malformed.
        """
        # Not random, so that the same comparison is the same request.
        fence = hashlib.sha256("\0".join((post, reply_a, reply_b)).encode()).hexdigest()[:12]
        values = {"fence": fence, "post": post, "reply_a": reply_a, "reply_b": reply_b, "keys": ", ".join(KEYS)}
        user = self.user.substitute(values) + (self.reminder.substitute(values) if remind else "")
        return [
            {"role": "system", "content": self.system.substitute(values)},
            {"role": "user", "content": user},
        ]


def parse_verdict(text: str) -> dict[str, Choice]:
    """The choice for each of KEYS.

    Thoughts before it are taken off. It is the whole rest, or stands in its one Markdown code block; a choice told in
    words is none. Upper and lower case are one, further keys are passed over.

    Raises:
        VerdictError: no such object: other text, a key missing or twice, another value, or several code blocks.
    """
    body = _THOUGHTS.sub("", text).strip()
    if len(blocks := _BLOCK.findall(body)) == 1:
        body = blocks[0]
    try:
        found = json.loads(body, object_pairs_hook=_each_key_once)
    except (json.JSONDecodeError, RecursionError) as error:
        raise VerdictError(f"not JSON ({error}): {excerpt(body)}") from error
    if not isinstance(found, dict):
        return check_verdict(found)
    known = {choice.lower(): choice for choice in CHOICES}
    own = {key: found[key] for key in KEYS if key in found}
    return check_verdict({key: known.get(str(value).strip().lower(), value) for key, value in own.items()})


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise VerdictError(f"a key stands there twice: {excerpt(repr(pairs))}")
    return dict(pairs)
