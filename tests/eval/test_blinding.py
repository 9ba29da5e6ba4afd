"""A reply does not tell its rater which model wrote it, and its other words stay whole."""

import re

import pytest

from eval.blinding import without_names
from eval.generation.run import load_entries

# What of a model's id names no family: words, and letters of a size or version.
NO_FAMILY = {"Instruct", "reasoner", "B"}


@pytest.mark.parametrize("model", sorted({entry.model for entry in load_entries({}).values()}))
def test_a_model_that_names_its_family_stays_unknown(model: str) -> None:
    hidden = without_names(f"我是{model.split('/')[-1]}", [])
    told = f"{hidden}: its family's name belongs in eval/model_names.yaml"
    assert set(re.findall("[A-Za-z]+", hidden)) <= NO_FAMILY, told


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        # A Latin name between Chinese characters.
        ("我是ChatGPT，很高兴陪你。", "我是某助手，很高兴陪你。"),
        ("我是GPT-4o。", "我是某助手。"),
        ("我是ChatGPT，由OpenAI开发。", "我是某助手，由某公司开发。"),
        ("你好，我是Qwen2.5-7B-Instruct！", "你好，我是某助手！"),
        ("我是deepseek r1，别担心。", "我是某助手，别担心。"),
        ("我是InternLM2-7B。", "我是某助手。"),
        ("作为ChatGLM3，我陪着你。", "作为某助手，我陪着你。"),
        ("叫我MindChat、SoulChat、EmoLLM或PsyChat都行。", "叫我某助手、某助手、某助手或某助手都行。"),
        ("I'm Claude, made by Anthropic.", "I'm 某助手, made by 某公司."),
        ("我是Claude 3.5 Sonnet。", "我是某助手。"),
        ("我是Kimi，由月之暗面开发。", "我是某助手，由某公司开发。"),
        ("Gemini 1.5 Pro陪着你。", "某助手陪着你。"),
        # Chinese names, of which some are words of their own.
        ("我是文心一言。", "我是某助手。"),
        ("我是通义千问，是阿里云开发的大语言模型。", "我是某助手，是某公司开发的大语言模型。"),
        ("我叫豆包，可以陪你聊聊。", "我叫某助手，可以陪你聊聊。"),
        ("我是百川，一个人工智能助手。", "我是某助手，一个人工智能助手。"),
        ("百川大模型在这里。", "某助手大模型在这里。"),
        ("我是讯飞星火认知大模型。", "我是某助手大模型。"),
        ("我是智谱清言，由清华大学和智谱AI训练。", "我是某助手，由某公司训练。"),
        ("我是书生·浦语。", "我是某助手。"),
    ],
)
def test_a_name_is_taken_out_by_word(said: str, seen: str) -> None:
    assert without_names(said, []) == seen


@pytest.mark.parametrize(
    "said",
    [
        "海纳百川，有容乃大。",
        "我在学 database、Metaphor 和 Metaverse。",
        "meta分析显示，运动对睡眠有帮助。",
        "我蒸了一笼豆包，分你两个豆包。",
        "过年包元宝，捡到个大元宝也开心不起来。",
        "我是书生气很重的人。",
        "星星之火可以燎原，星火还在。",
        "看得让人见文心酸。",
        "你可以问问他今天工作怎么样。",
        "我该怎么办qwq",
        "你是双子座，也就是 Gemini。",
        "我有个同学叫 Claude，他对我很好。",
        "我听的是《月之暗面》。",
        "我在腾讯开发的部门上班，每天在百度上查症状。",
        "千问万问，都不如抱抱自己。",
        # No name: it is part of how the reply speaks to the person.
        "作为一个人工智能助手，我没有感情，但我愿意听。",
    ],
)
def test_other_words_stay_whole(said: str) -> None:
    assert without_names(said, ["base", "SFT"]) == said


def test_the_study_s_own_models_are_taken_out_as_whole_words() -> None:
    models = ["base", "SFT", "SFT+GRPO", "小暖"]
    assert without_names("我是SFT+GRPO，base，小暖。", models) == "我是某助手，某助手，某助手。"
    assert without_names("database、based、SFTP", models) == "database、based、SFTP"
