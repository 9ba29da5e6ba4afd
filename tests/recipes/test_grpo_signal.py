"""A run that can learn nothing is known by its ties, in its first steps or in all of them."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from recipes.grpo_signal import Signal, SignalWatch, measure, no_signal

UID = "0009c059-ba93-4735-a5d2-abf7b18d05d"
TIED, VARIED = (0.0, 0.0), (0.0, 1.0)


def dump(folder: Path, step: int, groups: Sequence[Sequence[float]]) -> None:
    """What verl writes of a step: a line a rollout, groups mixed."""
    (folder / "rollouts").mkdir(exist_ok=True)
    rows = [
        {"uid": f"u{n}", "score": one, "step": step} for turn in zip(*groups, strict=True) for n, one in enumerate(turn)
    ]
    (folder / "rollouts" / f"{step}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_ties_are_counted_by_group(tmp_path: Path) -> None:
    dump(tmp_path, 1, [TIED, VARIED])
    dump(tmp_path, 2, [(1.0, 1.0), (2.0, 2.0)])
    found = measure(tmp_path, rollouts=4)
    assert found == Signal(steps=2, groups=4, tied=3, best=1, reward=(1 + 2 + 4) / 8)
    assert found.share == 0.75
    # A step that verl is still writing is no step.
    (tmp_path / "rollouts" / "3.jsonl").write_text(json.dumps({"uid": "u0", "score": 0.0}) + "\n{")
    assert measure(tmp_path, rollouts=4) == found
    # Once a later one is there it is counted as it stands: a rollout may be missing for good.
    dump(tmp_path, 4, [TIED, TIED])
    (tmp_path / "rollouts" / "3.jsonl").write_text(json.dumps({"uid": f"{UID}0_0_0", "score": 0.0}) + "\n")
    assert (measure(tmp_path, rollouts=4).steps, measure(tmp_path, rollouts=4).groups) == (4, 6)


def test_a_run_whose_first_groups_all_tie_is_ended(tmp_path: Path) -> None:
    watch = SignalWatch(tmp_path, rollouts=4, first_steps=3)
    for step in (1, 2):
        dump(tmp_path, step, [TIED, TIED])
        assert watch() == ""
    dump(tmp_path, 3, [TIED, (1.0, 1.0)])
    assert watch().startswith("no signal: all 6 groups of the first 3 steps tie (mean reward 0.17)")
    assert watch.reason == watch()


@pytest.mark.parametrize("first_steps", [0, 3])
def test_one_group_that_varies_lets_it_go_on(first_steps: int, tmp_path: Path) -> None:
    watch = SignalWatch(tmp_path, rollouts=4, first_steps=first_steps)
    dump(tmp_path, 1, [TIED, VARIED])
    for step in range(2, 9):
        dump(tmp_path, step, [TIED, TIED])
        assert watch() == ""


def test_rollouts_without_a_group_say_nothing(tmp_path: Path) -> None:
    dump(tmp_path, 1, [(0.0,), (0.0,)])
    assert measure(tmp_path, rollouts=2) == Signal(steps=1, groups=0, tied=0, best=0, reward=0.0)
    watch = SignalWatch(tmp_path, rollouts=2, first_steps=1)
    assert watch() == ""


def test_a_finished_run_in_which_nearly_all_tie_counts_as_none() -> None:
    assert no_signal(Signal(50, 100, 95, 0, 0.1), 0.95) == ""
    told = "no signal: 96 of 100 groups tie below the highest reward, more than 95%"
    assert no_signal(Signal(50, 100, 96, 0, 0.1), 0.95) == told
    # Without dumped rollouts nothing is known, so nothing is claimed.
    assert no_signal(Signal(0, 0, 0, 0, 0.0), 0.95) == ""


def test_a_run_that_has_reached_the_highest_reward_has_learnt(tmp_path: Path) -> None:
    dump(tmp_path, 1, [TIED, VARIED])
    for step in range(2, 60):
        dump(tmp_path, step, [(1.0, 1.0), (1.0, 1.0)])
    found = measure(tmp_path, rollouts=4)
    assert (found.groups, found.tied, found.best) == (118, 117, 116)
    assert no_signal(found, 0.95) == ""
