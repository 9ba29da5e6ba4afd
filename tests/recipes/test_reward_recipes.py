"""The four stages of the reward model on a small corpus, through their recipes."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from common.errors import StageError
from common.records.triplets import KINDS
from common.stage import Plan, run_stage
from recipes import heldout_reward_model, reward_model, reward_probes, reward_ranking
from recipes.profile import load_profile
from recipes.stage import run
from reward_fns.reward_model import RewardModel
from reward_fns.training.config import RewardModelConfig
from reward_fns.training.trainer import Trained

MATTERS = ("失眠", "考试", "工作", "分手", "父母", "室友", "搬家", "钱", "孩子", "朋友")
SMALL = ["epochs=1", "dimension=16", "dev_triplets=12", "generic_replies=3", "training.report_to=none"]


def triplets(matters: tuple[str, ...] = MATTERS) -> pd.DataFrame:
    rows = []
    for number, matter in enumerate(matters * 4):
        other = matters[(number + 1) % len(matters)]
        for kind in KINDS:
            split = "heldout" if number % 4 == 0 else "train"
            if kind != "in_batch" or split == "heldout":
                rows.append(
                    {
                        "question_id": str(number),
                        "question": f"{matter}的事让我很难受，第{number}天了",
                        "positive": f"{matter}难受的时候先歇一歇，第{number}步再想{matter}怎么办",
                        "negative": f"一切都会好的，{other if kind != 'dressed' else matter}，加油{number}",
                        "kind": kind,
                        "split": split,
                    }
                )
    return pd.DataFrame(rows)


def write_data(out: Path, rows: pd.DataFrame) -> None:
    def work(folder: Path, resume: bool) -> None:
        del resume
        rows.to_parquet(folder / "triplets.parquet")

    run_stage("data", out, 42, Path(__file__), Plan({}, {}, work), force=True)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    write_data(tmp_path, triplets())
    characters = sorted(set("".join(triplets()[["question", "positive", "negative"]].to_numpy().ravel())))
    tokenizer = Tokenizer(models.WordLevel({text: i for i, text in enumerate(["[UNK]", *characters])}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]").save_pretrained(tmp_path / "base")
    return tmp_path


def make(recipe: Any, out: Path, *more: str) -> Path:
    return run(recipe, ["profile=tiny", f"out={out}", f"model={out / 'base'}", *more])


def test_a_reward_model_from_triplets(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(reward_model.RECIPE, out, *SMALL)
    model = RewardModel(folder)
    assert model.cosines(["失眠的事"], ["失眠难受"]) > model.cosines(["失眠的事"], ["加油"])
    assert {result["kind"] for result in json.loads((folder / "pairwise.json").read_text())} == set(KINDS)
    assert {"README.md", "curves.png", "heldout.parquet", "generic.json", "untrained"} <= {
        path.name for path in folder.iterdir()
    }
    assert not list(folder.rglob("checkpoint-*"))
    result = json.loads((folder / "manifest.json").read_text())["result"]
    assert result["value"] == model.threshold.value
    # The base's weights are not read, so other ones change nothing.
    (out / "base" / "model.safetensors").write_bytes(b"other")
    capsys.readouterr()
    make(reward_model.RECIPE, out, *SMALL)
    assert "nothing has changed" in capsys.readouterr().out
    (out / "base" / "tokenizer_config.json").write_text("{}")
    make(reward_model.RECIPE, out, *SMALL)
    assert "tokenizer" in capsys.readouterr().out


def test_an_encoder_of_one_s_own_from_a_folder(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    encoder = make(reward_model.RECIPE, out, *SMALL)
    shutil.copytree(encoder / "untrained", out / "mine")
    own = [*SMALL, f"encoder={out / 'mine'}", "lexical=2", "whiten=0.5", "start_share=0.5"]
    folder = make(reward_model.RECIPE, out, *own)
    assert RewardModel(folder).cosines(["失眠"], ["失眠"]) == pytest.approx([1.0], abs=1e-5)
    assert (folder / "lexical.npz").is_file()
    (out / "mine" / "notes.txt").write_text("no part of the model")
    shutil.rmtree(out / "base")
    capsys.readouterr()
    make(reward_model.RECIPE, out, *own)
    assert "nothing has changed" in capsys.readouterr().out


def test_a_killed_stage_goes_on_after_its_training(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_: Any) -> None:
        raise KeyboardInterrupt

    def train_again(*_: Any) -> Trained:
        raise AssertionError("trained again")

    def killed_in(step: str, *more: str) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(f"reward_fns.training.pipeline.{step}", kill)
            with pytest.raises(KeyboardInterrupt):
                make(reward_model.RECIPE, out, *SMALL, *more)

    killed_in("choose_threshold")
    monkeypatch.setattr("reward_fns.training.pipeline.train", train_again)
    make(reward_model.RECIPE, out, *SMALL)
    # With other settings what lies there is another training's, also after a kill that came before this one's.
    killed_in("build_encoder", "margin=0.2")
    with pytest.raises(AssertionError, match="trained again"):
        make(reward_model.RECIPE, out, *SMALL, "margin=0.2")


def test_the_held_out_one_is_another(out: Path) -> None:
    bag = ("encoder=static", "tokens=null", "whiten=null")
    first, second = make(reward_model.RECIPE, out, *SMALL), make(heldout_reward_model.RECIPE, out, *SMALL, *bag)
    assert second.name == "heldout-reward-model"
    assert RewardModel(first).threshold != RewardModel(second).threshold
    questions = [json.loads((folder / "generic.json").read_text()) for folder in (first, second)]
    assert questions[0] != questions[1]


def test_ranking_on_another_corpus_needs_neither_base_nor_own_data(out: Path, tmp_path: Path) -> None:
    make(reward_model.RECIPE, out, *SMALL)
    other = tmp_path / "other"
    write_data(other, triplets(("搬家", "钱", "邻居")))
    shutil.rmtree(out / "base")
    shutil.rmtree(out / "data")
    folder = make(reward_ranking.RECIPE, out, f"on={other}")
    results = json.loads((folder / "pairwise.json").read_text())
    assert list(results[0]["accuracy"]) == ["TF-IDF", "untrained", "trained"]
    shown = (folder / "pairwise.md").read_text(encoding="utf-8")
    assert shown.startswith("# Pairwise accuracy on ")
    assert "| topic | hard |" in re.sub(" +", " ", shown)
    write_data(other, triplets().query("split == 'train'"))
    with pytest.raises(StageError, match="no held-out triplet"):
        make(reward_ranking.RECIPE, out, f"on={other}")


def test_probes_take_the_guards_by_their_names(out: Path) -> None:
    make(reward_model.RECIPE, out, *SMALL)
    folder = make(reward_probes.RECIPE, out, "max_copy=0.3", "min_chars=null", "questions=3")
    text = (folder / "probes.md").read_text(encoding="utf-8")
    assert "on 3 held-out questions" in text
    assert "(max_copy 0.3, min_distinct_2 0.4)" in text
    for wrong in ("min_distinct=0.4", "max_copy=2", "questions=0"):
        with pytest.raises(StageError, match=wrong.partition("=")[0]):
            make(reward_probes.RECIPE, out, wrong)


@pytest.mark.parametrize("profile", ["tiny", "qwen3_8b"])
def test_every_profile_has_settings_for_the_four(profile: str) -> None:
    for recipe in (reward_model, heldout_reward_model, reward_probes, reward_ranking):
        recipe.RECIPE.load([f"profile={profile}"])
    first, second = (recipe.RECIPE.load([f"profile={profile}"])[1] for recipe in (reward_model, heldout_reward_model))
    assert (first.encoder, first.dimension) != (second.encoder, second.dimension)
    assert reward_probes.RECIPE.load([f"profile={profile}"])[1].min_distinct_2 == 0.4


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("margin=0", "margin=0: expected above 0"),
        ("margin=-5", "margin=-5.0: expected 0 or more"),
        ("dimension=0", "dimension=0: expected 1 or more"),
        ("epoch_share=1.5", "epoch_share=1.5: expected 0 to 1"),
        ("tokens=3", "encoder=static takes no"),
        ("threshold_rule=best", "threshold_rule=best: expected one of youden"),
        ("encoder=/no/such", "encoder=/no/such: no such folder"),
        ("training.learning_ratee=0.1", "training.learning_ratee"),
        ("training.seed=1", "training.seed"),
        ("curriculum=0.3", "curriculum"),
    ],
)
def test_values_are_checked_before_anything_is_touched(argument: str, message: str) -> None:
    with pytest.raises(StageError, match=message):
        load_profile(["profile=tiny", argument], "reward_model", RewardModelConfig)


def test_data_or_a_device_that_is_not_there(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StageError, match="make data"):
        make(reward_model.RECIPE, tmp_path / "nothing")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(StageError, match="device=cuda:1: torch finds no CUDA"):
        make(reward_model.RECIPE, out, "device=cuda:1")
