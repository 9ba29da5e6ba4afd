"""The mixture of negatives, the curriculum, and the second scorer's split."""

import pandas as pd
import pytest

from data_prep.negatives import HARD
from reward_fns.training.resplit import resplit
from reward_fns.training.schedule import check_mixture, schedule


def rows(count: int) -> pd.DataFrame:
    return pd.DataFrame([{"n": i, "kind": kind} for i in range(count) for kind in ("generic", "dressed", "topic")])


def test_each_epoch_draws_its_share_of_each_kind() -> None:
    planned = schedule(rows(1000), {"generic": 1.0, "dressed": 0.25}, 0.0, HARD, 2, 7)
    counts = planned["kind"].value_counts()
    assert counts["generic"] == 2000
    assert counts["dressed"] == pytest.approx(500, abs=60)
    assert "topic" not in counts
    # Drawn anew: an epoch's quarter is not the other's.
    dressed = planned[planned["kind"] == "dressed"]["n"]
    assert dressed.nunique() > 1.5 * 250


def test_hard_negatives_come_in_along_the_curriculum() -> None:
    planned = schedule(rows(1000), dict.fromkeys(("generic", "dressed", "topic"), 1.0), 0.5, HARD, 1, 7)
    hard = planned["kind"] != "generic"
    tenth = len(planned) // 10
    assert hard[:tenth].mean() < 0.4
    assert hard[-3 * tenth :].mean() == pytest.approx(2 / 3, abs=0.06)
    assert (planned["kind"] == "generic").sum() == 1000


def test_the_schedule_depends_on_its_seed_only() -> None:
    mixture = {"generic": 0.5, "topic": 0.5}
    assert schedule(rows(50), mixture, 0.3, HARD, 2, 1).equals(schedule(rows(50), mixture, 0.3, HARD, 2, 1))
    assert not schedule(rows(50), mixture, 0.3, HARD, 2, 1).equals(schedule(rows(50), mixture, 0.3, HARD, 2, 2))


def test_nothing_to_train_on() -> None:
    with pytest.raises(ValueError, match=r"no triplet to train on: there are .*'generic': 5.* \{'emotion': 1.0\}"):
        schedule(rows(5), {"emotion": 1.0}, 0.0, HARD, 1, 1)


@pytest.mark.parametrize(
    ("mixture", "curriculum", "message"),
    [
        ({"in_batch": 1.0}, 0.0, "mixture.in_batch: no such kind"),
        ({"topic": 1.5}, 0.0, r"mixture.topic=1.5: expected"),
        ({"topic": 0.0}, 0.0, "every kind's share is 0"),
        ({"topic": 1.0}, 2.0, "curriculum=2.0"),
    ],
)
def test_impossible_mixtures(mixture: dict[str, float], curriculum: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_mixture(mixture, curriculum, ["generic", "topic"])


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
