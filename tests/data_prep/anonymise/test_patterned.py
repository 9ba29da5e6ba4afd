"""What has a pattern is found in its usual disguises; numbers that only look like it stay."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.anonymise.engine import Anonymiser
from data_prep.anonymise.measure import labelled_files, measure, read_labelled
from data_prep.anonymise.patterned import HOTLINES, luhn_valid, old_resident_id_valid, resident_id_valid
from data_prep.anonymise.placeholders import PATTERNED

TUNING = labelled_files("tune")


@pytest.fixture(scope="module")
def anonymiser() -> Anonymiser:
    return Anonymiser(types=PATTERNED)


def test_there_are_labelled_sentences_to_test_on() -> None:
    assert sum(len(read_labelled(path)) for path in TUNING) >= 300


@pytest.mark.parametrize("path", TUNING, ids=lambda path: path.stem)
def test_patterned_types_on_labelled_sentences(path: Path, anonymiser: Anonymiser) -> None:
    scores = measure(read_labelled(path), anonymiser)
    assert sum(scores[type].hits for type in PATTERNED) > 0
    for type in PATTERNED:
        assert scores[type].recall >= 0.99, scores[type].misses
        assert scores[type].precision >= 0.95, scores[type].false_alarms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("手机13874620591，晚上打", "手机[电话]，晚上打"),
        ("手机1 3 8 7 4 6 2 0 5 9 1", "手机[电话]"),
        ("号码一三八七四六二零五九一", "号码[电话]"),
        ("打+86 138-7462-0591找我", "打[电话]找我"),
        ("座机（0571）87652043转802", "座机[电话]"),
        ("人在香港，+852 6123 4567", "人在香港，[电话]"),
        ("骗子用00852-6123 4567打来", "骗子用[电话]打来"),
        ("电话一直是8765 2043", "电话一直是[电话]"),
        ("证号330106 19910823 2745", "证号[身份证]"),
        ("身份证330106910823274，十五位的", "身份证[身份证]，十五位的"),
        ("卡号6217-0038-5002-7319-465。", "卡号[银行卡]。"),
        ("写到lin艾特163点com", "写到[邮箱]"),
        ("看www.xinli.com/a?b=1，别笑", "看[网址]，别笑"),
        ("看xinli[.]com吧", "看[网址]吧"),
        ("车牌粤 B·F20958", "车牌[车牌]"),
    ],
)
def test_found(text: str, expected: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "手机138****0591，尾号0591",
        "语文140，118，123，90，总分471",
        "快递单号13874620591",
        "年销13,582,940,716元",
        "心率+12356，分数+999 123456",
        "2023-11-07 15:30:22，我记得",
        "订单号6225880719346210已退款",
        "打开main.py和README.md，还有a.zip",
        "Mr.Wang说I am sad.So what",
        "版本8.0.47，价格1,299.00元",
        "第17考场23号，座位202406153317",
        "去云A区看看，新V12版本",
        "@小林 你在吗",
        "可以了解：1.HR的模块，2.HR的门槛",
    ],
)
def test_stays(text: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (text,)


def _listed() -> list[str]:
    lines = (line.partition("#")[0].strip() for line in HOTLINES.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize("number", ["110", "119", "120", "12320", "12338", "12345", "12355", "12356", *_listed()])
def test_hotlines_survive(number: str, anonymiser: Anonymiser) -> None:
    text = f"撑不住的时候可以拨打{number}，电话{number.replace('-', '')}也行，会有人接。"
    assert anonymiser([text]).texts == (text,)


@pytest.mark.parametrize("number", ["400-161-9995", "4001619995", "800-810-1117", "021-12320-5", "0551-63666903"])
def test_hotlines_that_are_not_listed_survive(number: str, anonymiser: Anonymiser) -> None:
    text = f"心理援助热线：{number}，24小时都有人。"
    assert anonymiser([text]).texts == (text,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我家电话0551-63666903", "我家电话[电话]"),
        ("打了热线没人接，又打我妈的座机0551-63666903", "打了热线没人接，又打我妈的座机[电话]"),
        ("0551-63666903是安徽的心理援助热线", "0551-63666903是安徽的心理援助热线"),
        ("热线志愿者的手机是13874620591", "热线志愿者的手机是[电话]"),
    ],
)
def test_landline_that_is_called_a_hotline(text: str, expected: str, anonymiser: Anonymiser) -> None:
    assert anonymiser([text]).texts == (expected,)


@pytest.mark.parametrize("number", ["79927398713", "4111111111111111", "6217003850027319465"])
def test_luhn(number: str) -> None:
    assert luhn_valid(number)


@given(st.text("0123456789", min_size=15, max_size=18), st.integers(0, 14), st.integers(1, 9))
def test_luhn_finds_every_wrong_digit(number: str, at: int, by: int) -> None:
    checked = next(number + check for check in "0123456789" if luhn_valid(number + check))
    wrong = checked[:at] + str((int(checked[at]) + by) % 10) + checked[at + 1 :]
    assert not luhn_valid(wrong)


def test_resident_id() -> None:
    # The example of GB 11643-1999, and one whose check character is X.
    assert resident_id_valid("11010519491231002X")
    assert resident_id_valid("11010519491231002x")
    assert resident_id_valid("440524188001010014")


@pytest.mark.parametrize(
    "number",
    ["110105194912310021", "110105194902300021", "11010519491331002X", "110101198802304513"],
    ids=["check", "30 February", "month 13", "30 February with any check"],
)
def test_not_a_resident_id(number: str) -> None:
    assert not resident_id_valid(number)


def test_old_resident_id_needs_a_birth_date() -> None:
    assert old_resident_id_valid("110105491231002")
    assert not old_resident_id_valid("110105491331002")
