"""Replies of one model to the test prompts, from an OpenAI-compatible server.

    python -m eval.generation.endpoint request.json

Each reply is written as it comes, and the same command goes on after a kill or an outage. A prompt that the server
refuses, by a content filter for instance, is written as a reply without text, with the server's words in ``refusal``.
Reasoning that a server returns apart from the reply is left out. No seed is sent unless ``sampling.seed`` holds one: it
ends vLLM's CPU engine, and few servers keep what it promises.
"""

import asyncio
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from common.chat_server import ChatServer, Completion, Refused, Run, ServerError, ServerSettings, ask_all, read_key
from common.errors import StageError
from common.files import FileError, set_aside
from common.records.replies import Reply, append_replies, unfinished_replies, write_replies
from eval.generation.request import GenerationRequest

Call = tuple[dict[Any, Any], int]


async def generate(request: GenerationRequest) -> None:
    """Write the replies that are not there yet.

    Raises:
        StageError: no key in the environment, or the server is not well; the message holds its own words.
    """
    path = Path(request.replies)
    rows = pd.read_parquet(request.test).to_dict("records")
    asked = {(str(row["id"]), sample): row for row in rows for sample in range(request.samples)}
    replies = _begin(path, asked)
    done = {(reply.question_id, reply.sample) for reply in replies}
    calls = [(row, sample) for (name, sample), row in asked.items() if (name, sample) not in done]
    if not calls:
        return
    settings = ServerSettings(
        request.base_url,
        request.model,
        read_key(request.api_key_env, f"{request.model} on {request.base_url}"),
        timeout_s=request.timeout_s,
        retries=request.retries,
        backoff_s=request.backoff_s,
        longest_pause_s=request.longest_pause_s,
        stream=request.stream,
    )
    run = Run(answered_before=any(not reply.refusal for reply in replies))
    with tqdm(total=len(asked), initial=len(done), desc="generate", unit="reply") as bar:

        def write(reply: Reply) -> None:
            append_replies(path, [reply])
            bar.update()

        async with ChatServer(settings) as server:

            async def ask(call: Call) -> None:
                row, sample = call
                try:
                    answer = await server.complete(request.messages(row), _keys(request, sample))
                except Refused as refused:
                    words = Reply(row["id"], sample, "", finish_reason="refused", refusal=str(refused))
                    run.refuse(refused, row["id"], lambda: write(words))
                else:
                    write(_reply(row["id"], sample, answer))
                    run.answer()

            try:
                await ask_all(run, calls, ask, lambda call: str(call[0]["id"]), request.concurrency)
            except ServerError as error:
                missing = len(asked) - len(unfinished_replies(path))
                raise StageError(
                    f"{request.base_url}: {error}. {missing} of {len(asked)} replies are missing; {path} keeps the "
                    f"others. {remedy(str(error))}Run the same again."
                ) from error


def remedy(words: str) -> str:
    """What to change where the server's words name a key of the request; "" where they name none."""
    if "max_completion_tokens" in words and "max_tokens" in words:
        return "Set sampling.max_completion_tokens of the model's entry, which then replaces max_tokens. "
    for key in ("seed", "max_tokens", "temperature", "top_p", "stream_options"):
        if key in words:
            return f"Leave the key out by sampling.{key}=null of the model's entry. "
    return ""


def _begin(path: Path, asked: Mapping[tuple[str, int], Any]) -> list[Reply]:
    """The replies there that are asked for; the others are set aside, and half a last line is cut off."""
    there = unfinished_replies(path)
    kept = [reply for reply in there if (reply.question_id, reply.sample) in asked]
    if len(kept) < len(there):
        set_aside(path)
    write_replies(path, kept)
    return kept


def _keys(request: GenerationRequest, sample: int) -> dict[str, Any]:
    keys = dict(request.sampling)
    if keys.get("seed") is not None:
        keys["seed"] += sample
    if keys.get("max_completion_tokens") is not None:
        keys["max_tokens"] = None
    return keys | ({"chat_template_kwargs": request.template_kwargs} if request.template_kwargs else {})


def _reply(question_id: str, sample: int, answer: Completion) -> Reply:
    # Of a reply that a filter took, the rest is no reply; a refusal by the model may come with its text.
    text = "" if answer.filtered else answer.text
    return Reply(
        question_id,
        sample,
        text,
        answer.prompt_tokens or 0,
        answer.tokens or 0,
        not answer.cut,
        answer.finish_reason,
        "" if text else answer.refusal,
    )


if __name__ == "__main__":
    # Each further try is a line, so that the watchdog sees that a call with long pauses is alive.
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        asyncio.run(generate(GenerationRequest.read(Path(sys.argv[1]))))
    except (FileError, StageError) as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
