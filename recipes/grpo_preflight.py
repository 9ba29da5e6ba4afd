"""GRPO's part of `make preflight`: cards, slots, what has to divide what, memory of the host, disk, lengths."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from omegaconf import DictConfig

from recipes.grpo_config import starts_worker, validates
from recipes.grpo_machine import cpu_slots_needed, gpus_needed
from recipes.machine import Machine
from recipes.preflight_checks import CHECKPOINT, GB, WEIGHTS, Line, card_lines, disk_line, line

_TYPES: Final = {"bf16": 2, "bfloat16": 2, "fp16": 2, "float16": 2, "fp32": 4, "float32": 4}


def grpo_lines(config: DictConfig, model: Mapping[str, Any], parameters: int, machine: Machine) -> Iterator[Line]:
    """The checks of GRPO.

    Args:
        config: verl's, with our section ``recipe``.
        model: the policy's ``config.json``.
        parameters: that it has.
        machine: to run on.
    """
    on_cards = config.trainer.device != "cpu"
    needed, slots = gpus_needed(config), cpu_slots_needed(config)
    trains = config.trainer.n_gpus_per_node * config.trainer.nnodes if on_cards else 0
    # Those of a cluster are counted when it has been joined: the trainer's by verl, the reward worker's by its start.
    idle = max(0, len(machine.cards) - needed)
    there = f"asked of {machine.cluster}" if machine.cluster else f"{idle} idle"
    yield line(
        not machine.cluster and len(machine.cards) < needed,
        f"GPUs: {trains} train and generate, {needed - trains} serve the reward model, {there}"
        if needed
        else "GPUs: none asked for",
        f"{needed} are needed, {len(machine.cards)} are here. Lower trainer.n_gpus_per_node, or see docs/cluster.md.",
    )
    worker = config.recipe.reward_worker
    if (
        on_cards
        and idle
        and not machine.cluster
        and starts_worker(config)
        and worker.device != "cpu"
        and not worker.num_gpus
    ):
        yield Line(
            "warning",
            f"the reward model shares the trainer's GPU, {idle} idle",
            "recipe.reward_worker.num_gpus=1 gives it one of its own",
        )
    given = config.ray_kwargs.ray_init.num_cpus
    slots_given = "those of the cluster" if machine.cluster else given or f"as many as cores, {machine.cores}"
    yield line(
        not machine.cluster and (given or machine.cores) < slots,
        f"CPU slots of Ray: {slots} needed, {slots_given} given",
        f"ray_kwargs.ray_init.num_cpus={slots}; with fewer Ray waits for ever",
    )
    yield from _divisible(config)
    yield from _heads(config, model)
    if on_cards:
        yield from _host_memory(config, parameters, machine)
        yield from card_lines(machine)
    keep = config.trainer.max_actor_ckpt_to_keep or 0
    best = parameters * WEIGHTS if config.recipe.keep_best and validates(config) else 0
    remedy = "trainer.max_actor_ckpt_to_keep=1"
    yield disk_line(parameters * CHECKPOINT, keep + 1 if keep else None, machine, remedy, best)
    longest = config.data.max_prompt_length + config.data.max_response_length
    limit = model.get("max_position_embeddings", longest)
    yield line(
        longest > limit,
        f"prompt and response: {longest} tokens at most, the model takes {limit}",
        "lower max_prompt_tokens or max_response_tokens and run `make data` again",
    )


def _divisible(config: DictConfig) -> Iterator[Line]:
    actor, rollouts = config.actor_rollout_ref.actor, config.actor_rollout_ref.rollout.n
    batch, mini, cards = config.data.train_batch_size, actor.ppo_mini_batch_size, config.trainer.n_gpus_per_node
    cards *= config.trainer.nnodes
    split = config.actor_rollout_ref.rollout.tensor_model_parallel_size
    yield line(
        cards % split != 0,
        f"rollout: an engine over {split} of {cards} processes",
        "actor_rollout_ref.rollout.tensor_model_parallel_size has to divide their number",
    )
    yield line(
        batch * rollouts % cards != 0 or mini * rollouts % cards != 0,
        f"a step: {batch} prompts of {rollouts} rollouts, updates of {mini} prompts, over {cards} processes",
        f"train_batch_size × n and ppo_mini_batch_size × n have to divide by {cards}",
    )
    yield line(
        batch % mini != 0,
        f"updates a step: {batch / mini:g}",
        "data.train_batch_size has to divide by actor.ppo_mini_batch_size",
    )
    micro = actor.ppo_micro_batch_size_per_gpu
    if micro and not actor.use_dynamic_bsz:
        own = mini * rollouts // cards
        yield line(
            own % micro != 0,
            f"micro-batches: {own / micro:g} of {micro} rollouts a process",
            f"actor.ppo_micro_batch_size_per_gpu has to divide {own}",
        )


def _heads(config: DictConfig, model: Mapping[str, Any]) -> Iterator[Line]:
    split = config.actor_rollout_ref.rollout.tensor_model_parallel_size
    heads = model.get("num_attention_heads")
    if heads:
        yield line(
            heads % split != 0,
            f"rollout: {heads} attention heads over {split} GPUs",
            "rollout.tensor_model_parallel_size has to divide the heads",
        )


def _host_memory(config: DictConfig, parameters: int, machine: Machine) -> Iterator[Line]:
    moved, lora = config.actor_rollout_ref.actor.fsdp_config, bool(config.actor_rollout_ref.model.get("lora_rank"))
    # The policy without its adapters is the reference then.
    reference = 0 if lora else _TYPES.get(str(config.actor_rollout_ref.ref.fsdp_config.model_dtype), 4)
    # Weights and Adam's two moments wait here while vLLM has the card; adapters train so few that they count as none.
    own = _TYPES.get(str(moved.model_dtype), WEIGHTS)
    moments = 0 if lora else 2 * own
    offloaded = parameters * (own * bool(moved.param_offload) + moments * bool(moved.optimizer_offload))
    # The whole model is gathered on the host in float32 when it is saved.
    needed = parameters * (reference + WEIGHTS) + offloaded
    what = "the reference, for saving and for what is offloaded" if offloaded else "the reference and for saving"
    yield line(
        needed > machine.memory,
        f"host memory: {needed / GB:.0f} GB for {what}, {machine.memory / GB:.0f} GB free",
        "actor_rollout_ref.ref.fsdp_config.model_dtype=bf16, or a host with more",
        "warning",
    )
