"""The judge's file: a line for every answer, and what was asked, so that a run can go on and never mixes two requests.

Malformed answers stand there too: they count as attempts, and what they used was paid for.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from common.files import write_text
from eval.judge.budget import Usage
from eval.judge.client import JudgeError, JudgeServer
from eval.judge.prompt import Choice, JudgePrompt, VerdictError, parse_verdict
from eval.rankings import BlindItem

VERDICTS: Final = "verdicts.jsonl"
REQUEST: Final = "request.json"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models' replies to one question, in the order in which the judge reads them."""

    question_id: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the judge, a line of the file.

    Attributes:
        question_id: of which question.
        first: the model whose reply was A.
        second: the model whose reply was B.
        attempt: which answer to this comparison, from 1.
        verdict: a choice for each of `eval.judge.prompt.KEYS`; None of a malformed answer.
        problem: what is wrong with a malformed answer; "" of others.
        structured: whether the model was held to the schema.
        tokens_in: of the prompt.
        tokens_out: of the answer.
    """

    question_id: str
    first: str
    second: str
    attempt: int
    verdict: dict[str, Choice] | None
    problem: str
    structured: bool
    tokens_in: int
    tokens_out: int

    @property
    def comparison(self) -> Comparison:
        """What it answers."""
        return Comparison(self.question_id, self.first, self.second)

    @property
    def usage(self) -> Usage:
        """What it used."""
        return Usage(self.tokens_in, self.tokens_out)


def comparisons(items: Sequence[BlindItem]) -> list[Comparison]:
    """Every pair of models of every question, both ways round; a question's stand together."""
    return [
        Comparison(item.question_id, *order)
        for item in items
        for pair in combinations(sorted(item.replies), 2)
        for order in (pair, pair[::-1])
    ]


def judge_request(items: Sequence[BlindItem], server: JudgeServer, prompt: JudgePrompt, seed: int) -> dict[str, Any]:
    """What decides the verdicts, for ``request.json``; texts as sha256.

    The server's address is not among it: the same judge may be served elsewhere the next day.
    """
    texts = json.dumps([[item.question_id, item.post, item.replies] for item in items], sort_keys=True)
    return {
        "judge_model": server.model,
        "request": dict(server.request),
        "structured": server.structured,
        "seed": seed,
        "prompt": prompt.identity,
        "models": sorted({model for item in items for model in item.replies}),
        "questions": len(items),
        "posts_and_replies": hashlib.sha256(texts.encode()).hexdigest(),
    }


def open_verdicts(folder: Path, request: Mapping[str, Any], afresh: bool) -> list[Answer]:
    """The answers had so far, none for a new judgement; half a last line is cut off the file.

    Args:
        folder: of VERDICTS and REQUEST.
        request: of `judge_request`.
        afresh: remove what is there.

    Raises:
        JudgeError: the verdicts there are of another request, or a line is malformed.
    """
    path, asked = folder / VERDICTS, folder / REQUEST
    if afresh:
        path.unlink(missing_ok=True)
    if not path.is_file() or not path.stat().st_size:
        write_text(asked, json.dumps(dict(request), ensure_ascii=False, indent=2) + "\n")
        return []
    try:
        before = json.loads(asked.read_text(encoding="utf-8")) if asked.is_file() else {}
    except ValueError as error:
        raise JudgeError(f"{asked}: {error}, expected what was asked. Begin again with force=true.") from error
    if other := [key for key in request if before.get(key) != request[key]]:
        raise JudgeError(
            f"{path} holds verdicts of another request; different are: {', '.join(other)}. Move the folder away to "
            "keep them, or begin again with force=true, which removes them."
        )
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        path.write_bytes(content[: content.rfind(b"\n") + 1])
    return list(_answers(path))


def _answers(path: Path) -> Iterator[Answer]:
    seen: set[tuple[Comparison, int]] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")[:-1], start=1):
        try:
            answer = Answer(**json.loads(line))
            if answer.verdict is not None:
                parse_verdict(json.dumps(answer.verdict))
            key = (answer.comparison, answer.attempt)
        except (json.JSONDecodeError, TypeError, VerdictError) as error:
            raise JudgeError(f"{path}:{number}: {error}, expected an answer of the judge. Remove the line.") from error
        if key in seen:
            raise JudgeError(f"{path}:{number}: this attempt stands there twice. Two runs at once? Remove the line.")
        seen.add(key)
        yield answer
