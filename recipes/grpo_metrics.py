"""What of a step's rollouts is logged at every training step, beside verl's own figures.

verl logs the parts of a custom reward at validation only. `with_reward_metrics` puts their means into each step's
record, under ``reward/``, and so into whatever loggers the run has.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Final

from reward_fns.components import ANSWER_CHARS, MEASURES, WAIT

# The policy's entropy, in nats a token. verl takes it from the pass over the old policy; in a run without that pass
# (``rollout_correction.bypass_mode``) from the update, under the other name, where `calculate_entropy` asks for it.
ENTROPY: Final = "actor/entropy"
_ENTROPY_OF_UPDATE: Final = "actor/entropy_loss"
# Rewards that differ by less are the same: verl adds this to the standard deviation that it divides by.
SAME: Final = 1e-6
# Means over the outputs that have an answer: without one these are 0 by convention.
_OF_ANSWERS: Final = ("cosine", WAIT, *MEASURES)


def prompt_of(uid: str) -> str:
    """The prompt of a rollout, which verl's V1 trainer keys "<prompt>_<rollout>_<turn>"."""
    return uid.rsplit("_", 2)[0]


def tied_share(groups: Mapping[str, Sequence[float]]) -> float:
    """The share of groups whose rewards are all the same, which have no advantage (Eq. 1); 0 without a group."""
    whole = [group for group in groups.values() if len(group) > 1]
    return sum(max(group) - min(group) < SAME for group in whole) / len(whole) if whole else 0.0


def step_metrics(
    uids: Sequence[str],
    scores: Sequence[float],
    parts: Sequence[Mapping[str, Any]],
    lengths: Sequence[int],
    limit: int,
) -> dict[str, float]:
    """The figures of one step.

    Args:
        uids: verl's key of each rollout.
        scores: their rewards.
        parts: what the reward function said of each beside its score; numbers are averaged.
        lengths: of the responses, in tokens.
        limit: the longest response.

    Returns:
        by name: each part's mean; ``shown``, the share of outputs with an answer, where the reward tells it; ``cut``,
        the share as long as the limit; ``tied``, the share of groups without an advantage.
    """
    groups: dict[str, list[float]] = defaultdict(list)
    for uid, score in zip(uids, scores, strict=True):
        groups[prompt_of(uid)].append(score)
    found = {"tied": tied_share(groups), "cut": fmean(length >= limit for length in lengths)}
    answered = [row for row in parts if row.get(ANSWER_CHARS, 0) > 0]
    if any(ANSWER_CHARS in row for row in parts):
        found["shown"] = len(answered) / len(parts)
    for name in dict.fromkeys(name for row in parts for name in row):
        rows = answered if name in _OF_ANSWERS else parts
        values = [float(row[name]) for row in rows if isinstance(row.get(name), int | float)]
        if values:
            found[name] = fmean(values)
            if name == WAIT:
                found[f"{name}_longest"] = max(values)
    return {f"reward/{name}": value for name, value in found.items()}


def with_reward_metrics(trainer: type[Any]) -> type[Any]:
    """The trainer, a class of verl's V1, with `step_metrics` in each step's record."""

    class RewardMetrics(trainer):
        """Named so in verl's messages."""

        def _compute_metrics(self, batch: Any, metrics: dict[str, float], *args: Any, **kwargs: Any) -> None:
            super()._compute_metrics(batch, metrics, *args, **kwargs)
            if ENTROPY not in metrics and _ENTROPY_OF_UPDATE in metrics:
                metrics[ENTROPY] = metrics[_ENTROPY_OF_UPDATE]
            import transfer_queue  # only here: its import starts what the tests of `step_metrics` do not need

            keys = [key for key, tag in zip(batch.keys, batch.tags, strict=True) if not tag.get("is_padding", False)]
            data = transfer_queue.kv_batch_get(
                keys=keys, partition_id=batch.partition_id, select_fields=["extra_fields", "rm_scores", "responses"]
            )
            metrics |= step_metrics(
                keys,
                data["rm_scores"].sum(dim=1).tolist(),
                # As verl takes it out at validation: by its name alone it comes in another wrapping.
                [extra.get("reward_extra_info") or {} for extra in data.pop("extra_fields").tolist()],
                data["responses"].offsets().diff().tolist(),
                self.config.data.max_response_length,
            )

    return RewardMetrics
