"""Stage 3: the reward model, trained by contrastive learning with sentence-transformers (Eq. 5).

    make reward-model PROFILE=tiny
    make reward-model PROFILE=qwen3_8b ARGS="encoder=BAAI/bge-m3 margin=0.2"

Afterwards ``outputs/<profile>/reward-model/`` holds the encoder, ``threshold.json`` with T of Eq. 6, a model card
(``README.md``) and ``curves.png``.
"""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from sentence_transformers import SentenceTransformerTrainingArguments
from transformers import set_seed

from recipes.stage import Common, StageError, load_profile, main, require_stage, run_stage, write_text
from reward_fns.card import CURVES, render_card
from reward_fns.choosing import RULES, choose_threshold, heldout_pairs
from reward_fns.curves import plot_curves
from reward_fns.reward_model import save_generic
from reward_fns.training import build_encoder, generic_replies, train


@dataclass(frozen=True)
class RewardModelConfig:
    """What the paper leaves open (section 3.3.2): encoder and margin m.

    Attributes:
        encoder: "static" for an embedding bag over the base's tokenizer, else a sentence-transformers id or folder.
        dimension: of the embedding bag.
        margin: m of Eq. 5.
        threshold_rule: how T of Eq. 6 follows from the held-out pairs: "youden", "fpr" or "tpr", see
            `reward_fns.choosing`.
        threshold_rate: the rate that "fpr" and "tpr" keep.
        generic_replies: how many are kept for the reward's mode ``margin``.
        device: where it is trained.
        training: arguments of SentenceTransformerTrainingArguments.
    """

    encoder: str
    dimension: int = 256
    margin: float = 0.3
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
    if config.margin <= 0:
        raise StageError(f"margin={config.margin}: expected a number above 0 (m of Eq. 5).")
    if config.threshold_rule not in RULES:
        raise StageError(f"threshold_rule={config.threshold_rule}: expected one of {', '.join(RULES)}.")
    if not 0 <= config.threshold_rate <= 1:
        raise StageError(f"threshold_rate={config.threshold_rate}: expected 0 to 1.")
    if config.generic_replies < 1:
        raise StageError(f"generic_replies={config.generic_replies}: expected 1 or more.")
    if config.dimension < 1:
        raise StageError(f"dimension={config.dimension}: expected 1 or more.")
    if config.device.startswith("cuda") and not torch.cuda.is_available():
        raise StageError(f"device={config.device}: torch finds no CUDA device here. Write device=cpu.")
    looks_local = config.encoder.startswith(("/", "./", "../", "~"))
    if looks_local and not Path(config.encoder).is_dir():
        raise StageError(f"encoder={config.encoder}: no such folder. Name a folder, a hub id or static.")
    known = {field.name for field in fields(SentenceTransformerTrainingArguments)}
    if unknown := sorted(set(config.training) - known):
        raise StageError(f"training.{unknown[0]}: SentenceTransformerTrainingArguments has no such argument.")


def run(arguments: list[str]) -> None:
    """Train the reward model and choose its threshold, or say that nothing has changed."""
    common, config = load_profile(arguments, "reward_model", RewardModelConfig)
    check_config(config)
    triplets = require_stage(common.root / "data", "data") / "triplets.parquet"
    inputs = {"triplets": triplets, "base": Path(common.model)}
    run_stage("reward-model", common, asdict(config), inputs, lambda folder: _train(common, config, triplets, folder))


def _train(common: Common, config: RewardModelConfig, triplets_file: Path, folder: Path) -> dict[str, Any]:
    set_seed(common.seed)
    triplets = pd.read_parquet(triplets_file)
    model = build_encoder(config.encoder, common.model, config.dimension, config.device)
    loss = train(model, triplets, config.margin, {"seed": common.seed, **config.training}, folder / "trainer")
    pairs = heldout_pairs(model, triplets)
    threshold = choose_threshold(pairs, config.margin, config.threshold_rule, config.threshold_rate)
    model.save(str(folder), create_model_card=False)
    save_generic(folder, generic_replies(triplets, config.generic_replies))
    threshold.save(folder)
    plot_curves(pairs, threshold, folder / CURVES)
    facts = {
        "encoder": config.encoder,
        "triplets": f"{int((triplets['split'] == 'train').sum()):,}",
        "margin m of Eq. 5": config.margin,
        "mean loss": f"{loss:.4f}",
        "seed": common.seed,
    }
    write_text(folder / "README.md", render_card(threshold, pairs, facts))
    passed = ", ".join(f"{rate:.1%} of {kind}" for kind, rate in threshold.false_positive_rate.items())
    print(f"reward-model: T lets {threshold.true_positive_rate:.1%} of the held-out answers pass, {passed}")
    print(
        f"reward-model: T = {threshold.value:.3f} on {threshold.pairs} held-out pairs, balanced accuracy "
        f"{threshold.accuracy:.3f}, AUC " + ", ".join(f"{kind} {auc:.3f}" for kind, auc in threshold.auc.items())
    )
    return {"train_loss": loss, **asdict(threshold)}


if __name__ == "__main__":
    main(run)
