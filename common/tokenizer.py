"""A base model's tokenizer, with a message where there is none."""

from typing import Any

from common.errors import StageError


def load_tokenizer(model: str) -> Any:
    """The base model's tokenizer.

    Raises:
        StageError: there is none under this name, neither a folder nor on the hub.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise StageError(
            f"model={model}: no tokenizer found ({str(error).splitlines()[0]}). Name a folder or a hub id: MODEL=…"
        ) from error
