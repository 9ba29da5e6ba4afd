"""The options of the reward: guards, checks, and that checking them loads nothing heavy."""

import subprocess
import sys
from dataclasses import fields
from typing import Any, get_args

import pytest

from reward_fns.coe_format import FORMAT_REWARDS
from reward_fns.components import MEASURES, components, measure
from reward_fns.judgement import Judgement
from reward_fns.options import AnswerMode, FormatMode, Guards, RewardOptions

QUESTION = "考试没有考好，很难过，不知道怎么跟爸妈说"
RESPONSE = "没考好的那天，难过是真的。先不急着想怎么跟爸妈说，把最怕听到的那句话写下来。"


@pytest.mark.parametrize(
    ("limits", "answer", "broken"),
    [
        ({}, QUESTION, ""),
        ({"max_copy": 0.9}, QUESTION, "max_copy"),
        ({"max_copy": 0.9}, RESPONSE, ""),
        ({"min_distinct_2": 0.5}, RESPONSE * 5, "min_distinct_2"),
        ({"min_distinct_2": 0.5}, RESPONSE, ""),
        ({"min_chars": 10}, "加油", "min_chars"),
        ({"max_chars": 10}, RESPONSE, "max_chars"),
        ({"max_chars": len(RESPONSE), "min_chars": len(RESPONSE)}, RESPONSE, ""),
    ],
)
def test_guards(limits: dict[str, Any], answer: str, broken: str) -> None:
    assert Guards(**limits).refuse(measure(QUESTION, answer)) == broken
    judgement = Judgement(0.9, 1.0, 0.8, 0.5)
    result = components(QUESTION, f"<answer>{answer}</answer>", judgement, RewardOptions.of(limits))
    assert result["answer"] == (0.0 if broken else 1.0)
    assert result["cosine"] == 0.9


@pytest.mark.parametrize(
    "options",
    [
        {"max_copy": 1.5},
        {"max_copy": "much"},
        {"min_distinct_2": -0.1},
        {"min_chars": -1},
        {"max_chars": -5},
        {"replicas": 0},
        {"timeout_s": 0},
        {"attempts": 0},
        {"mode": "cosine"},
        {"format_mode": "half"},
    ],
)
def test_a_value_that_cannot_be_is_named(options: dict[str, Any]) -> None:
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"^{name}={value}: expected "):
        RewardOptions.of(options)


def test_a_misspelt_option_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"^max_coppy: no such option .* Known: .*max_copy.*outage_file"):
        RewardOptions.of({"max_coppy": 0.4})


def test_every_guard_limits_what_is_logged_and_can_be_probed() -> None:
    guards = {guard.name: guard for guard in fields(Guards)}
    assert {guard.metadata["measure"] for guard in guards.values()} <= MEASURES.keys()
    assert all(name.startswith(("min_", "max_")) for name in guards)
    assert guards.keys() <= {option.name for option in fields(RewardOptions)}


def test_null_switches_a_guard_off_and_the_paper_s_reward_is_the_default() -> None:
    assert RewardOptions.of({"max_copy": None, "outage_file": None}) == RewardOptions()
    assert (RewardOptions().mode, RewardOptions().format_mode) == ("threshold", "exact")


def test_checking_options_loads_neither_torch_nor_ray_nor_an_encoder() -> None:
    code = (
        "import sys, reward_fns.options\n"
        "heavy = {'torch', 'ray', 'sentence_transformers', 'transformers', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_mode_is_something_that_the_reward_model_says() -> None:
    """Else the option would pass its check, and fail in training at the first answer that is paid for."""
    assert set(get_args(AnswerMode)) <= {field.name for field in fields(Judgement)}


def test_every_format_mode_has_its_reward() -> None:
    """Else the option would pass its check and fail at the first output, and a report would read it as another mode."""
    assert set(get_args(FormatMode)) == FORMAT_REWARDS.keys()
