"""The reward that verl calls (Eq. 3): r = r_format + r_answer.

r_format is `coe_format.format_reward` on the whole text; r_answer (Eq. 6) is 1 where cos(E(q), E(a)) > T, read on the
text inside ``<answer>`` only and 0 without one. The cosine comes from the Ray worker of `reward_worker`. The paper's
two are the default; ``mode`` and ``format_mode`` choose others, ``format_mode=none`` the model without CoE.
verl loads this file by its path in processes of its own, so what it imports must be installed.

One output by hand, without Ray; the options are those of `options.RewardOptions`:

    python -m reward_fns.coe_reward --question "…" --answer "…" [--model outputs/tiny/reward-model] [--mode dense]
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, Final

import ray
import yaml
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from reward_fns.coe_format import ANSWER
from reward_fns.components import WAIT, components
from reward_fns.judgement import Judgement
from reward_fns.options import RewardOptions
from reward_fns.reward_model import RewardModel
from reward_fns.reward_worker import NAMESPACE, actor_name, replica_of

_OF_THE_WORKER: Final = ("replicas", "timeout_s", "attempts", "outage_file")


class RewardUnavailableError(RuntimeError):
    """The reward worker did not answer. Training must stop: an outage is never a reward of 0."""


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str | None,
    extra_info: Mapping[str, Any] | None,
    reward_router_address: str | None = None,
    reward_model_tokenizer: Any = None,
    **options: Any,
) -> dict[str, float]:
    """Score one output; the keys are always `components.RESULT_KEYS` and ``wait_s``: verl averages them over a batch.

    Args:
        data_source: the corpus, not used: one reward serves all.
        solution_str: the model's whole output.
        ground_truth: a human response, not used: Eq. 6 compares with the question.
        extra_info: must hold ``question``, the post.
        reward_router_address: verl's, with a reward model of its own; not used.
        reward_model_tokenizer: the same.
        options: of `options.RewardOptions`.

    Returns:
        see `components.components`; and the seconds that the reward worker was waited for.

    Raises:
        ValueError: no question in `extra_info`, or an option that is none or cannot be.
        RewardUnavailableError: no answer from the worker after all attempts.
    """
    del data_source, ground_truth, reward_router_address, reward_model_tokenizer
    question = (extra_info or {}).get("question")
    if not isinstance(question, str) or not question.strip():
        raise ValueError("extra_info has no 'question' (the post, a string). Make the parquet again with `make data`.")
    chosen = RewardOptions.of(options)
    answer = chosen.answer_of(solution_str)
    asked = time.monotonic()
    try:
        judgement = None if answer is None else await ask_worker(question, answer, chosen)
    except RewardUnavailableError as error:
        if chosen.outage_file is not None:
            Path(chosen.outage_file).write_text(f"{error}\n", encoding="utf-8")
        raise
    waited = 0.0 if answer is None else time.monotonic() - asked
    return {**components(question, solution_str, judgement, chosen), WAIT: waited}


async def ask_worker(question: str, answer: str, options: RewardOptions) -> Judgement:
    """The judgement of one pair by its reward worker, asked again where it does not answer in time.

    Raises:
        RewardUnavailableError: no answer after all attempts.
    """
    name, timeout_s = actor_name(replica_of(question, options.replicas)), options.timeout_s
    last: Exception | None = None
    for attempt in range(options.attempts):
        try:
            worker = _worker(ray.get_runtime_context().get_job_id(), NAMESPACE, name)
            judgement: Judgement = await asyncio.wait_for(worker.judge.remote(question, answer, timeout_s), timeout_s)
        except (RayActorError, RayTaskError, GetTimeoutError, TimeoutError, ValueError) as error:
            last = error
            # After a restart by hand the name leads to another actor.
            _worker.cache_clear()
            await asyncio.sleep(min(2.0**attempt, 10.0))
        else:
            return judgement
    # Ray tells the actor's whole story; its first line says what happened.
    why = next(iter(str(last).splitlines()), type(last).__name__)
    raise RewardUnavailableError(
        f"the reward worker {NAMESPACE}/{name} did not answer in {options.attempts} attempts of {timeout_s:g} s: {why}"
    ) from last


@cache
def _worker(job: str, namespace: str, name: str) -> Any:
    """The named actor's handle, kept: looking it up asks Ray's head node, and this process does nothing meanwhile.

    Args:
        job: Ray's; a handle is of no use in another one.
    """
    del job
    return ray.get_actor(name, namespace=namespace)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: the components of one output, one a line."""
    parser = argparse.ArgumentParser(prog="python -m reward_fns.coe_reward", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--question", required=True, help="the post")
    parser.add_argument("--answer", required=True, help="a whole output with its tags, or the answer alone")
    parser.add_argument("--model", type=Path, default=Path("outputs/tiny/reward-model"), help="the reward model")
    known = [option for option in fields(RewardOptions) if option.name not in _OF_THE_WORKER]
    for option in known:
        flag = f"--{option.name.replace('_', '-')}"
        parser.add_argument(flag, type=yaml.safe_load, default=option.default, help="see reward_fns/options.py")
    given = parser.parse_args(arguments)
    try:
        options = RewardOptions.of({option.name: getattr(given, option.name) for option in known})
        model = RewardModel(given.model)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    whole = options.format_mode == "none" or f"<{ANSWER}>" in given.answer
    output = given.answer if whole else f"<{ANSWER}>{given.answer}</{ANSWER}>"
    answer = options.answer_of(output)
    judgement = None if answer is None else model.judge([given.question], [answer])[0]
    for name, value in components(given.question, output, judgement, options).items():
        print(f"{name:14s}{value:.4f}")
    print(f"{'T':14s}{model.threshold.value:.4f}")


if __name__ == "__main__":
    main()
