"""From a corpus to a base model in a folder: dialogues, tokenizer, rows, training, card."""

import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from huggingface_hub import ModelCardData
from tqdm import tqdm
from transformers import AutoTokenizer

from common.checkpoints import last_step
from common.files import replacing, write_json, write_text
from common.pages import Markdown, page
from data_prep.dialogues import Dialogue, load_dialogues, treated
from data_prep.prompts import SYSTEM_PROMPTS
from recipes.tiny_base.mix import Messages, MixConfig, documents
from recipes.tiny_base.model import ShapeConfig, build_model
from recipes.tiny_base.tokenizer import build_tokenizer, save_tokenizer
from recipes.tiny_base.train import Rows, TrainConfig, pack, train
from reward_fns.coe_format import skeleton

TRAINING_FILE: Final = "training.json"
_WORK: Final = "work"
_TRAINER: Final = "trainer"


@dataclass(frozen=True)
class BaseConfig:
    """How a base is made.

    Attributes:
        heldout_share: of the dialogues, the last ones of the corpus, that are not read.
        tokenizer_chats: most chats that the tokenizer is learnt from.
    """

    heldout_share: float = 0.01
    tokenizer_chats: int = 20000
    shape: ShapeConfig = field(default_factory=ShapeConfig)
    mix: MixConfig = field(default_factory=MixConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


def build_base(corpus: Path | None, config: BaseConfig, seed: int, folder: Path, resume: bool) -> dict[str, Any]:
    """Make the base and write it, in bfloat16, as a Hugging Face model with a card.

    Args:
        corpus: None for the sample corpus.
        resume: go on with the rows and the checkpoint that lie in the folder.

    Returns:
        sizes and losses, in nats a token.

    Raises:
        CorpusError: the corpus cannot be read.
        ValueError: it is too small for a row of each side.
    """
    work = folder / _WORK
    if not resume:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(exist_ok=True)
    if not (work / "heldout.npy").is_file():
        _write_rows(corpus, config, seed, work)
    tokenizer: Any = AutoTokenizer.from_pretrained(work / "tokenizer", trust_remote_code=False)
    rows: dict[str, Rows] = {name: np.load(work / f"{name}.npy") for name in ("train", "heldout")}
    model = build_model(config.shape, tokenizer, seed)
    log = train(model, rows["train"], rows["heldout"], config.train, seed, work / _TRAINER)
    model.bfloat16().save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    sizes = {"parameters": sum(p.numel() for p in model.parameters()), "vocab": len(tokenizer)}
    tokens = {f"{name}_tokens": int(part[:, 1:].size) for name, part in rows.items()}
    told = {**sizes, **tokens, "heldout_loss": round([x["eval_loss"] for x in log if "eval_loss" in x][-1], 4)}
    write_json(folder / TRAINING_FILE, {**told, "log": log})
    write_text(folder / "README.md", _card(corpus, (work / "format.txt").read_text("utf-8"), told, config))
    shutil.rmtree(work)
    return told


def steps_done(folder: Path) -> int:
    """The step of training that a begun base in the folder goes on from; 0 for the beginning."""
    return last_step(folder / _WORK / _TRAINER)


def _write_rows(corpus: Path | None, config: BaseConfig, seed: int, work: Path) -> None:
    format, dialogues = load_dialogues(corpus)
    write_text(work / "format.txt", format)
    # The last of the corpus, together: neighbours of SMILECHAT open with the same question.
    held = max(1, round(len(dialogues) * config.heldout_share))
    sides = {"train": dialogues[:-held], "heldout": dialogues[-held:]}
    chats = {name: _chats(part, config.mix, seed, name) for name, part in sides.items()}
    random.Random(seed).shuffle(chats["train"])
    tokenizer = build_tokenizer(_texts(islice(chats["train"], config.tokenizer_chats)), config.shape.vocab)
    save_tokenizer(tokenizer, work / "tokenizer")
    for name, part in chats.items():
        bar = tqdm(part, desc=f"base: tokens, {name}", unit="chat", disable=None)
        with replacing(work / f"{name}.npy") as file, file.open("wb") as stream:
            np.save(stream, pack(bar, tokenizer, config.train.length))


def _chats(dialogues: list[Dialogue], mix: MixConfig, seed: int, name: str) -> list[Messages]:
    bar = tqdm(dialogues, desc=f"base: cleaning, {name}", unit="dialogue", disable=None)
    return list(documents(treated(bar), mix, seed))


def _texts(chats: Iterable[Messages]) -> Iterable[str]:
    # The prompts and tags of the project stand in few chats or none, and are what every later stage asks with.
    yield from [*SYSTEM_PROMPTS.values(), skeleton("")] * 100
    for chat in chats:
        yield from (message["content"] for message in chat)


def _card(corpus: Path | None, format: str, told: dict[str, Any], config: BaseConfig) -> str:
    # Who reads a dialogue of SMILECHAT reads a rewrite of a post of PsyQA.
    read = {"smilechat": ["smilechat", "psyqa"]}.get(format, [format])
    head = ModelCardData(language="zh", library_name="transformers", pipeline_tag="text-generation", datasets=read)
    return page(
        "recipes.tiny_base",
        "card",
        header=Markdown(head.to_yaml()),
        corpus="the project's sample corpus" if corpus is None else corpus.name,
        told=told,
        config=config,
    )
