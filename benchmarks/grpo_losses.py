"""The GRPO loss of one batch of rollouts, and its gradient, by verl's functions and by TRL's trainer, in float32.

    PYTHONPATH=.trl python -m benchmarks.grpo_losses config.yaml rollouts/1.jsonl 4 result.json outputs/tiny/grpo

Twice. At the first update the policy is the reference and every ratio is 1. Then with a policy that has gone on (the
last argument) on outputs of the reference, so that the clip and the KL term act.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from verl.trainer.ppo.core_algos import agg_loss, get_adv_estimator_fn, get_policy_loss_fn, kl_penalty
from verl.utils.config import omega_conf_to_dataclass
from verl.utils.torch_functional import logprobs_from_logits

from benchmarks.grpo_batch import Rollout, load_config, read_prompts, read_rollouts
from common.files import write_json


@dataclass(frozen=True)
class Batch:
    """What verl's loss is made of; tensors of shape (outputs, tokens), padded at the end.

    Attributes:
        new, old, reference: log-probabilities of the tokens by the policy, by the one that sampled, by the reference.
        mask: True at an output's own tokens.
        rewards: shape (outputs,).
        groups: of each output.
    """

    new: torch.Tensor
    old: torch.Tensor
    reference: torch.Tensor
    mask: torch.Tensor
    rewards: torch.Tensor
    groups: Sequence[str]


def verl_loss(config: DictConfig, batch: Batch) -> tuple[torch.Tensor, dict[str, float]]:
    """What ``verl.workers.utils.losses.ppo_loss`` computes of a batch, by the same functions of verl's.

    Returns:
        the loss, and verl's own figures: shares of clipped tokens, and the KL term before its coefficient.
    """
    actor: Any = omega_conf_to_dataclass(config.actor_rollout_ref.actor)
    by_token = torch.zeros_like(batch.old)
    by_token[torch.arange(len(batch.rewards)), batch.mask.sum(-1) - 1] = batch.rewards
    advantages, _ = get_adv_estimator_fn(config.algorithm.adv_estimator)(
        by_token,
        batch.mask,
        np.array(batch.groups),
        norm_adv_by_std_in_grpo=config.algorithm.norm_adv_by_std_in_grpo,
    )
    policy, told = get_policy_loss_fn(actor.policy_loss.loss_mode)(
        old_log_prob=batch.old,
        log_prob=batch.new,
        advantages=advantages,
        response_mask=batch.mask,
        loss_agg_mode=actor.loss_agg_mode,
        config=actor,
        rollout_is_weights=None,
    )
    new: Any = batch.new  # verl's types ask for FloatTensor
    reference: Any = batch.reference
    kl = agg_loss(kl_penalty(new, reference, actor.kl_loss_type), batch.mask, actor.loss_agg_mode)
    return policy + actor.kl_loss_coef * kl, {**told, "kl": float(kl.detach())}


def log_probabilities(model: Any, rollouts: Sequence[Rollout]) -> torch.Tensor:
    """Of each output's tokens, row by row and so without padding; shape (outputs, tokens of the longest)."""
    rows = []
    for rollout in rollouts:
        ids = torch.tensor([[*rollout.prompt.ids, *rollout.ids]])
        logits = model(input_ids=ids).logits[:, len(rollout.prompt.ids) - 1 : -1]
        rows.append(logprobs_from_logits(logits, torch.tensor([rollout.ids]))[0])
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


def gradient_of(model: Any) -> torch.Tensor:
    """All parameters' in one row, taken away from the model."""
    found = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    model.zero_grad()
    return found


def trl_side(config: DictConfig, rollouts: Sequence[Rollout], rows: int, out: Path) -> tuple[Any, dict[str, Any]]:
    """TRL's trainer, and the batch as it comes out of TRL's own padding, rewards, advantages and reference model."""
    from datasets import Dataset

    from benchmarks.grpo_trl import trainer_options

    trl: Any = import_module("trl")  # another version than the locks', by whose types mypy would go

    def replay(prompts: list[Any], _: Any) -> dict[str, Any]:
        assert len(prompts) == len(rollouts)
        return {
            "prompt_ids": [rollout.prompt.ids for rollout in rollouts],
            "completion_ids": [rollout.ids for rollout in rollouts],
            "logprobs": None,
        }

    def as_dumped(**_: Any) -> list[float]:
        return [rollout.reward for rollout in rollouts]

    given = [{"prompt": rollout.prompt.messages} for rollout in rollouts]
    trainer: Any = trl.GRPOTrainer(
        model=config.actor_rollout_ref.model.path,
        reward_funcs=as_dumped,
        args=trl.GRPOConfig(**trainer_options(config, rows, out)),
        train_dataset=Dataset.from_list(given),
        processing_class=AutoTokenizer.from_pretrained(config.actor_rollout_ref.model.path),
        rollout_func=replay,
    )
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
    return trainer, trainer._generate_and_score_completions(given)


def trl_loss(trainer: Any, inputs: dict[str, Any]) -> float:
    """The batch's, micro-batch by micro-batch as TRL trains; its gradient is left in the model."""
    total = 0.0
    for part in import_module("trl.trainer.utils").split_tensor_dict(inputs, trainer.args.steps_per_generation):
        loss = trainer.compute_loss(trainer.model, part)
        loss.backward()
        total += float(loss.detach())
    return total


def compare(config: DictConfig, rollouts: Sequence[Rollout], rows: int, later: Path) -> list[dict[str, Any]]:
    """Both losses of a batch in both situations, see the module.

    Args:
        rows: of TRL's micro-batches.
        later: folder of a policy that has been trained on.
    """
    model: Any = AutoModelForCausalLM.from_pretrained(config.actor_rollout_ref.model.path, dtype=torch.float32)
    with torch.no_grad():
        reference = log_probabilities(model, rollouts)
    lengths = torch.tensor([len(rollout.ids) for rollout in rollouts])
    mask = torch.arange(reference.shape[1])[None] < lengths[:, None]
    rewards = torch.tensor([rollout.reward for rollout in rollouts])
    groups = [rollout.prompt.question for rollout in rollouts]
    weights = AutoModelForCausalLM.from_pretrained(later, dtype=torch.float32).state_dict()
    found = []
    with tempfile.TemporaryDirectory() as out:
        trainer, inputs = trl_side(config, rollouts, rows, Path(out))
        # TRL computes them only where the batch is older than the policy.
        moved = {**inputs, "old_per_token_logps": inputs["ref_per_token_logps"]}
        load: Callable[[Any], Any] = lambda side: side.load_state_dict(weights)  # noqa: E731
        for name, given in (("first update", inputs), ("a later policy", moved)):
            if given is moved:
                load(model)
                load(trainer.model)
            new = log_probabilities(model, rollouts)
            # At the first update verl's old policy is the same one.
            ours, told = verl_loss(config, Batch(new, reference, reference, mask, rewards, groups))
            ours.backward()
            theirs = trl_loss(trainer, given)
            own, other = gradient_of(model), gradient_of(trainer.model)
            found.append(
                {
                    "name": name,
                    "verl": float(ours.detach()),
                    "trl": theirs,
                    "verl_gradient": float(own.norm()),
                    "trl_gradient": float(other.norm()),
                    "gradient_difference": float((own - other).norm() / own.norm()),
                    "clipped": told["actor/pg_clipfrac"],
                    "dual_clipped": told["actor/pg_clipfrac_lower"],
                    "kl": told["kl"],
                    "outputs": len(rollouts),
                    "tokens": int(lengths.sum()),
                }
            )
    return found


def main(arguments: Sequence[str]) -> None:
    """The command."""
    config_file, dump, rows, result, later = arguments
    config = load_config(Path(config_file))
    tokenizer: Any = AutoTokenizer.from_pretrained(config.actor_rollout_ref.model.path)
    limit = config.data.max_response_length
    rollouts = read_rollouts(Path(dump), read_prompts(config, tokenizer), tokenizer, limit)
    # TRL would load vLLM, which takes longer than all of this.
    sys.modules["vllm"] = None  # type: ignore[assignment]
    write_json(Path(result), compare(config, rollouts, int(rows), Path(later)))


if __name__ == "__main__":
    main(sys.argv[1:])
