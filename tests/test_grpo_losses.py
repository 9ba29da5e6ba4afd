"""verl's loss under our configuration is TRL's, of which `benchmarks.grpo_trl` names the options.

The benchmark compares whole trainers on a batch of real outputs, with the newest TRL. Here a made-up batch goes into
the loss of the TRL that the locks hold, so that a changed setting or a new verl fails within seconds.
"""

from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from omegaconf import DictConfig

from benchmarks.grpo_losses import Batch, verl_loss
from benchmarks.grpo_trl import loss_options
from common.decisions import DataDecisions
from recipes.grpo_config import compose_config

OUTPUTS, GROUP, LONGEST = 8, 4, 12


@pytest.fixture(scope="module")
def trl() -> Any:
    """TRL's trainer and its options.

    The locks' TRL asks transformers for packages in a way of transformers 4, and takes the pair that 5 answers for yes.
    """
    from trl import import_utils

    for name, value in vars(import_utils).copy().items():
        if name.endswith("_available") and isinstance(value, tuple):
            setattr(import_utils, name, value[0])
    # The vLLM that it knows is older than ours.
    import_utils._vllm_available = False
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    return SimpleNamespace(trainer=GRPOTrainer, options=GRPOConfig)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> DictConfig:
    decided = DataDecisions("sample", "coe", "系统", False, 1024, 1024, "base")
    return compose_config("qwen3_8b", tmp_path_factory.mktemp("out"), 42, decided, [])


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Ratios on both sides of the clip and of the dual clip, a KL that counts, groups that differ and one that ties."""
    draw = torch.Generator().manual_seed(0)
    lengths = torch.tensor([12, 3, 7, 5, 1, 9, 12, 2])
    old = -3 * torch.rand(OUTPUTS, LONGEST, generator=draw)
    new = old + 0.7 * torch.randn(OUTPUTS, LONGEST, generator=draw)
    reference = new + torch.randn(OUTPUTS, LONGEST, generator=draw)
    rewards = torch.tensor([2.0, 1.0, 0.0, 1.0, 0.0, 0.0, 2.0, 0.0])
    mask = torch.arange(LONGEST)[None] < lengths[:, None]
    groups = [str(place // GROUP) for place in range(OUTPUTS)]
    return Batch(new.requires_grad_(), old, reference, mask, rewards, groups)


def trl_loss(trl: Any, options: dict[str, Any], batch: Batch, out: Path) -> torch.Tensor:
    """TRL's own advantages and loss; only the models and the outputs are made up."""
    lengths = batch.mask.sum(-1).tolist()

    class Made(trl.trainer):
        def __init__(self) -> None:
            args = trl.options(
                **options,
                output_dir=str(out),
                per_device_train_batch_size=OUTPUTS,
                use_cpu=True,
                bf16=False,
            )
            self.args, self.accelerator = (
                args,
                SimpleNamespace(
                    device=torch.device("cpu"), num_processes=1, process_index=0, gather=lambda found: found
                ),
            )
            self.model, self.ref_model = SimpleNamespace(training=True), "reference"
            self.processing_class = SimpleNamespace(batch_decode=lambda ids, **_: [""] * len(ids))
            self.pad_token_id, self.mask_truncated_completions, self.use_vllm = 0, False, False
            self.reward_weights, self.reward_func_names = torch.ones(1), ["reward"]
            self._metrics: Any = {"train": defaultdict(list)}
            self._logs: Any = {name: [] for name in ("prompt", "completion", "advantages")} | {
                "rewards": defaultdict(list)
            }
            self.top_entropy_quantile, self.importance_sampling_level = 1.0, args.importance_sampling_level
            self.current_gradient_accumulation_steps = 1
            self.max_completion_length = args.max_completion_length
            self.epsilon_low, self.epsilon_high = args.epsilon, args.epsilon_high
            for name in ("beta", "loss_type", "scale_rewards", "num_generations", "num_iterations"):
                setattr(self, name, getattr(args, name))

        def _generate(self, *_: Any) -> Any:
            outputs = [[5] * length for length in lengths]
            return [[5]] * OUTPUTS, outputs, torch.tensor(sum(lengths)), None, {}

        def _calculate_rewards(self, *_: Any) -> torch.Tensor:
            return batch.rewards[:, None]

        def _get_per_token_logps_and_entropies(self, model: Any, *_: Any, **__: Any) -> Any:
            return (batch.reference if model == "reference" else batch.new), torch.zeros_like(batch.old)

    trainer = Made()
    inputs = trainer._generate_and_score_completions([{"prompt": ""}] * OUTPUTS)
    return trainer._compute_loss(trainer.model, {**inputs, "old_per_token_logps": batch.old})


def test_the_loss_and_its_gradient_are_trls(trl: Any, config: DictConfig, batch: Batch, tmp_path: Path) -> None:
    ours, told = verl_loss(config, batch)
    theirs = trl_loss(trl, loss_options(config), batch, tmp_path)
    # Else the clips and the KL term could be missing on one side.
    assert told["actor/pg_clipfrac"] > 0.1
    assert told["actor/pg_clipfrac_lower"] > 0
    assert config.actor_rollout_ref.actor.kl_loss_coef * told["kl"] > 1e-4
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), abs=1e-4)
    own, other = (torch.autograd.grad(loss, batch.new)[0] for loss in (ours, theirs))
    assert torch.allclose(own, other, atol=1e-5)


@pytest.mark.parametrize(
    "other",
    [
        {"loss_type": "grpo"},
        {"loss_type": "dr_grpo"},
        {"scale_rewards": "none"},
        {"epsilon_high": 0.28},
        {"delta": None},
        {"beta": 0.0},
    ],
    ids=lambda other: next(iter(other)),
)
def test_each_option_decides(trl: Any, config: DictConfig, batch: Batch, tmp_path: Path, other: dict[str, Any]) -> None:
    """Else the test above could not fail."""
    ours, _ = verl_loss(config, batch)
    theirs = trl_loss(trl, {**loss_options(config), **other}, batch, tmp_path)
    assert abs(float(ours.detach()) - float(theirs.detach())) > 1e-4
