"""What could be changed of a run, and with which override: what `recipes.plan` shows the effect of."""

from collections.abc import Iterator
from dataclasses import replace

from recipes.planning.setup import Setup

_RANK = 32


def changes(setup: Setup) -> Iterator[tuple[str, Setup]]:
    """The override, and the run with it; only those that change this run."""
    actor, rollout = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"
    if setup.micro:
        for micro in (setup.micro // 2, setup.micro * 2):
            if 0 < micro <= setup.rows * setup.mini / setup.prompts:
                yield f"{actor}.ppo_micro_batch_size_per_gpu={micro}", replace(setup, micro=micro)
    else:
        for tokens in (setup.micro_tokens // 2, setup.micro_tokens * 2):
            yield f"{actor}.ppo_max_token_len_per_gpu={tokens}", replace(setup, micro_tokens=tokens)
    if setup.padded:
        yield "actor_rollout_ref.model.use_remove_padding=true", replace(setup, padded=False)
    yield f"{rollout}.n={2 * setup.rollouts}", replace(setup, rollouts=2 * setup.rollouts)
    lengths = setup.lengths
    yield (
        "responses half as long, mean and longest",
        replace(setup, lengths=replace(lengths, response=lengths.response / 2, longest=lengths.longest / 2)),
    )
    for share in (0.1, -0.1):
        if 0.1 <= (given := round(setup.utilization + share, 2)) <= 0.9:
            yield f"{rollout}.gpu_memory_utilization={given}", replace(setup, utilization=given)
    offloaded = setup.offload_weights and setup.offload_optimizer
    yield (
        f"{actor}.fsdp_config.{{param,optimizer}}_offload={str(not offloaded).lower()}",
        replace(setup, offload_weights=not offloaded, offload_optimizer=not offloaded),
    )
    if setup.deferred:
        yield f"{actor}.fsdp_config.use_no_sync_for_gradient_accumulation=false", replace(setup, deferred=False)
    if not setup.lora:
        yield f"actor_rollout_ref.model.lora_rank={_RANK}", replace(setup, lora=_RANK, reference=0)
    if setup.checkpointing:
        yield "actor_rollout_ref.model.enable_gradient_checkpointing=false", replace(setup, checkpointing=False)
    if not setup.eager:
        yield f"{rollout}.enforce_eager=true", replace(setup, eager=True)
    if setup.cards > 1 and setup.shape.heads % (2 * setup.split) == 0 and setup.cards % (2 * setup.split) == 0:
        yield f"{rollout}.tensor_model_parallel_size={2 * setup.split}", replace(setup, split=2 * setup.split)
    yield "twice the GPUs", replace(setup, cards=2 * setup.cards)
