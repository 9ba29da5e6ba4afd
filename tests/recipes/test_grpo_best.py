"""The best model that was saved and validated stays, across verl's removals and kills, and can be handed on."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from omegaconf import DictConfig

from common.code import REPO
from common.decisions import DataDecisions
from common.errors import StageError
from common.manifest import Manifest
from common.model_card import base_name
from recipes.grpo_best import drop_later, drop_worse, find_best, keep_best, with_best
from recipes.grpo_card import CARD_FILE
from recipes.grpo_checkpoints import BEST, TRACKER, prune
from recipes.grpo_config import compose_config
from recipes.grpo_handover import check_choice, hand_on, to_change
from recipes.lora import TRAINED

BASE = REPO / "recipes" / "tiny_base" / "model"
DECIDED = DataDecisions("PsyQA", "coe", "你是*咨询师*。", False, 320, 400, str(BASE))


def save(checkpoints: Path, step: int, reward: float | None = None, **figures: float) -> None:
    """What verl leaves of a step, of which it keeps the last; validated where there is a reward."""
    actor = checkpoints / f"global_step_{step}" / "actor"
    (actor / "huggingface").mkdir(parents=True)
    (actor / "huggingface" / "config.json").write_text(f'{{"step": {step}}}')
    (actor / "optim.pt").write_bytes(b"x" * 99)
    (checkpoints / TRACKER).write_text(str(step))
    prune(checkpoints, 1)
    drop_worse(checkpoints)
    if reward is not None:
        keep_best(checkpoints, step, {"reward": reward, **figures})


def kept(checkpoints: Path) -> int:
    drop_worse(checkpoints)
    best = find_best(checkpoints)
    assert best is not None
    (folder,) = checkpoints.glob(f"{BEST}*")
    files = sorted(path.name for path in folder.rglob("*") if path.is_file())
    assert files == ["config.json", "validation.json"]
    assert json.loads((best.actor / "huggingface" / "config.json").read_text()) == {"step": best.step}
    return best.step


def test_the_best_of_those_saved_stays(tmp_path: Path) -> None:
    assert find_best(tmp_path / "nothing") is None
    # The second is the best; an equal one later changes nothing, a better one does.
    for step, reward, best in ((2, 0.9, 2), (4, 1.2, 4), (6, 0.5, 4), (8, 1.2, 4), (10, 1.3, 10)):
        save(tmp_path, step, reward)
        assert kept(tmp_path) == best
    assert not keep_best(tmp_path, 11, {"reward": 2.0}), "the checkpoint of step 11 was not saved"
    assert kept(tmp_path) == 10


def test_it_costs_no_room_while_the_checkpoint_is_there(tmp_path: Path) -> None:
    save(tmp_path, 2, 1.0)
    files = list(tmp_path.rglob("config.json"))
    assert len(files) == 2
    assert files[0].stat().st_ino == files[1].stat().st_ino


def test_what_a_kill_leaves_is_put_right(tmp_path: Path) -> None:
    save(tmp_path, 2, 1.0)
    save(tmp_path, 4, 1.5)
    assert {path.name for path in tmp_path.glob(f"{BEST}*")} == {f"{BEST}2", f"{BEST}4"}
    # Killed before step 4 was on record: it is done again, and the one before is still there.
    drop_later(tmp_path, 2)
    assert kept(tmp_path) == 2
    (tmp_path / f".{BEST}6" / "actor").mkdir(parents=True)
    save(tmp_path, 6, 2.0)
    assert kept(tmp_path) == 6


def test_lora_s_rank_goes_with_its_weights(tmp_path: Path) -> None:
    save(tmp_path, 2)
    (tmp_path / "global_step_2" / "actor" / TRAINED).write_text("{}")
    keep_best(tmp_path, 2, {"reward": 1.0})
    assert (tmp_path / f"{BEST}2" / "actor" / TRAINED).read_text() == "{}"


def test_the_trainer_keeps_it(tmp_path: Path) -> None:
    class Trainer:
        global_steps = 2
        found: dict[str, float]

        def on_step_begin(self) -> None:
            pass

        def _validate(self) -> dict[str, float]:
            return self.found

    trainer: Any = with_best(Trainer, tmp_path)()
    # verl validates before the first step, when nothing is saved.
    trainer.global_steps, trainer.found = 0, {"val-core/a/reward/mean@4": 1.9}
    assert trainer._validate() == trainer.found
    assert find_best(tmp_path) is None
    trainer.global_steps = 2
    save(tmp_path, 2)
    trainer.found = {"val-aux/num_turns/mean": 2.0}
    assert trainer._validate() == trainer.found
    assert find_best(tmp_path) is None
    trainer.found = {"val-core/a/reward/mean@4": 1.5, "val/heldout_answer": 0.4}
    assert trainer._validate() == trainer.found
    best = find_best(tmp_path)
    assert best is not None
    assert best.result() == {"step": 2, "validation": {"reward": 1.5, "heldout_answer": 0.4}}
    save(tmp_path, 4)
    trainer.global_steps, trainer.found = 4, {"val-core/a/reward/mean@4": 1.6}
    trainer._validate()
    # Both, until the next step begins.
    assert len(list(tmp_path.glob(f"{BEST}*"))) == 2
    trainer.on_step_begin()
    assert kept(tmp_path) == 4


def run_of(tmp_path: Path, *overrides: str) -> tuple[DictConfig, Path]:
    """A configuration that validates, and the stage's folder with a checkpoint of step 4 beside the best, of step 2."""
    given = ["trainer.test_freq=1", *overrides]
    config = compose_config("tiny", tmp_path, 42, DECIDED, given)
    folder, checkpoints = Path(config.recipe.folder), Path(config.trainer.default_local_dir)
    save(checkpoints, 2, 1.5, heldout_answer=0.5, format=0.75)
    save(checkpoints, 4, 1.25)
    data = {"val-core/sample/reward/mean@4": 1.25, "val/heldout_answer": 0.375}
    (folder / "metrics.jsonl").write_text(json.dumps({"step": 4, "data": data}) + "\n")
    return config, folder


@pytest.mark.parametrize(("choice", "step"), [("last", 4), ("best", 2)])
def test_what_is_handed_on_is_chosen_and_told(choice: str, step: int, tmp_path: Path) -> None:
    config, folder = run_of(tmp_path, f"recipe.hand_on={choice}")
    told = hand_on(config, DECIDED, folder)
    assert json.loads((folder / "config.json").read_text()) == {"step": step}
    assert Path(told.pop("checkpoint")) == find_saved(config, step) / "actor" / "huggingface"
    assert told == {
        "handed_on": choice,
        "last": {"step": 4, "validation": {"reward": 1.25, "heldout_answer": 0.375}},
        "best": {"step": 2, "validation": {"reward": 1.5, "heldout_answer": 0.5, "format": 0.75}},
    }
    card = ModelCard.load(folder / CARD_FILE)
    assert (card.data.license, card.data.library_name, card.data.language) == ("other", "transformers", "zh")
    assert card.data.datasets == ["smilechat", "psyqa"]
    # A folder of this machine is nobody's base.
    assert card.data.base_model is None
    assert str(tmp_path) not in card.text
    assert str(REPO) not in card.text
    for words in (
        "**Base:** `recipes/tiny_base/model`",
        f"**{choice}** model that was saved, after step {step}.",
        "last, step 4 |   best, step 2 |",
        "1.250 |          1.500 |",
        "0.375 |          0.500 |",
        "– |          0.750 |",
        "12356",
        "No clinical validity",
        "never left to the model alone",
        "cc0-1.0",
        "你是*咨询师*。",
    ):
        assert words in card.text, words


def test_a_reward_function_of_the_user_s_own_needs_no_options(tmp_path: Path) -> None:
    (own := tmp_path / "own.py").write_text("def compute_score(**_): return 0.0\n")
    config, folder = run_of(tmp_path, f"reward.custom_reward_function.path={own}")
    assert hand_on(config, DECIDED, folder)["handed_on"] == "last"
    assert "a function of the user's own" in ModelCard.load(folder / CARD_FILE).text


def find_saved(config: DictConfig, step: int) -> Path:
    (folder,) = Path(config.trainer.default_local_dir).glob(f"*_step_{step}")
    return folder


def test_a_finished_run_changes_to_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, folder = run_of(tmp_path, "recipe.hand_on=best")
    made = Manifest("grpo", 42, {}, {}, {}, {}, "", "", seconds=1.0, result={"handed_on": "last"})
    assert to_change(made, config, folder) == f"{folder} is the last model and recipe.hand_on=best"
    assert to_change(None, config, folder) == ""
    config.recipe.hand_on = "last"
    assert to_change(made, config, folder) == ""
    config.recipe.hand_on = "best"
    shutil.rmtree(find_saved(config, 2))
    # Begun again it would find nothing to hand on.
    assert to_change(made, config, folder) == ""
    assert "has no best model" in capsys.readouterr().out
    with pytest.raises(StageError, match=r"no model that was saved and validated.*recipe\.hand_on=last"):
        hand_on(config, DECIDED, folder)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["recipe.hand_on=first"], "found neither last nor best"),
        (["recipe.hand_on=best"], "no model would be both saved and validated"),
        (["recipe.hand_on=best", "trainer.test_freq=2", "recipe.keep_best=false"], "no model would be both"),
        (["recipe.hand_on=best", "trainer.test_freq=2"], ""),
        ([], ""),
    ],
)
def test_a_choice_that_cannot_be_stops(overrides: list[str], message: str, tmp_path: Path) -> None:
    config = compose_config("tiny", tmp_path, 42, DECIDED, overrides)
    if message:
        with pytest.raises(StageError, match=message):
            check_choice(config)
    else:
        check_choice(config)


def test_a_base_s_name_tells_no_place(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert base_name(str(tmp_path / "mine")) == "mine"
    assert base_name("Qwen/Qwen3-8B") == "Qwen/Qwen3-8B"
    assert base_name(str(BASE)) == "recipes/tiny_base/model"
