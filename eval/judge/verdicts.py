"""What the judge is asked, so that a run can go on with the answers it has and never mixes two requests."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from common.files import write_json
from common.records.verdicts import Answer, Comparison, read_answers
from eval.blind import BlindItem
from eval.judge.client import JudgeError, JudgeServer
from eval.judge.prompt import JudgePrompt

VERDICTS: Final = "verdicts.jsonl"
REQUEST: Final = "request.json"


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
        JudgeError: the verdicts there are of another request.
        FileError: a line is malformed.
    """
    path, asked = folder / VERDICTS, folder / REQUEST
    if afresh:
        path.unlink(missing_ok=True)
    if not path.is_file() or not path.stat().st_size:
        write_json(asked, request)
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
    return read_answers(path)
