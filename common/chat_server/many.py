"""Many calls, some at once: what a failure of one means for all.

A refused prompt is that prompt's own and never ends a run. A wrong key or an unsupported setting is everybody's and
ends it at the first call. An outage ends it when two calls in a row fail for good, so that one prompt that a server
can't bear does not keep the others waiting. Whatever ends it, calls under way are waited for: they are paid.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Final, TypeVar

from common.chat_server.errors import Outage, Refused, ServerError, Unusable

# So many prompts refused in a row, for reasons that do not speak of the prompt, are no chance.
_SUSPICIOUS: Final = 5
# Likewise of reasons that do: a filter that lets nothing pass, or a limit below every prompt.
_MANY: Final = 20

Job = TypeVar("Job")


class Run:
    """What a server's answers so far say about the next."""

    def __init__(self, answered_before: bool) -> None:
        """Start a run.

        Args:
            answered_before: an earlier run with the same settings had answers.
        """
        self._answered_before = answered_before
        self._answered = False
        self._outages = 0
        self._last_refused = ""
        self._held: dict[str, list[Callable[[], None]]] = {}

    @property
    def answered(self) -> bool:
        """Whether any call of this run was answered by a completion."""
        return self._answered

    @property
    def held(self) -> Collection[str]:
        """Prompts that were refused since the last answer."""
        return self._held

    def answer(self) -> None:
        """A call was answered: the refusals before it were their prompts' own."""
        self._answered, self._outages = True, 0
        self._settle()

    def refuse(self, refused: Refused, prompt: str, record: Callable[[], None]) -> None:
        """A call was refused: record it, now or when it is clear that it is the prompt's own.

        Args:
            refused: how.
            prompt: an id of the prompt.
            record: writes the refusal down.

        Raises:
            Unusable: every request is refused.
        """
        self._outages, self._last_refused = 0, str(refused)
        if refused.prompt and (self._answered or self._answered_before):
            record()
            return
        if refused.keys and not refused.prompt and not self._answered:
            raise Unusable(str(refused)) from refused
        self._held.setdefault(prompt, []).append(record)
        if len(self._held) >= (_MANY if refused.prompt else _SUSPICIOUS):
            raise Unusable(f"{len(self._held)} prompts in a row are refused; the last: {refused}") from refused

    def fail(self, outage: Outage) -> None:
        """A call failed for good, and may be left for later.

        Raises:
            Outage: the server is not well.
        """
        self._outages += 1
        if not self._answered or self._outages > 1:
            raise outage

    def end(self) -> None:
        """No call is left.

        Raises:
            Unusable: all were refused, and none was ever answered.
        """
        if self._held and not (self._answered or self._answered_before):
            raise Unusable(f"every prompt is refused; the last: {self._last_refused}")
        self._settle()

    def _settle(self) -> None:
        for records in self._held.values():
            for record in records:
                record()
        self._held.clear()


async def ask_all(
    run: Run,
    jobs: Iterable[Job],
    ask: Callable[[Job], Awaitable[None]],
    prompt: Callable[[Job], str],
    concurrency: int,
) -> None:
    """Ask everything, one at a time until a call is answered, then some at once.

    Args:
        run: what `ask` tells about answers and refusals.
        jobs: what is asked.
        ask: raises `Outage` where a job has to be left for later; what else it raises ends the run.
        prompt: an id of the prompt that a job is about, as `Run.refuse` is told it.
        concurrency: calls under way at once.

    Raises:
        Outage: the server is not well, or some jobs are left.
        Exception: whatever else `ask` raised; calls under way were waited for.
    """
    waiting = list(jobs)
    count, failures, later = len(waiting), list[Exception](), list[Outage]()

    async def one(job: Job) -> None:
        try:
            await ask(job)
        except Outage as outage:
            later.append(outage)
            run.fail(outage)

    async def work() -> None:
        for job in left:
            try:
                await one(job)
            except Exception as failure:
                failures.append(failure)
            if failures:
                return

    while not run.answered and (fresh := [job for job in waiting if prompt(job) not in run.held]):
        waiting.remove(fresh[0])
        await one(fresh[0])
    if not run.answered:
        run.end()
    left = iter(waiting)
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    # The server's trouble is told before anything else, such as a ceiling: another run would meet it again.
    for failure in sorted(failures, key=lambda failure: not isinstance(failure, ServerError)):
        raise failure
    run.end()
    if later:
        raise Outage(f"{later[-1]}; so for {len(later)} of {count} calls, the others were answered")
