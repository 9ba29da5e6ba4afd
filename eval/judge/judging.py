"""An LLM as judge: each question's replies in pairs, both ways round, answer by answer into the file.

A run that was killed, ended by an outage or stopped at its ceiling goes on where it was (`eval.judge.verdicts`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from common.records.verdicts import Answer, Comparison, VerdictError, append_answer
from eval.blind import BlindItem
from eval.judge.budget import Budget, Ceiling, CeilingReached, Usage
from eval.judge.client import JudgeClient, JudgeError, JudgeServer
from eval.judge.config import JudgeConfig
from eval.judge.prompt import JudgePrompt, parse_verdict
from eval.judge.verdicts import VERDICTS, comparisons


def judge(
    items: Sequence[BlindItem],
    server: JudgeServer,
    prompt: JudgePrompt,
    ceiling: Ceiling,
    config: JudgeConfig,
    seed: int,
    folder: Path,
    had: Sequence[Answer],
) -> str:
    """Ask for every verdict that is missing, and write each answer as it comes.

    Args:
        items: the questions with their replies.
        server: who judges.
        prompt: the texts.
        ceiling: of tokens and cost, those of `had` included.
        config: how often and how many at once.
        seed: of the requests; each further attempt takes the next one.
        folder: of the file of verdicts.
        had: of `eval.judge.verdicts.open_verdicts`.

    Returns:
        the ceiling that stopped the run as ``key=value``; "" when nothing is missing.

    Raises:
        JudgeError: an outage, or a server that can't serve. Calls under way were waited for and are kept.
    """
    tried: dict[Comparison, int] = {}
    for answer in had:
        tried[answer.comparison] = (
            config.attempts if answer.verdict else max(tried.get(answer.comparison, 0), answer.attempt)
        )
    everything = comparisons(items)
    todo = [comparison for comparison in everything if tried.get(comparison, 0) < config.attempts]
    if not todo:
        return ""
    by_id = {item.question_id: item for item in items}
    budget = Budget(ceiling, Usage.of(had))

    async def run(file: TextIO, bar: tqdm) -> None:
        async with JudgeClient(server, budget) as client:
            await _Run(client, prompt, config, seed, by_id, tried, file, bar).all(todo)

    with (
        (folder / VERDICTS).open("a", encoding="utf-8") as file,
        tqdm(total=len(everything), initial=len(everything) - len(todo), desc="judge", unit="verdict") as bar,
    ):
        try:
            asyncio.run(run(file, bar))
        except CeilingReached as ceiling_reached:
            return str(ceiling_reached)
    return ""


@dataclass(frozen=True, slots=True)
class _Run:
    client: JudgeClient
    prompt: JudgePrompt
    config: JudgeConfig
    seed: int
    items: dict[str, BlindItem]
    tried: dict[Comparison, int]
    file: TextIO
    bar: tqdm

    async def all(self, todo: Sequence[Comparison]) -> None:
        """Decide every comparison; after a failure none is begun, and those under way are waited for."""
        await self.decide(todo[0])  # alone: it settles how the server is asked, and whether it answers at all
        left = iter(todo[1:])
        failures: list[CeilingReached | JudgeError] = []

        async def work() -> None:
            for comparison in left:
                try:
                    await self.decide(comparison)
                except (CeilingReached, JudgeError) as failure:
                    failures.append(failure)
                if failures:
                    return

        async with asyncio.TaskGroup() as group:
            for _ in range(self.config.concurrency):
                group.create_task(work())
        # An outage is told before a ceiling: another run would meet it again.
        for failure in sorted(failures, key=lambda failure: isinstance(failure, CeilingReached)):
            raise failure

    async def decide(self, comparison: Comparison) -> None:
        """Ask until the verdict is well-formed or the attempts are used up."""
        item = self.items[comparison.question_id]
        replies = item.replies[comparison.first], item.replies[comparison.second]
        for attempt in range(self.tried.get(comparison, 0) + 1, self.config.attempts + 1):
            messages = self.prompt.messages(item.post, *replies, remind=attempt > 1)
            reply = await self.client.ask(messages, self.seed + attempt - 1)
            verdict, problem = None, reply.refusal
            if not problem:
                try:
                    verdict = parse_verdict(reply.text)
                except VerdictError as error:
                    problem = str(error)
            answer = Answer(
                **asdict(comparison),
                attempt=attempt,
                verdict=verdict,
                problem=problem,
                structured=reply.structured,
                **asdict(reply.usage),
            )
            append_answer(self.file, answer)
            if verdict:
                break
        self.bar.update()
        self.bar.set_postfix(tokens=self.client.budget.used.tokens, refresh=False)
