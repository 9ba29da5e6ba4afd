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
        "月薪7000-8000，2016-2018年",
        "打400-161-9995，或者4001619995",
        "一共123456789字",
        "哈哈哈6666666666",
        "he said hello-world and good_",
        "文件report_v2_final",
    ],
)
def test_stays(text: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (text,)
