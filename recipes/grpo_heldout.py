"""What a reward model that GRPO never sees says of the validation outputs.

Where the reward rises and this does not, the policy may have found a weakness of its reward. The model is served by an
actor of its own beside the reward workers, on their device. Nothing that is trained on reads what it says: it is asked
after verl's validation, and where it does not answer the figure is left out and the run goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any, Final

import ray
from ray.exceptions import RayError

from recipes.grpo_validation import HELDOUT_ANSWER, HELDOUT_COSINE, PREFIX
from reward_fns.components import ANSWER_CHARS, components
from reward_fns.judgement import Judgement
from reward_fns.options import RewardOptions
from reward_fns.reward_worker import RewardWorkerConfig

ACTOR_NAME: Final = "coe_heldout_reward_model"
# What it reserves of a GPU that the reward workers have: Ray fills up a GPU before it begins another.
_SLIVER: Final = 0.01
# For all outputs of a validation together.
_TIMEOUT_S: Final = 600.0

# Scores (question, output) pairs.
Scorer = Callable[[Sequence[tuple[str, str]]], dict[str, float]]


def share_device(workers: RewardWorkerConfig, heldout: str) -> tuple[RewardWorkerConfig, RewardWorkerConfig]:
    """How the reward workers and the held-out one are started, so that they fit where the workers alone did.

    Args:
        workers: as they are configured.
        heldout: the folder of the held-out model.

    Returns:
        of the reward workers, and of the held-out one.
    """
    sliver = _SLIVER if workers.num_gpus else 0.0
    return (
        replace(workers, num_gpus=workers.num_gpus - sliver),
        replace(workers, model=heldout, replicas=1, num_gpus=sliver),
    )


def heldout_scorer(worker: Any, options: RewardOptions, timeout_s: float = _TIMEOUT_S) -> Scorer:
    """A scorer that asks the held-out worker, by the very definition of GRPO's own answer reward.

    Args:
        worker: the actor.
        options: of the run's reward: mode, guards, and what of an output is its answer. T and all else that belongs to
            a model is the held-out one's.
        timeout_s: for all outputs of a validation together.

    Returns:
        a function of (question, output) pairs. It gives ``val/heldout_answer``, the mean answer reward over all of
        them, and ``val/heldout_cosine``, the mean over those that have an answer; {} where nothing was judged.
    """

    def score(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
        answers = [(question, options.answer_of(output)) for question, output in pairs]
        calls = [worker.judge.remote(question, answer, timeout_s) for question, answer in answers if answer is not None]
        try:
            judged: list[Judgement] = ray.get(calls, timeout=timeout_s)
        except (RayError, TimeoutError) as error:
            why = next(iter(str(error).splitlines()), type(error).__name__)
            print(f"the held-out reward model did not answer, this validation goes without it: {why}", flush=True)
            return {}
        left = iter(judged)
        rows = [
            components(question, output, None if answer is None else next(left), options)
            for (question, output), (_, answer) in zip(pairs, answers, strict=True)
        ]
        cosines = [row["cosine"] for row in rows if row[ANSWER_CHARS] > 0]
        found = {HELDOUT_ANSWER: fmean(row["answer"] for row in rows)} if rows else {}
        found |= {HELDOUT_COSINE: fmean(cosines)} if cosines else {}
        return {f"{PREFIX}{name}": value for name, value in found.items()}

    return score


def with_heldout(trainer: type[Any], score: Scorer) -> type[Any]:
    """The trainer, a class of verl's V1, with the held-out model's figures among those of each validation."""

    class Heldout(trainer):
        """Named so in verl's messages."""

        def _build_replay_buffer(self) -> Any:
            # verl's validation takes its outputs out of the buffer, and clears them away before it ends.
            buffer = super()._build_replay_buffer()
            self._validated: list[tuple[str, str]] = []
            sample = buffer.sample

            def sampled(*args: Any, **kwargs: Any) -> Any:
                batch, metrics = sample(*args, **kwargs)
                if batch.partition_id == "val":
                    self._validated += self._read(batch)
                return batch, metrics

            buffer.sample = sampled
            return buffer

        def _read(self, batch: Any) -> list[tuple[str, str]]:
            import transfer_queue  # only here: its import starts what the tests of the scorer do not need

            data = transfer_queue.kv_batch_get(
                keys=batch.keys, partition_id=batch.partition_id, select_fields=["extra_info", "responses"]
            )
            return [
                (info["question"], self.tokenizer.decode(ids, skip_special_tokens=True))
                for info, ids in zip(data.pop("extra_info").tolist(), data["responses"].unbind(), strict=True)
            ]

        def _validate(self) -> dict[str, float]:
            self._validated.clear()
            metrics: dict[str, float] = super()._validate()
            return {**metrics, **score(self._validated)}

    return Heldout
