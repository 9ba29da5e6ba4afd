"""What is asked, and which answers are verdicts."""

import json

import pytest

from common.records.rankings import KEYS, VerdictError
from eval.judge.config import SCHEMA, JudgePrompt, parse_verdict

GOOD = {"fluency": "A", "identification": "B", "comforting": "tie", "suggestion": "A", "overall": "B"}
TEXT = json.dumps(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"\n {TEXT}\n",
        f"```json\n{TEXT}\n```",
        f"<think>先看 A。\n再看 B。</think>\n{TEXT}",
        f"<think></think>```\n{json.dumps(GOOD, indent=2)}\n```",
        # DeepSeek-R1's opening tag stands in the prompt.
        f"先看 A。再看 B。\n</think>\n\n{TEXT}",
        f"我的判断如下。\n```json\n{TEXT}\n```\n以上。",
        TEXT.replace('"tie"', '"Tie"').replace('"A"', '" a"'),
        json.dumps({"reason": "x" * 1000, **GOOD}),
    ],
)
def test_a_verdict(text: str) -> None:
    assert parse_verdict(text) == GOOD
    assert list(parse_verdict(text)) == list(KEYS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("A", "not JSON"),
        (TEXT[:-1], "not JSON"),
        (f"我的判断是：{TEXT}", "not JSON"),
        (f"{TEXT}{TEXT}", "not JSON"),
        (f"<think>{TEXT}", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "expected exactly the keys"),
        ('"A"', "expected exactly the keys"),
        ("综合来看 A 更好，overall 是 A。", "not JSON"),
        (f"```\n{TEXT}\n```\n或者\n```\n{TEXT}\n```", "not JSON"),
        (json.dumps({"overall": "A"}), "expected exactly the keys"),
        (TEXT[:-1] + ', "overall": "A"}', "a key stands there twice"),
        (json.dumps({**GOOD, "overall": "A and B"}), "overall is 'A and B', expected A, B or tie"),
        (json.dumps({**GOOD, "fluency": ["A"]}), "fluency is"),
        (json.dumps({**GOOD, "overall": None}), "overall is None"),
    ],
)
def test_no_verdict(text: str, message: str) -> None:
    with pytest.raises(VerdictError, match=message) as found:
        parse_verdict(text)
    assert len(str(found.value)) < 400


def test_the_schema_asks_for_the_parts_before_the_whole() -> None:
    schema = SCHEMA["json_schema"]["schema"]
    assert list(schema["properties"]) == schema["required"] == [*list(GOOD)]
    assert schema["required"][-1] == "overall"


def test_the_prompt_holds_the_texts_as_they_are() -> None:
    prompt = JudgePrompt.read()
    post, a, b = "$post ${reply_a} {x} \\n", "回复甲 $fence", "回复乙\n第二行"
    system, user = prompt.messages(post, a, b, remind=False)
    assert (system["role"], user["role"]) == ("system", "user")
    assert [user["content"].count(text) for text in (post, a, b)] == [1, 1, 1]
    assert user["content"].index(post) < user["content"].index(a) < user["content"].index(b)
    assert all(key in system["content"] for key in KEYS)
    assert "$" not in system["content"]


def test_the_same_comparison_is_the_same_request_and_the_reminder_is_added() -> None:
    prompt = JudgePrompt.read()
    before = prompt.messages("来信", "甲", "乙", remind=False)
    assert prompt.messages("来信", "甲", "乙", remind=False) == before
    again = prompt.messages("来信", "甲", "乙", remind=True)
    assert again[0] == before[0]
    assert again[1]["content"].startswith(before[1]["content"])
    assert len(again[1]["content"]) > len(before[1]["content"])


def test_separators_differ_between_comparisons() -> None:
    prompt = JudgePrompt.read()
    first, second = (
        prompt.messages("来信", *pair, remind=False)[1]["content"] for pair in (("甲", "乙"), ("乙", "甲"))
    )
    assert first.splitlines()[0] != second.splitlines()[0]
