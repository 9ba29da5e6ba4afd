"""Schools, employers and addresses: what tells one, what only looks like one, and how many labelled ones are found."""

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.anonymise.places import Address, Institution, address_hints, find_addresses
from data_prep.anonymise.places_institution import InstitutionFinder
from data_prep.anonymise.presidio import RecognizerResult
from data_prep.anonymise.segments import open_sentences, segmented

LABELLED = Path("data_prep/anonymise/labelled")
_MARK = re.compile(r"\[\[(.+?)\|(.+?)\]\]")
INSTITUTION, ADDRESS = Institution(), Address()


def found(text: str) -> list[tuple[str, str]]:
    """Type and text of everything that the two recognisers find."""
    both = (*INSTITUTION.analyze(text, ["学校", "单位"]), *ADDRESS.analyze(text, ["地址"]))
    return [(one.entity_type, text[one.start : one.end]) for one in both]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我在临江市第三中学读高二。", ("学校", "临江市第三中学")),
        ("云陵大学大三，挂了四科。", ("学校", "云陵大学")),
        ("孩子在金苹果幼儿园上中班。", ("学校", "金苹果幼儿园")),
        ("从清溪县一中复读出来。", ("学校", "清溪县一中")),
        ("妹妹在省二师读大一。", ("学校", "省二师")),
        ("我是江师大附中的学生。", ("学校", "江师大附中")),
        ("后来去了雁堤师院的学长。", ("学校", "雁堤师院")),
        ("在恒越电子厂打螺丝。", ("单位", "恒越电子厂")),
        ("我是建设银行清溪支行的柜员。", ("单位", "建设银行清溪支行")),
        ("我在安和市第二人民医院做护士。", ("单位", "安和市第二人民医院")),
        ("我弟在墨岭看守所。", ("单位", "墨岭看守所")),
        ("刚入职蓝鲸传媒三个月。", ("单位", "蓝鲸传媒")),
        ("我在富康食品厂包装车间。", ("单位", "富康食品厂")),
        ("在国家电网干了八年，别人都羡慕我。", ("单位", "国家电网")),
        ("妹夫开着一家老拐角烧烤店，喝多了就骂人。", ("单位", "老拐角烧烤店")),
        ("徒弟在豫西重型锻压厂让冲床压了手。", ("单位", "豫西重型锻压厂")),
        ("孙子在胜利路小学念二年级。", ("学校", "胜利路小学")),
        ("我读复旦的第三年开始吃药。", ("学校", "复旦")),
        ("我住在云溪小区7栋2单元1103。", ("地址", "云溪小区7栋2单元1103")),
        ("资料寄到临江市梧桐路118号，谢谢。", ("地址", "临江市梧桐路118号")),
        ("老家在石桥镇柳树村4组。", ("地址", "石桥镇柳树村4组")),
        ("车翻在国道417线1204公里+300米处。", ("地址", "国道417线1204公里+300米")),
        ("雁堤路口南巷3-2-501是我第一个家。", ("地址", "雁堤路口南巷3-2-501")),
        ("证据寄沅平市朝阳里小区乙8楼2门102。", ("地址", "沅平市朝阳里小区乙8楼2门102")),
        ("我在六号公寓B座417，室友都回家了。", ("地址", "六号公寓B座417")),
        ("走小门，望川大道与芦花路交叉口东北角2号楼。", ("地址", "望川大道与芦花路交叉口东北角2号楼")),
        ("钥匙放在桂花巷19号。", ("地址", "桂花巷19号")),
    ],
)
def test_what_is_named_is_found(text: str, expected: tuple[str, str]) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "我初中读的是重点，高中读的是普通高中，大学读的专科。",
        "在一家国企干了十一年，公司楼下的便利店很小。",
        "附近那个民办幼儿园倒闭了，去过社区、街道、派出所。",
        "我们公司在北京，我在成都工作。",
        "我用的是华为手机，考上清华的是别人家的孩子。",
        "躺在家里打游戏三年，取快递都不敢出门。",
        "省城的大医院人山人海，我从县医院转过去。",
        "你可以从失败中学到很多，也要学会放下。",
        "哈佛大学的心理学教授说过，孤独有害健康。",
        "我在十四楼，她在三楼，住院部九楼36床。",
        "我们小区3号楼里有人练琴，请到心理中心一楼来。",
        "希望24热线400-161-9995，还有010-82951332。",
        "体重从130斤掉到98斤，2024年10月2日。",
        "我住在成都，老家在贵州。",
    ],
)
def test_kinds_towns_and_numbers_stay(text: str) -> None:
    assert found(text) == []


def test_a_sentence_with_a_placeholder_is_left_alone() -> None:
    assert found("[姓名]在恒越电子厂上班，住桂花巷19号。") == []


@given(st.text(alphabet="我在上的，。临江市第三中学医院公司路号楼栋12[]单位\n ", max_size=60))
def test_any_text_is_read(text: str) -> None:
    for recogniser in (INSTITUTION, ADDRESS):
        results = recogniser.analyze(text, recogniser.supported_entities)
        spans = sorted((one.start, one.end) for one in results)
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))


@given(st.text(alphabet="我在上的，。临江市第三中学二棉厂入职星辰附实小公司路号楼栋12[]单位\n", max_size=60))
def test_no_sentence_without_a_hint_holds_anything(text: str) -> None:
    everywhere = [place for place, char in enumerate(text) if char not in "。\n"]
    finder = InstitutionFinder()
    for hints, find in ((finder.hints(text), finder.find), (address_hints(text), find_addresses)):
        found = [[*find(sentence, segmented(sentence))] for _, sentence in open_sentences(text, hints)]
        anywhere = [[*find(sentence, segmented(sentence))] for _, sentence in open_sentences(text, everywhere)]
        assert [each for each in found if each] == [each for each in anywhere if each]


def _same(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two spans share four fifths of the longer."""
    return min(one[1], other[1]) - max(one[0], other[0]) >= 0.8 * max(one[1] - one[0], other[1] - other[0])


@pytest.mark.parametrize(
    ("file", "kind", "recall"),
    [
        ("tune.txt", "学校", 0.9),
        ("tune.txt", "单位", 0.9),
        ("tune.txt", "地址", 0.9),
        ("tune3.txt", "学校", 0.9),
        ("tune3.txt", "单位", 0.9),
        ("tune3.txt", "地址", 0.9),
        ("tune2.txt", "学校", 0.85),
        ("tune2.txt", "单位", 0.9),
        ("tune2.txt", "地址", 0.9),
    ],
)
def test_labelled_places_are_found(file: str, kind: str, recall: float) -> None:
    recogniser = ADDRESS if kind == "地址" else INSTITUTION
    labelled = hit = found_spans = right = 0
    for line in (LABELLED / file).read_text(encoding="utf-8").splitlines():
        gold, text, last = list[tuple[int, int]](), "", 0
        for mark in _MARK.finditer(line):
            text += line[last : mark.start()]
            if mark[1] == kind:
                gold.append((len(text), len(text) + len(mark[2])))
            text += mark[2]
            last = mark.end()
        text += line[last:]
        results: list[RecognizerResult] = recogniser.analyze(text, [kind])
        spans = [(one.start, one.end) for one in results if one.entity_type == kind]
        labelled, found_spans = labelled + len(gold), found_spans + len(spans)
        hit += sum(any(_same(one, span) for span in spans) for one in gold)
        right += sum(any(_same(span, one) for one in gold) for span in spans)
    assert hit / labelled >= recall
    # Alone: what is somebody's name here is taken out by the recogniser of names.
    assert right / found_spans >= 0.88
