"""What the documentation lists by hand is what the code has: each list fails here when its code has outgrown it."""

import re
from dataclasses import fields
from typing import get_args

from common.code import REPO
from eval.figures import figure
from eval.metrics.protocols import PROTOCOLS
from reward_fns import coe_format
from reward_fns.coe_format import LAYERS, skeleton
from reward_fns.components import RESULT_KEYS
from reward_fns.options import AnswerMode, FormatMode, Guards


def _text(*parts: str) -> str:
    return REPO.joinpath(*parts).read_text(encoding="utf-8")


def test_the_format_is_told_as_it_is() -> None:
    assert skeleton() in _text("README.md")
    assert skeleton() in (coe_format.__doc__ or "")


def test_the_sample_corpus_tells_each_layer() -> None:
    told = _text("data_prep", "sample_corpus", "README.md")
    assert [name for name in LAYERS if f"`{name}`" not in told] == []


def test_every_option_and_component_of_the_reward_is_told() -> None:
    told = _text("docs", "reward.md")
    expected = [
        *(f"`mode={mode}`" for mode in get_args(AnswerMode)),
        *(f"`format_mode={mode}`" for mode in get_args(FormatMode)),
        *(f"`{key}`" for key in RESULT_KEYS),
    ]
    assert [code for code in expected if code not in told] == []
    assert [guard.name for guard in fields(Guards) if not re.search(rf"\b{guard.name}=", told)] == []


def test_every_figure_of_a_protocol_is_told() -> None:
    told = _text("docs", "evaluation.md")
    labels = {figure(key).label for metrics in PROTOCOLS.values() for key in (*metrics, "navg")}
    assert {label for label in labels if label not in told} == set()
