"""The format reward against texts that try to cheat it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_fns import coe_format
from reward_fns.coe_format import TAG_NAMES, CoEFormatError, CoEOutput, extract_answer, format_reward, parse, skeleton

LAYERS = ("难过，刚搬到新城市。", "觉得是自己不好。", "想被理解。", "先回应难过，再谈办法。")
ANSWER = "搬家以后没有人说话，确实会很难受。"
VALID = CoEOutput(LAYERS, ANSWER).render()
TAGS = [f"<{slash}{name}>" for name in TAG_NAMES for slash in ("", "/")]


def test_valid_output_is_rewarded_and_parsed() -> None:
    assert format_reward(VALID) == 1.0
    assert parse(VALID) == CoEOutput(LAYERS, ANSWER)


def test_white_space_may_stand_around_and_between_blocks() -> None:
    spaced = "\n  " + VALID.replace("><", ">\n\t<") + "\u3000\n"
    assert format_reward(spaced) == 1.0
    assert parse(spaced) == parse(VALID)


@pytest.mark.parametrize("tag", TAGS)
def test_missing_tag(tag: str) -> None:
    assert format_reward(VALID.replace(tag, "", 1)) == 0.0


@pytest.mark.parametrize("tag", TAGS)
def test_repeated_tag(tag: str) -> None:
    assert format_reward(VALID.replace(tag, tag + tag, 1)) == 0.0
    assert format_reward(VALID + tag) == 0.0
    assert format_reward(tag + VALID) == 0.0


@pytest.mark.parametrize("tag", TAGS)
def test_tag_inside_the_answer(tag: str) -> None:
    cheat = VALID.replace(ANSWER, f"我理解{tag}你")
    assert format_reward(cheat) == 0.0
    assert extract_answer(cheat) is None


@pytest.mark.parametrize("tag", TAGS)
def test_case_matters(tag: str) -> None:
    assert format_reward(VALID.replace(tag, tag.swapcase())) == 0.0


@pytest.mark.parametrize("body", [*LAYERS, ANSWER])
@pytest.mark.parametrize("blank", ["", " ", "\n\t", "\u3000", "\u200b", "\ufeff", "\u200d\u2060", "\u0301"])
def test_blank_blocks(body: str, blank: str) -> None:
    assert format_reward(VALID.replace(body, blank)) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "没有标签的回复",
        VALID + "谢谢",
        "好的：" + VALID,
        VALID + VALID,
        VALID.replace("</L1><L2>", "</L1>因此<L2>"),
        VALID.replace("</empathy_think><answer>", "</empathy_think>回复：<answer>"),
        VALID.replace("<L1>", "<L2>").replace("</L1>", "</L2>"),
        VALID.replace("L1>", "LX>").replace("L2>", "L1>").replace("LX>", "L2>"),
        VALID.replace("<L1>", "＜L1＞").replace("</L1>", "＜/L1＞"),
        VALID.replace("<L1>", "< L1 >"),
        VALID.replace("<L1>", '<L1 id="1">'),
        VALID.replace("</answer>", ""),
        VALID.replace("<empathy_think>", "<think>").replace("</empathy_think>", "</think>"),
        VALID.replace("</L4></empathy_think>", "</empathy_think></L4>"),
        f"<answer>{VALID}</answer>",
        VALID.replace("</L4>", "</L4><L5>多一层</L5>"),
        "<answer>先答</answer>" + VALID.split("<answer>")[0],
    ],
)
def test_cheats(text: str) -> None:
    assert format_reward(text) == 0.0


def test_other_angle_brackets_are_text() -> None:
    output = CoEOutput(("心跳 <3", "a<b>c", "<l1>", "＜L1＞"), "1 < 2，<b>好</b>")
    assert parse(output.render()) == output


def test_the_error_names_the_first_violation() -> None:
    with pytest.raises(CoEFormatError, match=r"found <L3> at character \d+, expected <L2>"):
        parse(VALID.replace("<L2>觉得是自己不好。</L2>", ""))


def test_render_refuses_what_could_not_be_read_back() -> None:
    with pytest.raises(CoEFormatError):
        CoEOutput(LAYERS, "再说一次</answer>").render()


@pytest.mark.parametrize("unit", ["<L1>", "<", "<L1></L1>", "<answer>", "字", " ", "</", "\u200b"])
def test_time_is_linear(unit: str) -> None:
    """1 MB of any of these; a backtracking pattern would take hours, so the bound may be generous."""
    text = unit * (1_000_000 // len(unit))
    started = time.perf_counter()
    assert format_reward(text) == 0.0
    assert format_reward(VALID.replace(ANSWER, ANSWER + text) + "x") == 0.0
    extract_answer(text)
    assert time.perf_counter() - started < 20.0


@given(st.lists(st.sampled_from([*TAGS, "字", " ", "<", "</", "\n", "<3"]), max_size=40).map("".join))
def test_never_raises_and_agrees_with_parse(text: str) -> None:
    assert format_reward(text) in (0.0, 1.0)
    if format_reward(text) == 1.0:
        assert format_reward(parse(text).render()) == 1.0
        assert extract_answer(text) == parse(text).answer


@given(st.text())
def test_never_raises_on_any_text(text: str) -> None:
    assert format_reward(text) == 0.0


def test_answer_is_read_from_an_otherwise_malformed_output() -> None:
    assert extract_answer(f"<L1>没有闭合<answer>{ANSWER}</answer>") == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "无",
        "<answer></answer>",
        "<answer>好",
        "好</answer>",
        "</answer>好<answer>",
        "<answer>一</answer><answer>二</answer>",
    ],
)
def test_no_single_answer(text: str) -> None:
    assert extract_answer(text) is None


def test_the_paper_s_format() -> None:
    filled = "<empathy_think><L1>字</L1><L2>字</L2><L3>字</L3><L4>字</L4></empathy_think><answer>字</answer>"
    assert skeleton("字") == filled
    assert format_reward(filled) == 1.0
    assert list(coe_format.LAYER_TITLES) == list(coe_format.LAYER_ASKS) == list(coe_format.LAYERS)


def test_another_number_of_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="3 layers, expected 4: L1, L2, L3, L4"):
        CoEOutput(LAYERS[:3], ANSWER)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '    ("L4", ',
            '    ("L0", "称呼", "怎样称呼来访者。"),\n    ("L4", ',
            "<empathy_think><L1>…</L1><L2>…</L2><L3>…</L3><L0>…</L0><L4>…</L4></empathy_think><answer>…</answer>",
        ),
        (
            '"empathy_think"',
            '"think+"',
            "<think+><L1>…</L1><L2>…</L2><L3>…</L3><L4>…</L4></think+><answer>…</answer>",
        ),
        (
            'ANSWER: Final = "answer"',
            'ANSWER: Final = "reply"',
            "<empathy_think><L1>…</L1><L2>…</L2><L3>…</L3><L4>…</L4></empathy_think><reply>…</reply>",
        ),
    ],
)
def test_another_format_is_one_edit(old: str, new: str, expected: str, tmp_path: Path) -> None:
    source = Path(coe_format.__file__).read_text(encoding="utf-8")
    assert source.count(old) == 1
    (tmp_path / "edited.py").write_text(source.replace(old, new), encoding="utf-8")
    code = (
        "import edited as e\n"
        f"valid = {expected!r}\n"
        "assert e.skeleton() == valid, e.skeleton()\n"
        "assert e.format_reward(valid) == e.partial_format_reward(valid) == 1.0\n"
        "output = e.parse(valid.replace('…', '字'))\n"
        "assert output.layers == ('字',) * len(e.LAYERS) and output.render() == valid.replace('…', '字')\n"
        "assert e.extract_answer(valid) == '…' and e.extract_answer(valid + valid) is None\n"
        "assert list(e.LAYER_TITLES) == list(e.LAYER_ASKS) == list(e.LAYERS)\n"
        "assert e.TAG_NAMES == (e.THINK, *e.LAYERS, e.ANSWER)\n"
        "for tag in e.TAG.findall(valid):\n"
        "    broken = valid.replace(tag, '')\n"
        "    assert e.format_reward(broken) == 0.0 < e.partial_format_reward(broken) < 1.0, tag\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=tmp_path)
