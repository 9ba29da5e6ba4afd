"""Plants are put into posts and looked for; masked places are drawn, and readers' verdicts counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from data_prep.anonymise.engine import Anonymiser
from data_prep.anonymise.planted import Judged, PlantError, judged, main, marked, masked_places, recall

POSTS = {
    "smilechat:1": "我男朋友在感情里不愿意付出，我在一家公司上班，很累。",
    "smilechat:2": "昨天我又和妈妈吵了一架。",
}
PLANTS: list[dict[str, Any]] = [
    {
        "post": "smilechat:1",
        "find": "我男朋友在",
        "replace": "我男朋友梁子昂在",
        "type": "姓名",
        "value": "梁子昂",
        "full": True,
    },
    {"post": "smilechat:1", "find": "在一家公司上班", "replace": "在星屿传媒上班", "type": "单位", "value": "星屿传媒"},
    {"post": "smilechat:2", "find": "妈妈吵", "replace": "那谁吵", "type": "姓名", "value": "那谁", "full": False},
]


def _written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_recall_by_type_and_what_is_missed() -> None:
    scores, missed = recall(POSTS, PLANTS, Anonymiser())
    assert {kind: (one.plants, one.found) for kind, one in scores.items()} == {
        "单位": (1, 1),
        "姓名": (1, 0),
        "姓名 (full)": (1, 1),
    }
    assert missed == ["missed 姓名: 昨天我又和【那谁】吵了一架。"]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"post": "smilechat:9"}, "plant 1: post 'smilechat:9'"), ({"find": "不在里面"}, "plant 1: 'find' is no part")],
)
def test_a_plant_that_does_not_fit_is_named(change: dict[str, str], message: str) -> None:
    with pytest.raises(PlantError, match=message):
        recall(POSTS, [{**PLANTS[0], **change}], Anonymiser())


def test_what_a_reader_marked_is_looked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "她叫我阿婆。我男朋友梁子昂不回家，梁子昂变了。"
    values = [
        {"type": "姓名", "start": text.index("梁子昂"), "length": 3},
        {"type": "姓名", "start": text.index("阿婆"), "length": 2},
    ]
    assert marked({"1": text}, [{"id": "1", "values": values}], Anonymiser()) == (2, 1, 1)
    with pytest.raises(PlantError, match="no text for 1 marks, such as '2'"):
        marked({"1": text}, [{"id": "2", "values": values}], Anonymiser())
    texts = _written(tmp_path / "texts.jsonl", [{"id": "1", "text": text}])
    marks = _written(tmp_path / "marks.jsonl", [{"id": "1", "values": values}])
    main(["marked", str(texts), str(marks)])
    assert "| marks.jsonl |        2 |                     1 |" in capsys.readouterr().out


def test_places_have_the_sentence_before_and_after() -> None:
    text = "我很累。我男朋友梁子昂不回家。怎么办？"
    (place,) = masked_places([("q1", ["", text])], Anonymiser())
    assert place == {
        "id": "q1/1/8",
        "type": "姓名",
        "before": "我男朋友梁子昂不回家。",
        "after": "我男朋友[姓名]不回家。",
    }


def test_verdicts_of_two_readers() -> None:
    places = [{"id": name, "type": "姓名"} for name in "abcd"]
    first = {"a": "right", "b": "wrong", "c": "cuts", "d": "right"}
    second = {"a": "right", "b": "right", "c": "wrong"}
    assert judged(places, {"姓名": 40}, [first, second]) == {"姓名": Judged(40, 3, (2, 1), (1, 0))}


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    posts = _written(tmp_path / "posts.jsonl", [{"id": id, "text": text} for id, text in POSTS.items()])
    main(["recall", str(posts), str(_written(tmp_path / "plants.jsonl", PLANTS)), "--show"])
    assert "missed 姓名" in capsys.readouterr().out
    corpus = _written(
        tmp_path / "corpus.jsonl",
        [
            {
                "id": f"q{i}",
                "title": "怎么办",
                "description": "我男朋友梁子昂不回家。",
                "topic": "恋爱",
                "responses": [{"text": "抱抱你。" * 9}],
            }
            for i in range(4)
        ],
    )
    places = tmp_path / "places.jsonl"
    main(["draw", str(corpus), str(places), "--count", "3", "--seed", "1"])
    assert "4 places, 3 drawn" in capsys.readouterr().out
    summary, *drawn = map(json.loads, places.read_text(encoding="utf-8").splitlines())
    assert summary["places"]["姓名"] == 4
    verdicts = [
        _written(tmp_path / f"{name}.jsonl", [{"id": row["id"], "verdict": verdict} for row in drawn])
        for name, verdict in (("one", "right"), ("two", "wrong"))
    ]
    main(["judge", str(places), *map(str, verdicts)])
    printed = capsys.readouterr().out
    expected = 100_000 * 4 / summary["characters"]
    assert f"by the stricter reader of each type: {expected:.2f}" in printed
    assert "readers agree on 0.000 of 3 places" in printed


def test_an_unknown_verdict_is_refused(tmp_path: Path) -> None:
    places = _written(
        tmp_path / "places.jsonl", [{"characters": 10, "places": {"姓名": 1}}, {"id": "a", "type": "姓名"}]
    )
    verdicts = _written(tmp_path / "one.jsonl", [{"id": "a", "verdict": "maybe"}])
    with pytest.raises(SystemExit, match="expected some of"):
        main(["judge", str(places), str(verdicts)])
