"""Which triplets the reward model sees, and when: the mixture of negatives and the curriculum from easy to hard."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd


def check_mixture(mixture: Mapping[str, float], curriculum: float, kinds: Collection[str]) -> None:
    """Check the two before any training.

    Args:
        kinds: of explicit negatives that there are.

    Raises:
        ValueError: an unknown kind, a share or a curriculum that is none; the message names the key.
    """
    for kind, share in mixture.items():
        if kind not in kinds:
            raise ValueError(f"mixture.{kind}: no such kind of negative, expected some of {', '.join(kinds)}.")
        if not 0 <= share <= 1:
            raise ValueError(f"mixture.{kind}={share}: expected the share of its triplets in an epoch, 0 to 1.")
    if not any(mixture.values()):
        raise ValueError("mixture: every kind's share is 0, expected at least one above 0.")
    if not 0 <= curriculum <= 1:
        raise ValueError(f"curriculum={curriculum}: expected the part of the training over which it rises, 0 to 1.")


def schedule(
    triplets: pd.DataFrame,
    mixture: Mapping[str, float],
    curriculum: float,
    hard_kinds: Collection[str],
    epochs: int,
    seed: int,
) -> pd.DataFrame:
    """The triplets in the order of training, all epochs one after another.

    Args:
        triplets: to train on, with a column kind.
        mixture: by kind of negative, the share of its triplets that each epoch draws anew.
        curriculum: the part of the training over which the hard kinds come in, linearly from none to their share;
            0 for all of them from the start.
        hard_kinds: which these are.
        epochs: passes over the triplets.
        seed: of the draws.

    Raises:
        ValueError: nothing is left.
    """
    rng = np.random.default_rng(seed)
    share = triplets["kind"].map(dict(mixture)).fillna(0.0).to_numpy(dtype=float)
    hard = triplets["kind"].isin(list(hard_kinds)).to_numpy()
    drawn = []
    for epoch in range(epochs):
        order = rng.permutation(len(triplets))
        passed = (epoch + np.arange(len(order)) / max(1, len(order))) / epochs
        rise = np.minimum(1.0, passed / curriculum) if curriculum else np.ones(len(order))
        keep = rng.random(len(order)) < share[order] * np.where(hard[order], rise, 1.0)
        drawn.append(triplets.iloc[order[keep]])
    rows = pd.concat(drawn, ignore_index=True) if drawn else triplets.iloc[:0]
    if rows.empty:
        found = triplets["kind"].value_counts().to_dict()
        raise ValueError(f"no triplet to train on: there are {found}, and the mixture takes {dict(mixture)} of them.")
    return rows
