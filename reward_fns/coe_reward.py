"""The reward that verl calls (Eq. 3): r = r_format + r_answer.

r_format is `coe_format.format_reward` on the whole text; r_answer (Eq. 6) is 1 where cos(E(q), E(a)) > T, read on the
text inside ``<answer>`` only and 0 without one. The cosine comes from the Ray worker of `reward_worker`. The paper's
two are the default; ``mode`` and ``format_mode`` choose others.
verl loads this file by its path in processes of its own, so what it imports must be installed.

One output by hand, without Ray:

    python -m reward_fns.coe_reward --question "…" --answer "…" [--model outputs/tiny/reward-model] [--mode dense]
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from reward_fns.coe_format import extract_answer, format_reward, partial_format_reward
from reward_fns.components import copy_overlap, distinct_1
from reward_fns.guards import Guards
from reward_fns.modes import ANSWER_MODES, FORMAT_MODES, AnswerMode, FormatMode, check_modes
from reward_fns.reward_model import Judgement, RewardModel
from reward_fns.reward_worker import NAMESPACE, actor_name, replica_of

RESULT_KEYS = ("score", "format", "answer", "cosine", "answer_chars", "copy_overlap", "distinct_1")


class RewardUnavailableError(RuntimeError):
    """The reward worker did not answer. Training must stop: an outage is never a reward of 0."""


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str | None,
    extra_info: Mapping[str, Any] | None,
    *,
    mode: AnswerMode = "threshold",
    format_mode: FormatMode = "exact",
    max_copy: float | None = None,
    min_distinct: float | None = None,
    min_chars: int | None = None,
    max_chars: int | None = None,
    replicas: int = 1,
    timeout_s: float = 60.0,
    attempts: int = 3,
    outage_file: str | None = None,
    **kwargs: Any,
) -> dict[str, float]:
    """Score one output; the keys are always `RESULT_KEYS`, since verl averages them over a batch.

    Args:
        data_source: the corpus, not used: one reward serves all.
        solution_str: the model's whole output.
        ground_truth: a human response, not used: Eq. 6 compares with the question.
        extra_info: must hold ``question``, the post.
        mode: how r_answer follows from the cosine, see `reward_model.Judgement`; the paper's is "threshold".
        format_mode: "exact" (Eq. 4), or "partial" for ablation, see `coe_format.partial_format_reward`.
        max_copy, min_distinct, min_chars, max_chars: see `guards.Guards`; an answer that breaks one has r_answer 0.
        replicas: how many reward workers there are.
        timeout_s: longest wait for the worker, each attempt, in seconds.
        attempts: how often the worker is asked before giving up.
        outage_file: written when the worker does not answer. verl goes on without the outputs whose reward raises an
            error, so who started verl has to look for it and end the run (`recipes.grpo`).
        kwargs: what else verl passes; not used.

    Returns:
        see `components`.

    Raises:
        ValueError: no question in `extra_info`, an unknown mode or a limit out of range.
        RewardUnavailableError: no answer from the worker after all attempts.
    """
    del data_source, ground_truth, kwargs
    question = (extra_info or {}).get("question")
    if not isinstance(question, str) or not question.strip():
        raise ValueError("extra_info has no 'question' (the post, a string). Make the parquet again with `make data`.")
    check_modes(mode, format_mode)
    guards = Guards(max_copy, min_distinct, min_chars, max_chars)
    answer = extract_answer(solution_str)
    try:
        judgement = None if answer is None else await ask_worker(question, answer, replicas, timeout_s, attempts)
    except RewardUnavailableError as error:
        if outage_file is not None:
            Path(outage_file).write_text(f"{error}\n", encoding="utf-8")
        raise
    return components(question, solution_str, judgement, mode, format_mode, guards)


def components(
    question: str,
    output: str,
    judgement: Judgement | None,
    mode: AnswerMode,
    format_mode: FormatMode,
    guards: Guards,
) -> dict[str, float]:
    """The named parts of one output's reward.

    Args:
        judgement: of the question and the text inside ``<answer>``; None where there is none.

    Returns:
        score: r of Eq. 3, in [0, 2]; format: r_format; answer: r_answer; cosine: cos(E(q), E(a)); answer_chars: length
        of the answer in characters; copy_overlap and distinct_1: see `reward_fns.components`. All but score and format
        are 0.0 without an answer.
    """
    format_score = format_reward(output) if format_mode == "exact" else partial_format_reward(output)
    answer = extract_answer(output) or ""
    paid = judgement is not None and not guards.refuse(question, answer)
    answer_score = float(getattr(judgement, mode)) if paid else 0.0
    return {
        "score": format_score + answer_score,
        "format": format_score,
        "answer": answer_score,
        "cosine": 0.0 if judgement is None else judgement.cosine,
        "answer_chars": float(len(answer)),
        "copy_overlap": copy_overlap(question, answer),
        "distinct_1": distinct_1(answer),
    }


async def ask_worker(question: str, answer: str, replicas: int, timeout_s: float, attempts: int) -> Judgement:
    """The judgement of one pair by its reward worker, asked again where it does not answer.

    Args:
        timeout_s: longest wait, each attempt, in seconds.

    Raises:
        RewardUnavailableError: no answer after all attempts.
    """
    name = actor_name(replica_of(question, replicas))
    last: Exception | None = None
    for attempt in range(attempts):
        try:
            worker = _worker(name)
            judgement: Judgement = await asyncio.wait_for(worker.judge.remote(question, answer, timeout_s), timeout_s)
        except (RayActorError, RayTaskError, GetTimeoutError, TimeoutError, ValueError) as error:
            last = error
            # After a restart by hand the name leads to another actor.
            _workers.clear()
            await asyncio.sleep(min(2.0**attempt, 10.0))
        else:
            return judgement
    # Ray tells the actor's whole story; its first line says what happened.
    why = next(iter(str(last).splitlines()), type(last).__name__)
    raise RewardUnavailableError(
        f"the reward worker {NAMESPACE}/{name} did not answer in {attempts} attempts of {timeout_s:.0f} s: {why}"
    ) from last


_workers: dict[tuple[str, str, str], Any] = {}


def _worker(name: str) -> Any:
    """The named actor's handle, kept: looking it up asks Ray's head node, and this process does nothing meanwhile."""
    # A handle is of no use in another Ray job.
    key = ray.get_runtime_context().get_job_id(), NAMESPACE, name
    if key not in _workers:
        _workers[key] = ray.get_actor(name, namespace=NAMESPACE)
    return _workers[key]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: the components of one output, one a line."""
    parser = argparse.ArgumentParser(prog="python -m reward_fns.coe_reward", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--question", required=True, help="the post")
    parser.add_argument("--answer", required=True, help="a whole output with its tags, or the answer alone")
    parser.add_argument("--model", type=Path, default=Path("outputs/tiny/reward-model"), help="the reward model")
    parser.add_argument("--mode", choices=ANSWER_MODES, default="threshold")
    parser.add_argument("--format-mode", choices=FORMAT_MODES, default="exact")
    options = parser.parse_args(arguments)
    output = options.answer if "<answer>" in options.answer else f"<answer>{options.answer}</answer>"
    try:
        model = RewardModel(options.model)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    answer = extract_answer(output)
    judgement = None if answer is None else model.judge([options.question], [answer])[0]
    result = components(options.question, output, judgement, options.mode, options.format_mode, Guards())
    for name, value in result.items():
        print(f"{name:14s}{value:.4f}")
    print(f"{'T':14s}{model.threshold.value:.4f}")


if __name__ == "__main__":
    main()
