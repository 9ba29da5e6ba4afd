"""The card of the model that GRPO hands on: ``README.md`` in its folder, in the form that the Hugging Face Hub reads.

The text stands in ``templates/grpo.md.jinja``, in a folder of this module's own: a template beside the recipes would
count as code of every stage. All figures come from the run; nothing is counted here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from omegaconf import DictConfig, OmegaConf

from common.decisions import DataDecisions
from common.human_help import human_help
from common.model_card import base_name, model_header, read_license
from common.pages import Markdown, page
from recipes.grpo_best import Validated
from recipes.grpo_config import uses_own_reward

CARD_FILE: Final = "README.md"
# What a row of the table of validations is called, in its order.
_FIGURES: Final[Mapping[str, str]] = {
    "reward": "reward",
    "format": "format reward",
    "answer": "answer reward",
    "heldout_answer": "answer reward by the held-out model",
}
_TAGS: Final = ("empathy", "chain-of-empathy", "grpo")


def render_card(
    config: DictConfig, decided: DataDecisions, choice: str, last: Validated, best: Validated | None
) -> str:
    """The whole card.

    Args:
        config: verl's, with our section ``recipe``.
        decided: by `make data`.
        choice: which of the two models this is, "last" or "best".
        last: the newest checkpoint.
        best: None where none was both saved and validated.
    """
    shown = {"last": last} | ({} if best is None else {"best": best})
    names = [name for name in _FIGURES if any(name in one.figures for one in shown.values())]
    rows = [
        (_FIGURES[name], *(f"{one.figures[name]:.3f}" if name in one.figures else "–" for one in shown.values()))
        for name in names
    ]
    actor, rollout = config.actor_rollout_ref.actor, config.actor_rollout_ref.rollout
    reward: Any = OmegaConf.to_container(config.reward.custom_reward_function, resolve=True)
    # A function of the user's own may have none.
    options: dict[str, Any] = reward.get("reward_kwargs") or {}
    return page(
        "recipes.grpo_card",
        "grpo",
        header=Markdown(model_header(Path(decided.model), decided.data_source, _TAGS)),
        base=base_name(decided.model),
        licence=read_license(Path(decided.model)),
        decided=decided,
        choice=choice,
        step=shown[choice].step,
        headings=["validation", *(f"{name}, step {one.step}" for name, one in shown.items())],
        rows=rows,
        training=[
            ("steps", f"{config.trainer.total_training_steps:,}"),
            ("prompts a step", config.data.train_batch_size),
            ("outputs a prompt, G", rollout.n),
            ("learning rate", f"{actor.optim.lr:g}"),
            ("KL coefficient β", f"{actor.kl_loss_coef:g}" if actor.use_kl_loss else "none"),
            ("LoRA rank", config.actor_rollout_ref.model.lora_rank or "none, all parameters"),
            ("seed", config.recipe.seed),
        ],
        own_reward=uses_own_reward(config),
        options={name: value for name, value in options.items() if value is not None},
        from_sft=Path(config.recipe.init_model).name == "sft",
        help=human_help(),
    )
