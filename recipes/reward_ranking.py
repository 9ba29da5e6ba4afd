"""The reward model on another corpus: how often it puts a post's own response first, beside TF-IDF, kind by kind.

    make data CORPUS=psyqa_example.json OUT=outputs/psyqa ARGS="heldout_fraction=0.9 test_size=2 val_size=2"
    make reward-ranking OUT=outputs/smilechat ARGS="on=outputs/psyqa"

Its own held-out triplets are compared by `make reward-model`. Afterwards ``outputs/<profile>/reward-ranking/`` holds
``pairwise.md`` and ``pairwise.json``. The held-out side of the other corpus is used, whose generic sentences the reward
model has not seen; `make data … exclude=[…]` keeps its near-duplicates out of the training.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from common.errors import StageError
from common.files import write_json, write_text
from common.hashing import model_files
from common.manifest import require_stage
from common.pages import page
from common.stage import Plan
from recipes.profile import Common, section
from recipes.stage import Recipe, main
from reward_fns.encoder import Encoder
from reward_fns.training.pairwise import PAIRWISE, compare, render_pairwise, triplet_cosines
from reward_fns.training.pipeline import UNTRAINED


@dataclass(frozen=True)
class RankingConfig:
    """What to compare on.

    Attributes:
        on: the out folder of another corpus, whose `make data` is done; null for this one's.
        device: of the encoders.
    """

    on: str | None = None
    device: str = "cpu"


def plan(common: Common, config: RankingConfig) -> Plan:
    """Compare the trained encoder, the untrained one and TF-IDF on the held-out triplets."""
    model = require_stage(common.root / "reward-model", "reward-model")
    other = Path(config.on) if config.on is not None else common.root
    triplets = require_stage(other / "data", f"data OUT={other}") / "triplets.parquet"

    def work(folder: Path, resume: bool) -> Mapping[str, Any]:
        rows = pd.read_parquet(triplets)
        heldout = rows[rows["split"] == "heldout"].reset_index(drop=True)
        if heldout.empty:
            raise StageError(f"{triplets} has no held-out triplet to compare on. Run `make data` with more questions.")
        places = {"untrained": model / UNTRAINED, "trained": model}
        encoders = {name: Encoder.load(place, config.device) for name, place in places.items()}
        cosines = {name: triplet_cosines(encoder, heldout) for name, encoder in encoders.items()}
        results = compare(cosines, heldout, common.seed)
        table = render_pairwise(results)
        shown = page("reward_fns.training", "pairwise", triplets=str(triplets), comparison=table)
        write_text(folder / "pairwise.md", shown)
        write_json(folder / PAIRWISE, [asdict(result) for result in results])
        print(table)
        return {result.kind: result.accuracy for result in results}

    inputs = {"triplets": triplets, "trained": model_files(model), "untrained": model_files(model / UNTRAINED)}
    return Plan(config=asdict(config), inputs=inputs, work=work, shows=("pairwise.md",))


RECIPE = Recipe("reward-ranking", section("reward_ranking", RankingConfig), plan)

if __name__ == "__main__":
    main(RECIPE)
