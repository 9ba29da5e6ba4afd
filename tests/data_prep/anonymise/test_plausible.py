"""What becomes of the tagger's finds: where each ends, which type it has, and which stay."""

import pytest

from data_prep.anonymise.lac import lac
from data_prep.anonymise.plausible import Finds
from data_prep.anonymise.tagger.network import Find

FINDS = Finds(titled=True, given=True, bias=0.0)


def kept(text: str, value: str, type: str, lead: float) -> tuple[str, str] | None:
    """Text and type of what stays of a find."""
    start = text.index(value)
    place = FINDS(text, lac().tags([text])[0], Find(start, start + len(value), type, lead))
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
        ("他一直在兴山区住。", "兴山区", "单位", ("兴山区", "地址")),
        ("最近在文峰大道那边找活。", "文峰大道", "单位", ("文峰大道", "地址")),
        ("婚后每个月还恒大绿洲的贷款。", "恒大绿洲", "单位", ("恒大绿洲", "地址")),
        ("恒大物业的人不理我。", "恒大物业", "单位", ("恒大物业", "单位")),
        ("她父亲天天去泰达二幼接她。", "泰达二幼", "单位", ("泰达二幼", "学校")),
        ("可能是他在汉滨交警大队说话的习惯。", "汉滨交警大队", "学校", ("汉滨交警大队", "单位")),
        ("可是我们都在蜀香园打工。", "蜀香园", "地址", ("蜀香园", "单位")),
        ("可是我们都在周浦打工。", "周浦", "地址", ("周浦", "地址")),
        ("我在石室外语读高二时单恋一个男生。", "石室外语", "单位", ("石室外语", "学校")),
        ("我在滨河制药上大夜班。", "滨河制药", "单位", ("滨河制药", "单位")),
        ("我去过省精卫中心。", "省精卫", "单位", ("省精卫中心", "单位")),
        ("快递填的奥林花园3栋2单元501。", "奥林花园3栋2单元", "地址", ("奥林花园3栋2单元501", "地址")),
    ],
)
def test_ends_and_types_of_sure_finds(text: str, value: str, type: str, expected: tuple[str, str] | None) -> None:
    assert kept(text, value, type, lead=7.0) == expected


def test_a_sure_name_stays_where_a_word_reaches_over_its_end() -> None:
    """和解 and 健谈 are words."""
    for text, value in (("父亲和解红梅出轨了。", "解红梅"), ("我跟符永健谈上以后变了。", "符永健")):
        assert kept(text, value, "姓名", lead=9.0) == (value, "姓名")
        assert kept(text, value, "姓名", lead=4.0) != (value, "姓名")


def test_a_sure_name_ends_where_a_common_word_begins() -> None:
    assert kept("拿好朋友悦悦来说吧。", "悦悦来", "姓名", lead=9.0) == ("悦悦", "姓名")
    assert kept("他像个矮冬瓜，会难过。", "冬瓜", "姓名", lead=6.0) is None
    assert kept("我以为可以去读美院油画系，但遭到反对。", "美院油画", "单位", lead=6.0) is None


def test_each_type_has_its_least_lead() -> None:
    assert kept("她住在翠湖苑。", "翠湖苑", "地址", lead=1.3) is not None
    assert kept("她住在翠湖苑。", "翠湖苑", "地址", lead=1.1) is None
    assert kept("昨天苗振宇来了。", "苗振宇", "姓名", lead=2.3) is None
    assert kept("昨天苗振宇来了。", "苗振宇", "姓名", lead=2.5) is not None
    # Behind 叫 less will do.
    assert kept("他叫苗振宇。", "苗振宇", "姓名", lead=1.2) is not None


def test_a_word_with_a_title_s_last_character_is_no_surname() -> None:
    assert kept("请一个月嫂帮你。", "月", "姓名", lead=5.0) is None
    assert kept("王嫂来帮你。", "王", "姓名", lead=1.0) == ("王", "姓名")


def test_an_ordinary_word_needs_more() -> None:
    """红包 and 小麦 are words that name nobody; 二汽 is one as well, and a firm."""
    assert kept("平常都是我给他们红包。", "红包", "单位", lead=2.9) is None
    assert kept("今年要去二汽找活。", "二汽", "单位", lead=6.0) == ("二汽", "单位")
    assert kept("昨天小麦来了。", "小麦", "姓名", lead=2.5) is None
    assert kept("昨天小麦来了。", "小麦", "姓名", lead=4.0) == ("小麦", "姓名")


def test_no_find_ends_inside_of_a_word() -> None:
    assert kept("他也进过纳粹集中营。", "纳粹集中", "学校", lead=6.0) == ("纳粹集中营", "学校")
    assert kept("她是民大学生。", "民大", "学校", lead=6.0) == ("民大", "学校")
    assert kept("后来报了农商行考试。", "农商", "单位", lead=6.0) == ("农商行", "单位")
    assert kept("阿卜杜·海写了一封信。", "卜杜·海", "姓名", lead=6.0) == ("阿卜杜·海", "姓名")
    assert kept("女士，被叫号引来关注。", "号引", "姓名", lead=2.4) is None
    assert kept("她又在舒适区中停下。", "区中", "学校", lead=3.0) is None
    assert kept("医生让我吃氯米帕明。", "帕明", "姓名", lead=4.0) is None
    assert kept("你去社区卫生服务站问问。", "区卫生服务站", "单位", lead=6.0) == ("社区卫生服务站", "单位")
    assert kept("不久之后，珍妮举家搬迁。", "珍妮举", "姓名", lead=6.0) == ("珍妮", "姓名")


def test_places_by_their_parts() -> None:
    assert kept("每次来宏图大院就跑。", "宏图大院", "单位", lead=3.0) == ("宏图大院", "地址")
    assert kept("我回平邑县柏林镇固城村。", "平邑县柏林镇固城村", "地址", lead=9.0) == ("平邑县柏林镇固城村", "地址")
    assert kept("在沙龙中学到的方法。", "沙龙中学", "学校", lead=9.0) is None
    assert kept("晚上睡觉前泡一个热水澡。", "前泡", "单位", lead=2.5) is None
    assert kept("亲爱的准医生，你好。", "准", "姓名", lead=3.0) is None


def test_a_title_ends_a_name_also_where_it_goes_on_behind_it() -> None:
    assert kept("你好，李琼小姐。", "李琼小", "姓名", lead=4.0) == ("李琼", "姓名")
    assert kept("昨天刘小姐来了。", "刘小", "姓名", lead=4.0) == ("刘", "姓名")
    assert kept("我老梦到郭大嫂。", "郭大", "姓名", lead=4.0) == ("郭", "姓名")
    assert kept("李玉书记得我的生日。", "李玉书", "姓名", lead=9.0) == ("李玉书", "姓名")


def test_the_famous_stay() -> None:
    for text, value, type in (
        ("一个叫司马光，一个叫王安石。", "王安石", "姓名"),
        ("说不定我是下一个约翰纳什。", "翰纳什", "学校"),
        ("陶虹面对丈夫徐峥时曾说。", "徐峥", "姓名"),
        ("昨天他在看王维。", "王维", "姓名"),
    ):
        assert kept(text, value, type, lead=6.0) is None


def test_others_may_be_called_like_the_famous() -> None:
    for text, value, type in (
        ("我男朋友王安石来了。", "王安石", "姓名"),
        ("我的大学室友叫王安石。", "王安石", "姓名"),
        ("我叫王安石。", "王安石", "姓名"),
        ("你好，王安石。", "王安石", "姓名"),
        ("她叫李娜。", "李娜", "姓名"),
        ("我叫何小龙女朋友跑了。", "何小龙", "姓名"),
        ("我在黄继光小学教书。", "黄继光小学", "学校"),
        ("我住张自忠路3号院2单元501室。", "张自忠路3号院2单元501室", "地址"),
    ):
        assert kept(text, value, type, lead=6.0) == (value, type)
    assert kept("这是佛洛依德精分三个我里的。", "佛洛依德精分", "单位", lead=6.0) is None


def test_a_school_has_a_school_s_end() -> None:
    assert kept("你和东北男的谈恋爱。", "东北男", "学校", lead=6.0) is None
    assert kept("参加了沙龙，晨读小老师也在。", "晨读小", "学校", lead=6.0) is None
    assert kept("他的父母三天一小吵。", "三天一小", "学校", lead=6.0) is None
    assert kept("我自制力不太行orz我成绩差。", "太行orz", "地址", lead=6.0) is None
    assert kept("孩子在市三小。", "市三小", "学校", lead=6.0) == ("市三小", "学校")


def test_a_name_that_is_told_as_one_needs_no_lead() -> None:
    """小丽 is a figure of examples as well."""
    for text, value in (("你好，小丽。", "小丽"), ("来访者：我叫小王。", "小王"), ("小敏（化名）来了。", "小敏")):
        assert kept(text, value, "姓名", lead=0.3) == (value, "姓名")
    assert kept("比方说小丽来了。", "小丽", "姓名", lead=3.0) is None
    assert kept("昨天小敏来了。", "小敏", "姓名", lead=0.3) is None


def test_what_every_town_has_and_signs_of_the_zodiac_stay() -> None:
    for text, value in (
        ("谈了几次，也去过民政局一次。", "民政局"),
        ("我多次走到心理诊所的门口。", "心理诊所"),
        ("我大五女生。", "大五女"),
        ("金牛老婆冷战中。", "金牛"),
    ):
        assert kept(text, value, "单位", lead=9.0) is None
    assert kept("我住成都金牛区。", "金牛区", "地址", lead=9.0) == ("金牛区", "地址")
    assert kept("别半途而废。", "半途而废", "单位", lead=9.0) is None
