"""The reward model on another corpus: how often it puts a post's own response first, beside TF-IDF, kind by kind.

    make data CORPUS=psyqa_example.json OUT=outputs/psyqa ARGS="heldout_fraction=0.9 test_size=2 val_size=2"
    make reward-ranking OUT=outputs/smilechat ARGS="on=outputs/psyqa"

Its own held-out triplets are ranked by `make reward-model`. Afterwards ``outputs/<profile>/reward-ranking/`` holds
``ranking.md`` and ``ranking.json``. The held-out side of the other corpus is used, whose generic sentences the reward
model has not seen; `make data … exclude=[…]` keeps its near-duplicates out of the training.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from common.files import write_text
from data_prep.negatives import HARD, KINDS
from recipes.reward_model import BASELINE, RANKING, TRAINED, UNTRAINED, RewardModelConfig, untrained_encoder
from recipes.stage import MANIFEST, Common, StageError, build, load_profile, main, require_stage, run_stage
from reward_fns.encoder import Encoder
from reward_fns.training.pairwise import compare, encoder_scorer, render_ranking, tfidf_scorer


@dataclass(frozen=True)
class RankingConfig:
    """What to rank.

    Attributes:
        on: the out folder of the corpus to rank, whose `make data` is done; null for this one's.
        device: of the encoders.
    """

    on: str | None = None
    device: str = "cpu"


def run(arguments: list[str]) -> None:
    """Rank the other corpus's held-out triplets, or say that nothing has changed."""
    common, config = load_profile(arguments, "reward_ranking", RankingConfig)
    model = require_stage(common.root / "reward-model", "reward-model")
    own = require_stage(common.root / "data", "data") / "triplets.parquet"
    other = Path(config.on) if config.on is not None else common.root
    triplets = require_stage(other / "data", f"data OUT={other}") / "triplets.parquet"
    inputs = {"triplets": triplets, "reward-model": model, "base": Path(common.model)}
    run_stage(
        "reward-ranking",
        common,
        asdict(config),
        inputs,
        lambda folder: _rank(common, config, model, own, triplets, folder),
    )


def _rank(common: Common, config: RankingConfig, model: Path, own: Path, file: Path, folder: Path) -> dict[str, Any]:
    triplets = pd.read_parquet(file)
    heldout = triplets[triplets["split"] == "heldout"].reset_index(drop=True)
    record = json.loads((model / MANIFEST).read_text(encoding="utf-8"))
    trained = build(RewardModelConfig, record["config"], f"{model / MANIFEST}")
    untrained = untrained_encoder(
        common, replace(trained, device=config.device), pd.read_parquet(own), int(record["result"]["seed"])
    )
    scorers = {
        BASELINE: tfidf_scorer(),
        UNTRAINED: encoder_scorer(untrained),
        TRAINED: encoder_scorer(Encoder.load(model, config.device)),
    }
    try:
        results = compare(scorers, BASELINE, heldout, KINDS, common.seed)
    except ValueError as error:
        raise StageError(f"{file}: {error}") from error
    table = render_ranking(results, BASELINE, HARD)
    write_text(folder / "ranking.md", f"# Ranking of {file}\n\n{table}")
    write_text(folder / RANKING, json.dumps([asdict(result) for result in results], indent=1) + "\n")
    print(table)
    return {result.kind: result.accuracy for result in results}


if __name__ == "__main__":
    main(run)
