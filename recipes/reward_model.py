"""Stage 3: the reward model, trained by contrastive learning with sentence-transformers (Eq. 5).

    make reward-model PROFILE=tiny
    make reward-model PROFILE=qwen3_8b ARGS="encoder=BAAI/bge-m3 margin=0.2"
    make reward-model ARGS="margins=[0.1,0.2,0.3] seeds=[1,2]"     # each is tried, the best on dev triplets is kept
    make second-scorer                                            # another one, for evaluation only

Afterwards ``outputs/<profile>/reward-model/`` holds the encoder, ``threshold.json`` with T of Eq. 6,
``heldout.parquet`` with the cosines that T was chosen on, a model card (``README.md``), ``curves.png`` and
TensorBoard's logs (``trainer/``).
"""

import copy
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from sentence_transformers import SentenceTransformerTrainingArguments
from transformers import set_seed

from common.files import write_text
from data_prep.negatives import HARD, KINDS
from recipes.stage import Common, StageError, fingerprint, load_profile, main, require_stage, run_stage
from reward_fns.encoder import Encoder
from reward_fns.reward_model import save_generic
from reward_fns.training.building import STATIC, Plan, build_encoder, toward_start
from reward_fns.training.card import CURVES, render_card
from reward_fns.training.choosing import RULES, choose_threshold, heldout_pairs
from reward_fns.training.curves import plot_curves
from reward_fns.training.pairwise import compare, encoder_scorer, render_ranking, tfidf_scorer
from reward_fns.training.schedule import check_mixture
from reward_fns.training.trainer import (
    MODEL,
    OWN_ARGUMENTS,
    Recipe,
    Trained,
    discard_model,
    generic_replies,
    split_dev,
    take_questions,
    train,
)

RANKING = "ranking.json"
HELDOUT = "heldout.parquet"
EXPLICIT = tuple(kind for kind in KINDS if kind != "in_batch")
UNTRAINED, TRAINED, BASELINE = "untrained", "trained", "TF-IDF"


@dataclass(frozen=True)
class RewardModelConfig:
    """What the paper leaves open (section 3.3.2): encoder, margin m, negatives, training.

    Attributes:
        encoder: "static" for an embedding bag over the base's tokenizer, else a sentence-transformers id or folder.
        dimension: of the embedding bag.
        encoder_config: changes to the encoder's own configuration, such as no dropout.
        whiten: power of a linear layer that evens out the encoder's principal axes; null for no such layer, see
            `reward_fns.training.building.Plan`.
        lexical: weight of word overlap beside the encoder's 1; 0 for none.
        frozen: parts of parameters' names, such as "layer.0."; these parameters stay as they are.
        margin: m of Eq. 5.
        margins, seeds: several, to try each instead of ``margin`` and the common seed.
        in_batch: share of the in-batch negatives in the loss, 0 to 1.
        mixture: by kind of negative, the share of its triplets that an epoch draws.
        curriculum: part of the training over which hard negatives come in, 0 for all from the start.
        epochs: passes over the triplets.
        tokens: longest text in training; null for the encoder's own limit, which holds in use anyway.
        dev_triplets: how many training triplets are set aside, by question, to choose the best state by; 0 for none.
        evaluations: how often they are ranked during the training.
        patience: evaluations without a gain after which training stops.
        start_share: of the weights that training began with in those that are kept, 0 to 1.
        heldout_triplets: from how many held-out triplets, whole questions of them, T and the ranking follow at most.
        threshold_rule: how T of Eq. 6 follows from the held-out pairs: "youden", "fpr", "fpr_each" or "tpr", see
            `reward_fns.training.choosing`.
        threshold_rate: the rate that the rules but the first keep.
        generic_replies: how many are kept for the reward's mode ``margin``.
        device: where it is trained.
        training: arguments of SentenceTransformerTrainingArguments.
    """

    encoder: str
    dimension: int = 256
    encoder_config: dict[str, Any] = field(default_factory=dict)
    whiten: float | None = None
    lexical: float = 0.0
    frozen: list[str] = field(default_factory=list)
    margin: float = 0.3
    margins: list[float] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    in_batch: float = 0.5
    mixture: dict[str, float] = field(default_factory=lambda: dict.fromkeys(EXPLICIT, 1.0))
    curriculum: float = 0.0
    epochs: int = 1
    tokens: int | None = None
    dev_triplets: int = 300
    evaluations: int = 4
    patience: int = 2
    start_share: float = 0.0
    heldout_triplets: int = 20000
    threshold_rule: str = "youden"
    threshold_rate: float = 0.05
    generic_replies: int = 32
    device: str = "cpu"
    training: dict[str, Any] = field(default_factory=dict)


def check_config(config: RewardModelConfig) -> None:
    """Stop before anything is touched where training cannot start.

    Raises:
        StageError: a value out of its range, an unknown training argument or no such device; the message names the key.
    """
    for key, value in [("margin", config.margin), *(("margins", margin) for margin in config.margins)]:
        if value <= 0:
            raise StageError(f"{key}={value}: expected above 0 (m of Eq. 5).")
    if config.threshold_rule not in RULES:
        raise StageError(f"threshold_rule={config.threshold_rule}: expected one of {', '.join(RULES)}.")
    for key in ("threshold_rate", "in_batch", "start_share"):
        if not 0 <= getattr(config, key) <= 1:
            raise StageError(f"{key}={getattr(config, key)}: expected 0 to 1.")
    for key in ("generic_replies", "dimension", "epochs", "evaluations", "patience", "heldout_triplets"):
        if getattr(config, key) < 1:
            raise StageError(f"{key}={getattr(config, key)}: expected 1 or more.")
    if config.tokens is not None and (config.tokens < 1 or config.encoder == STATIC):
        raise StageError(f"tokens={config.tokens}: expected 1 or more, or null; encoder=static reads whole texts.")
    if config.lexical < 0:
        raise StageError(f"lexical={config.lexical}: expected 0 or more.")
    if config.whiten is not None and not 0 <= config.whiten <= 1:
        raise StageError(f"whiten={config.whiten}: expected 0 to 1, or null for none.")
    if config.dev_triplets < 0:
        raise StageError(f"dev_triplets={config.dev_triplets}: expected 0 or more.")
    if config.dev_triplets == 0 and max(len(config.margins), len(config.seeds)) > 1:
        raise StageError("dev_triplets=0 with several margins or seeds: nothing to choose by. Set dev_triplets=300.")
    try:
        check_mixture(config.mixture, config.curriculum, EXPLICIT)
    except ValueError as error:
        raise StageError(str(error)) from error
    if config.device.startswith("cuda") and not torch.cuda.is_available():
        raise StageError(f"device={config.device}: torch finds no CUDA device here. Write device=cpu.")
    looks_local = config.encoder.startswith(("/", "./", "../", "~"))
    if looks_local and not Path(config.encoder).is_dir():
        raise StageError(f"encoder={config.encoder}: no such folder. Name a folder, a hub id or static.")
    known = {field.name for field in fields(SentenceTransformerTrainingArguments)}
    if unknown := sorted(set(config.training) - known):
        raise StageError(f"training.{unknown[0]}: SentenceTransformerTrainingArguments has no such argument.")
    if own := sorted(set(config.training) & set(OWN_ARGUMENTS)):
        raise StageError(f"training.{own[0]}: that is set by the recipe; its keys are seed= and epochs=.")


def run(arguments: list[str]) -> None:
    """Train the reward model and choose its threshold, or say that nothing has changed."""
    common, config = load_profile(arguments, "reward_model", RewardModelConfig)
    check_config(config)
    triplets = require_stage(common.root / "data", "data") / "triplets.parquet"
    inputs = {"triplets": triplets, "base": Path(common.model)}
    run_stage(
        "reward-model",
        common,
        asdict(config),
        inputs,
        lambda folder: build_reward_model("reward-model", common, config, pd.read_parquet(triplets), folder),
    )


def build_reward_model(
    name: str, common: Common, config: RewardModelConfig, triplets: pd.DataFrame, folder: Path
) -> dict[str, Any]:
    """Train on the train side of the triplets, choose T on the held-out side, write the folder.

    Raises:
        StageError: the triplets do not suffice, or a key does not fit the encoder.
    """
    try:
        return _build(name, common, config, triplets, folder)
    except ValueError as error:
        raise StageError(f"{name}: {error}") from error


def _build(
    name: str, common: Common, config: RewardModelConfig, triplets: pd.DataFrame, folder: Path
) -> dict[str, Any]:
    # It tells of every checkpoint that it saves.
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    rows, dev = split_dev(triplets, config.dev_triplets, common.seed)
    base = fingerprint(Path(common.model))
    tried: dict[tuple[float, int], Trained] = {}
    untrained: Encoder | None = None
    for trial in product(config.margins or [config.margin], config.seeds or [common.seed]):
        encoder = untrained_encoder(common, config, triplets, trial[1])
        start = copy.deepcopy(encoder)
        tried[trial] = _trial(encoder, base, config, *trial, rows, dev, _folder(folder, *trial))
        untrained = start if best_of(tried) == trial else untrained
        told = tried[trial].dev
        print(f"{name}: margin {trial[0]:g}, seed {trial[1]}" + ("" if told is None else f": dev accuracy {told:.4f}"))
    margin, seed = best_of(tried)
    assert untrained is not None
    best = Encoder.load(_folder(folder, margin, seed) / MODEL, config.device)
    encoder = toward_start(best, untrained, config.start_share) if config.start_share else best
    encoder.save(folder)
    save_generic(folder, generic_replies(triplets, config.generic_replies))
    heldout = _heldout(triplets, config.heldout_triplets, common.seed)
    trained = encoder_scorer(encoder)
    pairs = heldout_pairs(trained, heldout)
    threshold = choose_threshold(pairs, margin, config.threshold_rule, config.threshold_rate)
    threshold.save(folder)
    # What the report draws the calibration from.
    pd.DataFrame({"kind": pairs.kind, "cosine": pairs.cosine}).to_parquet(folder / HELDOUT, index=False)
    plot_curves(pairs, threshold, folder / CURVES)
    scorers = {BASELINE: tfidf_scorer(), UNTRAINED: encoder_scorer(untrained), TRAINED: trained}
    ranking = compare(scorers, BASELINE, heldout, KINDS, common.seed)
    write_text(folder / RANKING, json.dumps([asdict(result) for result in ranking], indent=1) + "\n")
    table = render_ranking(ranking, BASELINE, HARD)
    facts = _facts(config, len(rows), margin, seed, tried[margin, seed].loss)
    write_text(folder / "README.md", render_card(threshold, pairs, facts, tried, table))
    for trial in tried:
        discard_model(_folder(folder, *trial))
    print(table)
    passed = ", ".join(f"{rate:.1%} of {kind}" for kind, rate in threshold.false_positive_rate.items())
    print(f"{name}: T lets {threshold.true_positive_rate:.1%} of the held-out answers pass, {passed}")
    print(
        f"{name}: T = {threshold.value:.3f} on {threshold.pairs} held-out pairs, balanced accuracy "
        f"{threshold.accuracy:.3f}, AUC " + ", ".join(f"{kind} {auc:.3f}" for kind, auc in threshold.auc.items())
    )
    return {"margin": margin, "seed": seed, **asdict(tried[margin, seed]), **asdict(threshold)}


def _facts(config: RewardModelConfig, rows: int, margin: float, seed: int, loss: float) -> dict[str, object]:
    """What the card says of the training."""
    drawn = ", ".join(f"{share:g} of {kind}" for kind, share in config.mixture.items())
    return {
        "encoder": config.encoder,
        "triplets": f"{rows:,}, of which an epoch draws {drawn}",
        "epochs, curriculum": f"{config.epochs}, {config.curriculum:g}",
        "word overlap": f"{config.lexical:g} beside the encoder's 1",
        "margin m of Eq. 5": f"{margin:g}",
        "in-batch share of the loss": config.in_batch,
        "share of the weights at the start": config.start_share,
        "mean loss": f"{loss:.4f}",
        "seed": seed,
    }


def best_of(tried: Mapping[tuple[float, int], Trained]) -> tuple[float, int]:
    """Margin and seed of the trial that ranked most dev triplets right, the first of equals."""
    return max(tried, key=lambda trial: tried[trial].dev or 0.0)


def _folder(folder: Path, margin: float, seed: int) -> Path:
    return folder / "trainer" / f"margin-{margin:g}-seed-{seed}"


def _heldout(triplets: pd.DataFrame, at_most: int, seed: int) -> pd.DataFrame:
    rows = triplets[triplets["split"] == "heldout"].reset_index(drop=True)
    return rows[take_questions(rows, at_most, seed)].reset_index(drop=True) if len(rows) > at_most else rows


def untrained_encoder(common: Common, config: RewardModelConfig, triplets: pd.DataFrame, seed: int) -> Encoder:
    """The encoder as a training with this seed begins."""
    set_seed(seed)
    rows = triplets[triplets["split"] == "train"]
    texts = list(dict.fromkeys([*rows["question"], *rows["positive"]]))
    return build_encoder(encoder_plan(config), common.model, config.device, texts)


def encoder_plan(config: RewardModelConfig) -> Plan:
    """The keys that the encoder is built by."""
    return Plan(
        encoder=config.encoder,
        dimension=config.dimension,
        config=config.encoder_config,
        whiten=config.whiten,
        tokens=config.tokens,
        lexical=config.lexical,
        frozen=config.frozen,
    )


def _trial(
    encoder: Encoder,
    base: str,
    config: RewardModelConfig,
    margin: float,
    seed: int,
    rows: pd.DataFrame,
    dev: pd.DataFrame,
    folder: Path,
) -> Trained:
    recipe = Recipe(
        margin=margin,
        in_batch=config.in_batch,
        mixture=config.mixture,
        curriculum=config.curriculum,
        hard_kinds=HARD,
        epochs=config.epochs,
        seed=seed,
        tokens=config.tokens,
        evaluations=config.evaluations,
        patience=config.patience,
        arguments=config.training,
        begins_as=f"{encoder_plan(config)} {base}",
    )
    return train(encoder, rows, dev, recipe, folder)


if __name__ == "__main__":
    main(run)
