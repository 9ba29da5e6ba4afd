"""QQ numbers and WeChat ids: found by the cue beside them, by no cue not."""

import pytest

from data_prep.anonymise.engine import Anonymiser


@pytest.fixture(scope="module")
def anonymiser() -> Anonymiser:
    return Anonymiser(types=["QQ", "微信"])


@pytest.mark.parametrize(
    "cue", ["QQ", "扣扣：", "q q号", "企鹅号", "加我Q", "🐧", "秋秋是", "交流群", "Q.Q.，", "qq", "求求", "我扣"]
)
def test_qq_after_its_cue(cue: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"{cue}2716093845，备注树洞"]).texts == (f"{cue}[QQ]，备注树洞",)


@pytest.mark.parametrize("after", ["本人在", "一直是灰的", "人在就回", "个性签名很丧", "\n", "年后再加"])
def test_what_follows_a_long_number_does_not_make_it_a_count(after: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"扣扣\n2716093845{after}"]).texts == (f"扣扣\n[QQ]{after}",)


@pytest.mark.parametrize("cue", ["，这是我的QQ", "是我扣", "这个扣扣是骗子", "（QQ）"])
def test_qq_before_its_cue(cue: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"2716093845{cue}。"]).texts == (f"[QQ]{cue}。",)


@pytest.mark.parametrize(
    "cue",
    ["微信", "vx：", "加V", "薇", "绿泡泡", "卫星号：", "v❤", "威心", "wei信", "V-X：", "wechat: ", "微信号是", "+v "],
)
@pytest.mark.parametrize("account", ["lin_xi0917", "xiaolinzi"])
def test_wechat_after_its_cue(cue: str, account: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"{cue}{account}，夜里在"]).texts == (f"{cue}[微信]，夜里在",)


@pytest.mark.parametrize("cue", ["，这是我微信", "是我的vx", "←v", "（微信）"])
def test_wechat_before_its_cue(cue: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"lin_xi0917{cue}。"]).texts == (f"[微信]{cue}。",)


def test_words_between_an_id_and_its_cue(anonymiser: Anonymiser) -> None:
    text = "她微信从anan_0213悄悄改成了newlife-aa，QQ签名还是那句话，号是1290475836。"
    assert anonymiser([text]).texts == ("她微信从[微信]悄悄改成了[微信2]，QQ签名还是那句话，号是[QQ]。",)


@pytest.mark.parametrize(
    "text",
    [
        "QQ音乐里单曲循环了1126遍，QQ空间访问量1234567",
        "QQ被盗了，损失20000元",
        "扣了10000块，扣123456元，QQ群12345多人，微信52013步",
        "学号2021034567，加QQ群的同学查不到",
        "微信运动37步，微信转账52000，微信红包1314",
        "微信公众号xinli_zhushou推送的",
        "微信密码abc12345被改了",
        "发微信告诉他PHQ-9二十分，SCL-90也做了",
        "微信版本8.0.47，手机iPhone13",
        "加v送资料，大V转发了，V领毛衣T-shirt",
        "网站Parenting.com和Verywell Family，Vision2030，Vlog_2023",
        "大V：xinli_2020说要自律，1v1 abc_2020",
        "DSM-V，phq_9_total，（V一V） lin_xi0917",
        "他给我发了depression这个词",
        "会员编号88601234，2716093845",
        "QQ。2716093845",
    ],
)
def test_stays(text: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (text,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("加我微信13874620591，就是想聊聊", "加我微信[微信]，就是想聊聊"),
        ("vx13874620591", "vx[微信]"),
        ("微信同号138-7462-0591。", "微信同号[微信]。"),
        ("我微信就是手机号13874620591", "我微信就是手机号[微信]"),
        ("加V138.7462.0591，别打电话", "加V[微信]，别打电话"),
        ("13874620591是我微信", "[微信]是我微信"),
        ("QQ号就是手机号13874620591", "QQ号就是手机号[QQ]"),
        ("手机13874620591（微信同号）", "手机[电话]（微信同号）"),
        ("电话（微信同号）：13874620591", "电话（微信同号）：[电话]"),
        ("电话、微信都是13874620591", "电话、微信都是[电话]"),
        ("加v：13874620591，就是我电话", "加v：[电话]，就是我电话"),
        ("没加微信，直接打13874620591", "没加微信，直接打[电话]"),
    ],
)
def test_a_mobile_number_is_an_account_where_it_is_called_so(text: str, expected: str) -> None:
    assert Anonymiser(types=["QQ", "微信", "电话"])([text]).texts == (expected,)


@pytest.mark.parametrize("before", ["拉你进群，先加管理员", "她用小号", "想聊的加我吧，", "同学都在群里（", "敲群主"])
def test_qq_without_a_word_for_it(before: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"{before}271609384"]).texts == (f"{before}[QQ]",)
