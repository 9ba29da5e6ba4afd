"""A Hugging Face classifier as the risk tagger: made here, small and untrained but for its last layer."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

from common.records.risk import Risk
from data_prep.risk.model import RiskTaggerConfig
from data_prep.risk.model.answers import FILE
from data_prep.risk.model.classifier import RiskClassifier, levels_of
from data_prep.risk.model.tag import tag

SAFE, RISKY = "今天想跑步", "我不想活"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says LABEL_2 where 活 stands in a window, LABEL_0 elsewhere; it reads 16 tokens at once."""
    folder = tmp_path_factory.mktemp("model")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(SAFE + RISKY))]
    numbers = {word: number for number, word in enumerate(words)}
    BertTokenizer(vocab=numbers, model_max_length=16).save_pretrained(folder)
    size = len(words)
    keys: dict[str, Any] = {
        "vocab_size": size,
        "hidden_size": size,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "intermediate_size": size,
        "max_position_embeddings": 16,
        "num_labels": 3,
    }
    made: Any = BertForSequenceClassification(BertConfig(**keys))
    for name, weight in made.named_parameters():
        torch.nn.init.constant_(weight, 1.0 if "LayerNorm.weight" in name else 0.0)
    marked = words.index("活")
    with torch.no_grad():
        made.bert.embeddings.word_embeddings.weight[marked, 0] = 100.0
        # All tokens of a window together: attention without a preference is their mean.
        layer = made.bert.encoder.layer[0]
        layer.attention.self.value.weight[0, 0] = 1.0
        layer.attention.output.dense.weight[1, 0] = 100.0
        made.bert.pooler.dense.weight[0, 1] = 10.0
        made.classifier.bias[0] = 0.5
        made.classifier.weight[2, 0] = 1.0
    made.save_pretrained(folder)
    return folder


def config(model: Path) -> RiskTaggerConfig:
    labels = {"LABEL_0": "none", "LABEL_1": "concern", "LABEL_2": "acute"}
    return RiskTaggerConfig(tagger="classifier", model=str(model), labels=labels)


def test_the_worst_window_of_a_long_post_counts(model: Path) -> None:
    classifier = RiskClassifier(config(model))
    late = SAFE * 10 + RISKY
    assert classifier([SAFE, RISKY, SAFE * 10, late]) == ["none", "acute", "none", "acute"]


def test_answers_are_kept_and_kinds_come_from_the_rules(model: Path, tmp_path: Path) -> None:
    rules = [Risk("acute", ("suicide",)), Risk(), Risk()]
    found = tag([RISKY, RISKY + SAFE, SAFE], rules, config(model), tmp_path)
    assert found.risks == (rules[0], Risk("acute", ("other",)), Risk())
    kept = (tmp_path / FILE).read_text(encoding="utf-8")
    assert len(kept.splitlines()) == 3
    assert "活" not in kept
    assert tag([SAFE, RISKY], rules[1:], config(model), tmp_path).risks == (Risk(), Risk("acute", ("other",)))
    assert (tmp_path / FILE).read_text(encoding="utf-8") == kept


def test_labels_without_a_level_are_told() -> None:
    assert levels_of({0: "None", 1: "ACUTE"}, {}) == {0: "none", 1: "acute"}
    with pytest.raises(ValueError, match=r"no level for the model's label 'LABEL_0'.*risk\.labels\.LABEL_0=none"):
        levels_of({0: "LABEL_0"}, {})
    with pytest.raises(ValueError, match="no label 'SAFE'"):
        levels_of({0: "LABEL_0"}, {"SAFE": "none"})


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises((OSError, ValueError)):
        RiskClassifier(config(tmp_path / "nothing"))
