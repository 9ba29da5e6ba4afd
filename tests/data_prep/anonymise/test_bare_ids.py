"""Ids that nothing but their form gives away, and what looks like one."""

import pytest

from data_prep.anonymise.engine import Anonymiser
from data_prep.anonymise.placeholders import PATTERNED


@pytest.fixture(scope="module")
def anonymiser() -> Anonymiser:
    return Anonymiser(PATTERNED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("现在换了新号，a_leaf_1999x，没人知道", "现在换了新号，[账号]，没人知道"),
        ("改成一串字母qwxz1130，一句话没说", "改成一串字母[账号]，一句话没说"),
        ("病历本上写着MZ20230918442，医生很温柔", "病历本上写着[编号]，医生很温柔"),
        ("腕带上是ED-0246，我剪下来了", "腕带上是[编号]，我剪下来了"),
        ("挂在工牌SZ-C3-08816上", "挂在工牌[编号]上"),
        ("今年的是23370181550926，她去求了签", "今年的是[编号]，她去求了签"),
        ("身份证330106199108232748校验不通过", "身份证[编号]校验不通过"),
        ("号1983026471一直是灰的", "号[编号]一直是灰的"),
        # 110 and 120 are lines that help, and begin other numbers.
        ("身份证110105199003071234校验不通过", "身份证[编号]校验不通过"),
        ("准考的是120184037255，我记得", "准考的是[编号]，我记得"),
        ("病房腕带上MZ20230918442名字写错了", "病房腕带上[编号]名字写错了"),
        ("NO20230918442是我的", "[编号]是我的"),
        ("nora_1998x和Lily2003都是她", "[账号]和[账号2]都是她"),
        ("a_leaf_1999x人家不理我，qwxz1130天天发", "[账号]人家不理我，[账号2]天天发"),
        ("手机换成xhs_94207715k了，他叫:kz_night07", "手机换成[账号]了，他叫:[账号2]"),
        # What a cue or a pattern says is surer.
        ("加我微信lin_xi0917", "加我微信[微信]"),
        ("电话13874620591", "电话[电话]"),
    ],
)
def test_found(text: str, expected: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "订单号2023110758213640，没发货",
        "单号SF1408827361559我还留着",
        "坐G1234去的，回来是CA1234",
        "买了iPhone14，还有RTX4090",
        "PHQ-9和DSM-5里都有，CCMD-2-R也有",
        "吃的是Lexapro10mg",
        "费斯廷格（LeonFestinger1957）提出",
        "HSK-2023和SARS-2003",
        "covid-19和iphone14promax",
        "月薪7000-8000，2016-2018年",
        "打400-161-9995，或者4001619995",
        "一共123456789字",
        "哈哈哈6666666666",
        "he said hello_world and good_morning",
        "文件report_v2_final",
    ],
)
def test_stays(text: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (text,)
