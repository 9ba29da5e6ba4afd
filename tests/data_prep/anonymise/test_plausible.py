"""What becomes of the tagger's finds: where each ends, which type it has, and which stay."""

import pytest

from data_prep.anonymise.plausible import Finds
from data_prep.anonymise.tagger.network import Find

FINDS = Finds(titled=True, given=True, bias=0.0)


def kept(text: str, value: str, type: str, lead: float) -> tuple[str, str] | None:
    """Text and type of what stays of a find."""
    start = text.index(value)
    place = FINDS(text, Find(start, start + len(value), type, lead))
    return place and (text[place[0] : place[1]], place[2])


@pytest.mark.parametrize(
    ("text", "value", "type", "expected"),
    [
        ("我回到玉皇庙镇政府上班。", "玉皇庙镇政府", "地址", ("玉皇庙镇政府", "单位")),
        ("我从古丈县默戎镇考出来的。", "古丈县默戎镇", "学校", ("古丈县默戎镇", "地址")),
        ("他在科兴科学园那边创业。", "科兴科学园", "单位", ("科兴科学园", "地址")),
        ("他在义堂镇有厂有房。", "义堂镇有", "地址", ("义堂镇", "地址")),
        ("搬到观山湖后我总失眠。", "观山湖后", "地址", ("观山湖", "地址")),
        ("我老梦到和郭大姐生气。", "郭大", "姓名", ("郭", "姓名")),
        ("我在社区卫生服务中心打针。", "社区卫生服务中心", "单位", None),
    ],
)
def test_ends_and_types_of_sure_finds(text: str, value: str, type: str, expected: tuple[str, str] | None) -> None:
    assert kept(text, value, type, lead=7.0) == expected


def test_a_sure_name_stays_where_a_word_reaches_over_its_end() -> None:
    """和解 and 健谈 are words."""
    for text, value in (("父亲和解红梅出轨了。", "解红梅"), ("我跟符永健谈上以后变了。", "符永健")):
        assert kept(text, value, "姓名", lead=9.0) == (value, "姓名")
        assert kept(text, value, "姓名", lead=4.0) != (value, "姓名")


def test_each_type_has_its_least_lead() -> None:
    assert kept("她住在翠湖苑。", "翠湖苑", "地址", lead=1.5) is not None
    assert kept("她住在翠湖苑。", "翠湖苑", "地址", lead=1.0) is None
    assert kept("昨天苗振宇来了。", "苗振宇", "姓名", lead=2.0) is None
    assert kept("昨天苗振宇来了。", "苗振宇", "姓名", lead=3.0) is not None
    # Behind 叫 less will do.
    assert kept("他叫苗振宇。", "苗振宇", "姓名", lead=1.2) is not None


def test_a_word_with_a_title_s_last_character_is_no_surname() -> None:
    assert kept("请一个月嫂帮你。", "月", "姓名", lead=5.0) is None
    assert kept("王嫂来帮你。", "王", "姓名", lead=1.0) == ("王", "姓名")
