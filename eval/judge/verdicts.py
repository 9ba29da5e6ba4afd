"""The file of verdicts: what it answers, whether it can be gone on with, and which questions it has paid for.

``request.json`` beside it says what was asked, a digest a question, so that more questions add to those that are there
and the answers to two requests never mix.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from common.files import set_aside, write_json
from common.records.rankings import Answer, read_answers
from eval.judge.client import JudgeError
from eval.judge.config import JudgeConfig, JudgePrompt
from eval.replies import BlindItem

VERDICTS: Final = "verdicts.jsonl"
REQUEST: Final = "request.json"
TEXTS: Final = "posts_and_replies"


def judge_request(items: Sequence[BlindItem], config: JudgeConfig, prompt: JudgePrompt, seed: int) -> dict[str, Any]:
    """What decides the verdicts, for ``request.json``; texts as sha256, a question at a time.

    The server's address is not among it: the same judge may be served elsewhere the next day. More questions, or fewer,
    are no other request.
    """
    return {
        "judge_model": config.judge_model,
        "request": dict(config.request),
        "structured": config.structured,
        "seed": seed,
        "prompt": prompt.identity,
        "models": sorted({model for item in items for model in item.replies}),
        TEXTS: {
            item.question_id: hashlib.sha256(json.dumps([item.post, item.replies], sort_keys=True).encode()).hexdigest()
            for item in items
        },
    }


def asked_before(folder: Path) -> dict[str, Any]:
    """The request whose verdicts lie in the folder; {} where none do.

    Raises:
        JudgeError: it can't be read.
    """
    path, asked = folder / VERDICTS, folder / REQUEST
    if not path.is_file() or not path.stat().st_size:
        return {}
    try:
        found = json.loads(asked.read_text(encoding="utf-8")) if asked.is_file() else {"": None}
    except ValueError as error:
        raise JudgeError(f"{asked}: {error}, expected what was asked. Begin again with force=true.") from error
    return found if isinstance(found, dict) and found else {"": None}


def check_request(folder: Path, request: Mapping[str, Any]) -> None:
    """The verdicts in the folder are of this request, if there are any.

    Raises:
        JudgeError: they are of another one.
    """
    if not (before := asked_before(folder)):
        return
    texts, had = request.get(TEXTS, {}), before.get(TEXTS, {})
    other = [key for key in request if key != TEXTS and before.get(key) != request[key]]
    if not isinstance(had, dict) or any(had.get(name, digest) != digest for name, digest in texts.items()):
        other.append(TEXTS)
    if other:
        raise JudgeError(
            f"{folder / VERDICTS} holds verdicts of another request; different are: {', '.join(other)}. Move the "
            "folder away to keep them there, or begin again with force=true, which sets them aside by a number."
        )


def open_verdicts(folder: Path, request: Mapping[str, Any], afresh: bool) -> list[Answer]:
    """The answers had so far, none for a new judgement; half a last line is cut off the file.

    Args:
        folder: of VERDICTS and REQUEST.
        request: of `judge_request`.
        afresh: set aside what is there, as ``verdicts.1.jsonl``.

    Raises:
        JudgeError: the verdicts there are of another request.
        FileError: a line is malformed.
    """
    path, asked = folder / VERDICTS, folder / REQUEST
    if afresh and (kept := set_aside(path)):
        set_aside(asked)
        print(f"judge: the verdicts that were there are kept as {kept}.", flush=True)
    check_request(folder, request)
    texts = {**asked_before(folder).get(TEXTS, {}), **request.get(TEXTS, {})}
    write_json(asked, {**request, TEXTS: texts})
    return read_answers(path) if path.is_file() else []


def with_paid(
    drawn: Sequence[BlindItem], everything: Callable[[], Sequence[BlindItem]], first: Sequence[str]
) -> list[BlindItem]:
    """As many items as were drawn, those first that were paid for: another number can draw other questions.

    Args:
        drawn: by the seed.
        everything: all items, asked for where a question of `first` is not drawn.
        first: questions that people have ranked, then those with verdicts.
    """
    names = {item.question_id for item in drawn}
    if names.issuperset(first) or names.issubset(first):
        return list(drawn)
    known = {item.question_id: item for item in everything()}
    order = [*filter(known.__contains__, first), *(item.question_id for item in drawn)]
    return [known[name] for name in dict.fromkeys(order)][: len(drawn)]
