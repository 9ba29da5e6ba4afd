"""Stage 3: the reward model, trained by contrastive learning with sentence-transformers (Eq. 5).

    make reward-model PROFILE=tiny
    make reward-model PROFILE=qwen3_8b ARGS="encoder=BAAI/bge-m3 margin=0.2"

Afterwards ``outputs/<profile>/reward-model/`` holds the encoder and ``threshold.json`` with T of Eq. 6.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from transformers import set_seed

from recipes.stage import Common, load_profile, main, require, run_stage
from reward_fns.training import build_encoder, choose_threshold, train


@dataclass(frozen=True)
class RewardModelConfig:
    """What the paper leaves open (section 3.3.2): encoder and margin m.

    Attributes:
        encoder: "static" for an embedding bag over the base's tokenizer, else a sentence-transformers id or folder.
        dimension: of the embedding bag.
        margin: m of Eq. 5.
        device: where it is trained.
        training: arguments of SentenceTransformerTrainingArguments.
    """

    encoder: str
    dimension: int = 256
    margin: float = 0.3
    device: str = "cpu"
    training: dict[str, Any] = field(default_factory=dict)


def run(arguments: list[str]) -> None:
    """Train the reward model and choose its threshold, or say that nothing has changed."""
    common, config = load_profile(arguments, "reward_model", RewardModelConfig)
    triplets = require(common.root / "data" / "triplets.parquet", "data")
    inputs = {"triplets": triplets, "base": Path(common.model)}
    run_stage("reward-model", common, asdict(config), inputs, lambda folder: _train(common, config, triplets, folder))


def _train(common: Common, config: RewardModelConfig, triplets_file: Path, folder: Path) -> dict[str, Any]:
    set_seed(common.seed)
    triplets = pd.read_parquet(triplets_file)
    model = build_encoder(config.encoder, common.model, config.dimension, config.device)
    loss = train(model, triplets, config.margin, {"seed": common.seed, **config.training}, folder / "trainer")
    threshold = choose_threshold(model, triplets)
    model.save(str(folder), create_model_card=False)
    threshold.save(folder)
    print(
        f"reward-model: T = {threshold.value:.3f} on {threshold.pairs} held-out pairs, balanced accuracy "
        f"{threshold.accuracy:.3f}, AUC " + ", ".join(f"{kind} {auc:.3f}" for kind, auc in threshold.auc.items())
    )
    return {"train_loss": loss, **asdict(threshold)}


if __name__ == "__main__":
    main(run)
