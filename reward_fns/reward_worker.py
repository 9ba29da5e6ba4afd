"""The Ray actor that holds the reward model: on the 7th GPU in the paper's setting, in a CPU slot in the tiny one.

All of verl's reward workers await the same named actor; it scores what has come in together in one batch.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from reward_fns.reward_model import Judgement, RewardModel

ACTOR_NAME = "coe_reward_model"
# Explicit: verl's jobs run in an anonymous namespace, where a name would not be found from another job.
NAMESPACE = "empathy_r1"


@dataclass(frozen=True)
class RewardWorkerConfig:
    """Where and how the reward model is served.

    Attributes:
        model: the reward model's folder.
        device: "cuda" or "cpu".
        num_gpus: GPUs that Ray reserves for the actor, beside the trainer's.
        num_cpus: CPU slots that Ray reserves for it.
        max_batch: most pairs encoded together.
        start_timeout_s: longest time the model may take to load, in seconds.
    """

    model: str
    device: str = "cpu"
    num_gpus: float = 0.0
    num_cpus: float = 1.0
    max_batch: int = 64
    start_timeout_s: float = 300.0


class RewardWorker:
    """Scores (question, answer) pairs; concurrent calls share batches."""

    def __init__(self, model: str, device: str, max_batch: int) -> None:
        self._model = RewardModel(Path(model), device)
        self._max_batch = max_batch
        self._waiting: list[tuple[str, str, asyncio.Future[Judgement]]] = []
        self._encoding = asyncio.Lock()

    async def threshold(self) -> float:
        """T of Eq. 6."""
        return self._model.threshold.value

    async def judge(self, question: str, answer: str) -> Judgement:
        """The reward model's judgement of one pair."""
        future: asyncio.Future[Judgement] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer, future))
        # Whoever gets the lock encodes everything that came in while the batch before was encoded.
        async with self._encoding:
            if not future.done():
                await self._encode_waiting()
        return await future

    async def _encode_waiting(self) -> None:
        batch, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
        questions, answers, futures = zip(*batch, strict=True)
        try:
            judgements = await asyncio.to_thread(self._model.judge, questions, answers)
        except Exception as error:
            # Every caller of the batch learns why, not only the one that happened to encode it.
            for future in futures:
                future.set_exception(error)
            return
        for future, judgement in zip(futures, judgements, strict=True):
            future.set_result(judgement)


def start_reward_worker(config: RewardWorkerConfig) -> Any:
    """Start the named actor and wait until its model is loaded.

    Returns:
        the actor's handle; the actor lives as long as the process that holds it.

    Raises:
        TimeoutError: Ray found no room for it, or the model did not load in time.
        ray.exceptions.RayActorError: the model could not be loaded; the message holds the reason.
    """
    actor: Any = (
        ray.remote(RewardWorker)
        .options(
            name=ACTOR_NAME,
            namespace=NAMESPACE,
            num_gpus=config.num_gpus,
            num_cpus=config.num_cpus,
            max_concurrency=1000,
            max_restarts=3,
            max_task_retries=3,
        )
        .remote(config.model, config.device, config.max_batch)
    )
    try:
        ray.get(actor.threshold.remote(), timeout=config.start_timeout_s)
    except ray.exceptions.GetTimeoutError as error:
        raise TimeoutError(
            f"the reward worker was not ready after {config.start_timeout_s:.0f} s: it asks Ray for "
            f"{config.num_gpus} GPU and {config.num_cpus} CPU, available are {ray.available_resources()}"
        ) from error
    return actor
