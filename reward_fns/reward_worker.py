"""The Ray actor that holds the reward model: on the 7th GPU in the paper's setting, in a CPU slot in the tiny one.

All of verl's reward workers await the same named actor. What comes in while a batch is encoded, or within a short wait,
is the next batch; when too much is waiting, callers wait before they may put more in. With more replicas a question
always goes to the same one, whose cache then knows it.
"""

import asyncio
import contextlib
import time
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ray

from reward_fns.judgement import Judgement
from reward_fns.reward_model import RewardModel

ACTOR_NAME = "coe_reward_model"
# Explicit: verl's jobs run in an anonymous namespace, where a name would not be found from another job.
NAMESPACE = "empathy_r1"


@dataclass(frozen=True)
class RewardWorkerConfig:
    """Where and how the reward model is served.

    Attributes:
        model: the reward model's folder.
        device: "cuda" or "cpu".
        replicas: actors, each with a model of its own.
        num_gpus: GPUs that Ray reserves for each, beside the trainer's.
        num_cpus: CPU slots that Ray reserves for each.
        max_batch: most pairs encoded together.
        max_wait_ms: how long the first pair of a batch waits for others, in milliseconds.
        max_queue: most pairs that wait; who brings more waits before it is taken in.
        cached_questions: how many questions' embeddings are kept.
        start_timeout_s: longest time the model may take to load, in seconds.
    """

    model: str
    device: str = "cpu"
    replicas: int = 1
    num_gpus: float = 0.0
    num_cpus: float = 1.0
    max_batch: int = 64
    max_wait_ms: float = 5.0
    max_queue: int = 4096
    cached_questions: int = 1024
    start_timeout_s: float = 300.0


@dataclass(slots=True)
class Counters:
    """What a worker has done since it started.

    Attributes:
        pairs: judged.
        batches: encoded.
        largest_batch: pairs in one.
        longest_queue: pairs that waited at once.
        expired: pairs that nobody waited for any more when their turn came.
        encoding_s: seconds spent encoding.
        waiting_s: seconds that pairs spent from coming in to their judgement, added up.
        longest_wait_s: of one pair.
        question_hits: questions whose embedding was there already.
    """

    pairs: int = 0
    batches: int = 0
    largest_batch: int = 0
    longest_queue: int = 0
    expired: int = 0
    encoding_s: float = 0.0
    waiting_s: float = 0.0
    longest_wait_s: float = 0.0
    question_hits: int = 0


@dataclass(frozen=True, slots=True)
class _Call:
    question: str
    answer: str
    came: float
    deadline: float
    future: "asyncio.Future[Judgement]"


class RewardWorker:
    """Judges (question, answer) pairs; concurrent calls share batches."""

    def __init__(self, config: RewardWorkerConfig) -> None:
        self._config = config
        self._model = RewardModel(Path(config.model), config.device, config.cached_questions)
        self._queue: asyncio.Queue[_Call] = asyncio.Queue(config.max_queue)
        self._counters = Counters()
        self._loop: asyncio.Task[None] | None = None

    async def threshold(self) -> float:
        """T of Eq. 6."""
        return self._model.threshold.value

    async def counters(self) -> dict[str, float]:
        """`Counters` so far."""
        return {**asdict(self._counters), "question_hits": self._model.hits}

    async def judge(self, question: str, answer: str, timeout_s: float) -> Judgement:
        """The reward model's judgement of one pair.

        Args:
            timeout_s: how long the caller waits; later the pair is not encoded any more.

        Raises:
            TimeoutError: its turn did not come in time.
        """
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._serve())
        came = time.monotonic()
        future: asyncio.Future[Judgement] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Call(question, answer, came, came + timeout_s, future))
        self._counters.longest_queue = max(self._counters.longest_queue, self._queue.qsize())
        return await future

    async def _serve(self) -> None:
        while True:
            batch = await self._next_batch()
            if batch:
                await self._encode(batch)

    async def _next_batch(self) -> list[_Call]:
        """What is waiting, at most `max_batch`, after the first of it has waited for others."""
        calls = [await self._queue.get()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._config.max_wait_ms / 1000):
                while len(calls) < self._config.max_batch:
                    calls.append(await self._queue.get())
        now = time.monotonic()
        for call in calls:
            if call.deadline < now:
                self._counters.expired += 1
                call.future.set_exception(TimeoutError("the pair's turn came after its deadline"))
        return [call for call in calls if not call.future.done()]

    async def _encode(self, batch: list[_Call]) -> None:
        started = time.monotonic()
        questions, answers = [call.question for call in batch], [call.answer for call in batch]
        try:
            judgements = await asyncio.to_thread(self._model.judge, questions, answers)
        except Exception as error:
            # Every caller of the batch learns why, not only the first.
            for call in batch:
                call.future.set_exception(error)
            return
        now = time.monotonic()
        for call, judgement in zip(batch, judgements, strict=True):
            call.future.set_result(judgement)
        counters = self._counters
        counters.pairs += len(batch)
        counters.batches += 1
        counters.largest_batch = max(counters.largest_batch, len(batch))
        counters.encoding_s += now - started
        counters.waiting_s += sum(now - call.came for call in batch)
        counters.longest_wait_s = max(counters.longest_wait_s, *(now - call.came for call in batch))


def actor_name(replica: int, name: str = ACTOR_NAME) -> str:
    """The name of a replica, counted from 0."""
    return f"{name}_{replica}"


def replica_of(question: str, replicas: int) -> int:
    """The replica that a question goes to, always the same."""
    return zlib.crc32(question.encode("utf-8", "surrogatepass")) % replicas


def start_reward_workers(config: RewardWorkerConfig, name: str = ACTOR_NAME) -> list[Any]:
    """Start the named actors and wait until their models are loaded.

    Args:
        config: of each of them.
        name: of all, before their numbers; a second reward model has another one.

    Returns:
        the actors' handles; they live as long as the process that holds them.

    Raises:
        ValueError: no replica asked for.
        TimeoutError: Ray found no room for them, or a model did not load in time.
        ray.exceptions.RayActorError: a model could not be loaded; the message holds the reason.
    """
    if config.replicas < 1:
        raise ValueError(f"reward_worker.replicas={config.replicas}: expected 1 or more.")
    actors: list[Any] = [
        ray.remote(RewardWorker)
        .options(
            name=actor_name(replica, name),
            namespace=NAMESPACE,
            num_gpus=config.num_gpus,
            num_cpus=config.num_cpus,
            max_concurrency=config.max_queue + 1000,
            max_restarts=3,
            max_task_retries=3,
        )
        .remote(config)
        for replica in range(config.replicas)
    ]
    try:
        ray.get([actor.threshold.remote() for actor in actors], timeout=config.start_timeout_s)
    except ray.exceptions.GetTimeoutError as error:
        raise TimeoutError(
            f"the reward worker was not ready after {config.start_timeout_s:.0f} s: {config.replicas} of them ask Ray "
            f"for {config.num_gpus} GPU and {config.num_cpus} CPU each, available are {ray.available_resources()}"
        ) from error
    return actors
