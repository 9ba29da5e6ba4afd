"""The labelled texts are read strictly and scored as the command says."""

from pathlib import Path

import pytest

from data_prep.anonymise.engine import Anonymiser
from data_prep.anonymise.measure import LabelError, main, measure, read_labelled


def _written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "labelled.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_read_labelled(tmp_path: Path) -> None:
    path = _written(tmp_path, "我叫[[姓名|沈佳禾]]，打[[电话|13874620591]]", "", "没有")
    first, second = read_labelled(path)
    assert first.text == "我叫沈佳禾，打13874620591"
    assert [first.text[start:end] for start, end, _ in first.spans] == ["沈佳禾", "13874620591"]
    assert [type for *_, type in first.spans] == ["姓名", "电话"]
    assert second.spans == ()


@pytest.mark.parametrize("line", ["我叫[[名字|沈佳禾]]", "我叫[[姓名|]]", "我叫[[姓名|沈佳禾]", "我叫[[姓名 沈佳禾]]"])
def test_bad_labels_name_the_line(line: str, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"labelled\.txt, line 2"):
        read_labelled(_written(tmp_path, "好", line))


def test_scores(tmp_path: Path) -> None:
    path = _written(
        tmp_path,
        "打[[电话|13874620591]]，扣扣[[QQ|2716093845]]",
        "打13874620591",
        "号码是[[电话|66]]，卡号[[电话|6217003850027319465]]",
    )
    scores = measure(read_labelled(path), Anonymiser(types=["电话", "QQ", "银行卡"]))
    assert (scores["电话"].hits, len(scores["电话"].misses), len(scores["电话"].false_alarms)) == (1, 2, 1)
    assert scores["电话"].recall == pytest.approx(1 / 3)
    assert scores["电话"].precision == pytest.approx(1 / 2)
    assert scores["QQ"].recall == scores["QQ"].precision == 1
    assert scores["银行卡"].precision == 0
    assert "【13874620591】" in scores["电话"].false_alarms[0]


def test_places_and_names_count_from_four_fifths_on(tmp_path: Path) -> None:
    address = "云溪小区7栋2单元1103"
    anonymiser = Anonymiser(types=["地址"])
    assert [found.end - found.start for found in anonymiser([f"我住在{address}。"]).found] == [len(address)]
    nearly = measure(read_labelled(_written(tmp_path, f"我住[[地址|在{address}]]。")), anonymiser)
    hardly = measure(read_labelled(_written(tmp_path, f"[[地址|我今天住在{address}]]。")), anonymiser)
    assert nearly["地址"].recall == 1
    assert hardly["地址"].recall == 0


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(_written(tmp_path, "打[[电话|13874620591]]，号[[电话|66]]")), "--show", "电话"])
    printed = capsys.readouterr().out
    assert "电话\t0.500\t1.000\t1\t1\t0" in printed
    assert "missed 电话" in printed
    assert "【66】" in printed
