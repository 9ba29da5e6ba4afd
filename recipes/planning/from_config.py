"""From verl's composed configuration to a `Setup`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from omegaconf import DictConfig

from common.errors import StageError
from recipes.grpo_config import starts_worker, uses_own_reward, validates
from recipes.planning.constants import constants
from recipes.planning.setup import GIB, Card, Lengths, Setup
from recipes.planning.shapes import ENCODERS, Shape, find_encoder

_BYTES: Final = {"bf16": 2, "bfloat16": 2, "fp16": 2, "float16": 2, "fp32": 4, "float32": 4}


def setup_of(config: DictConfig, shape: Shape, card: Card, lengths: Lengths, encoders: Sequence[str]) -> Setup:
    """What verl will do with this configuration.

    Args:
        config: verl's, with our section ``recipe``.
        shape: of the policy.
        card: that each process has.
        lengths: of prompts and responses, tokens.
        encoders: of the reward model and of the held-out one, for when they are not trained yet.

    Raises:
        StageError: a run on a CPU, or one by another engine than FSDP.
    """
    if config.trainer.device == "cpu":
        raise StageError("this profile trains on a CPU, and the plan is of GPUs. PROFILE=one_gpu or qwen3_8b.")
    actor, rollout, ref = (config.actor_rollout_ref[key] for key in ("actor", "rollout", "ref"))
    if "fsdp" not in str(actor.strategy):
        raise StageError(f"actor.strategy={actor.strategy}: planned is for fsdp2 alone.")
    lora = int(config.actor_rollout_ref.model.get("lora_rank") or 0)
    has_reference = bool(actor.use_kl_loss or config.algorithm.use_kl_in_reward)
    engine: Any = actor.fsdp_config
    dynamic = {"micro": bool(actor.use_dynamic_bsz), "scored": bool(rollout.log_prob_use_dynamic_bsz)}
    return Setup(
        shape=shape,
        card=card,
        cards=config.trainer.n_gpus_per_node * config.trainer.nnodes,
        lengths=lengths,
        prompts=config.data.train_batch_size,
        rollouts=rollout.n,
        mini=actor.ppo_mini_batch_size,
        micro=0 if dynamic["micro"] else actor.ppo_micro_batch_size_per_gpu,
        micro_tokens=actor.ppo_max_token_len_per_gpu,
        scored=0 if dynamic["scored"] else rollout.log_prob_micro_batch_size_per_gpu,
        scored_tokens=rollout.log_prob_max_token_len_per_gpu,
        padded=not config.actor_rollout_ref.model.use_remove_padding,
        lora=lora,
        master=_BYTES.get(str(engine.model_dtype), 4),
        checkpointing=bool(config.actor_rollout_ref.model.enable_gradient_checkpointing),
        offload_weights=bool(engine.param_offload),
        offload_optimizer=bool(engine.optimizer_offload),
        # With LoRA the policy without its adapters is the reference.
        reference=_BYTES.get(str(ref.fsdp_config.model_dtype), 4) if has_reference and not lora else 0,
        offload_reference=bool(ref.fsdp_config.param_offload),
        split=rollout.tensor_model_parallel_size,
        utilization=rollout.gpu_memory_utilization,
        eager=bool(rollout.enforce_eager),
        deferred=bool(engine.use_no_sync_for_gradient_accumulation),
        beside=_reward_models(config, encoders),
        entropy_chunk=engine.entropy_from_logits_chunk_size if engine.entropy_from_logits_with_chunking else 0,
    )


def _reward_models(config: DictConfig, encoders: Sequence[str]) -> float:
    """Bytes of the reward model and of the held-out one, where they share the policy's card."""
    worker = config.recipe.reward_worker
    if not starts_worker(config) or worker.device == "cpu" or worker.num_gpus:
        return 0.0
    size: float = worker.replicas * _encoder(Path(worker.model), encoders[0])
    # It need not be trained yet, which the run itself would ask for.
    if validates(config) and uses_own_reward(config) and config.recipe.heldout is not None:
        size += _encoder(Path(config.recipe.heldout), encoders[1])
    return size


def _encoder(folder: Path, encoder: str) -> float:
    # Its modules' weights; the folder also keeps the encoder as its training began.
    files = [file for pattern in ("*.safetensors", "[0-9]*/*.safetensors") for file in folder.glob(pattern)]
    work = constants().encoder_work_gib * GIB
    if files:
        return sum(file.stat().st_size for file in files) + work
    if (shape := find_encoder(encoder)) is None:
        raise StageError(
            f"encoder {encoder}: how large it is is not known before {folder} is made. "
            f"Add it to {ENCODERS.name}, or train it first."
        )
    return 4 * shape.parameters + work
