"""The checks of a chain, on chains spoilt by others and on the sample's own; the prompt, and how an answer is read."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from common.files import read_json_lines
from common.records.question import Question
from data_prep.coe.advice import Advice
from data_prep.coe.checks import CHECKS, ChainChecks, chinese_share, copied
from data_prep.coe.config import CheckConfig, CoEConfig
from data_prep.coe.drawing import drawn
from data_prep.coe.measure import SPOILT, as_text, refused_of
from data_prep.coe.prompt import TeacherPrompt, read_chain
from data_prep.corpora import load_corpus
from reward_fns.coe_format import LAYERS

CHAIN = ("她很累。", "可能要求太高。", "想被理解。", "先认可她的累。")


@pytest.fixture(scope="module")
def sample() -> list[Question]:
    return load_corpus(None).questions


@pytest.fixture(scope="module")
def checks(sample: list[Question]) -> ChainChecks:
    posts, responses = [question.post for question in sample], [text for q in sample for text in q.responses]
    return ChainChecks(posts, responses, CheckConfig())


def test_nine_of_ten_spoilt_chains_of_each_kind_are_caught(sample: list[Question], checks: ChainChecks) -> None:
    by_id = {question.id: question for question in sample}
    files = sorted(SPOILT.glob("*.jsonl"))
    assert [file.name for file in files] == ["one.jsonl", "two.jsonl"]
    for file in files:
        caught, every = Counter[str](), Counter[str]()
        for _, line in read_json_lines(file):
            question = by_id[line["id"]]
            every[line["kind"]] += 1
            caught[line["kind"]] += bool(checks(line["text"], question.post, question.responses[0])[1])
        assert set(every) == {"missing_layer", "generic", "copied", "advice", "english", "other_post"}
        assert {kind: caught[kind] / count for kind, count in every.items() if caught[kind] < 0.9 * count} == {}


def test_the_sample_s_own_chains_pass(sample: list[Question], checks: ChainChecks) -> None:
    refused, by = refused_of(sample, checks)
    assert refused <= 0.05 * sum(question.coe is not None for question in sample)
    assert set(by) <= set(CHECKS)


@pytest.mark.parametrize(
    "around",
    [
        str,
        "<think>先看来信 <L1>不是</L1></think>\n{}".format,
        "没有开头的想法</think>{}".format,
        "```xml\n{}\n```".format,
        "<empathy_think>{}</empathy_think>".format,
    ],
)
def test_a_chain_is_read_with_what_models_put_around_it(around: Callable[[str], str]) -> None:
    assert read_chain(around(as_text(CHAIN))) == CHAIN


@pytest.mark.parametrize(
    "text",
    [
        "",
        as_text(CHAIN).replace("<L3>想被理解。</L3>", ""),
        as_text(CHAIN).replace("想被理解。", " "),
        as_text(CHAIN).replace("</L2>", ""),
        as_text(CHAIN) + "<L4>再来一次</L4>",
        as_text(CHAIN).replace("L1", "L9").replace("L2", "L1").replace("L9", "L2"),
        as_text(CHAIN) + "<answer>你好</answer>",
        "好的，下面是四层：" + as_text(CHAIN),
    ],
)
def test_anything_else_is_no_chain(text: str) -> None:
    assert read_chain(text) is None


@pytest.mark.parametrize(
    ("change", "check", "layer"),
    [
        ({"L2": "She thinks she is not good enough."}, "chinese", "L2"),
        ({"L1": "累。"}, "length", "L1"),
        ({"L4": "RESPONSE"}, "copied", "L4"),
        ({"L2": "她应该先学会放松，每天晚上早点睡，不要再想这些事，多和朋友出去走走。"}, "advice", "L2"),
    ],
)
def test_a_check_names_the_layer(
    change: dict[str, str], check: str, layer: str, sample: list[Question], checks: ChainChecks
) -> None:
    question = next(question for question in sample if question.coe and not question.crisis)
    response = question.responses[0]
    layers = dict(zip(LAYERS, question.coe or (), strict=True)) | change
    layers = {name: response[:60] if text == "RESPONSE" else text for name, text in layers.items()}
    found = [
        (problem.check, problem.layer) for problem in checks.problems(list(layers.values()), question.post, response)
    ]
    assert (check, layer) in found


def test_what_the_post_says_too_is_not_copied() -> None:
    response = "你说领导在会上当众批评了你，这让你觉得丢脸。可以先写下来。"
    assert copied("领导在会上当众批评了她", response, "领导在会上当众批评了我") == (0, 0.0)
    longest, share = copied("领导在会上当众批评了她", response, "我很难过")
    assert longest == 10
    assert share == pytest.approx(10 / 11)


def test_letters_of_another_script_count() -> None:
    assert chinese_share("她很累，so tired") == pytest.approx(3 / 10)
    assert chinese_share("……") == 0.0


def test_a_belief_or_a_wish_is_no_advice() -> None:
    advises = Advice()
    assert not advises("她觉得自己应该做得更好，不能让爸妈失望，做不到的时候就责怪自己。")
    assert not advises("想知道自己可以怎么和妈妈说，也希望有人能理解她的委屈。")
    assert advises("她需要学会放下，多和同事沟通，每天给自己留一点时间，慢慢就会好起来。")


def test_the_prompt_tells_what_was_wrong_and_hands_over_no_instruction() -> None:
    prompt = TeacherPrompt.read()
    assert set(prompt.told) == set(CHECKS)
    first = prompt.messages("来信 $fence 里的话", "回复")
    again = prompt.messages("来信 $fence 里的话", "回复", ["copied", "advice"])
    assert first[0] == again[0]
    assert "来信 $fence 里的话" in first[1]["content"]
    assert prompt.told["copied"] in again[1]["content"]
    assert all(f"<{name}>" in first[0]["content"] for name in LAYERS)
    assert "$" not in first[0]["content"]
    assert replace(prompt, user="别的").identity != prompt.identity


def made(name: str, **more: Any) -> Question:
    return Question(id=name, title=f"来信{name}", description="", responses=("短。", "长一些的回复。"), **more)


def test_nobody_at_risk_or_flagged_is_drawn_and_groups_count_once() -> None:
    own = [
        made("a", crisis=True),
        made("b", risk_level="concern"),
        made("c"),
        made("d", group="g"),
        made("e", group="g"),
    ]
    ids = [item.question.id for item in drawn(own, CoEConfig(), 1, ())]
    assert len(ids) == 2
    assert "c" in ids
    assert {item.question.id for item in drawn(own, CoEConfig(at_risk=True), 1, ["c"])} >= {"a", "b"}
    with pytest.raises(ValueError, match="at_risk=true lets posts at risk in"):
        drawn(own[:2], CoEConfig(), 1, ())


def test_each_beginning_of_a_stratified_draw_has_the_topics_shares() -> None:
    own = [made(str(n), topic="工作" if n % 4 else "家庭") for n in range(80)]
    order = drawn(own, CoEConfig(stratified=True), 1, ())
    for count in (8, 20, 40):
        topics = Counter(item.question.topic for item in order[:count])
        assert abs(topics["家庭"] - count / 4) <= 1
    assert {item.question.id for item in order} == {str(n) for n in range(80)}


def test_the_response_is_the_one_asked_for() -> None:
    (longest,) = drawn([made("a")], CoEConfig(response="longest"), 1, ())
    (first,) = drawn([made("a")], CoEConfig(response="first"), 1, ())
    assert (longest.response, first.response) == ("长一些的回复。", "短。")
    assert len({drawn([made("a")], CoEConfig(), seed, ())[0].response for seed in range(20)}) == 2


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"response": "best"}, "response=best: expected one of random, first, longest"),
        ({"chains": 0}, "chains=0: expected 1 or more"),
        ({"requests_per_minute": 0}, "requests_per_minute=0: expected 0.1 or more"),
        ({"max_cost": 1.0}, "max_cost without prices"),
        ({"base_url": "ftp://x"}, "base_url=ftp://x: expected e.g."),
    ],
)
def test_a_key_that_cannot_be_is_told(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CoEConfig(**keys)
