"""The reward that verl calls (Eq. 3): r = r_format + r_answer.

r_format is `coe_format.format_reward` on the whole text; r_answer (Eq. 6) is 1 where cos(E(q), E(a)) > T, read on the
text inside ``<answer>`` only and 0 without one. The cosine comes from the Ray worker of `reward_worker`.
verl loads this file by its path in processes of its own, so what it imports must be installed.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from reward_fns.coe_format import extract_answer, format_reward
from reward_fns.reward_worker import ACTOR_NAME, NAMESPACE

RESULT_KEYS = ("score", "format", "answer", "cosine", "answer_chars")


class RewardUnavailableError(RuntimeError):
    """The reward worker did not answer. Training must stop: an outage is never a reward of 0."""


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str | None,
    extra_info: Mapping[str, Any] | None,
    *,
    timeout_s: float = 60.0,
    attempts: int = 3,
    **kwargs: Any,
) -> dict[str, float]:
    """Score one output; the keys are always `RESULT_KEYS`, since verl averages them over a batch.

    Args:
        data_source: the corpus, not used: one reward serves all.
        solution_str: the model's whole output.
        ground_truth: a human response, not used: Eq. 6 compares with the question.
        extra_info: must hold ``question``, the post.
        timeout_s: longest wait for the worker, each attempt, in seconds.
        attempts: how often the worker is asked before giving up.
        kwargs: what else verl passes; not used.

    Returns:
        score: r of Eq. 3, in [0, 2]; format: r_format; answer: r_answer; cosine: cos(E(q), E(a)), 0.0 without an
        answer; answer_chars: length of the answer in characters, 0 without one.

    Raises:
        ValueError: no question in `extra_info`.
        RewardUnavailableError: no answer from the worker after all attempts.
    """
    del data_source, ground_truth, kwargs
    question = (extra_info or {}).get("question")
    if not isinstance(question, str) or not question.strip():
        raise ValueError("extra_info has no 'question' (the post, a string). Make the parquet again with `make data`.")
    format_score = format_reward(solution_str)
    answer = extract_answer(solution_str)
    cosine, passed = 0.0, 0.0
    if answer is not None:
        cosine, threshold = await _ask_worker(question, answer, timeout_s, attempts)
        passed = float(cosine > threshold)
    return {
        "score": format_score + passed,
        "format": format_score,
        "answer": passed,
        "cosine": cosine,
        "answer_chars": float(len(answer or "")),
    }


async def _ask_worker(question: str, answer: str, timeout_s: float, attempts: int) -> tuple[float, float]:
    last: Exception | None = None
    for attempt in range(attempts):
        try:
            # Looked up each time: after a restart by hand the name leads to the new actor.
            worker = ray.get_actor(ACTOR_NAME, namespace=NAMESPACE)
            return await asyncio.wait_for(worker.score.remote(question, answer), timeout_s)
        except (RayActorError, RayTaskError, GetTimeoutError, TimeoutError, ValueError) as error:
            last = error
            await asyncio.sleep(min(2.0**attempt, 10.0))
    raise RewardUnavailableError(
        f"the reward worker {NAMESPACE}/{ACTOR_NAME} did not answer in {attempts} attempts of {timeout_s:.0f} s: {last}"
    ) from last
