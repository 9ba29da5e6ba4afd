"""Names, schools, employers and addresses: what tells one, and what only looks like one."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.anonymise.engine import Anonymiser
from data_prep.anonymise.entities import Entity, EntityFinder, _apart
from data_prep.anonymise.measure import LABELLED, measure, pooled, read_labelled
from data_prep.anonymise.segments import word_list
from data_prep.anonymise.sentences import may_tell, sentences

FINDER = EntityFinder()


def found(text: str, finder: EntityFinder = FINDER) -> list[tuple[str, str]]:
    """Type and text of what is found, in order."""
    return [(each.type, text[each.start : each.end]) for each in finder([text])[0]]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我男朋友张子昂昨天又没回家。", "张子昂"),
        ("我跟苗振宇在一起七年了。", "苗振宇"),
        ("我女儿朵朵不肯去幼儿园。", "朵朵"),
        ("后来阿杰再也没有联系过我。", "阿杰"),
        ("我叫古丽米热·买买提，在内地上学。", "古丽米热·买买提"),
        ("今天接到司徒建明的电话。", "司徒建明"),
        ("我爸马德贵喝了酒就打人。", "马德贵"),
        ("他网名叫“北城以北”，我想了解他。", "北城以北"),
        ("谢谢您能看完。——小鹿不乖", "小鹿不乖"),
        ("我老公大鹏能帮上什么忙吗？", "大鹏"),
        ("李老师说我应该去看看。", "李"),
        ("尉迟医生建议我继续吃药。", "尉迟"),
        ("我叫Audrey。", "Audrey"),
        ("隔壁的王大婶总来说我。", "王"),
        ("荣教授，您好，我知道。", "荣"),
        ("你好，小李。感谢你前来咨询。", "小李"),
    ],
)
def test_a_private_person_is_found(text: str, name: str) -> None:
    assert found(text) == [("姓名", name)]


@pytest.mark.parametrize(
    "text",
    [
        "我特别喜欢周杰伦，初中的时候就靠《晴天》撑着。",
        "武志红老师的书里说过，这不是你的错。",
        "心理学家阿德勒提出了自卑情结，弗洛伊德也写过。",
        "电影《何以为家》里的小男主角让我哭了很久。",
        "建议你找一位心理咨询师，男咨询师也可以。",
        "我弟弟是伏弟魔的反面，我们丁克，小明和小A都这么说。",
        "妈妈和老师常常表扬妹妹，爸爸什么也不说。",
        "遇到问题可以和室友多多交流，别胡思乱想，习以为常就好。",
        "再后来，高中的时候从一个普通人变成了班长。",
        "朋友圈里那个某某说，张三李四都行。",
        "祝你一切顺利，好运连连！",
        "你内心依然停留在前台岗位上，相信你能够出色完成。",
        "我们国家还有6亿人月收入才1000块。",
        "又喜欢帅哥，又喜欢学霸，又喜欢暖男，亲爱的小姐姐。",
        "作为新手妈妈，一切的鸡飞狗跳要尽快的适应。",
    ],
)
def test_the_well_known_roles_and_words_stay(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我毕业于宜春三中，成绩一般。", ("学校", "宜春三中")),
        ("她考上北师大那年我复读。", ("学校", "北师大")),
        ("我在临江市第三中学读高二。", ("学校", "临江市第三中学")),
        ("19岁，扬州职大大一，一直想退学。", ("学校", "扬州职大")),
        ("我是市一中的一个高中生。", ("学校", "市一中")),
        ("孩子在金苹果幼儿园上中班。", ("学校", "金苹果幼儿园")),
        ("我在星屿传媒上班，天天加班。", ("单位", "星屿传媒")),
        ("我在恒越电子厂打螺丝。", ("单位", "恒越电子厂")),
        ("我曾经在株洲市七院尝试过一些治疗。", ("单位", "株洲市七院")),
        ("一开始他考祁阳县水利局，考了两年。", ("单位", "祁阳县水利局")),
        ("我在四方轴承上班，也学了很多。", ("单位", "四方轴承")),
    ],
)
def test_schools_and_employers_are_found(text: str, expected: tuple[str, str]) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "我初中读的是重点，高中读的是普通高中，大学读的专科。",
        "好把握高三这一年考上理想大学，985、211都行。",
        "在一家国企干了十一年，公司楼下的便利店很小。",
        "民办幼儿园倒闭了，我去过社区卫生服务中心和三甲医院。",
        "我们公司在北京，我在成都工作，老家在贵州。",
        "微信、抖音和知乎我都卸了，用百度搜了搜，也看网易云音乐。",
        "哈佛大学的教授说过，孤独有害健康。",
        "你可以从失败中学到很多，也要去看心理医生，或者看影视剧。",
        "上海市精神卫生中心热线021-64387250，北京大学也有心理援助热线。",
        "为了更好地适应新环境，先使用时间管理工具。",
    ],
)
def test_kinds_platforms_towns_and_help_stay(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("我住在翠湖花园7号楼，睡不着。", "翠湖花园7号楼"),
        ("自己一个人在石牌东路和平巷27号的房间哭。", "石牌东路和平巷27号"),
        ("他是贵州绥阳县洋川镇的，太远了。", "贵州绥阳县洋川镇"),
        ("我搬进府前街老粮站宿舍以后受不了。", "府前街老粮站宿舍"),
        ("放暑假在白鹭洲社区家里一个星期。", "白鹭洲社区"),
        ("我真的想离开柳林乡，离开他们。", "柳林乡"),
        ("住蔡甸金龙城三期，有两个孩子。", "蔡甸金龙城三期"),
        ("钥匙放在桂花巷19号。", "桂花巷19号"),
        ("带孩子回枣强大营镇自己过。", "枣强大营镇"),
    ],
)
def test_addresses_are_found_without_a_number_too(text: str, address: str) -> None:
    assert found(text) == [("地址", address)]


@pytest.mark.parametrize(
    "text",
    [
        "我的地址是杭州市西湖区文三路100号310012。",
        "我住在朝阳区望京街道西园12号楼100102",
        "我在上海一所格致中学念书",
    ],
)
def test_a_postcode_or_a_kind_before_it_hides_no_place(text: str) -> None:
    assert [type for type, _ in found(text)] != []


@pytest.mark.parametrize(
    ("text", "name"),
    [("我女儿朵朵很乖。", "朵朵"), ("你用温柔的语气向小柳表达你的想法", "小柳")],
)
def test_a_name_has_neither_the_word_before_it_nor_the_one_behind(text: str, name: str) -> None:
    assert found(text) == [("姓名", name)]


@pytest.mark.parametrize(
    "text",
    [
        "我住在成都，老家在贵州农村，后来去了美国。",
        "我在小区的花园里走，镇上没有人认识我，村里也是。",
        "走在人生的路上，大脑里的海马区会变小，要走出舒适区。",
        "在原生家庭里，在潜意识里，在成功的路上，都会这样。",
        "我在十四楼，她在三楼，住院部九楼36床。",
        "体重从130斤掉到98斤，2024年10月2日住进医院。",
        "我的订单号20230918442一直没发货",
        "顺丰单号123456789012一直不动",
        "我在台湾读书，很累。",
        "我去了加拿大读大学",
        "我们去了四五家医院，使用了中药",
        "我现在在西安上中专，但我想去成都。",
    ],
)
def test_towns_kinds_of_places_and_numbers_stay(text: str) -> None:
    assert found(text) == []


def test_titled_and_given_names_can_stay() -> None:
    text = "李老师说我女儿朵朵很乖，苗振宇也在。"
    assert found(text, EntityFinder(titled=False)) == [("姓名", "朵朵"), ("姓名", "苗振宇")]
    assert found(text, EntityFinder(given=False)) == [("姓名", "李"), ("姓名", "苗振宇")]


def test_a_title_keeps_its_role() -> None:
    assert Anonymiser()(["林医生和王主任都来了。"]).texts == ("[姓名]医生和[姓名2]主任都来了。",)


def test_a_name_is_replaced_in_all_texts_of_a_question() -> None:
    result = Anonymiser()(["我男朋友张子昂走了。", "张子昂应该知道你的难过。"])
    assert result.texts == ("我男朋友[姓名]走了。", "[姓名]应该知道你的难过。")


@pytest.mark.parametrize(
    "text", ["谢谢老师。", "我不信任医生。", "班主任老师来了。", "我明白老师的好意。", "也许老师能帮我。"]
)
def test_the_end_of_a_word_is_no_surname(text: str) -> None:
    assert found(text) == []


def test_addresses_that_touch_are_one() -> None:
    street, estate, away = Entity(0, 8, "地址"), Entity(8, 12, "地址"), Entity(13, 15, "地址")
    assert _apart([estate, away, street]) == (Entity(0, 12, "地址"), away)
    # Other types are two values: 李|王 of 李王两位老师.
    assert _apart([Entity(0, 1, "姓名"), Entity(1, 2, "姓名")]) == (Entity(0, 1, "姓名"), Entity(1, 2, "姓名"))


def test_many_questions_are_kept_apart() -> None:
    texts = [["我老公冯建业喝了酒。"], ["冯建业是谁？", "我叫沈佳禾，电话13874620591。"]]
    anonymiser = Anonymiser()
    assert [each.texts for each in anonymiser.many(texts)] == [anonymiser(each).texts for each in texts]


def test_patterned_types_alone_load_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr("data_prep.anonymise.entities.lac", refuse)
    assert Anonymiser(types=["电话"])(["我男朋友张子昂，电话13874620591"]).texts == ("我男朋友张子昂，电话[电话]",)


@given(st.text(alphabet="我在，。！？\n…~ ab1", max_size=300))
def test_sentences_cover_the_text(text: str) -> None:
    assert "".join(sentence for _, sentence in sentences(text)) == text
    assert all(text.startswith(sentence, start) for start, sentence in sentences(text))


def test_common_words_alone_are_not_looked_at() -> None:
    assert not may_tell("听起来你这段时间过得很辛苦，愿意的话，我们可以聊一聊。")
    assert may_tell("我男朋友张子昂走了。")


def test_labelled_sentences_are_looked_at() -> None:
    labelled = [
        each
        for each in read_labelled(LABELLED / "tune.txt")
        if {"姓名", "学校", "单位"} & {type for *_, type in each.spans}
    ]
    assert sum(any(may_tell(one) for _, one in sentences(each.text)) for each in labelled) >= 0.97 * len(labelled)


@settings(deadline=None, max_examples=80)
@given(st.text(alphabet="我叫张伟是的老师在星屿传媒上班住，。翠湖花园7号楼第三中学\ue000\n ", max_size=60))
def test_any_text_is_read_and_entities_do_not_overlap(text: str) -> None:
    entities = EntityFinder()([text])[0]
    assert all(0 <= one.start < one.end <= len(text) for one in entities)
    assert all(left.end <= right.start for left, right in pairwise(entities))
    assert all("\ue000" not in text[one.start : one.end] for one in entities)


def test_an_unknown_section_is_told_by_name() -> None:
    with pytest.raises(KeyError, match=r"entities.txt: no section \[nothing\]"):
        word_list("entities.txt", "nothing")


def test_labelled_entities_are_found() -> None:
    scores = pooled([measure(read_labelled(LABELLED / "tune.txt"), Anonymiser())])
    bounds = {"姓名": 0.75, "学校": 0.85, "单位": 0.65, "地址": 0.8}
    assert {type: scores[type].recall for type in bounds if scores[type].recall < bounds[type]} == {}
