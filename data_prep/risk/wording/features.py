"""What the linear model sees of a post: its runs of one to four characters, weighted by rarity, and the rules' level.

Weights are term frequencies on a logarithmic scale times inverse document frequencies, scaled to length one, as
scikit-learn's ``TfidfVectorizer(sublinear_tf=True)`` has them. Punctuation counts, white space does not.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Final

from common.records.risk import Level

LONGEST: Final = 4
# How much the rules' level says beside the wordings.
LEVEL_WEIGHT: Final = 0.5
# Of a post, the first characters: a longer one says its matter there.
LONGEST_POST: Final = 3000


def runs(text: str) -> Counter[str]:
    """How often each run of one to four characters stands in a text."""
    text = "".join(unicodedata.normalize("NFKC", text[:LONGEST_POST]).lower().split())
    return Counter(
        text[start : start + size] for size in range(1, LONGEST + 1) for start in range(len(text) - size + 1)
    )


def weighted(counts: Mapping[str, int], rarity: Mapping[str, float]) -> dict[str, float]:
    """The weight of each run that the model knows, together of length one."""
    weights = {run: (1 + math.log(count)) * rarity[run] for run, count in counts.items() if run in rarity}
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {run: weight / length for run, weight in weights.items()}


def of_level(level: Level) -> dict[str, float]:
    """The rules' level as features of their own; no run of characters is called like them."""
    return {} if level == "none" else {f"<{level}>": LEVEL_WEIGHT}
