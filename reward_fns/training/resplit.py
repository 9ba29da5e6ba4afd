"""Another split of the same triplets: what the held-out reward model is trained on, so that it errs elsewhere."""

import numpy as np
import pandas as pd


def resplit(triplets: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The triplets with the sides drawn anew, as many held-out questions as before.

    A row whose negative is a response to a question of the other side is left out: it would have been seen in
    training. Rows of kind "in_batch" are made for held-out questions only, and stay only where they still are.

    Args:
        triplets: with columns question_id, positive, negative, kind, split.
        seed: of the draw.

    Raises:
        ValueError: a side would be left without rows.
    """
    sides = triplets.drop_duplicates("question_id").set_index("question_id")["split"].sort_index()
    heldout = np.random.default_rng(seed).permutation(len(sides))[: int((sides == "heldout").sum())]
    drawn = pd.Series("train", index=sides.index)
    drawn.iloc[heldout] = "heldout"
    owner = triplets.drop_duplicates("positive").set_index("positive")["question_id"]
    side = triplets["question_id"].map(drawn)
    # Generic sentences have no owner and fit either side.
    other = triplets["negative"].map(owner).map(drawn).fillna(side)
    kept = (other == side) & ~((triplets["kind"] == "in_batch") & (side == "train"))
    result = triplets.assign(split=side)[kept].reset_index(drop=True)
    for name in ("train", "heldout"):
        if not (result["split"] == name).any():
            raise ValueError(f"too few questions ({len(sides)}) for a second split: its {name} side is empty.")
    return result
