"""A model of a published shape with random weights: what its memory and time can be measured with, and nothing else.

    python -m benchmarks.random_model shape=Qwen/Qwen3-0.6B out=outputs/random/Qwen3-0.6B

The shape is one of ``recipes/planning/shapes.yaml`` or ``encoders.yaml``, or a folder with a ``config.json``. The
tokenizer and the chat template are the tiny base's, so no download is needed; the rows of the embedding stay as many as
the published model has.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from omegaconf import MISSING, OmegaConf
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer, PretrainedConfig

from common.code import REPO
from common.errors import StageError
from common.settings import build
from recipes.planning.shapes import ENCODERS, SHAPES, published

_TOKENIZER: Final = REPO / "recipes" / "tiny_base" / "model"


@dataclass(frozen=True)
class RandomModelConfig:
    """What is written.

    Attributes:
        shape: a name in ``shapes.yaml`` or ``encoders.yaml``, or a folder with a configuration.
        out: the model's folder; one that is there is kept.
        seed: of the weights.
    """

    shape: str = MISSING
    out: str = MISSING
    seed: int = 1


def write_random(shape: str, folder: Path, seed: int = 1) -> Path:
    """The folder of such a model, a decoder's weights in bfloat16 and an encoder's in float32; kept if it is there.

    Raises:
        StageError: the shape is not known.
    """
    if folder.is_dir():
        return folder
    config, encoder = _configuration(shape)
    tokenizer = AutoTokenizer.from_pretrained(_TOKENIZER, trust_remote_code=False)
    for key in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(config, key, getattr(tokenizer, key))
    torch.manual_seed(seed)
    # On a card 8 billion draws take a second.
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = (
            AutoModel.from_config(config, dtype=torch.float32)
            if encoder
            else AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
        )
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    return partial.rename(folder)


def _configuration(shape: str) -> tuple[PretrainedConfig, bool]:
    """The configuration, and whether it is an encoder's."""
    for file in (SHAPES, ENCODERS):
        if (config := published(shape, file)) is not None:
            return config, file == ENCODERS
    if not Path(shape, "config.json").is_file():
        raise StageError(f"shape={shape}: not in {SHAPES.name} or {ENCODERS.name}, and no folder with config.json.")
    return AutoConfig.from_pretrained(shape, trust_remote_code=False), False


if __name__ == "__main__":
    try:
        given = build(RandomModelConfig, OmegaConf.from_dotlist(sys.argv[1:]), "benchmarks.random_model")
        print(write_random(given.shape, Path(given.out), given.seed))
    except StageError as error:
        sys.exit(f"error: {error}")
