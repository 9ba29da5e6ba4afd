"""An error in the server's own words, without the prompt's, and what it means for the call.

Servers echo requests: FastAPI's 422 holds the whole input. A person's post must not reach a message or a log so.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from common.chat_server.errors import Passing, Refused, ServerError, Unusable

_PASSING: Final = (408, 409, 425, 429)
_REFUSED: Final = (400, 413, 422, 451)
_LONGEST: Final = 300
# So many characters in a row that the prompt has too are taken for the prompt's.
_ECHO: Final = 6

# As OpenAI, Azure, Gemini, DeepSeek, Zhipu and Alibaba word it.
_FILTER: Final = re.compile(
    r"content.{0,3}(filter|policy|management|exists risk|violation)|safety|moderat|inappropriate|sensitive|"
    r"data.?inspection|prohibited|self.?harm|敏感|违规|不安全|审核|不当内容",
    re.IGNORECASE,
)
_TOO_LONG: Final = re.compile(
    r"context.?(length|window|size)|too long|max(imum)?.?(model|input|prompt).{0,3}len|input.?tokens|"
    r"prompt.{0,20}exceed",
    re.IGNORECASE,
)
_NO_MONEY: Final = re.compile(r"insufficient.?(quota|balance|credit|funds)|余额不足|欠费", re.IGNORECASE)


def error_of(status: int, words: str, sent: Mapping[str, Any], pause_s: float) -> ServerError:
    """What an answer without a completion means.

    Args:
        status: HTTP's, or the one that an error body of status 200 names.
        words: of `words_of`.
        sent: the request.
        pause_s: of `wished_pause`.
    """
    problem = f"HTTP {status}: {words}" if words else f"HTTP {status}"
    # Some gateways filter with 403.
    if status in _REFUSED or (status == 403 and _FILTER.search(words)):
        return Refused(problem, bool(_FILTER.search(words) or _TOO_LONG.search(words)), _named(words, sent))
    if _NO_MONEY.search(words):
        return Unusable(problem)
    if status in _PASSING or status >= 500:
        return Passing(problem, pause_s)
    return Unusable(problem)


def status_of(body: Any) -> int:
    """The HTTP status that an error body names; 400 of a refused prompt, else 503."""
    inner = body.get("error") or body if isinstance(body, dict) else body
    told = [inner.get(key) for key in ("code", "status", "status_code")] if isinstance(inner, dict) else []
    numbers = [int(str(value)) for value in told if re.fullmatch(r"[45]\d\d", str(value))]
    if numbers:
        return numbers[0]
    words = " ".join(map(str, [*told, _told(body)]))
    return 400 if _FILTER.search(words) or _TOO_LONG.search(words) else 503


def words_of(body: Any, text: str, messages: Sequence[Mapping[str, str]]) -> str:
    """What the server says, in one line of at most 300 characters, without what it repeats of the prompt.

    Args:
        body: as JSON, None where it is none.
        text: the same as text.
        messages: the prompt.
    """
    found = _told(body) if body is not None else re.sub(r"<style.*?</style>|<script.*?</script>|<[^>]*>", " ", text)
    line = " ".join(found.split())
    # Cut later than here, so that an echo's start can't hide in what is left.
    line = _without_echo(line[: 4 * _LONGEST], "\n".join(message["content"] for message in messages))
    return line if len(line) <= _LONGEST else line[:_LONGEST] + " …"


def wished_pause(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After header, which may be a number or a date; 0 where there is none."""
    for key, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        if re.fullmatch(r"\s*\d+(\.\d+)?\s*", headers.get(key, "")):
            return float(headers[key]) / unit
    try:
        when = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return 0.0
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _told(found: Any, depth: int = 0) -> str:
    """The parts of an error body that are meant for people; never ``input``, which holds the request."""
    if isinstance(found, str):
        return found
    if depth > 4:
        return ""
    if isinstance(found, list):
        return "; ".join(filter(None, (_told(part, depth + 1) for part in found[:3])))
    if not isinstance(found, dict):
        return ""
    for key in ("error", "errors", "detail", "message", "msg", "error_msg"):
        if words := _told(found.get(key), depth + 1):
            break
    else:
        return ""
    place = found.get("loc")
    where = ".".join(map(str, place)) + ": " if isinstance(place, list) else ""
    more = [f"{key}={found[key]}" for key in ("code", "type", "param") if isinstance(found.get(key), str | int)]
    return f"{where}{words}" + (f" ({', '.join(more)})" if more else "")


def _named(words: str, sent: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of the request that the error names; the prompt itself is none of the settings."""
    own = [key for key in sent if key not in ("messages", "stream")]
    return tuple(key for key in own if re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", words))


def _without_echo(line: str, prompt: str) -> str:
    # Of Latin letters and digits many words are in both; a run of Chinese is a quotation.
    echoed = [False] * len(line)
    for start in range(len(line) - _ECHO + 1):
        part = line[start : start + _ECHO]
        if part in prompt and sum(char > "\u2e80" for char in part) >= _ECHO // 2:
            echoed[start : start + _ECHO] = [True] * _ECHO
    return re.sub("\0+", "[…]", "".join("\0" if gone else char for char, gone in zip(line, echoed, strict=True)))
