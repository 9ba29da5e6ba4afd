"""User names, papers and personal numbers beside their cue; phones and cards of Taiwan, Hong Kong and Macau."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.anonymise.engine import Anonymiser
from data_prep.anonymise.overseas import hong_kong_id_valid, taiwan_id_valid
from data_prep.anonymise.placeholders import PATTERNED


@pytest.fixture(scope="module")
def anonymiser() -> Anonymiser:
    return Anonymiser(types=PATTERNED)


@pytest.mark.parametrize(
    "cue",
    ["抖音号：", "抖音号是", "小红书账号", "微博ID：", "b站id ", "快手号", "豆瓣的用户名叫", "原神UID:", "网名是"],
)
@pytest.mark.parametrize("value", ["lin_xi0917", "linxi0917"])
def test_user_name_after_its_cue(cue: str, value: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"{cue}{value}，夜里在"]).texts == (f"{cue}[账号]，夜里在",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("抖音搜linxi0917", "抖音搜[账号]"),
        ("王者荣耀ID 308815526", "王者荣耀ID [账号]"),
        ("linxi_0917是我的抖音号", "[账号]是我的抖音号"),
        ("网名叫“半夜写信的人”，三年了", "网名叫“[账号]”，三年了"),
        ("微信昵称：云上漫步，头像是海", "微信昵称：[账号]，头像是海"),
        ("微博@云上的鱼儿", "微博@[账号]"),
        ("微信ID是linxi0917", "微信ID是[微信]"),
        ("抖音号和微信号都是linxi0917", "抖音号和微信号都是[微信]"),
    ],
)
def test_user_names(text: str, expected: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我账号叫山楂不酸，粉丝很少", "我账号叫[账号]，粉丝很少"),
        ("游戏ID橙子皮不苦，充了四百", "游戏ID[账号]，充了四百"),
        ("微博小号@明天还会下雨里写了很多", "微博小号@[账号]里写了很多"),
        ("她的号叫老街小吃店，专门骂我", "她的号叫[账号]，专门骂我"),
        ("我在B站有个小号，风筝与河，投了几个视频", "我在B站有个小号，[账号]，投了几个视频"),
        ("快手上也播过，号是zhuzi_88lan", "快手上也播过，号是[账号]"),
        ("发到抖音，账号县城飞哥888，点赞不少", "发到抖音，账号[账号]，点赞不少"),
        ("B站有个UP主叫云上漫步，教理财", "B站有个UP主叫[账号]，教理财"),
        ("小红书上有个人叫“风中 凌乱”骂我", "小红书上有个人叫“[账号]”骂我"),
        ("网名叫追风少年🌙的男生", "网名叫[账号]的男生"),
        ("昵称叫Lily of the sea，头像是海", "昵称叫[账号]，头像是海"),
        ("把昵称从“晚安”改成了“往后余生呀”", "把昵称从“[账号]”改成了“[账号2]”"),
        ("抖音搜小鹿乱撞就能找到我", "抖音搜[账号]就能找到我"),
        ("关注我 @不想上班的猫，谢谢", "关注我 @[账号]，谢谢"),
        ("风筝与河是我的微博名", "[账号]是我的微博名"),
        ("有人用“无名小卒”的账号骂我", "有人用“[账号]”的账号骂我"),
        ("战网ID叫小鱼干#51234，天天打", "战网ID叫[账号]，天天打"),
        ("UID：186 203 945，加我", "UID：[账号]，加我"),
        ("我的steam叫NightOwl_77", "我的steam叫[账号]"),
        ("我只敢看她B站，叫便利店的第七排", "我只敢看她B站，叫[账号]"),
        ("打游戏认识的，他ID野王别送了，带我上分", "打游戏认识的，他ID[账号]，带我上分"),
    ],
)
def test_user_names_of_words(text: str, expected: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "我有个小号，没人知道，专门写日记",
        "网名是我妈取的，昵称：选填，账号叫人盗了",
        "抖音上叫他的人很多，快手上叫卖的也多",
        "抖音搜失眠就能看到很多视频",
        "知乎上有个概念叫课题分离，网上有个词叫“内耗”",
        "微博上叫“内耗超话”的地方",
        "有个游戏叫我的世界，游戏名字叫蛋仔派对",
        "主播叫我送礼物，微信叫车回家",
        "衣服要大号，我的号：挂到下周三了",
        "在群里@我，@全体成员说开会",
        "微信群名字叫“一家人”，孩子在游戏里叫得很大声",
        "游戏账号进行对比，账号经常来浏览",
        "微博上大喊大叫发泄情绪，B站我号被封了，在直播间里尖叫连连，抖音名字是乱起的，",
    ],
)
def test_words_about_accounts_stay(text: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (text,)


@pytest.mark.parametrize(
    "text",
    [
        "抖音号被封了，抖音号是什么都不重要",
        "B站2000粉，快手刷了500条，微博10000多人看",
        "抖音app卸了又装，小红书APP也是",
        "网名叫什么好，微信名是真名",
        "他的网名叫什么我忘了",
        "公众号xinli_zhushou推送的文章",
        "B站UP主：云上漫步",
        "微博@人民日报",
        "电影《致命ID》看了三遍",
        "账号密码都忘了，账号被盗",
        "王者荣耀打了1500场",
    ],
)
def test_what_is_said_of_an_account_stays(text: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (text,)


@pytest.mark.parametrize(
    "cue",
    [
        "学号",
        "学号：",
        "考号是",
        "准考证号",
        "考生号：",
        "工号",
        "员工编号是",
        "社保号",
        "医保卡号：",
        "保单号",
        "住院号",
        "警号",
    ],
)
@pytest.mark.parametrize("value", ["20210345", "A03718", "SZ-20871"])
def test_personal_number_after_its_cue(cue: str, value: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"{cue}{value}，查不到"]).texts == (f"{cue}[编号]，查不到",)


@pytest.mark.parametrize(
    "number", ["护照E12345678", "护照号：EJ4817263", "港澳通行证号码是C48172630", "台胞证01938475"]
)
def test_paper_after_its_cue(number: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"{number}丢了"]).texts == (f"{number.rstrip('EJC0123456789')}[证件]丢了",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021034567是我的学号", "[编号]是我的学号"),
        ("E83749201是她的护照号", "[证件]是她的护照号"),
        ("军官证是南字第0183746号", "军官证是[证件]"),
        ("准考证号是13874620591", "准考证号是[编号]"),
        ("社保号330106199108232745", "社保号[身份证]"),
        ("工号0417，学号2021034567", "工号[编号]，学号[编号2]"),
    ],
)
def test_papers_and_numbers(text: str, expected: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (expected,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("学号我到现在都背得出，2021034567，真的", "学号我到现在都背得出，[编号]，真的"),
        ("考生号是 23 4207 1115 0123", "考生号是 [编号]"),
        ("研究生证号2022S30417", "研究生证号[编号]"),
        ("准考证，号码120938475", "准考证，号码[编号]"),
        ("2021034567这串学号", "[编号]这串学号"),
        ("会见要报编号3307190", "会见要报编号[编号]"),
        ("双程证到期了，证件号C60829417", "双程证到期了，证件号[证件]"),
        ("要Y975062(0)这个身份证号", "要[证件]这个身份证号"),
        ("护照上写的是E 1234 5678", "护照上写的是[证件]"),
        ("护照还没到，旧的是G58203917", "护照还没到，旧的是[证件]"),
        ("军官证，编号海字第0472913号", "军官证，编号[证件]"),
        ("护照C2948157到期", "护照[证件]到期"),
        ("电话0773 5814 206", "电话[电话]"),
        ("我的Github链接https://a-b.cn/x", "我的Github链接[网址]"),
        ("Githttps://a-b.cn/x", "Git[网址]"),
    ],
)
def test_numbers_with_words_between(text: str, expected: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "学号忘了，赔了350000，工牌号抄下来打12345",
        "护照2019-05-06才拿到，签证花了123456元",
        "病历写着体温38.5，血压150 90",
        "工号1001到1050的都裁了",
        "驾照考了5次，证件照拍了3次",
    ],
)
def test_what_is_near_a_paper_stays(text: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (text,)


@pytest.mark.parametrize(
    "text",
    [
        "学号是2019级开头的",
        "按学号坐，工号1001开头的是老员工",
        "学号、工号都忘了，第2021034567名",
        "快递单号SF1387462059，订单号20231107153022",
        "房号1203，车位号0456，挂号第17号",
        "护照2023年过期，签证20230815到期",
        "结婚证是20200520领的",
        "驾照扣了12分，科二60分",
    ],
)
def test_counts_years_and_parcels_stay(text: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (text,)


@pytest.mark.parametrize(
    "number",
    ["0912-345-678", "02-2718-3649", "(04)2236-1877", "886-912-345-678", "852-9482 7163", "(852)6283 7164"],
)
def test_phones_that_need_no_cue(number: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"打{number}找我"]).texts == ("打[电话]找我",)


@pytest.mark.parametrize(
    "number", ["香港电话9123 4567", "澳门电话66283174", "台湾手机0928374651", "WhatsApp：5182 7364"]
)
def test_phones_beside_a_cue(number: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([f"{number}，别打"]).texts == (f"{number.rstrip('0123456789 ')}[电话]，别打",)


@pytest.mark.parametrize("text", ["香港热线2389 2222", "2023年有9123 4567人", "香港欠了91234567元", "0912分"])
def test_hotlines_and_counts_stay(text: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (text,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("身份证A123456789", "身份证[证件]"),
        ("身份证A123456788", "身份证[证件]"),
        # No card, and somebody's all the same.
        ("她是A123456788", "她是[编号]"),
        ("她是A123456(3)", "她是[证件]"),
        ("她是A123456(4)", "她是A123456(4)"),
        ("香港身份证A1234563", "香港身份证[证件]"),
        ("型号A1234563", "型号A1234563"),
        ("澳门身份证1384726(5)", "澳门身份证[证件]"),
        ("微信A123456789", "微信[微信]"),
    ],
)
def test_identity_cards(text: str, expected: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (expected,)


@given(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), st.text("0123456789", min_size=7, max_size=7), st.integers(1, 9))
def test_a_wrong_last_digit_is_no_card(letter: str, digits: str, by: int) -> None:
    taiwan = next(f"{letter}1{digits}{d}" for d in range(10) if taiwan_id_valid(f"{letter}1{digits}{d}"))
    assert not taiwan_id_valid(f"{taiwan[:-1]}{(int(taiwan[-1]) + by) % 10}")
    hong_kong = [f"{letter}{digits[:6]}{d}" for d in "0123456789A" if hong_kong_id_valid(f"{letter}{digits[:6]}{d}")]
    assert len(hong_kong) == 1


@pytest.mark.parametrize("number", ["A123456789", "B223286011", "A800000014"])
def test_taiwan_ids(number: str) -> None:
    assert taiwan_id_valid(number)


@pytest.mark.parametrize("number", ["A1234563", "C1234569", "WX1099068"])
def test_hong_kong_ids(number: str) -> None:
    assert hong_kong_id_valid(number)
