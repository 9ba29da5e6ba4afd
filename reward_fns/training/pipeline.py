"""From triplets to a reward model: encoder, training, T, card and comparison, all in one folder."""

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pandas as pd

from common.checkpoints import last_step
from common.files import write_json, write_text
from common.records import HELDOUT_FILE
from reward_fns.encoder import Encoder
from reward_fns.reward_model import save_generic
from reward_fns.training.building import build_encoder, toward_start
from reward_fns.training.card import CURVES, plot_curves, render_card
from reward_fns.training.choosing import choose_threshold, heldout_pairs
from reward_fns.training.config import RewardModelConfig
from reward_fns.training.pairwise import PAIRWISE, compare, render_pairwise, triplet_cosines
from reward_fns.training.trainer import Trained, generic_replies, split_dev, take_heldout, train

# The folder of the encoder as its training began.
UNTRAINED: Final = "untrained"
_TRAINER: Final = "trainer"
# Written when the training is done.
_DONE: Final = "trained.json"


def make_reward_model(
    triplets: pd.DataFrame,
    config: RewardModelConfig,
    tokenizer_from: str,
    seed: int,
    folder: Path,
    resume: bool = False,
) -> Mapping[str, Any]:
    """Train on one side of the triplets, and choose T and measure on the other.

    Args:
        triplets: of `make data`.
        tokenizer_from: a model, whose tokenizer an embedding bag takes.
        seed: of every draw.
        folder: where the reward model is put, with ``untrained``, the encoder as its training began.
        resume: go on with what a killed run left there.

    Returns:
        how training went and `Threshold`, in one.

    Raises:
        ValueError: the triplets do not suffice, or a setting does not fit the encoder.
    """
    # It tells of every checkpoint that it saves.
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    trained = _trained(triplets, config, tokenizer_from, seed, folder, resume)
    encoder, untrained = (Encoder.load(place, config.device) for place in (folder, folder / UNTRAINED))
    save_generic(folder, generic_replies(triplets, config.generic_replies))
    heldout = take_heldout(triplets, config.heldout_triplets, seed)
    cosines = triplet_cosines(encoder, heldout)
    pairs = heldout_pairs(heldout, *cosines)
    threshold = choose_threshold(pairs, config.margin, config.threshold_rule, config.threshold_rate)
    threshold.save(folder)
    pd.DataFrame({"kind": pairs.kind, "cosine": pairs.cosine}).to_parquet(folder / HELDOUT_FILE, index=False)
    plot_curves(pairs, threshold, folder / CURVES)
    compared = compare({"untrained": triplet_cosines(untrained, heldout), "trained": cosines}, heldout, seed)
    write_json(folder / PAIRWISE, [asdict(result) for result in compared])
    table = render_pairwise(compared)
    write_text(folder / "README.md", render_card(threshold, pairs, config, trained, seed, table))
    print(table)
    passed = ", ".join(f"{rate:.1%} of {kind}" for kind, rate in threshold.false_positive_rate.items())
    print(f"T = {threshold.value:.3f} lets {threshold.true_positive_rate:.1%} of the held-out answers pass, {passed}")
    return {**asdict(trained), **asdict(threshold)}


def steps_done(folder: Path) -> int:
    """The step of training that a begun reward model in the folder goes on from; 0 for the beginning."""
    done = folder / _TRAINER / _DONE
    if done.is_file():
        return int(json.loads(done.read_text(encoding="utf-8"))["steps"])
    return last_step(folder / _TRAINER)


def _trained(
    triplets: pd.DataFrame, config: RewardModelConfig, tokenizer_from: str, seed: int, folder: Path, resume: bool
) -> Trained:
    """Put the trained encoder into the folder; one that a killed run has trained to the end is left there."""
    done = folder / _TRAINER / _DONE
    if not resume:  # first of all: killed again, this run would take another's training for its own
        shutil.rmtree(done.parent, ignore_errors=True)
    if done.is_file():
        return Trained(**json.loads(done.read_text(encoding="utf-8")))
    rows, dev = split_dev(triplets, config.dev_triplets, seed)
    mine = triplets[triplets["split"] == "train"]
    texts = list(dict.fromkeys([*mine["question"], *mine["positive"]]))
    encoder = build_encoder(config, tokenizer_from, texts, seed)
    encoder.save(folder / UNTRAINED)
    trained = train(encoder, rows, dev, config, seed, folder / _TRAINER, resume)
    toward_start(encoder, Encoder.load(folder / UNTRAINED, config.device), config.start_share).save(folder)
    write_json(done, asdict(trained))
    for checkpoint in done.parent.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    return trained
