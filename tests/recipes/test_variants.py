"""Variants: three overrides at most, a folder of their own, the rest shared with the main run."""

from pathlib import Path

import pytest
import yaml

from common.errors import StageError
from common.stage import Plan
from eval.sources import CHAIN
from recipes import data, stage, variants
from recipes.grpo_config import compose_config
from recipes.grpo_machine import check_machine
from recipes.profile import Common, framework
from recipes.variants import TRAINING, Variant, load_variants, model_folders, share_stages
from tests.recipes.made import DECIDED, decided_by, make_stage


def test_those_of_the_paper_are_there() -> None:
    known = load_variants("/models/base")
    assert list(known) == ["main", "sft_only", "grpo_only", "without_coe"]
    assert known["grpo_only"].overrides == {"grpo": ["recipe.init_model='/models/base'"]}
    # Reports compare the main run's stages in this order.
    assert (known["sft_only"].row, known["main"].row) == CHAIN[1:]


def test_a_model_lies_where_its_stage_is_run(tmp_path: Path) -> None:
    assert model_folders(tmp_path) == {
        "SFT+GRPO": tmp_path / "grpo",
        "SFT": tmp_path / "sft",
        "GRPO only": tmp_path / "variants" / "grpo_only" / "grpo",
        "w/o CoE": tmp_path / "variants" / "without_coe" / "grpo",
    }


def test_what_is_not_its_own_is_linked(tmp_path: Path) -> None:
    make_stage(tmp_path, "reward-model", lambda folder: (folder / "threshold.json").write_text("0.2"))
    share_stages(tmp_path, "grpo_only")
    share_stages(tmp_path, "grpo_only")
    folder = tmp_path / "variants" / "grpo_only"
    assert {path.name for path in folder.iterdir() if path.is_symlink()} == set(TRAINING) - {"grpo"}
    assert (folder / "reward-model" / "threshold.json").read_text() == "0.2"
    # The run may be moved.
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert (moved / "variants" / "grpo_only" / "reward-model" / "threshold.json").is_file()


def test_a_stage_of_its_own_is_no_link_of_an_earlier_definition(tmp_path: Path) -> None:
    folder = tmp_path / "variants" / "grpo_only"
    folder.mkdir(parents=True)
    (folder / "grpo").symlink_to("../../grpo")
    (folder / "sft").mkdir()
    with pytest.raises(StageError, match="variant grpo_only shares the main run's sft"):
        share_stages(tmp_path, "grpo_only")
    (folder / "sft").rmdir()
    share_stages(tmp_path, "grpo_only")
    assert not (folder / "grpo").is_symlink()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stages": ["grpo"], "overrides": {"grpo": list("abcd")}}, "4 overrides, expected 3 at most"),
        ({"overrides": {"grpo": ["a=1"]}}, "grpo is not of its stages"),
        ({"stages": ["data"], "overrides": {"data": ["test_size=3"]}}, "holds test_size=3, but its data are"),
        ({"stages": ["generate"]}, "stage generate: expected of data, sft"),
    ],
)
def test_what_a_variant_may_not_be(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Variant("x", **changes)  # type: ignore[arg-type]


def test_a_file_with_two_rows_of_one_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "variants.yaml"
    file.write_text(yaml.safe_dump({"main": {"row": "a"}, "other": {"row": "a"}}))
    monkeypatch.setattr(variants, "FILE", file)
    with pytest.raises(StageError, match="a row for each"):
        load_variants()
    file.write_text(yaml.safe_dump({"main": {"row": "a", "stages": ["sft"]}}))
    with pytest.raises(StageError, match="main has stages or overrides"):
        load_variants()


def test_its_overrides_come_before_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[tuple[Common, list[str]]] = []

    def plan(common: Common, overrides: list[str]) -> Plan:
        seen.append((common, overrides))
        return Plan({}, {}, lambda folder, resume: None)

    make_stage(tmp_path, "data", lambda folder: None, decided_by(model="/models/base"))
    recipe = stage.Recipe("grpo", framework, plan)
    arguments = ["profile=tiny", f"out={tmp_path}", "model=/models/base"]
    folder = stage.run(recipe, [*arguments, "variant=grpo_only", "trainer.total_training_steps=1"])
    ((common, overrides),) = seen
    assert folder == common.root / "grpo" == tmp_path / "variants" / "grpo_only" / "grpo"
    assert overrides == ["recipe.init_model='/models/base'", "trainer.total_training_steps=1"]
    stage.run(recipe, arguments)
    assert (seen[1][0].root, seen[1][1]) == (tmp_path, [])
    with pytest.raises(StageError, match="data was prepared with model=/models/base"):
        stage.run(recipe, [*arguments, "model=/models/other", "variant=grpo_only"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", ["Qwen/Qwen3-8B", "/模型/a,b (1)/x=~"])
def test_grpo_begins_with_the_base_whatever_it_is_called(model: str, tmp_path: Path) -> None:
    overrides = load_variants(model)["grpo_only"].overrides["grpo"]
    config = compose_config("qwen3_8b", tmp_path, 42, DECIDED, overrides)
    assert config.actor_rollout_ref.model.path == model
    # What is named as on the hub is no missing folder.
    with pytest.raises(StageError) as stopped:
        check_machine(config)
    assert (f"{model} (made by" in str(stopped.value)) == model.startswith("/")


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ("nobody", "VARIANT=nobody: no such variant, expected one of main, sft_only"),
        ("grpo_only", "data: variant grpo_only runs grpo itself and shares the rest"),
        ("sft_only", "data: variant sft_only runs no stage itself"),
    ],
)
def test_a_shared_stage_is_the_main_runs(variant: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=message):
        stage.run(data.RECIPE, ["profile=tiny", f"out={tmp_path}", f"variant={variant}"])
    assert not list(tmp_path.iterdir())


def test_its_data_are_the_main_runs_or_none(tmp_path: Path) -> None:
    arguments = ["profile=tiny", f"out={tmp_path}", "variant=without_coe"]
    with pytest.raises(StageError, match="data is missing"):
        stage.run(data.RECIPE, arguments)
