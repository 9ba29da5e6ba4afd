"""A small base model like the one that comes with the project, from a corpus of dialogues.

    make base CORPUS=/data/smilechat.zip                        # about two hours on two cores; not run on a GPU
    make demo MODEL=outputs/tiny/base OUT=outputs/own           # the pipeline on it

No other stage needs it: profile `tiny` begins with the model in ``recipes/tiny_base/model``. Any corpus of `make data`
will do. A killed run goes on from its last checkpoint; the folder's ``README.md`` is the model's card.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.errors import StageError
from common.hashing import Input
from common.stage import Plan
from data_prep.corpora import CorpusError
from data_prep.corpora.sample import SAMPLE_CORPUS
from recipes.profile import Common, section
from recipes.stage import Recipe, main
from recipes.tiny_base.build import BaseConfig, build_base, steps_done


def plan(common: Common, config: BaseConfig) -> Plan:
    """Train on the corpus."""
    corpus = None if common.corpus == "sample" else Path(common.corpus)
    if corpus is not None and not corpus.exists():
        raise StageError(f"{corpus}: no such file or folder. CORPUS= takes a path, or sample.")
    inputs: dict[str, Input] = {"corpus": corpus or SAMPLE_CORPUS}

    def work(folder: Path, resume: bool) -> dict[str, Any]:
        try:
            return build_base(corpus, config, common.seed, folder, resume)
        except (CorpusError, ValueError) as error:
            raise StageError(f"base: {error}") from error

    return Plan(asdict(config), inputs, work, shows=("README.md",), reached=steps_done)


RECIPE = Recipe("base", section("base", BaseConfig), plan, costly=True)

if __name__ == "__main__":
    main(RECIPE)
