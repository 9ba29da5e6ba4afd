"""`make coe` and `make review` as recipes: what they refuse in a line, and outputs of models for the same page."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from common.errors import StageError
from common.records.question import Question
from common.records.replies import GeneratedModel, write_models
from data_prep.coe.review.config import ReviewConfig
from data_prep.coe.review.page import instructions, page
from data_prep.coe.review.records import Review
from data_prep.split import Split
from data_prep.writers import write_questions_parquet, write_test_parquet
from recipes import review
from recipes.coe import RECIPE
from recipes.profile import Common
from recipes.review_outputs import output_items, rated
from recipes.stage import run
from reward_fns.coe_format import LAYERS, CoEOutput
from tests.recipes.made import make_stage

LAYERS_OF = ("她很累。", "可能要求太高。", "想被理解。", "先认可她的累。")


def question(name: str, **more: object) -> Question:
    return Question(id=name, title=f"来信{name}", description="最近很累。", responses=("辛苦了。",), **more)  # type: ignore[arg-type]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run with data, and with replies of two models, one of whose is no valid output."""
    own = [question("a"), question("b"), question("c", risk_level="acute")]

    def data(folder: Path) -> None:
        write_questions_parquet(folder / "questions.parquet", Split(train=own, val=[], test=[]))
        write_test_parquet(folder / "test.parquet", {"sample": own}, "你是咨询师。")

    def replies(folder: Path) -> None:
        write_models(folder, [GeneratedModel("SFT", "sft.jsonl", "coe"), GeneratedModel("base", "base.jsonl", "plain")])
        good = CoEOutput(LAYERS_OF, "辛苦了。").render()
        texts = {"a": good, "b": "没有格式", "c": good}
        for name in ("sft", "base"):
            lines = [json.dumps({"question_id": id, "text": text}) for id, text in texts.items()]
            (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")

    make_stage(tmp_path, "data", data)
    make_stage(tmp_path, "generate", replies)
    assert pq.read_table(tmp_path / "data" / "questions.parquet").num_rows == 3
    return tmp_path


def test_a_missing_key_or_a_wrong_server_is_told_before_anything_is_written(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    with pytest.raises(StageError, match=r"no DEEPSEEK_API_KEY, which api_key_env names: deepseek-reasoner on https"):
        run(RECIPE, ["profile=tiny", f"out={root}"])
    assert not (root / "coe").exists()
    nowhere = ["profile=tiny", f"out={root}", "base_url=http://127.0.0.1:9/v1", "api_key_env=", "retries=0"]
    with pytest.raises(StageError, match=r"coe: http://127.0.0.1:9/v1: ConnectError.*0 of 200 chains are there"):
        run(RECIPE, nowhere)


def test_a_review_without_chains_or_reviewers_is_told(root: Path) -> None:
    with pytest.raises(StageError, match="make coe"):
        review.run(["profile=tiny", f"out={root}", "reviewers=[anna]"])
    for argument, message in (
        ("reviewers=[Anna]", "expected small letters and digits"),
        ("action=begin", "expected one of start, export, sheet, read"),
    ):
        with pytest.raises(StageError, match=message):
            review.run(["profile=tiny", f"out={root}", argument])


def test_outputs_of_models_are_rated_blind_and_none_at_risk(root: Path) -> None:
    common = Common("tiny", str(root), "base")
    items = output_items(common, ReviewConfig(of="generate"))
    assert [(item.layers, item.provenance["model"]) for item in items] == [(LAYERS_OF, "SFT")]
    assert "SFT" not in json.dumps(items[0].task(1, 0))
    assert "SFT" not in items[0].id
    assert items[0].question.post == "来信a\n最近很累。"
    said = Review(reviewer="anna", item=items[0].id, decision="", validity=4, layers=LAYERS_OF)
    (found,) = rated([said], items)
    assert (found.model, found.outputs, found.mean, found.flagged) == ("SFT", 1, 4.0, 0)
    with pytest.raises(StageError, match="models=x: expected some of SFT, base"):
        output_items(common, ReviewConfig(of="generate", models=["x"]))


@pytest.mark.parametrize("editable", [True, False])
def test_the_page_has_every_layer_and_decides_only_where_it_can_be_changed(editable: bool) -> None:
    tree = ElementTree.fromstring(page(20, editable=editable))
    names = [each.get("name") for each in tree.iter("TextArea")]
    assert names[:4] == list(LAYERS)
    assert {each.get("name") for each in tree.iter("Choices")} == (
        {"decision", "reasons", "validity", "flag"} if editable else {"validity", "flag"}
    )
    assert ("decision" in page(20, editable=editable)) == editable
    assert "12356" in instructions(editable)
    # What a model wrote can't be changed, and no counsellor wrote its answer.
    assert ("文字可以直接改" in instructions(editable)) == editable
    assert ("咨询师的回复" in page(20, editable=editable)) == editable
