"""Numbers of hotlines come from one list, and the texts around them are as they were."""

import re
from pathlib import Path

import pytest

from common.code import REPO
from common.human_help import human_help
from eval.human.page import CARE, RISK
from eval.report import CRISIS_NOTE

TEXTS = (".py", ".jinja", ".js", ".yaml")


def test_the_texts_hold_the_numbers() -> None:
    assert "可以拨打全国统一心理援助热线 12356，或联系" in CARE
    assert "现实中的帮助（如 12356、120、110 和身边的人）。" in RISK
    assert "不能交给模型回复。全国统一心理援助热线 12356，紧急情况 120 / 110。\n" in CRISIS_NOTE


@pytest.mark.parametrize("path", [path for path in (REPO / "eval").rglob("*") if path.suffix in TEXTS], ids=str)
def test_no_number_stands_in_the_code(path: Path) -> None:
    numbers = "|".join(human_help().numbers)
    assert not re.search(rf"(?<![\d.#])(?:{numbers})(?![\d.])", path.read_text("utf-8"))
