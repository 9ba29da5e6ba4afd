"""Outputs of `make generate` for the page of `make review`: which are rated, and what the ratings say of each model."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.errors import StageError
from common.manifest import require_stage
from common.records.question import Question
from common.records.references import at_risk, read_references
from common.records.replies import read_models, read_replies
from data_prep.coe.review.config import ReviewConfig
from data_prep.coe.review.items import Item, blind_id
from data_prep.coe.review.records import Review
from recipes.profile import Common
from reward_fns.coe_format import CoEFormatError, parse


@dataclass(frozen=True)
class Rated:
    """What reviewers say of a model's layers.

    Attributes:
        model: its name.
        outputs: how many ratings of its outputs there are.
        mean: therapeutic validity, 1 to 5; None without a rating.
        flagged: posts in which somebody saw acute danger.
    """

    model: str
    outputs: int
    mean: float | None
    flagged: int


def output_items(common: Common, config: ReviewConfig) -> list[Item]:
    """The first sample of each model on questions drawn at random, none at risk; the provenance says whose each is.

    An output that is no valid one has no layers to rate and is left out; `make eval` counts it.

    Raises:
        StageError: a model that is not there, or none whose outputs hold layers.
    """
    generated = require_stage(common.root / "generate", "generate")
    test = read_references(require_stage(common.root / "data", "data") / "test.parquet")
    calm = test[~at_risk(test)]
    drawn = set(random.Random(common.seed).sample(sorted(calm["id"]), min(config.outputs, len(calm))))
    known = {model.name: model for model in read_models(generated)}
    if strange := [name for name in config.models if name not in known]:
        raise StageError(f"models={strange[0]}: expected some of {', '.join(known)}.")
    rows = calm.set_index("id")
    items = []
    for name in config.models or [name for name, model in known.items() if model.kind == "coe"]:
        replies = read_replies(generated / known[name].file)
        first = replies[replies["sample"] == replies["sample"].min()].set_index("question_id")["text"]
        for id in sorted(drawn & set(first.index)):
            try:
                output = parse(str(first[id]))
            except CoEFormatError:
                continue
            row = rows.loc[id]
            question = Question(id=id, title=str(row["question"]), description="", responses=(output.answer,))
            # Another output to the same question is another item.
            own = blind_id(str(common.seed), name, id, str(first[id]))
            items.append(Item(own, question, output.answer, output.layers, {"model": name}))
    if not items:
        raise StageError(
            "review: no model's output holds layers. Train and generate first, or name others: models=[…]."
        )
    # In an order that tells nothing of the model.
    return sorted(items, key=lambda item: item.id)


def rated(reviews: Sequence[Review], items: Sequence[Item]) -> list[Rated]:
    """The ratings by model, in the order of their names."""
    models = {item.id: str(item.provenance["model"]) for item in items}
    of_model: dict[str, list[Review]] = defaultdict(list)
    for review in reviews:
        of_model[models[review.item]].append(review)
    return [
        Rated(
            name,
            len(own),
            float(np.mean(values)) if (values := [one.validity for one in own if one.validity]) else None,
            sum(one.acute for one in own),
        )
        for name, own in sorted(of_model.items())
    ]
