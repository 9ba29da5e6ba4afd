"""One judgement from its settings to ``judge.md``: what is asked, of whom, within what limits, and what came of it.

Each question's replies are put before an LLM in pairs, both ways round, answer by answer into the file. A run that was
killed, ended by an outage or stopped at its ceiling goes on where it was, and never mixes the answers to two requests.
"""

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from tqdm import tqdm

from common.errors import StageError
from common.files import write_json
from common.loopback import remote_host
from common.records.rankings import (
    RANKINGS_FILE,
    Answer,
    Comparison,
    Ranking,
    VerdictError,
    append_answer,
    read_answers,
    write_rankings,
)
from eval.judge.analysis import analyse, comparisons, judge_rankings, pair_table
from eval.judge.client import Budget, CeilingReached, JudgeClient, JudgeError
from eval.judge.config import JudgeConfig, JudgePrompt, Usage, parse_verdict
from eval.judge.inter_rater import check_same, inter_rater
from eval.judge.report import write_judgement
from eval.replies import BlindItem

VERDICTS: Final = "verdicts.jsonl"


def judge_request(items: Sequence[BlindItem], config: JudgeConfig, prompt: JudgePrompt, seed: int) -> dict[str, Any]:
    """What decides the verdicts, for ``request.json``; texts as sha256.

    The server's address is not among it: the same judge may be served elsewhere the next day.
    """
    texts = json.dumps([[item.question_id, item.post, item.replies] for item in items], sort_keys=True)
    return {
        "judge_model": config.judge_model,
        "request": dict(config.request),
        "structured": config.structured,
        "seed": seed,
        "prompt": prompt.identity,
        "models": sorted({model for item in items for model in item.replies}),
        "questions": len(items),
        "posts_and_replies": hashlib.sha256(texts.encode()).hexdigest(),
    }


def open_verdicts(folder: Path, request: Mapping[str, Any], afresh: bool) -> list[Answer]:
    """The answers had so far, none for a new judgement; half a last line is cut off the file.

    Args:
        folder: of VERDICTS and ``request.json``.
        request: of `judge_request`.
        afresh: remove what is there.

    Raises:
        JudgeError: the verdicts there are of another request.
        FileError: a line is malformed.
    """
    path, asked = folder / VERDICTS, folder / "request.json"
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


def judge(
    items: Sequence[BlindItem],
    prompt: JudgePrompt,
    config: JudgeConfig,
    api_key: str,
    seed: int,
    folder: Path,
    had: Sequence[Answer],
) -> str:
    """Ask for every verdict that is missing, and write each answer as it comes.

    Args:
        items: the questions with their replies.
        prompt: the texts.
        config: who judges, how often and how many at once; the ceiling holds for what `had` used too.
        api_key: the server's.
        seed: of the requests; each further attempt takes the next one.
        folder: of the file of verdicts.
        had: of `eval.judge.run.open_verdicts`.

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
    by_id = {item.question_id: item for item in items}

    async def run(file: TextIO, bar: tqdm) -> None:
        async with JudgeClient(config, api_key, Budget(config, Usage.of(had))) as client:
            await _Run(client, prompt, config, seed, by_id, tried, file, bar).all(todo)

    if todo:
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


def run_judge(
    config: JudgeConfig, items: list[BlindItem], people: list[Ranking], seed: int, afresh: bool, folder: Path
) -> dict[str, Any]:
    """Judge what is not judged yet, and write what all verdicts say.

    Args:
        config: the settings.
        items: what is put before the judge.
        people: their rankings of the same replies, [] for none.
        seed: of draws, requests and resampling.
        afresh: remove the verdicts that are there.
        folder: of the stage.

    Returns:
        the stage's result.

    Raises:
        JudgeError: people ranked something else, the verdicts there are of another request, or an outage.
        StageError: no key, or a ceiling is reached; the message says how to go on.
    """
    check_same(people, items)
    # One line a call would drown the progress.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    key = os.environ.get(config.api_key_env, "") if config.api_key_env else "none"
    if not key:
        raise StageError(f"judge: the environment has no {config.api_key_env}, which api_key_env names. Set it.")
    prompt = JudgePrompt.read()
    request = judge_request(items, config, prompt, seed)
    had = open_verdicts(folder, request, afresh)
    print(
        f"judge: {len(comparisons(items))} comparisons of {len(items)} questions, {len(had)} answers are there already."
    )
    if host := remote_host(config.base_url):
        print(f"judge: help-seekers' posts and the replies are sent to {host}.", flush=True)
    stopped_by = judge(items, prompt, config, key, seed, folder, had)
    answers = open_verdicts(folder, request, afresh=False)
    pairs = pair_table(answers, items)
    rankings, drawn = judge_rankings(pairs, sorted(items[0].replies), config.judge_model, seed)
    judgement = analyse(
        config.judge_model,
        answers,
        items,
        pairs,
        rankings,
        drawn=drawn,
        attempts=config.attempts,
        cost=config.cost(Usage.of(answers)),
        seed=seed,
    )
    write_rankings(folder / RANKINGS_FILE, rankings)
    print(write_judgement(folder, judgement, inter_rater(rankings, pairs, people, seed), stopped_by, config.test_set))
    if stopped_by:
        raise StageError(
            f"judge: stopped at {stopped_by}, {judgement.counts.missing} of {judgement.counts.comparisons} comparisons "
            f"are missing. What there is: {folder / 'judge.md'}. Run the same command with a higher ceiling to go on"
            f"{', and without force=true' if afresh else ''}."
        )
    return {
        "mean_rank": {model: figures.mean_rank.mean for model, figures in judgement.models.items()},
        "malformed": judgement.counts.malformed,
        "tokens": judgement.counts.usage.tokens,
        "cost": judgement.counts.cost,
    }
