"""The held-out reward model's split."""

import pandas as pd
import pytest

from reward_fns.training.resplit import resplit


def test_the_second_split_is_another_and_leaks_nothing() -> None:
    triplets = pd.DataFrame(
        [
            {
                "question_id": str(i),
                "positive": f"response {i}",
                "negative": f"response {(i + step) % 20 if i < 20 else 20 + (i + step) % 10}" if step else "generic",
                "kind": "topic" if step else "generic",
                "split": "train" if i < 20 else "heldout",
            }
            for i in range(30)
            for step in range(4)
        ]
        + [
            {"question_id": str(i), "positive": f"response {i}", "negative": f"response {20 + (i + 1) % 10}"}
            | {"kind": "in_batch", "split": "heldout"}
            for i in range(20, 30)
        ]
    )
    second = resplit(triplets, 5)
    sides = second.drop_duplicates("question_id").set_index("question_id")["split"]
    assert sides.value_counts().to_dict() == {"train": 20, "heldout": 10}
    assert set(sides[sides == "heldout"].index) != {str(i) for i in range(20, 30)}
    owner = {f"response {i}": str(i) for i in range(30)}
    named = second[second["negative"].isin(owner)]
    assert 20 < len(named) < 90
    assert (named["negative"].map(owner).map(sides) == named["split"]).all()
    assert (second["kind"] == "generic").sum() == 30
    assert set(second[second["kind"] == "in_batch"]["split"]) <= {"heldout"}
    with pytest.raises(ValueError, match="too few questions"):
        resplit(triplets[triplets["split"] == "train"], 5)
