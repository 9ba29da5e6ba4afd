"""TRL's side of `benchmarks.grpo`: a trainer that is to do what verl's configuration says, and its timed run.

    PYTHONPATH=.trl python -m benchmarks.grpo_trl config.yaml rollouts/ vllm 8 result.json

The prompts come from the dumps of verl's run, step by step, so both see the same ones in the same order. The reward is
`reward_fns`, called in this process.
"""

import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from benchmarks.grpo_batch import load_config, prompts_of_step, read_prompts, template_kwargs
from common.files import write_json


def loss_options(config: DictConfig) -> dict[str, Any]:
    """The options of TRL's ``GRPOConfig`` under which its loss is verl's.

    Raises:
        ValueError: a setting of verl's that TRL has no equal of.
    """
    actor, algorithm = config.actor_rollout_ref.actor, config.algorithm
    expected = {
        "actor.loss_agg_mode": (actor.loss_agg_mode, "token-mean"),
        "actor.kl_loss_type": (actor.kl_loss_type, "low_var_kl"),
        "actor.entropy_coeff": (actor.entropy_coeff, 0),
        "algorithm.adv_estimator": (algorithm.adv_estimator, "grpo"),
        "algorithm.use_kl_in_reward": (algorithm.use_kl_in_reward, False),
    }
    for name, (found, known) in expected.items():
        if found != known:
            raise ValueError(f"{name} is {found}, and only of {known} is it known which of TRL's options is the same")
    return {
        "loss_type": "dapo",  # one mean over all tokens of the batch; "bnpo" is one a micro-batch
        "scale_rewards": "group" if algorithm.norm_adv_by_std_in_grpo else "none",  # n - 1 as well
        "epsilon": actor.clip_ratio_low,
        "epsilon_high": actor.clip_ratio_high,
        "delta": actor.clip_ratio_c,  # caps the ratio before the minimum: for a negative advantage that is verl's cap
        "beta": actor.kl_loss_coef if actor.use_kl_loss else 0.0,  # k3, which verl also clamps at 10
        "num_iterations": actor.ppo_epochs,
        "num_generations": config.actor_rollout_ref.rollout.n,
        "temperature": config.actor_rollout_ref.rollout.temperature,
    }


def trainer_options(config: DictConfig, rows: int, out: Path) -> dict[str, Any]:
    """Those, and the ones that make the run the same.

    Args:
        rows: of a micro-batch.
        out: where TRL may write.
    """
    actor, rollout, optim = (
        config.actor_rollout_ref.actor,
        config.actor_rollout_ref.rollout,
        config.actor_rollout_ref.actor.optim,
    )
    outputs = config.data.train_batch_size * rollout.n
    if (
        outputs % rows
        or optim.lr_scheduler_type != "cosine"
        or actor.ppo_mini_batch_size != config.data.train_batch_size
    ):
        raise ValueError(f"rows={rows} must divide {outputs} outputs, the rate be a cosine, and a batch one update")
    return {
        **loss_options(config),
        "output_dir": str(out),
        "per_device_train_batch_size": rows,
        "gradient_accumulation_steps": outputs // rows,
        "max_completion_length": config.data.max_response_length,
        "chat_template_kwargs": template_kwargs(config),
        "top_p": rollout.top_p,
        "shuffle_dataset": False,
        "max_steps": config.trainer.total_training_steps,
        "learning_rate": optim.lr,
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": optim.min_lr_ratio},
        "warmup_steps": optim.lr_warmup_steps,
        "weight_decay": optim.weight_decay,
        "adam_beta1": optim.betas[0],
        "adam_beta2": optim.betas[1],
        "max_grad_norm": optim.clip_grad,
        "seed": config.recipe.seed,
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "model_init_kwargs": {"dtype": "float32", "attn_implementation": "sdpa"},
        "dataloader_pin_memory": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
    }


def reward_function(config: DictConfig) -> Callable[..., list[float]]:
    """The reward of `reward_fns` as TRL calls one: for a whole batch, without Ray."""
    from reward_fns.components import components
    from reward_fns.options import RewardOptions
    from reward_fns.reward_model import RewardModel

    given: Any = OmegaConf.to_container(config.reward.custom_reward_function.reward_kwargs)
    options, model = RewardOptions.of(given), RewardModel(Path(config.recipe.reward_worker.model))

    def coe(completions: list[list[dict[str, str]]], question: list[str], **_: Any) -> list[float]:
        texts = [messages[0]["content"] for messages in completions]
        answers = [options.answer_of(text) for text in texts]
        answered = [place for place, answer in enumerate(answers) if answer is not None]
        judged = model.judge([question[place] for place in answered], [str(answers[place]) for place in answered])
        judgements = dict(zip(answered, judged, strict=True))
        return [
            components(question[place], text, judgements.get(place), options)["score"]
            for place, text in enumerate(texts)
        ]

    return coe


def fit_vllm_to_a_cpu() -> None:
    """Give the vLLM that TRL starts what it lacks on a CPU; TRL has no options for either.

    Linear weights stay as they are loaded, else TRL's first weight sync fails (see `recipes.verl_cpu.vllm_worker`),
    and nothing is compiled, as in profile `tiny`.
    """
    import torch
    import vllm.model_executor.layers.utils

    vllm_generation: Any = import_module("trl.generation.vllm_generation")

    def plain(layer: torch.nn.Module, remove_weight: bool) -> None:
        del remove_weight
        setattr(layer, "cpu_linear", torch.nn.functional.linear)  # noqa: B010

    vllm.model_executor.layers.utils.dispatch_cpu_unquantized_gemm = plain
    engine = vllm_generation.LLM
    vllm_generation.LLM = lambda **options: engine(**options, dtype="float32", enforce_eager=True)


def train(config: DictConfig, dumps: Path, generator: str, rows: int, result: Path) -> None:
    """Run TRL for as many steps as verl's run had, and write what it took.

    Args:
        dumps: verl's rollouts, a file a step.
        generator: "vllm" or "transformers".
        rows: of a micro-batch.
        result: a JSON file.
    """
    from datasets import Dataset
    from transformers import AutoTokenizer, TrainerCallback

    trl: Any = import_module("trl")  # another version than the locks', by whose types mypy would go
    if generator == "vllm":
        fit_vllm_to_a_cpu()
    tokenizer: Any = AutoTokenizer.from_pretrained(config.actor_rollout_ref.model.path)
    prompts = read_prompts(config, tokenizer)
    chosen = [
        prompt
        for step in range(1, config.trainer.total_training_steps + 1)
        for prompt in prompts_of_step(dumps / f"{step}.jsonl", prompts)
    ]
    ends: list[float] = []
    spent = {"gen": 0.0, "ref": 0.0}

    class Clock(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            ends.append(time.time())

        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(time.time())

    class Timed(trl.GRPOTrainer):
        def _generate_single_turn(self, *given: Any, **named: Any) -> Any:
            return _timed("gen", super()._generate_single_turn, *given, **named)

        def _get_per_token_logps_and_entropies(self, model: Any, *given: Any, **named: Any) -> Any:
            own = super()._get_per_token_logps_and_entropies
            return (
                _timed("ref", own, model, *given, **named) if model is self.ref_model else own(model, *given, **named)
            )

    def _timed(name: str, call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        began = time.time()
        found = call(*given, **named)
        if len(ends) > 1:  # the first step warms up
            spent[name] += time.time() - began
        return found

    options: dict[str, Any] = {
        "use_vllm": generator == "vllm",
        "vllm_mode": "colocate",
        "vllm_max_model_length": config.actor_rollout_ref.rollout.max_model_len,
        # verl's default has no correction either.
        "vllm_importance_sampling_correction": False,
    }
    trainer = Timed(
        model=config.actor_rollout_ref.model.path,
        reward_funcs=reward_function(config),
        args=trl.GRPOConfig(**trainer_options(config, rows, result.parent), **options),
        train_dataset=Dataset.from_list([{"prompt": p.messages, "question": p.question} for p in chosen]),
        processing_class=tokenizer,
        callbacks=[Clock()],
    )
    trainer.train()
    steps = [record for record in trainer.state.log_history if "reward" in record]
    write_json(
        result,
        {
            "version": version("trl"),
            "began": ends[0],
            "ends": ends[1:],
            "spent_s": {name: seconds / (len(steps) - 1) for name, seconds in spent.items()},
            "rewards": [record["reward"] for record in steps],
            "kl": [record["kl"] for record in steps],
            "rates": [record["learning_rate"] for record in steps],
            "tokens": [record["num_tokens"] for record in steps],
            "lengths": [record["completions/mean_length"] for record in steps],
        },
    )


def main(arguments: Sequence[str]) -> None:
    """The command."""
    config_file, dumps, generator, rows, result = arguments
    config = load_config(Path(config_file))
    if generator != "vllm":
        # TRL loads vLLM where it finds it.
        sys.modules["vllm"] = None  # type: ignore[assignment]
    train(config, Path(dumps), generator, int(rows), Path(result))


if __name__ == "__main__":
    main(sys.argv[1:])
