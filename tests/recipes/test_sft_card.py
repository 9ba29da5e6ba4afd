"""The card of the SFT model says what it is, and nothing of the machine that trained it."""

from dataclasses import replace
from pathlib import Path

from huggingface_hub import ModelCard

from common.code import REPO
from common.decisions import DataDecisions
from recipes import sft
from recipes.profile import Common
from recipes.sft_card import CARD_FILE, render_card

BASE = REPO / "recipes" / "tiny_base" / "model"
DECIDED = DataDecisions("PsyQA", "coe", "你是咨询师。", False, 448, 448, str(BASE))
RESULTS = {"epoch": 2.0, "train_loss": 3.71952}


def test_it_names_base_data_and_training_and_no_folder_of_the_machine(tmp_path: Path) -> None:
    config, _ = sft.compose_config(Common("tiny", str(tmp_path), str(BASE)), DECIDED, [])
    card = render_card(config, DECIDED, RESULTS)
    assert str(REPO) not in card
    assert "`recipes/tiny_base/model`" in card
    assert "| mean training loss" in card
    assert "3.720" in card
    assert "你是咨询师。" in card
    assert "never left to the model alone" in card
    (tmp_path / CARD_FILE).write_text(card, encoding="utf-8")
    data = ModelCard.load(tmp_path / CARD_FILE).data
    assert "psyqa" in data.datasets
    assert data.base_model is None
    # A hub's own id is no folder of anybody's.
    hub = render_card(config, replace(DECIDED, model="Qwen/Qwen3-8B", prompt="plain"), RESULTS)
    assert "base_model: Qwen/Qwen3-8B" in hub
    assert "<answer>" not in hub
