"""What the judge is asked, by which settings and within what ceiling, and how its answer is read.

The post and the replies stand between separators that carry a number which no writer of a reply could know, so that a
reply can't end its own block; the instructions say that nothing inside them is to be followed. An answer counts only
when it is exactly the object asked for: a guess at what a malformed one meant would be a verdict nobody gave.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from importlib.resources import files
from string import Template
from typing import Any, Final

import yaml

from common.chat_server.keys import ServerKeys
from common.records.rankings import CHOICES, KEYS, Choice, VerdictError, check_verdict, excerpt
from common.settings import limited, one_of

# Whether the server holds the model to the verdict's schema; auto asks for it and does without where it is refused.
STRUCTURED: Final = ("auto", "json_schema", "none")


@dataclass(frozen=True)
class JudgeConfig(ServerKeys):
    """Who judges, and how much of it; how the server is asked, `ServerKeys` says.

    Attributes:
        judge_model: the judge's name on the server (``model`` is every stage's base model).
        questions: how many are judged at most, drawn by the seed.
        test_set: of which test set; "" for the first, the corpus's own.
        attempts: how often a verdict is asked for until it is well-formed.
        structured: "json_schema" to hold the model to the verdict's schema, "none" to ask for JSON in the text, "auto"
            for the first where the server takes it.
    """

    judge_model: str = ""
    questions: int = limited(100, 1)
    test_set: str = ""
    attempts: int = limited(3, 1)
    structured: str = field(default="auto", metadata=one_of(STRUCTURED))


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
