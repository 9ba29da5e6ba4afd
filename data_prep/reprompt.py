"""The same data with another prompt, for a variant that is compared with the run it comes from (section 4.3.2).

Questions, split and order stay; samples lose their chains, which the prompt does not ask for. The other prompt has to
be the shorter one, so that every limit is still kept.
"""

import json
import shutil
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from common.files import replacing, write_json
from data_prep.prompts import SYSTEM_PROMPTS
from reward_fns.coe_format import parse

SFT_FILES: Final = ("sft.json", "dataset_info.json")
PROMPT_FILES: Final = ("grpo_train.parquet", "grpo_val.parquet", "test.parquet")


def reprompt(source: Path, folder: Path, prompt: str) -> None:
    """Write a data folder's samples and prompts anew.

    Args:
        source: what `make data` made with the prompt "coe".
        folder: for ``sft.json``, ``dataset_info.json``, ``grpo_train.parquet``, ``grpo_val.parquet`` and
            ``test.parquet``.
        prompt: a key of `SYSTEM_PROMPTS`; its samples are the responses alone.

    Raises:
        ValueError: the prompt asks for chains itself, or is the longer one.
    """
    text = SYSTEM_PROMPTS[prompt]
    if prompt == "coe" or len(text) > len(SYSTEM_PROMPTS["coe"]):
        raise ValueError(f"prompt={prompt}: expected one without chains that is no longer than the prompt coe.")
    samples = json.loads((source / "sft.json").read_text(encoding="utf-8"))
    bare = [{**sample, "system": text, "output": parse(sample["output"]).answer} for sample in samples]
    write_json(folder / "sft.json", bare)
    shutil.copyfile(source / "dataset_info.json", folder / "dataset_info.json")
    for name in PROMPT_FILES:
        table = pq.read_table(source / name)
        chats = [
            [{**message, "content": text} if message["role"] == "system" else message for message in chat]
            for chat in table["prompt"].to_pylist()
        ]
        place = table.schema.get_field_index("prompt")
        asked = table.set_column(place, table.schema.field(place), [chats])
        with replacing(folder / name) as temporary:
            pq.write_table(asked, temporary, compression="zstd")
