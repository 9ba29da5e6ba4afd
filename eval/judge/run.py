"""One judgement from its settings to ``judge.md``: what is asked, of whom, within what limits, and what came of it.

Each question's replies are put before an LLM in pairs, both ways round, answer by answer into the file. A run that was
killed, ended by an outage or stopped at its ceiling goes on where it was, and never mixes the answers to two requests.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO

from tqdm import tqdm

from common.chat_server import (
    Budget,
    CeilingReached,
    Refused,
    Run,
    ServerError,
    Unusable,
    Usage,
    ask_all,
    read_key,
)
from common.errors import StageError
from common.loopback import remote_host
from common.records.rankings import (
    CUT,
    RANKINGS_FILE,
    REFUSED,
    Answer,
    Comparison,
    Ranking,
    VerdictError,
    append_answer,
    read_answers,
    write_rankings,
)
from eval.judge.analysis import analyse, comparisons, judge_rankings, pair_table
from eval.judge.client import JudgeClient, JudgeError, Reply
from eval.judge.config import JudgeConfig, JudgePrompt, parse_verdict
from eval.judge.inter_rater import check_same, inter_rater
from eval.judge.report import why_nothing, write_judgement
from eval.judge.verdicts import TEXTS, VERDICTS, asked_before, check_request, judge_request, open_verdicts, with_paid
from eval.replies import BlindItem

Draw = Callable[[int], Sequence[BlindItem]]

_UNPAID: Final[dict[str, Any]] = {"structured": False, "tokens_in": 0, "tokens_out": 0, "finish_reason": REFUSED}


def judge(
    items: Sequence[BlindItem],
    prompt: JudgePrompt,
    config: JudgeConfig,
    api_key: str,
    folder: Path,
    had: Sequence[Answer],
) -> str:
    """Ask for every verdict that is missing, and write each answer as it comes.

    Args:
        items: the questions with their replies.
        prompt: the texts.
        config: who judges, how often and how many at once; the ceiling holds for what `had` used too.
        api_key: the server's.
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
    answered = any(answer.finish_reason != REFUSED for answer in had)

    async def run(file: TextIO, bar: tqdm) -> None:
        async with JudgeClient(config, api_key, Budget(config, Usage.of(had))) as client:
            own = _Run(client, prompt, config, by_id, tried, file, bar, Run(answered))
            await ask_all(own.server, todo, own.decide, lambda comparison: comparison.question_id, config.concurrency)

    if todo:
        with (
            (folder / VERDICTS).open("a", encoding="utf-8") as file,
            tqdm(total=len(everything), initial=len(everything) - len(todo), desc="judge", unit="verdict") as bar,
        ):
            try:
                asyncio.run(run(file, bar))
            except CeilingReached as ceiling_reached:
                return str(ceiling_reached)
            except ServerError as error:
                raise JudgeError(
                    f"{config.base_url}: {error}. {_remedy(error)}. What was judged is kept: run the same command "
                    "again, without force=true."
                ) from error
    return ""


def _remedy(error: ServerError) -> str:
    words = str(error)
    if "max_completion_tokens" in words and "max_tokens" in words:
        return "Say request.max_tokens=null request.max_completion_tokens=512"
    for key in ("seed", "max_tokens", "temperature", "top_p", "stream_options"):
        if key in words:
            return f"Leave the key out by request.{key}=null"
    if "response_format" in words:
        return "Say structured=none"
    if isinstance(error, Unusable):
        return "Check base_url, which ends with /v1 as a rule, judge_model, request.* and the key"
    return "Wait until the server is well"


@dataclass(frozen=True, slots=True)
class _Run:
    client: JudgeClient
    prompt: JudgePrompt
    config: JudgeConfig
    items: dict[str, BlindItem]
    tried: dict[Comparison, int]
    file: TextIO
    bar: tqdm
    server: Run

    async def decide(self, comparison: Comparison) -> None:
        """Ask until the verdict is well-formed or the attempts are used up."""
        item, last = self.items[comparison.question_id], self.config.attempts
        replies = item.replies[comparison.first], item.replies[comparison.second]
        for attempt in range(self.tried.get(comparison, 0) + 1, last + 1):
            messages = self.prompt.messages(item.post, *replies, remind=attempt > 1)
            try:
                reply = await self.client.ask(messages, attempt)
            except Refused as refused:
                # The last attempt: the same request is refused again.
                words = f"refused by the server: {refused}"
                answer = Answer(**asdict(comparison), attempt=last, verdict=None, problem=words, **_UNPAID)
                self.server.refuse(refused, comparison.question_id, partial(append_answer, self.file, answer))
                break
            answer = self._read(comparison, last if reply.answer.filtered else attempt, reply)
            append_answer(self.file, answer)
            self.server.answer()
            if answer.verdict or reply.answer.filtered:
                break
        self.bar.update()
        self.bar.set_postfix(tokens=self.client.budget.used.tokens, refresh=False)

    def _read(self, comparison: Comparison, attempt: int, reply: Reply) -> Answer:
        found, verdict, reason = reply.answer, None, reply.answer.finish_reason
        try:
            verdict, problem = parse_verdict(found.text), ""
        except VerdictError as error:
            problem = f"cut at {self.config.length_key}; {error}" if found.cut else str(error)
            if found.refusal:
                problem, reason = f"refused by the model: {found.refusal}", REFUSED
        return Answer(
            **asdict(comparison),
            attempt=attempt,
            verdict=verdict,
            problem=problem,
            structured=reply.structured,
            **asdict(reply.usage),
            finish_reason=CUT if found.cut else reason,
            estimated=reply.estimated,
        )


@dataclass(frozen=True)
class Task:
    """A judgement that can begin: nothing that is missing is found out later.

    Attributes:
        config: the settings.
        items: what is put before the judge.
        people: their rankings of the same replies, [] for none.
        seed: of draws.
        api_key: the server's.
    """

    config: JudgeConfig
    items: Sequence[BlindItem]
    people: Sequence[Ranking]
    seed: int
    api_key: str

    @classmethod
    def prepare(
        cls, config: JudgeConfig, draw: Draw, people: Sequence[Ranking], seed: int, folder: Path, afresh: bool
    ) -> "Task":
        """Find out whether the judgement can begin; touches nothing.

        Args:
            config: the settings.
            draw: a number of items at random.
            people: their rankings, [] for none.
            seed: of draws.
            folder: of the stage.
            afresh: the verdicts there will be set aside.

        Raises:
            JudgeError: people ranked something else, or the verdicts there are of another request.
            StageError: no key.
        """
        key = read_key(config.api_key_env, f"{config.judge_model} on {config.base_url}")
        paid = [] if afresh else asked_before(folder).get(TEXTS) or []
        ranked = [ranking.question_id for ranking in people if not ranking.attention]
        items = with_paid(draw(config.questions), lambda: draw(sys.maxsize), [*ranked, *paid])
        check_same(people, items)
        if not afresh:
            check_request(folder, judge_request(items, config, JudgePrompt.read(), seed))
        return cls(config, items, people, seed, key)


def run_judge(task: Task, afresh: bool, folder: Path) -> dict[str, Any]:
    """Judge what is not judged yet, and write what all verdicts say.

    Args:
        task: what is judged.
        afresh: set the verdicts aside that are there.
        folder: of the stage.

    Returns:
        the stage's result.

    Raises:
        JudgeError: the verdicts there are of another request, or an outage.
        StageError: a ceiling is reached, or nothing was judged; the message says how to go on.
    """
    config, items, seed = task.config, task.items, task.seed
    prompt = JudgePrompt.read()
    request = judge_request(items, config, prompt, seed)
    had = open_verdicts(folder, request, afresh)
    print(
        f"judge: {len(comparisons(items))} comparisons of {len(items)} questions, {len(had)} answers are there already."
    )
    if host := remote_host(config.base_url):
        print(f"judge: help-seekers' posts and the replies are sent to {host}.", flush=True)
    stopped_by = judge(items, prompt, config, task.api_key, folder, had)
    answers = read_answers(folder / VERDICTS) if (folder / VERDICTS).is_file() else []
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
    )
    write_rankings(folder / RANKINGS_FILE, rankings)
    people = inter_rater(rankings, pairs, task.people)
    trouble = why_nothing(judgement.counts, config)
    print(write_judgement(folder, judgement, people, stopped_by, config.test_set, trouble))
    if stopped_by:
        raise StageError(
            f"judge: stopped at {stopped_by}, {judgement.counts.missing} of {judgement.counts.comparisons} comparisons "
            f"are missing. What there is: {folder / 'judge.md'}. Run the same command with a higher ceiling to go on"
            f"{', and without force=true' if afresh else ''}."
        )
    if trouble:
        raise StageError(f"judge: {trouble} Also in {folder / 'judge.md'}.")
    return {
        "mean_rank": {model: figures.mean_rank.mean for model, figures in judgement.models.items()},
        "malformed": judgement.counts.malformed,
        "tokens": judgement.counts.usage.tokens,
        "cost": judgement.counts.cost,
    }
