"""The figures of a validation, out of a step's record.

verl writes each part of the reward with statistics of its own under ``val-core/<source>/…`` and ``val-aux/<source>/…``;
the held-out reward model's stand under ``val/`` (`recipes.grpo_heldout`).
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean
from typing import Any, Final

REWARD: Final = "reward"
HELDOUT_ANSWER: Final = "heldout_answer"
HELDOUT_COSINE: Final = "heldout_cosine"
# What our own figures begin with.
PREFIX: Final = "val/"
_MEAN: Final = re.compile(r"val-(?:core|aux)/.+/([^/]+)/mean@\d+")


def validation_figures(data: Mapping[str, Any]) -> dict[str, float]:
    """What a validation found; {} for a step without one.

    Args:
        data: of the step's record.

    Returns:
        by name: ``reward`` and what the reward function told beside it, each the mean over the outputs, and over the
        sources where there are several; ``heldout_answer`` and ``heldout_cosine`` where a held-out model scored them.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for key, value in data.items():
        if match := _MEAN.fullmatch(key):
            found[match[1]].append(float(value))
        elif key.startswith(PREFIX):
            found[key.removeprefix(PREFIX)].append(float(value))
    return {name: fmean(values) for name, values in found.items()} if REWARD in found else {}
