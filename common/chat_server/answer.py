"""Reading a completion: whole, or from the pieces of a stream. Nothing about a server's answer is taken for granted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from common.chat_server.errors import Passing
from common.chat_server.words import status_of

# The server broke off by itself: DeepSeek's, vLLM's, OpenRouter's word for it.
_BROKEN_OFF: Final = ("error", "abort", "insufficient_system_resource")
_CUT: Final = ("length", "max_tokens", "model_length")


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event of a stream adds to the reply and to the reasoning before it."""

    text: str
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of a model.

    Attributes:
        text: the reply; "" where the model wrote none.
        reasoning: what the server returns apart from it.
        finish_reason: in the server's words; "" where it does not say.
        refusal: why the model or a filter gives no reply; "" where none does.
        prompt_tokens: by the server's count, None where it does not say; `tokens` of the output likewise.
    """

    text: str
    reasoning: str = ""
    finish_reason: str = ""
    refusal: str = ""
    prompt_tokens: int | None = None
    tokens: int | None = None

    @property
    def cut(self) -> bool:
        """Whether it ended at the limit of tokens."""
        return self.finish_reason in _CUT

    @property
    def filtered(self) -> bool:
        """Whether a filter of the server took it."""
        return self.finish_reason == "content_filter"


class ErrorBody(Exception):
    """An answer of status 200 that holds an error; `status` is the one that it names."""

    def __init__(self, body: Any) -> None:
        """Keep the body, whose words are read where the prompt is known."""
        super().__init__()
        self.body = body
        self.status = status_of(body)


def parse(content: bytes) -> Any:
    """JSON of an answer, after blank lines and comments that keep a connection alive.

    Raises:
        Passing: none, half of one, or not UTF-8.
    """
    lines = content.split(b"\n")
    while lines and (not lines[0].strip() or lines[0].startswith(b":")):
        lines.pop(0)
    if not lines:
        raise Passing("an empty answer")
    try:
        return json.loads(b"\n".join(lines).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Passing("an answer that is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise Passing("an answer that is not JSON, or half of it") from error


def read_completion(body: Any) -> Completion:
    """The completion of a whole answer.

    Raises:
        ErrorBody: it is an error.
        Passing: it is neither.
    """
    assembly = Assembly()
    assembly.add(body, "message")
    return assembly.completion(ended=True)


@dataclass
class Assembly:
    """A completion as its parts come in."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    finish_reason: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    begun: bool = False

    def add(self, body: Any, part: str) -> Piece:
        """Take in an answer or one event of a stream.

        Args:
            body: as JSON.
            part: "message" of a whole answer, "delta" of an event.

        Raises:
            ErrorBody: it is an error.
            Passing: it is no part of a completion.
        """
        if not isinstance(body, dict):
            raise Passing(f"JSON that is no chat completion but a {type(body).__name__}")
        choices = body.get("choices")
        # A stream's last event may hold the usage alone.
        if isinstance(body.get("usage"), dict):
            self.usage = body["usage"]
        if body.get("error") or (choices is None and "choices" not in body and "usage" not in body):
            raise ErrorBody(body)
        if not choices and part == "delta":
            return Piece("")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise Passing("a completion without choices", empty=True)
        choice = choices[0]
        if choice.get("error"):
            raise ErrorBody(choice)
        if isinstance(reason := choice.get("finish_reason"), str) and reason:
            self.finish_reason = reason
        message = choice.get(part)
        if not isinstance(message, dict):
            if part == "delta" or self.finish_reason == "content_filter":
                return Piece("")
            raise Passing("a completion without a message", empty=True)
        self.begun = True
        return self._add(message)

    def _add(self, message: Mapping[str, Any]) -> Piece:
        text, thoughts = _texts(message.get("content"))
        # DeepSeek's name of it, vLLM's and OpenRouter's; some send both.
        reasoning = _text(message.get("reasoning_content")) or _text(message.get("reasoning")) or thoughts
        self.text.append(text)
        self.reasoning.append(reasoning)
        self.refusal.append(_text(message.get("refusal")))
        return Piece(whole_characters(text), whole_characters(reasoning))

    def completion(self, ended: bool) -> Completion:
        """What came.

        Args:
            ended: the server has said that this is all.

        Raises:
            Passing: the server broke off.
        """
        if self.finish_reason in _BROKEN_OFF:
            raise Passing(f"a reply that the server broke off (finish_reason {self.finish_reason})")
        if not ended and not self.finish_reason:
            raise Passing("a stream that was cut before its end")
        if not self.begun and self.finish_reason != "content_filter":
            raise Passing("a stream without a reply", empty=True)
        filtered = "content_filter" if self.finish_reason == "content_filter" else ""
        return Completion(
            whole_characters("".join(self.text)),
            whole_characters("".join(self.reasoning)),
            self.finish_reason,
            whole_characters("".join(self.refusal)) or filtered,
            _count(self.usage.get("prompt_tokens")),
            _count(self.usage.get("completion_tokens")),
        )


def whole_characters(text: str) -> str:
    """The text with halves of a character joined or replaced: JSON can hold one alone, a UTF-8 file can't."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _texts(content: Any) -> tuple[str, str]:
    """Reply and reasoning of a message's content, which may be a list of parts.

    Raises:
        Passing: another type.
    """
    if not isinstance(content, list):
        if content is not None and not isinstance(content, str):
            raise Passing(f"a completion whose content is a {type(content).__name__}", empty=True)
        return content or "", ""
    parts = [part if isinstance(part, dict) else {"text": part} for part in content]
    return (
        "".join(_text(part.get("text")) for part in parts if part.get("type", "text") in ("text", "output_text")),
        "".join(_text(part.get("thinking")) or _text(part.get("reasoning")) for part in parts),
    )


def _text(found: Any) -> str:
    """A text, also one in parts; "" of anything else."""
    if isinstance(found, list):
        return "".join(_text(part.get("text") if isinstance(part, dict) else part) for part in found)
    return found if isinstance(found, str) else ""


def _count(found: Any) -> int | None:
    return found if type(found) is int and found >= 0 else None
