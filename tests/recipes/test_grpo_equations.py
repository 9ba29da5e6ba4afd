"""What verl computes under our configuration, beside the paper's Eq. 1 and Eq. 2 written out by hand.

Eq. 2 is printed with one ratio a whole output; verl's is one a token, its mean over all tokens of the batch. Which of
the two trains is named in ``verl_configs/grpo_common.yaml``; docs/reproduction.md has the reason.
"""

import math
from typing import Any

import numpy as np
import pytest
import torch
from verl.trainer.ppo.core_algos import agg_loss, compute_grpo_outcome_advantage, get_policy_loss_fn, kl_penalty
from verl.utils.config import omega_conf_to_dataclass

from common.decisions import DataDecisions
from recipes.grpo_config import compose_config

DECIDED = DataDecisions("sample", "coe", "系统", False, 1024, 1024, "base")
LENGTHS = (2, 5, 3, 4)
ADVANTAGES = (1.2, -0.7, -1.1, 0.6)
EPSILON = 0.2
MASK = torch.arange(max(LENGTHS))[None] < torch.tensor(LENGTHS)[:, None]
# Ratios of tokens on both sides of the clip, under advantages of both signs; whole outputs have others.
RATIOS = torch.tensor(
    [
        [1.5, 0.9, 1.0, 1.0, 1.0],
        [0.5, 1.4, 1.0, 1.1, 0.7],
        [1.8, 1.05, 1.3, 1.0, 1.0],
        [0.6, 0.75, 0.95, 1.25, 1.0],
    ]
)
OLD = torch.linspace(-3.0, -0.5, MASK.numel()).reshape(MASK.shape)


def eq_2(ratios: torch.Tensor, whole_outputs: bool) -> float:
    """The clipped part of Eq. 2 over one group, to be maximised; `ratios` are of tokens."""

    def term(ratio: float, advantage: float) -> float:
        return min(ratio * advantage, max(1 - EPSILON, min(ratio, 1 + EPSILON)) * advantage)

    outputs = [ratios[i, :length].tolist() for i, length in enumerate(LENGTHS)]
    if whole_outputs:
        terms = [term(math.prod(output), A) for output, A in zip(outputs, ADVANTAGES, strict=True)]
    else:
        terms = [term(ratio, A) for output, A in zip(outputs, ADVANTAGES, strict=True) for ratio in output]
    return sum(terms) / len(terms)


@pytest.fixture(scope="module", params=["tiny", "qwen3_8b"])
def actor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """verl's own configuration of the actor, as a profile composes it."""
    config = compose_config(request.param, tmp_path_factory.mktemp("out"), 42, DECIDED, [])
    return omega_conf_to_dataclass(config.actor_rollout_ref.actor)


def verl_loss(actor: Any, mode: str) -> float:
    advantages = torch.tensor(ADVANTAGES)[:, None] * MASK
    loss, _ = get_policy_loss_fn(actor.policy_loss.loss_mode)(
        old_log_prob=OLD,
        log_prob=OLD + RATIOS.log(),
        advantages=advantages,
        response_mask=MASK,
        loss_agg_mode=mode,
        config=actor,
        rollout_is_weights=None,
    )
    return float(loss)


def test_advantages_are_eq_1_with_the_sample_standard_deviation() -> None:
    rewards, groups = [2.0, 1.0, 0.0, 1.0, 2.0, 0.0], ["a", "a", "a", "a", "b", "b"]
    mask = torch.ones(6, 3)
    given = torch.zeros(6, 3)
    given[:, -1] = torch.tensor(rewards)
    found, _ = compute_grpo_outcome_advantage(given, mask, np.array(groups))
    for name in ("a", "b"):
        own = [reward for reward, group in zip(rewards, groups, strict=True) if group == name]
        expected = [(reward - np.mean(own)) / np.std(own, ddof=1) for reward in own]
        rows = [place for place, group in enumerate(groups) if group == name]
        assert found[rows].tolist() == pytest.approx(np.repeat(np.array(expected)[:, None], 3, 1), abs=1e-4)
    # By n instead of n - 1 a group of four would have advantages 1.15 times as large.
    assert found[0, 0] != pytest.approx(1.0 / np.std([2.0, 1.0, 0.0, 1.0]), abs=0.1)


def test_a_tied_group_teaches_nothing() -> None:
    found, _ = compute_grpo_outcome_advantage(torch.ones(4, 2) / 2, torch.ones(4, 2), np.array(["a"] * 4))
    assert not found.any()


def test_the_loss_is_eq_2_by_token(actor: Any) -> None:
    assert actor.clip_ratio == EPSILON
    assert actor.loss_agg_mode == "token-mean"
    assert verl_loss(actor, actor.loss_agg_mode) == pytest.approx(-eq_2(RATIOS, whole_outputs=False), abs=1e-5)


def test_the_readings_and_aggregations_differ_here(actor: Any) -> None:
    """Else the test above could not fail."""
    ours = verl_loss(actor, actor.loss_agg_mode)
    assert abs(ours + eq_2(RATIOS, whole_outputs=True)) > 0.05
    for mode in ("seq-mean-token-mean", "seq-mean-token-sum"):
        assert abs(ours - verl_loss(actor, mode)) > 0.01


def test_on_policy_both_readings_are_the_mean_advantage() -> None:
    """One update a batch, as the paper's and our settings are: every ratio is 1 and the clip never acts.

    What is left of the difference is the weight of long outputs.
    """
    ones = torch.ones_like(RATIOS)
    assert eq_2(ones, whole_outputs=True) == pytest.approx(sum(ADVANTAGES) / 4)
    by_token = sum(A * length for A, length in zip(ADVANTAGES, LENGTHS, strict=True)) / sum(LENGTHS)
    assert eq_2(ones, whole_outputs=False) == pytest.approx(by_token)


def test_the_kl_term_is_per_token_and_never_negative(actor: Any) -> None:
    """k3 of Schulman, "Approximating KL divergence": http://joschu.net/blog/kl-approx.html."""
    assert actor.use_kl_loss
    new: Any = OLD + RATIOS.log()
    reference: Any = OLD
    found = kl_penalty(new, reference, actor.kl_loss_type)
    expected = (reference - new).exp() - (reference - new) - 1
    assert torch.allclose(found, expected, atol=1e-6)
    assert (found >= 0).all()
    mean = float(agg_loss(found, MASK, actor.loss_agg_mode))
    assert mean == pytest.approx(float(expected[MASK].sum()) / sum(LENGTHS), abs=1e-6)
