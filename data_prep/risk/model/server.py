"""Asks a chat server for the risk of posts, through the project's one client.

The post stands between separators with a number that its writer could not know, and an answer counts only when it is
exactly the object asked for. A post that the server refuses (content filters stop what speaks of suicide) is kept as
refused: `data_prep.risk.model.tag` then leaves it to a person.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template

import yaml
from pydantic import ValidationError
from tqdm import tqdm

from common.chat_server import ChatServer, Refused, Run, ServerError, ServerSettings, ask_all, read_key
from data_prep.risk.model.answers import Answers, Said
from data_prep.risk.model.config import RiskTaggerConfig

_FENCED = re.compile(r"\A\s*(?:```(?:json)?)?\s*(\{.*\})\s*(?:```)?\s*\Z", re.DOTALL)
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


def asked(config: RiskTaggerConfig) -> dict[str, object]:
    """All that an answer depends on."""
    return {**config.decisive(), "prompt": _prompt()}


def read_server_key(config: RiskTaggerConfig) -> str:
    """The server's key.

    Raises:
        StageError: the environment does not hold it.
    """
    return read_key(config.api_key_env, f"{config.model} on {config.base_url}")


def ask(posts: Sequence[str], config: RiskTaggerConfig, answers: Answers) -> None:
    """Ask about the posts that have no answer yet; each answer is kept as it comes.

    Raises:
        ValueError: the server is not well; the message holds its own words and how many answers are missing.
    """
    waiting = list(dict.fromkeys(post for post in posts if answers.get(post) is None))
    if waiting:
        asyncio.run(_ask(waiting, config, answers))


async def _ask(waiting: Sequence[str], config: RiskTaggerConfig, answers: Answers) -> None:
    settings = ServerSettings(
        config.base_url,
        config.model,
        read_server_key(config),
        timeout_s=config.timeout_s,
        retries=config.retries,
        backoff_s=config.backoff_s,
        longest_pause_s=config.longest_pause_s,
        stream=config.stream,
    )
    run, before = Run(answered_before=len(answers) > 0), len(answers)
    with tqdm(total=len(waiting), desc="asking for risks", unit="post", disable=None) as bar:
        async with ChatServer(settings) as server:

            async def one(post: str) -> None:
                try:
                    said = await _said(server, post, config)
                except Refused as refused:

                    def record() -> None:
                        answers.add(post, "refused")
                        bar.update()

                    run.refuse(refused, post, record)
                else:
                    answers.add(post, "read" if said else "unreadable", said)
                    run.answer()
                    bar.update()

            try:
                await ask_all(run, waiting, one, lambda post: post, config.concurrency)
            except ServerError as error:
                missing = len(waiting) - (len(answers) - before)
                raise ValueError(
                    f"risk tags by {config.model} on {config.base_url}: {error}. {missing} of {len(waiting)} answers "
                    "are missing, the others are kept. Run the same again."
                ) from error


async def _said(server: ChatServer, post: str, config: RiskTaggerConfig) -> Said | None:
    """What is said of a post; None where no attempt could be read."""
    for _ in range(config.attempts):
        answer = await server.complete(messages(post), config.request)
        if answer.filtered:
            raise Refused("the answer was stopped by a content filter", prompt=True)
        if (said := read(answer.text)) is not None:
            return said
    return None


def messages(post: str) -> list[dict[str, str]]:
    """The chat that asks about a post."""
    fence = str(int(hashlib.sha256(post.encode("utf-8", "surrogatepass")).hexdigest()[:12], 16) % 900_000 + 100_000)
    return [
        {"role": role, "content": Template(text).safe_substitute(fence=fence, post=post)}
        for role, text in _prompt().items()
    ]


def read(text: str) -> Said | None:
    """The answer, which may stand in a block of code or after the model's thoughts; None for anything else."""
    found = _FENCED.match(_THOUGHTS.sub("", text))
    if found is None:
        return None
    try:
        return Said.model_validate_json(found[1])
    except ValidationError:
        return None


@cache
def _prompt() -> dict[str, str]:
    text = files(__package__).joinpath("prompt.zh.yaml").read_text(encoding="utf-8")
    return {role: str(part) for role, part in yaml.safe_load(text).items()}
