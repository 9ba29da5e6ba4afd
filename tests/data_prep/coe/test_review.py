"""Reviews put together: what becomes a set, what is left out, who decides, and spreadsheets as they come back."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.errors import StageError
from common.label_studio import Server
from common.records.question import Question
from data_prep.coe.chains import line_of
from data_prep.coe.review.conduct import Conducted
from data_prep.coe.review.config import ReviewConfig
from data_prep.coe.review.items import Item, owners, read_items, trial
from data_prep.coe.review.records import Review, reviews_of
from data_prep.coe.review.results import agreement, edit_of, results
from data_prep.coe.review.sheet import HEADER, read_sheet, write_sheet
from data_prep.corpora import load_corpus

LAYERS = ("她很累。", "可能要求太高。", "想被理解。", "先认可她的累。")


def item(name: str, **more: Any) -> Item:
    question = Question(id=name, title=f"来信{name}", description="最近很累。", responses=("辛苦了。",))
    return Item(name, question, "辛苦了。", LAYERS, {"teacher": "m"}, **more)


def review(reviewer: str, name: str, decision: Any = "accept", **more: Any) -> Review:
    return Review(reviewer=reviewer, item=name, decision=decision, layers=more.pop("layers", LAYERS), **more)


def annotation(item_id: str, edits: dict[str, str] | None = None, **chosen: list[str]) -> dict[str, Any]:
    texts = dict(zip(("L1", "L2", "L3", "L4"), LAYERS, strict=True)) | (edits or {})
    result: list[dict[str, Any]] = [
        {"from_name": name, "type": "textarea", "value": {"text": [text]}} for name, text in texts.items()
    ]
    result += [{"from_name": name, "type": "choices", "value": {"choices": value}} for name, value in chosen.items()]
    own = {"result": result, "was_cancelled": False, "updated_at": "2026-11-29T10:00:00Z"}
    return {"data": {"item": item_id}, "annotations": [own]}


def test_what_a_page_says_becomes_a_review() -> None:
    tasks = [
        annotation("a", {"L1": "她很累，也委屈。"}, decision=["accept"], validity=["4"]),
        annotation("b", decision=["reject"], reasons=["generic", "advice"], validity=["2"], flag=["acute"]),
        annotation("c", decision=["revise"], validity=["5"]),
    ]
    first, second, third = reviews_of("anna", [item("a"), item("b"), item("c")], tasks)
    # What was done counts, and not what was ticked.
    assert (first.decision, first.layers[0], first.validity) == ("revise", "她很累，也委屈。", 4)
    assert (second.decision, second.reasons, second.acute) == ("reject", ("generic", "advice"), True)
    assert third.decision == "accept"


@pytest.mark.parametrize("text", ["", "  ", "有 <L2> 标签"])
def test_a_layer_that_no_parser_reads_back_stops(text: str) -> None:
    with pytest.raises(StageError, match=r"anna: chain a: .*Correct the layer there"):
        reviews_of("anna", [item("a")], [annotation("a", {"L1": text}, decision=["accept"])])


def test_a_page_of_another_review_stops() -> None:
    with pytest.raises(StageError, match="page z is none of this review's"):
        reviews_of("anna", [item("a")], [annotation("z")])


def test_the_set_holds_what_everybody_lets_pass() -> None:
    items = [item(name) for name in "abcdef"]
    of = {"a": ["anna"], "b": ["ben", "anna"], "c": ["anna", "ben"], "d": ["anna"], "e": ["anna", "ben"], "f": ["anna"]}
    edited = ("她很累，也委屈。", *LAYERS[1:])
    said = [
        review("anna", "a", "revise", layers=edited, validity=4),
        review("anna", "b", layers=LAYERS, validity=3),
        review("ben", "b", "revise", layers=edited, validity=5),
        review("anna", "c"),
        review("ben", "c", "reject", reasons=("generic",)),
        review("anna", "d", acute=True),
        review("anna", "e"),
    ]
    found = results(items, of, said, [], known=["f"])
    assert [line["id"] for line in found.lines] == ["a", "b"]
    first, second = (line["provenance"] for line in found.lines)
    assert (first["reviewer"], first["decision"], first["teacher"]) == ("anna", "revise", "m")
    assert first["edit"] == {"L1": [["", "，也委屈"]]}
    assert first["teacher_wrote"]["L1"] == LAYERS[0]
    # The first of two reviewers decides on the text.
    assert (second["reviewer"], second["also_seen_by"], found.lines[1]["coe"]["L1"]) == ("ben", ["anna"], edited[0])
    assert second["validity"] == {"ben": 5, "anna": 3}
    assert found.left_out == {
        "c": "ben: 空泛，换一封信也可以这么说",
        "d": "acute danger seen",
        "f": "acute danger seen",
    }
    assert (found.open, found.flagged) == (["e"], ["d", "f"])
    assert found.distances["L1"] == [pytest.approx(4 / 8), pytest.approx(4 / 8)]
    assert found.distances["L2"] == [0.0, 0.0]


def test_the_set_is_read_by_make_data(tmp_path: Path) -> None:
    found = results([item("a")], {"a": ["anna"]}, [review("anna", "a")], [])
    file = tmp_path / "coe_set.jsonl"
    file.write_text(json.dumps(found.lines[0], ensure_ascii=False) + "\n", encoding="utf-8")
    (question,) = load_corpus(file, "sample").questions
    assert (question.id, question.coe, question.responses) == ("a", LAYERS, ("辛苦了。",))


def test_agreement_is_that_of_kappa_and_alpha() -> None:
    pairs = [
        [
            review("anna", str(n), "accept" if n < 6 else "reject", validity=5 if n < 6 else 2),
            review("ben", str(n), "accept" if n < 5 else "reject", validity=5 if n < 5 else 2),
        ]
        for n in range(10)
    ]
    found = agreement(pairs)
    # Kappa by hand: 0.9 observed, 0.6 * 0.5 + 0.4 * 0.5 = 0.5 by chance.
    assert (found.chains, found.same) == (10, 0.9)
    assert found.kappa == pytest.approx((0.9 - 0.5) / 0.5)
    assert found.alpha is not None
    assert 0.7 < found.alpha < 0.9
    assert agreement([[review("anna", "a")]]).kappa is None


def test_an_edit_is_what_went_and_what_came() -> None:
    assert edit_of(("甲乙丙", "同", "同", "同"), ("甲丁丙戊", "同", "同", "同")) == {"L1": [["乙", "丁"], ["", "戊"]]}


def test_who_reviews_what_hangs_on_the_chain_alone() -> None:
    names = ["anna", "ben", "carl"]
    every = {str(n): owners(str(n), names, 0.25, 1) for n in range(400)}
    twice = [own for own in every.values() if len(own) == 2]
    assert 0.19 < len(twice) / 400 < 0.31
    assert all(own[0] != own[1] for own in twice)
    firsts = [own[0] for own in every.values()]
    assert all(100 < firsts.count(name) < 167 for name in names)
    assert owners("7", ["anna"], 1.0, 1) == ["anna"]


def test_the_trial_has_five_to_keep_and_its_answers() -> None:
    own = trial()
    assert len(own) == 10
    assert [one.expected for one in own].count("accept") == 5
    assert all(one.answer.startswith("参考意见") and one.trial for one in own)


def conducted(folder: Path, items: list[Item], **changes: Any) -> Conducted:
    return Conducted.open(folder, items, ReviewConfig(**{"reviewers": ["anna", "ben"], **changes}), 1)


def test_a_chain_stays_with_whom_it_was_given_to(tmp_path: Path) -> None:
    begun = conducted(tmp_path, [item(str(n)) for n in range(40)])
    grown = conducted(tmp_path, [item(str(n)) for n in range(60)], reviewers=["carl"])
    assert {id: grown.owners[id] for id in begun.owners} == begun.owners
    assert any("carl" in own for own in grown.owners.values())
    assert len(grown.own("anna")) == 10 + sum("anna" in own for own in grown.owners.values())
    assert isinstance(grown.server, Server)


def test_an_export_of_nothing_stops(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="no review has begun"):
        conducted(tmp_path, [item("a")], action="export")
    with pytest.raises(StageError, match="no reviewers"):
        conducted(tmp_path, [item("a")], reviewers=[])


def filled(path: Path, **cells: str) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0] |= {next(name for name in HEADER if name.startswith(key)): value for key, value in cells.items()}
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(rows)


def test_a_sheet_goes_out_and_comes_back(tmp_path: Path) -> None:
    own = [replace(item("a"), layers=("=她很累。", *LAYERS[1:])), item("b")]
    path = tmp_path / "anna.csv"
    write_sheet(path, own, [])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    filled(path, 能不能用="修改", 合理程度="4.0", L2="可能要求太高，\n也怕出错。", 有急性危险="是")
    # As Excel's CSV in Chinese Windows saves it, with semicolons.
    text = path.read_text(encoding="utf-8-sig")
    rows = list(csv.reader(text.splitlines(keepends=True)))
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    (found,) = read_sheet(path, "anna", own)
    assert (found.decision, found.validity, found.acute) == ("revise", 4, True)
    assert found.layers == ("=她很累。", "可能要求太高，\n也怕出错。", *LAYERS[2:])
    write_sheet(path, own, [found])
    assert read_sheet(path, "anna", own) == [found]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"编号": "z"}, r"row 2: 编号 'z' is none of anna's chains"),
        ({"来信": "别的", "能不能用": "通过"}, r"row 2: 来信 was changed"),
        ({"能不能用": "好"}, r"row 2: 能不能用.*'好', expected 通过 or 修改 or 不采用 or 直接通过"),
        ({"能不能用": "通过", "合理程度": "4", "有急性危险": "有"}, r"'有', expected 是 or nothing or 否"),
        ({"能不能用": "不采用"}, r"row 2: 不采用的理由.*: none, expected one"),
        ({"能不能用": "通过"}, "合理程度.*: empty, expected a number"),
        ({"能不能用": "不采用", "不采用的理由": "99"}, r"'99', expected 1 or 2 or 3"),
        ({"能不能用": "通过", "合理程度": "6"}, r"'6', expected a number from 1 to 5"),
        ({"能不能用": "通过", "L3": ""}, r"row 2: L3 求助意图: empty, expected the layer"),
    ],
)
def test_a_cell_that_cannot_be_is_told(cells: dict[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "anna.csv"
    write_sheet(path, [item("a"), item("b")], [])
    filled(path, **cells)
    with pytest.raises(StageError, match=message):
        read_sheet(path, "anna", [item("a"), item("b")])


def test_every_bad_cell_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "anna.csv"
    write_sheet(path, [item("a"), item("b")], [])
    filled(path, 能不能用="通过", L3="", L4="", 有急性危险="有")
    with pytest.raises(StageError) as told:
        read_sheet(path, "anna", [item("a"), item("b")])
    cells = ["L3 求助意图: empty", "L4", "有急性危险", "合理程度"]
    assert all(f"row 2: {cell}" in str(told.value) for cell in cells)
    assert str(told.value).count("row 2") == 4


def test_a_sheet_at_work_is_not_written_over(tmp_path: Path) -> None:
    begun = conducted(tmp_path, [item("a"), item("b")], trial=False)
    files = begun.write_sheets()
    with pytest.raises(StageError, match="is there already"):
        begun.write_sheets()
    owner = begun.owners["a"][0]
    file = next(file for file in files if file.stem == owner)
    with file.open(encoding="utf-8-sig", newline="") as open_file:
        assert next(csv.DictReader(open_file))["编号"] in "ab"
    filled(file, 能不能用="通过", 合理程度="4")
    assert begun.read_sheet(file) == (owner, 1)
    assert [one.reviewer for one in begun.collect()] == [owner]
    # By its name alone, and as a mail program renames it.
    assert begun.read_sheet(Path(file.name)) == (owner, 1)
    assert begun.read_sheet(file.rename(file.with_name(f"{owner} (1).csv"))) == (owner, 1)
    with pytest.raises(StageError, match="expected a name that begins with one of"):
        begun.read_sheet(tmp_path / "nobody.csv")


def test_a_chain_that_make_coe_leaves_out_later_keeps_its_review(tmp_path: Path) -> None:
    begun = conducted(tmp_path, [item("a"), item("b")], trial=False, reviewers=["anna"])
    (file,) = begun.write_sheets()
    filled(file, 能不能用="通过", 合理程度="4", 有急性危险="是")
    begun.read_sheet(file)
    later = conducted(tmp_path, [item("b"), item("c")], trial=False)
    assert [own.id for own in later.items] == ["a", "b", "c"]
    (kept,) = later.collect()
    assert (kept.item, kept.acute) == ("a", True)


def test_chains_are_read_as_they_were_written(tmp_path: Path) -> None:
    own = item("a")
    path = tmp_path / "chains.jsonl"
    line = line_of(own.question, own.response, own.layers, own.provenance)
    path.write_text(json.dumps(line, ensure_ascii=False) + "\n", encoding="utf-8")
    assert read_items(path) == [own]
