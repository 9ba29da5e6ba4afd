"""Hours of the stages beside GRPO: one by hand, what they grow with, and what is counted."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from common.decisions import DataDecisions
from recipes.planning import seconds, stages
from recipes.planning.check import make_setup
from recipes.planning.constants import Constants, constants
from recipes.planning.from_profile import Sizes, other_stages, sizes
from recipes.planning.setup import Lengths, Setup, find_card
from recipes.planning.shapes import Shape, find_encoder, find_shape
from recipes.planning.stages import Stage, Training, Triplets
from recipes.profile import Common

CARD = find_card("rtx4090")
DECIDED = DataDecisions("", "coe", "", False, 1024, 1024, "Qwen/Qwen3-0.6B")
SIZES = Sizes(samples=200, train=400_000, heldout=44_444, questions=500, told="")
TEXTS = Lengths(0, 400, 1024)
TRIPLETS = Triplets(drawn=20_000, aside=1000, heldout=20_000, cut=1024)


def _encoder(name: str = "BAAI/bge-m3") -> Shape:
    shape = find_encoder(name)
    assert shape is not None
    return shape


def _policy(**changes: object) -> Setup:
    of = {"model": "Qwen/Qwen3-0.6B", "card": "rtx4090", "cards": 1, "prompt": 500, "response": 400, "longest": 1024}
    step = {"prompts": 8, "rollouts": 4, "mini": 8, "micro": 2, "scored": 4, "utilization": 0.35}
    return make_setup({**of, **step, **changes})


def _common(out: Path, profile: str = "one_gpu") -> Common:
    return Common(profile=profile, out=str(out), model="Qwen/Qwen3-0.6B")


def _reward(triplets: Triplets = TRIPLETS, shape: Shape | None = None, chosen: Constants | None = None) -> float:
    training = Training(shape or _encoder(), CARD, batch=8, checkpointing=True)
    return stages.reward_model(training, TEXTS, triplets, chosen or constants())


def test_sft_by_hand() -> None:
    # All rows are of 100 tokens. A layer of Qwen3-0.6B has 15,730,944 parameters, the head 155,582,464; attention adds
    # 2 x 28 x 2048 x 100 operations: 2 x 596,048,896 + 11,468,800 a token.
    alone = replace(constants(), compute=1.0, traffic=0.0, piece_s=0.0)
    training = Training(find_shape("Qwen/Qwen3-0.6B"), CARD, batch=2, checkpointing=True)
    found = stages.sft(training, Lengths(0, 100, 100), samples=200, epochs=3, constants=alone)
    assert found == pytest.approx(3 * 4 * 200 * 100 * 1_203_566_592 / 165e12)
    # Each of 3 x 100 batches adds a forward and a backward pass's fixed time.
    fixed = stages.sft(training, Lengths(0, 100, 100), 200, 3, replace(alone, piece_s=0.5))
    assert fixed == pytest.approx(found + 300)
    # Without checkpointing three passes of four, with LoRA as many.
    assert stages.sft(replace(training, checkpointing=False), Lengths(0, 100, 100), 200, 3, alone) == found * 3 / 4
    assert stages.sft(replace(training, lora=8), Lengths(0, 100, 100), 200, 3, alone) == found * 3 / 4


def test_sft_grows_with_epochs_and_shrinks_with_gpus() -> None:
    training = Training(find_shape("Qwen/Qwen3-8B"), find_card("h100"), cards=6, batch=1, checkpointing=True)
    took = stages.sft(training, TEXTS, 200, 3, constants())
    assert stages.sft(training, TEXTS, 200, 6, constants()) == pytest.approx(2 * took)
    assert stages.sft(replace(training, cards=3), TEXTS, 200, 3, constants()) > took


def test_a_reward_model_reads_three_texts_a_triplet() -> None:
    alone = replace(constants(), traffic=0.0, piece_s=0.0)
    few, twice = (_reward(Triplets(drawn, 0, 0, 1024), chosen=alone) for drawn in (8000, 16_000))
    training = Training(_encoder(), CARD, batch=8, checkpointing=True)
    assert few == pytest.approx(stages.sft(training, TEXTS, 3 * 8000, 1, alone))
    assert twice == pytest.approx(2 * few)


def test_a_reward_models_ranking_is_read_once_a_text_in_float32() -> None:
    alone = replace(constants(), traffic=0.0, piece_s=0.0, texts_per_triplet=0.5)
    shape = _encoder()
    # Two encoders read half of 1000 texts, and one those of 200 triplets four times.
    found = _reward(Triplets(0, 200, 1000, 1024), shape, alone)
    operations = 2 * shape.computing + 2 * shape.layers * shape.queries * 400
    assert found == pytest.approx(2 * 1400 * 400 * operations / (165e12 * alone.compute), rel=0.01)


@pytest.mark.parametrize(
    "fewer",
    [
        replace(TRIPLETS, drawn=10_000),
        replace(TRIPLETS, heldout=5000),
        replace(TRIPLETS, aside=0),
        replace(TRIPLETS, cut=256),
    ],
)
def test_a_reward_model_takes_less_with_less(fewer: Triplets) -> None:
    assert 0 < _reward(fewer) < _reward()


def test_a_smaller_encoder_takes_less() -> None:
    took = [_reward(shape=_encoder(f"BAAI/bge-{name}")) for name in ("small-zh-v1.5", "base-zh-v1.5", "m3")]
    assert took == sorted(took)


def test_generation_is_a_rollout_for_each_block() -> None:
    engine = replace(_policy(), prompts=64, rollouts=4, mini=64)
    one = seconds.rollout(engine, constants())
    assert stages.generation(engine, 500, 1, constants()) == pytest.approx(8 * one)
    assert stages.generation(engine, 500, 3, constants()) == pytest.approx(3 * one)
    # Fewer questions than a block has are one smaller rollout.
    few = stages.generation(engine, 10, 3, constants())
    assert few == pytest.approx(seconds.rollout(replace(engine, prompts=10, mini=10), constants()))
    assert few < one


def test_the_sum_leaves_out_what_is_not_reckoned() -> None:
    assert stages.total([Stage("a", "", 2.0), Stage("b", "", None), Stage("c", "", 3.0)]) == 5


def test_one_gpus_stages_count_what_its_files_say(tmp_path: Path) -> None:
    found = other_stages(_common(tmp_path), DECIDED, _policy(), SIZES, constants())
    assert [(each.name, each.counted) for each in found] == [
        ("sft", "200 samples × 3 epochs"),
        ("reward-model", "bge-m3, 19,950 triplets"),
        ("heldout-reward-model", "bge-base-zh-v1.5, 19,950 triplets"),
        ("generate", "4 sets of 500 questions × 4 replies"),
    ]
    assert all(each.seconds for each in found)


def test_the_base_is_asked_twice_where_the_format_is_taught(tmp_path: Path) -> None:
    plain = replace(DECIDED, prompt="plain")
    told = [
        other_stages(_common(tmp_path), decided, _policy(), SIZES, constants())[-1].seconds
        for decided in (DECIDED, plain)
    ]
    assert told[0] == pytest.approx(told[1] * 4 / 3)  # type: ignore[operator]


def test_an_encoder_on_a_cpu_is_not_reckoned(tmp_path: Path) -> None:
    found = other_stages(_common(tmp_path, "tiny"), DECIDED, _policy(), SIZES, constants())
    assert [(each.counted, each.seconds) for each in found[1:2]] == [("static: on a CPU", None)]


def test_counts_are_the_profiles_until_there_are_data(tmp_path: Path) -> None:
    common = _common(tmp_path)
    assert sizes(common, constants()) == replace(SIZES, told="as the profile asks, triplets assumed")
    assert sizes(common, constants(), 900).heldout == 100
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "sft.json").write_text(json.dumps([{}] * 7), encoding="utf-8")
    pd.DataFrame({"id": ["a", "b"]}).to_parquet(folder / "test.parquet")
    sides = ["train"] * 5 + ["heldout"] * 3
    pd.DataFrame({"split": sides, "kind": ["topic"] * 8}).to_parquet(folder / "triplets.parquet")
    assert sizes(common, constants()) == Sizes(7, 5, 3, 2, "of the data")
    assert sizes(common, constants(), 900) == Sizes(7, 900, 3, 2, "of the data, triplets as given")
