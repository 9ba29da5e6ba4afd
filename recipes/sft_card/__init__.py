"""The card of the model after SFT, in the place of LLaMA-Factory's own, which names folders of the machine.

The text stands in ``templates/sft.md.jinja``, in a folder of this module's own, as GRPO's. It names no hotline: a new
number would redo the training.
"""

from pathlib import Path
from typing import Any, Final

from omegaconf import DictConfig

from common.decisions import DataDecisions
from common.model_card import base_name, model_header, read_license
from common.pages import Markdown, page

CARD_FILE: Final = "README.md"
_TAGS: Final = ("empathy", "chain-of-empathy", "sft")


def render_card(config: DictConfig, decided: DataDecisions, results: dict[str, Any]) -> str:
    """The whole card.

    Args:
        config: LLaMA-Factory's arguments.
        decided: by `make data`.
        results: of the training, as LLaMA-Factory writes them.
    """
    batch = f"{config.per_device_train_batch_size} × {config.get('gradient_accumulation_steps', 1)}"
    return page(
        "recipes.sft_card",
        "sft",
        header=Markdown(model_header(Path(decided.model), decided.data_source, _TAGS)),
        base=base_name(decided.model),
        licence=read_license(Path(decided.model)),
        decided=decided,
        training=[
            ("epochs", f"{results['epoch']:g}"),
            ("learning rate", f"{config.learning_rate:g}"),
            ("samples a GPU × accumulated", batch),
            ("method", config.get("finetuning_type", "full")),
            ("mean training loss", f"{results['train_loss']:.3f}"),
            ("seed", config.seed),
        ],
    )
