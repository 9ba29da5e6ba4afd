"""A model by override: loaded from a folder, offsets mapped back, windows, threshold. Its weights are set by hand."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

from data_prep.anonymise.engine import Anonymiser
from data_prep.anonymise.model import ModelRecognizer

LABELS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-GPE"]
CHARACTERS = "今天见到了甲乙丙丁，一二。"
POSITIONS = 24


def _save(folder: Path, labelled: dict[str, str]) -> str:
    """A BERT without layers whose label depends on the character alone: sure of `labelled`, of O elsewhere."""
    vocabulary = {token: index for index, token in enumerate(["[PAD]", "[UNK]", *CHARACTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", model_max_length=POSITIONS
    ).save_pretrained(folder)
    config = BertConfig.from_dict(
        {
            "vocab_size": len(vocabulary),
            "hidden_size": len(LABELS),
            "num_hidden_layers": 0,
            "num_attention_heads": 1,
            "intermediate_size": 4,
            "max_position_embeddings": POSITIONS,
            "id2label": dict(enumerate(LABELS)),
            "label2id": {label: index for index, label in enumerate(LABELS)},
        }
    )
    model = BertForTokenClassification(config)
    with torch.no_grad():
        for embedding in (model.bert.embeddings.position_embeddings, model.bert.embeddings.token_type_embeddings):
            embedding.weight.zero_()
        words = model.bert.embeddings.word_embeddings.weight
        words.zero_()
        for token, index in vocabulary.items():
            words[index, LABELS.index(labelled.get(token, "O"))] = 1
        model.classifier.weight.copy_(torch.eye(len(LABELS)) * 4)
        model.classifier.bias.zero_()
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    labelled = {"甲": "B-PER", "乙": "I-PER", "丙": "B-ORG", "丁": "I-ORG", "一": "B-GPE"}
    return _save(tmp_path_factory.mktemp("model"), labelled)


def test_model_finds_more(folder: str) -> None:
    text = "今天见到了甲乙，了丙丁。一二"
    assert Anonymiser()([text]).texts == (text,)
    assert Anonymiser(model=folder)([text]).texts == ("今天见到了[姓名]，了[单位]。一二",)


def test_long_texts_are_read_in_windows(folder: str) -> None:
    text = "今天" * 40 + "甲乙" + "见到" * 40 + "丙丁"
    # The tagger may see names in it too.
    found = Anonymiser(model=folder, bias=-20)([text]).found
    assert [(each.type, text[each.start : each.end]) for _, each in found] == [("姓名", "甲乙"), ("单位", "丙丁")]


def test_threshold(folder: str) -> None:
    text = "今天见到了甲乙"
    (sure,) = ModelRecognizer(folder, threshold=0.5).analyze(text, ["姓名"], None)
    assert (sure.start, sure.end) == (5, 7)
    assert ModelRecognizer(folder, threshold=0.999999).analyze(text, ["姓名"], None) == []


def test_rules_come_before_the_model(folder: str) -> None:
    (result,) = ModelRecognizer(folder).analyze("甲乙", ["姓名"], None)
    assert result.score <= 0.4


def test_failing_model_is_not_passed_over(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recogniser = ModelRecognizer(folder)

    def fail(text: str) -> None:
        raise RuntimeError("index out of range")

    monkeypatch.setattr(recogniser, "ner_pipeline", fail)
    with pytest.raises(RuntimeError, match="index out of range"):
        recogniser.analyze("甲乙", ["姓名"], None)


def test_no_such_model(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing_here"):
        Anonymiser(model=str(tmp_path / "nothing_here"))
