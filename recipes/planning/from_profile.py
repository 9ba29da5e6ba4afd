"""From a profile's files, and what `make data` left, to the stages beside GRPO: what each of them counts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from common.decisions import DataDecisions
from eval.generation.run import GenerateConfig
from eval.sources import BASE, CHAIN
from recipes import sft
from recipes.data import load as load_data
from recipes.planning import stages
from recipes.planning.constants import Constants
from recipes.planning.setup import Lengths, Setup
from recipes.planning.shapes import find_encoder
from recipes.planning.stages import Stage, Training, Triplets
from recipes.profile import Common, load_profile
from reward_fns.training.config import RewardModelConfig


@dataclass(frozen=True)
class Sizes:
    """How much there is to train on and to ask.

    Attributes:
        samples: of SFT.
        train, heldout: triplets of each side.
        questions: to test on.
        told: whence they are.
    """

    samples: int
    train: int
    heldout: int
    questions: int
    told: str


def sizes(common: Common, constants: Constants, triplets: int | None = None) -> Sizes:
    """Of the data, where `make data` has run; else as the profile's section `data` says.

    Args:
        common: the profile and its folder.
        constants: how many triplets are assumed.
        triplets: of the training side, if they are given.
    """
    _, config = load_data([f"profile={common.profile}"])
    folder = common.root / "data"
    if (folder / "triplets.parquet").is_file():
        rows = pd.read_parquet(folder / "triplets.parquet", columns=["split", "kind"])
        side = rows["split"].value_counts()
        return Sizes(
            samples=len(json.loads((folder / "sft.json").read_text(encoding="utf-8"))),
            # Rows of kind in_batch are held-out ones.
            train=int(side.get("train", 0)) if triplets is None else triplets,
            heldout=int(side.get("heldout", 0)),
            questions=len(pd.read_parquet(folder / "test.parquet", columns=["id"])),
            told="of the data" if triplets is None else "of the data, triplets as given",
        )
    train = int(constants.triplets) if triplets is None else triplets
    return Sizes(
        samples=config.sft_samples,
        train=train,
        heldout=round(train * config.heldout_fraction / (1 - config.heldout_fraction)),
        questions=config.test_size * (1 + len(config.tests)),
        told="as the profile asks, triplets " + ("assumed" if triplets is None else "as given"),
    )


def other_stages(
    common: Common, decided: DataDecisions, policy: Setup, sized: Sizes, constants: Constants
) -> list[Stage]:
    """The stages beside GRPO, in the order of `make demo`.

    Args:
        common: the profile.
        decided: by `make data`.
        policy: GRPO's setup, whose model, cards and lengths are theirs too.
        sized: see `sizes`.
        constants: the plan's.
    """
    return [
        _sft(common, decided, policy, sized, constants),
        *(_reward_model(common, name, policy, sized, constants) for name in ("reward_model", "heldout_reward_model")),
        _generate(common, decided, policy, sized, constants),
    ]


def _sft(common: Common, decided: DataDecisions, policy: Setup, sized: Sizes, constants: Constants) -> Stage:
    config, ours = sft.compose_config(common, decided, [])
    epochs = float(config.num_train_epochs)
    training = Training(
        policy.shape,
        policy.card,
        cards=max(1, ours.gpus),
        batch=config.per_device_train_batch_size,
        checkpointing=not config.get("disable_gradient_checkpointing", False),
        lora=int(config.get("lora_rank", 8)) if config.finetuning_type == "lora" else 0,
    )
    took = stages.sft(training, policy.lengths, sized.samples, epochs, constants)
    return Stage("sft", f"{sized.samples} samples × {epochs:g} epochs", took)


def _reward_model(common: Common, section: str, policy: Setup, sized: Sizes, constants: Constants) -> Stage:
    _, config = load_profile([f"profile={common.profile}"], section, RewardModelConfig)
    name = section.replace("_", "-")
    shape = find_encoder(config.encoder)
    if shape is None or config.device == "cpu":
        return Stage(name, f"{config.encoder}: " + ("on a CPU" if config.device == "cpu" else "of unknown shape"), None)
    asked: Mapping[str, Any] = config.training
    triplets = Triplets(
        drawn=round(max(0, sized.train - config.dev_triplets) * config.epoch_share) * config.epochs,
        aside=config.dev_triplets,
        heldout=min(sized.heldout, config.heldout_triplets),
        cut=min((each for each in (config.tokens, shape.positions) if each), default=None),
    )
    training = Training(
        shape,
        policy.card,
        batch=asked.get("per_device_train_batch_size", 8),
        checkpointing=bool(asked.get("gradient_checkpointing", False)),
    )
    took = stages.reward_model(training, _texts(policy.lengths), triplets, constants)
    return Stage(name, f"{config.encoder.rpartition('/')[2]}, {triplets.drawn:,} triplets", took)


def _texts(lengths: Lengths) -> Lengths:
    """A triplet's: a question as long as a prompt, two responses. Each is less, by the instruction or the chain."""
    mean = (lengths.prompt + 2 * lengths.response) / 3
    return Lengths(0, mean, max(lengths.longest, mean))


def _generate(common: Common, decided: DataDecisions, policy: Setup, sized: Sizes, constants: Constants) -> Stage:
    _, config = load_profile([f"profile={common.profile}"], "generate", GenerateConfig)
    names = config.models or CHAIN
    # The base is also asked for the Chain of Empathy, see `recipes.own_models`.
    models = len(names) + (BASE in names and decided.kind == "coe")
    split = int(config.engine.get("tensor_parallel_size", 1))
    engine = replace(
        policy,
        cards=split,
        split=split,
        prompts=config.block,
        mini=config.block,
        rollouts=config.samples,
        utilization=float(config.engine.get("gpu_memory_utilization", constants.vllm_share)),
        eager=bool(config.engine.get("enforce_eager", False)),
    )
    engines = config.replicas or max(1, policy.cards // split)
    took = models * stages.generation(engine, sized.questions, engines, constants)
    return Stage("generate", f"{models} sets of {sized.questions} questions × {config.samples} replies", took)
