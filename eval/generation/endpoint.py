"""Replies of one model to the test prompts, from an OpenAI-compatible server.

    python -m eval.generation.endpoint request.json

Each reply is written as it comes. A call that fails is made again with growing pauses; when that does not help the run
ends, keeps what it has, and the same command goes on from there. Reasoning that a server returns apart from the reply
(``reasoning_content`` of DeepSeek's, ``reasoning`` of vLLM's) is left out.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

import pandas as pd
from openai import AsyncOpenAI, OpenAIError
from tqdm import tqdm

from common.errors import StageError
from common.records.replies import Reply, append_replies, unfinished_replies, write_replies
from eval.generation.request import GenerationRequest

# Sampling keys that are no part of OpenAI's interface; vLLM's server takes them beside it.
_SERVERS_OWN = ("top_k", "min_p", "repetition_penalty", "chat_template_kwargs")


async def generate(request: GenerationRequest) -> None:
    """Write the replies that are not there yet.

    Raises:
        StageError: no key in the environment, or a call failed for good.
    """
    key = os.environ.get(request.api_key_env, "") if request.api_key_env else "none"
    if not key:
        raise StageError(f"{request.api_key_env} is not set: {request.model} on {request.base_url} needs its key there")
    path = Path(request.replies)
    replies = unfinished_replies(path)
    write_replies(path, replies)
    done = {(reply.question_id, reply.sample) for reply in replies}
    rows = pd.read_parquet(request.test).to_dict("records")
    calls = [(row, sample) for row in rows for sample in range(request.samples) if (row["id"], sample) not in done]
    turns = asyncio.Semaphore(request.concurrency)
    client = AsyncOpenAI(
        base_url=request.base_url, api_key=key, max_retries=request.attempts - 1, timeout=request.timeout_s
    )
    with tqdm(total=len(rows) * request.samples, initial=len(done), desc="generate", unit="reply") as bar:

        async def ask(row: dict[Any, Any], sample: int) -> None:
            async with turns:
                append_replies(path, [await _reply(client, request, row, sample)])
                bar.update()

        tasks = [asyncio.create_task(ask(row, sample)) for row, sample in calls]
        try:
            await asyncio.gather(*tasks)
        except OpenAIError as error:
            raise StageError(
                f"{request.base_url}: {type(error).__name__}: {error}. What came is in {path}; run the same again."
            ) from error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await client.close()


async def _reply(client: AsyncOpenAI, request: GenerationRequest, row: dict[Any, Any], sample: int) -> Reply:
    sampling: dict[str, Any] = dict(request.sampling)
    template = {"chat_template_kwargs": request.template_kwargs} if request.template_kwargs else {}
    extra = {name: sampling.pop(name) for name in _SERVERS_OWN if name in sampling} | template
    answer = await client.chat.completions.create(
        model=request.model,
        messages=cast(Any, request.messages(row)),
        seed=request.seed + sample,
        extra_body=extra,
        **sampling,
    )
    choice, usage = answer.choices[0], answer.usage
    return Reply(
        row["id"],
        sample,
        choice.message.content or "",
        usage.prompt_tokens if usage else 0,
        usage.completion_tokens if usage else 0,
        choice.finish_reason == "stop",
    )


if __name__ == "__main__":
    try:
        asyncio.run(generate(GenerationRequest.read(Path(sys.argv[1]))))
    except StageError as failure:
        sys.exit(f"error: {failure}")
