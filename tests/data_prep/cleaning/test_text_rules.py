"""The rules that mend a text: what each changes, what it leaves alone, that it never lengthens."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_prep.cleaning.rules import RULES, TextRule

CHANGED = [
    ("html", "<p>你好</p><br/>今天<b class='x'>很</b>累", "\n你好\n\n今天很累"),
    ("html", "一&nbsp;二&amp;三&lt;3", "一\xa0二&三<3"),
    ("html", "&amp;#38;amp;lt;3", "<3"),
    ("html", "<!-- 注 -->看<script>var a = 1;</script>见", "看见"),
    ("html", "<L1>难过</L1><answer>抱抱</answer><|im_end|>", "难过抱抱"),
    ("html", '<a href="http://a.cn/?b=1">这里</a>', "这里"),
    ("urls", "详见https://www.example.com/a?b=1&c=2。谢谢", "详见。谢谢"),
    ("urls", "看www.example.cn，还有t.cn/Ab3，", "看，还有，"),
    ("urls", "（http://example.org/路）", "（路）"),
    ("control_characters", "\ufeff零\u200b宽\u200e度\u2060\x00\ue001", "零宽度"),
    ("control_characters", "零\u200d宽\ufe0f", "零宽"),
    ("traditional", "我說我們不適合，讓我很難過", "我说我们不适合，让我很难过"),
    ("traditional", "他很乾脆，卻沒有慰藉我", "他很干脆，却没有慰藉我"),
    ("repeated_characters", "啊啊啊啊啊啊。。。。～～～～~~~~", "啊啊啊。。。～～～~~~"),
    ("repeated_characters", "……………………！！！！！😭😭😭😭❤️❤️❤️❤️❤️", "………！！！😭😭😭❤️❤️❤️"),
    ("whitespace", "\u3000\u3000你好\u3000\u3000世界\u00a0。", "你好 世界 。"),
    ("whitespace", "一\r\n二\r三\u2028四", "一\n二\n三\n四"),
    ("whitespace", "一 \n\t二\n\n\n\n三", "一\n二\n\n三"),
]

LEFT_ALONE = [
    ("html", "我<3你，a<b，若a<b 且 c>d，读《<我们仨>》，R&D，AT&T"),
    ("html", "＜L1＞ <L5> <b"),
    ("urls", "在58.com上找工作，写信给a.b@mail.example.com，3.5元，第1.2节，http://"),
    ("control_characters", "👨\u200d👩\u200d👧一家❤️，1️⃣先休息\n\t再说\u3000"),
    ("traditional", "乾坤、慰藉、著名、瞭望，这些字简体里也有"),
    ("traditional", "ありがとう、気持ちが楽になった。時間がかかる"),
    ("repeated_characters", "13800001111，10000元，啊啊啊，……，理解婆婆婆婆也会高兴，妈妈妈妈"),
    ("whitespace", "标点，（全角）不变！我 love 你\n\n下一段"),
]


def text_rule(name: str) -> TextRule:
    rule = RULES[name]
    assert isinstance(rule, TextRule)
    return rule


@pytest.mark.parametrize(("name", "text", "expected"), CHANGED)
def test_changes(name: str, text: str, expected: str) -> None:
    assert text_rule(name).mend(text) == expected


@pytest.mark.parametrize(("name", "text"), LEFT_ALONE)
def test_leaves_alone(name: str, text: str) -> None:
    assert text_rule(name).mend(text) == text


PIECES = st.sampled_from(
    [
        "<br>",
        "</p>",
        "<",
        ">",
        "&amp;",
        "lt;",
        "&#60;",
        "<b ",
        "http://",
        "www.",
        "a.cn/",
        "説",
        "後",
        "の",
        "啊啊啊啊",
        "\u200d",
        "\u200b",
        "\ufe0f",
        "👨",
        " ",
        "\t",
        "\r\n",
        "\u3000",
        "妈",
        "7",
        "可以私信我",
        "加微信",
        "。",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=12).map("".join)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if isinstance(rule, TextRule)])
@given(text=TEXTS)
@example(text="&amp;lt;br&amp;gt;")
@example(text="İİ有困惑可以私信我")
def test_never_lengthens(name: str, text: str) -> None:
    assert len(text_rule(name).mend(text)) <= len(text)


@given(TEXTS)
def test_what_is_seen_stays(text: str) -> None:
    mended = text_rule("whitespace").mend(text_rule("control_characters").mend(text))
    invisible = ("Cf", "Cc", "Co", "Zs", "Zl", "Zp")

    def seen(of: str) -> list[str]:
        return [char for char in of if unicodedata.category(char) not in invisible and char not in "\ufe0e\ufe0f"]

    assert seen(mended) == seen(text)
